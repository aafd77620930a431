"""Annotated text: plain text and the lookups in it, in the two spellings that corpora use.

The bracket form is what annotators write, the marker form is what models read:

    was an [dblookup('Ralph Earl', 'Nationality') -> American] American painter
    was an <|db_entity|> Ralph Earl<|db_relationship|> Nationality<|db_return|> American<|db_end|> …

Both are read into one thing, `Annotated`: the text without any lookup, and each lookup with its
place in that text. So text → annotated → text gives the same characters, and one form becomes the
other without pattern replacement. Quotes, brackets and backslashes inside a slot are written with a
backslash before them, as published corpora do with quotes. What language models write is read too:
curly quotes, other arrows, brackets in values and a line break in a value. A call that could be
read in two ways is a problem, never a guess.

The marker form has two spacings. Published corpora (arXiv 2505.15962) keep the space before the
lookup; ours moves it behind (see training/data/documents.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from model.roles import END, ENTITY, MARKERS, RELATIONSHIP, RETURN
from training.errors import CorpusError

Spacing = Literal["lamplight", "reference"]
Slots = tuple[str, str, str]  # entity, relation, value

_CALL = "[dblookup("
# A call in brackets; a call in another form, which is broken; a marker.
_START = re.compile(
    r"\[\s*dblookup\s*\(|\[[^\[\]\n]*\]\(\s*dblookup\s*\(|\bdblookup\s*\(|"
    + "|".join(map(re.escape, MARKERS)),
    re.I,
)
_BRACKETED = re.compile(r"\[\s*dblookup\s*\(\s*", re.I)
_LINKED = re.compile(r"\[([^\[\]\n]*)\]\(", re.I)
_ANY_CALL = re.compile(r"dblookup\s*\(", re.I)
_CLOSING = {
    "'": "'",
    '"': '"',
    "‘": "’",
    "“": "”",
    "’": "’",
    "”": "”",
    "„": "“”",
    "`": "'`´",
    "´": "´",
}
_OPENING = "'\"‘“’”„`´"
_ARROW = r"\s*(?:->|→|=>|⇒|–>|—>|-&gt;)"
_LONGEST_BROKEN_LINE = 200  # characters of a value with a line break
_MARKED = re.compile(
    rf"{re.escape(ENTITY)}(.*?){re.escape(RELATIONSHIP)}(.*?){re.escape(RETURN)}(.*?)"
    rf"{re.escape(END)}",
    re.S,
)
_ESCAPED = re.compile(r"\\([\\'\"\[\]])")
_OPENERS = "([{<\"'“‘«„–—-/"  # what a word follows without a space


@dataclass(frozen=True, slots=True)
class Placed:
    """One lookup; `position` is where in the plain text the words after it begin."""

    position: int
    entity: str
    relation: str
    value: str


@dataclass(frozen=True, slots=True)
class Unparsable:
    """Text that looks like a lookup but is not: its place in the annotated text, and why."""

    offset: int
    excerpt: str
    reason: str

    def __str__(self) -> str:
        return f"character {self.offset:,}: {self.reason} ({self.excerpt!r})"


@dataclass(frozen=True)
class Annotated:
    """Plain text and its lookups, in the order of their places."""

    text: str
    lookups: tuple[Placed, ...] = ()
    problems: tuple[Unparsable, ...] = field(default=(), compare=False)


def parse(annotated: str) -> Annotated:
    """Read text in either form, or in both.

    What cannot be read as a lookup is reported in `problems` and left out of the text up to where
    it seems to end: the next closing bracket or marker, at most the end of the line.
    """
    plain = _Plain()
    problems: list[Unparsable] = []
    at = 0
    while match := _START.search(annotated, at):
        start = match.start()
        plain.add(annotated[at:start])
        bracket = match.group() not in MARKERS
        found = _read_call(annotated, start) if bracket else _read_marked(annotated, start)
        if isinstance(found, str):
            if bracket and (linked := _LINKED.match(annotated, start)):
                plain.add(linked[1])  # the words of [words](dblookup(…)) stay
            at = _end_of_broken(annotated, start, bracket)
            excerpt = annotated[start : min(at, start + 60)]
            problems.append(Unparsable(start, excerpt, found))
        else:
            slots, at = found
            plain.place(slots)
        here = plain.last()
        if annotated.startswith(" ", at):
            if bracket or not here or here.isspace() or here in _OPENERS:
                at += 1  # the lookup's own space
            else:
                plain.shift(1)  # the words after it begin behind the space
        elif bracket and here == " " and not annotated.startswith("[", at):
            plain.drop()  # "in [lookup], then": the space before it was the lookup's
    plain.add(annotated[at:])
    return Annotated("".join(plain.pieces), tuple(plain.lookups), tuple(problems))


class _Plain:
    """The plain text being read, with the lookups found so far."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = 0
        self.lookups: list[Placed] = []

    def add(self, piece: str) -> None:
        if piece:
            self.pieces.append(piece)
            self.length += len(piece)

    def place(self, slots: Slots) -> None:
        self.lookups.append(Placed(self.length, *slots))

    def last(self) -> str:
        return self.pieces[-1][-1] if self.pieces else ""

    def drop(self) -> None:
        """Remove the last character; the lookups after it move along."""
        self.shift(-1)
        self.length -= 1
        self.pieces[-1] = self.pieces[-1][:-1]
        if not self.pieces[-1]:
            self.pieces.pop()

    def shift(self, by: int) -> None:
        """Move the lookups that stand at the end of what was read."""
        for index in range(len(self.lookups) - 1, -1, -1):
            if self.lookups[index].position != self.length:
                break
            self.lookups[index] = replace(self.lookups[index], position=self.length + by)


def _read_call(text: str, start: int) -> tuple[Slots, int] | str:
    """Slots and end of the bracket form that begins at `start`, or what is wrong with it."""
    begin = _BRACKETED.match(text, start)
    if begin is None:
        return "it does not stand in brackets"
    at = begin.end()
    quote = text[at : at + 1]
    if quote not in _CLOSING:
        return "its entity is not quoted"
    limit = _next_call(text, at)
    closed = f"[{_CLOSING[quote]}]"
    between = _find(text, re.compile(rf"{closed}\s*,\s*([{_OPENING}])"), at + 1, limit)
    if between is None:
        return "it has no relation"
    closed = f"[{_CLOSING[between[1]]}]"
    closing = _find(text, re.compile(rf"{closed}\s*\){_ARROW}[^\S\n]*"), between.end(), limit)
    if closing is None:
        return "it has no value"
    ends = _closing_brackets(text, closing.end(), limit)
    if not ends:
        return "it never closes, or has an unbalanced bracket in its value"
    end = _chosen_end(text, closing.end(), ends, start)
    if end is None:
        return "it has an unbalanced bracket in its value"
    raw = text[at + 1 : between.start()], text[between.end() : closing.start()]
    value = " ".join(text[closing.end() : end].split("\r\n")).replace("\n", " ")
    slots = (*(_ESCAPED.sub(r"\1", part).strip() for part in (*raw, value)),)
    if not all(slots):
        return f"its {('entity', 'relation', 'value')[slots.index('')]} is empty"
    return slots, end + 1  # type: ignore[return-value]


def _next_call(text: str, start: int) -> int:
    """Where the next call after `start` begins, or the text ends."""
    following = _ANY_CALL.search(text, start)
    if following is None:
        return len(text)
    opening = text.rfind("[", start, following.start())
    return following.start() if opening < 0 else opening


def _find(text: str, pattern: re.Pattern[str], start: int, limit: int) -> re.Match[str] | None:
    """The first occurrence that is not escaped and on the same line."""
    line = text.find("\n", start, limit)
    while match := pattern.search(text, start, limit if line < 0 else line):
        if not _is_escaped(text, match.start()):
            return match
        start = match.start() + 1  # the next one may begin inside an escaped one
    return None


def _is_escaped(text: str, at: int) -> bool:
    slashes = at - len(text[:at].rstrip("\\")) if text[at - 1 : at] == "\\" else 0
    return slashes % 2 == 1


def _closing_brackets(text: str, start: int, limit: int) -> list[int]:
    """Where the value could end: at brackets that close none which it opens, in its line.

    In the next line only if there is none in its own, and the value is short.
    """
    found: list[int] = []
    depth = breaks = 0
    for at in range(start, limit):
        character = text[at]
        if character == "\n":
            breaks += 1
            if found or breaks > 1 or at - start > _LONGEST_BROKEN_LINE:
                break
        if breaks and (at - start > _LONGEST_BROKEN_LINE or found):
            break
        if character not in "[]" or _is_escaped(text, at):
            continue
        if character == "[":
            depth += 1
        elif depth:
            depth -= 1
        else:
            found.append(at)
    return found


def _chosen_end(text: str, start: int, ends: Sequence[int], call: int) -> int | None:
    """Which of several closing brackets ends the value; None if that cannot be known.

    The words after a call repeat its value. Where they do not, the first bracket ends it, unless
    the value has brackets of its own, or unbalanced parentheses, and a later bracket closes none
    that the text before the call has opened.
    """
    for end in ends:
        value = _ESCAPED.sub(r"\1", text[start:end]).strip()
        if value and text[end + 1 :].lstrip().casefold().startswith(value.casefold()):
            return end
    line = text[text.rfind("\n", 0, call) + 1 : call]
    opened = max(0, line.count("[") - line.count("]"))
    first = re.sub(r"\\.", "", text[start : ends[0]])
    is_plain = not set("[]") & set(first) and all(
        first.count(a) == first.count(b) for a, b in ("()", "{}")
    )
    return ends[0] if is_plain or len(ends) - 1 <= opened else None


def _read_marked(text: str, start: int) -> tuple[Slots, int] | str:
    """Slots and end of the marker form that begins at `start`, or what is wrong with it."""
    if not text.startswith(ENTITY, start):
        return "a marker stands outside a lookup"
    match = _MARKED.match(text, start)
    if match is None or ENTITY in match.group()[1:]:
        return "it never closes, or its markers are out of order"
    slots = tuple(part.strip() for part in match.groups())
    if any(marker in part for part in slots for marker in MARKERS):
        return "it has a marker inside a slot"
    if not all(slots):
        return f"its {('entity', 'relation', 'value')[slots.index('')]} is empty"
    return slots, match.end()  # type: ignore[return-value]


def _end_of_broken(text: str, start: int, bracket: bool) -> int:
    """Up to where a broken lookup seems to reach."""
    line = text.find("\n", start)
    limit = len(text) if line < 0 else line
    following = _START.search(text, start + 1)
    if bracket:
        begin = _START.match(text, start)
        inside = begin.end() if begin is not None else start + 1
        limit = min(limit, _next_call(text, inside))
        if following is not None and following.start() >= inside:
            limit = min(limit, following.start())
        closings = _closing_brackets(text, inside, limit)
        if closings:
            return closings[-1] + 1
        closing = text.find("]", inside, limit)
        if closing >= 0:
            return closing + 1
        closing = text.rfind(")", inside, limit)
        if _BRACKETED.match(text, start) is None and closing >= 0:
            return closing + 1
        return limit
    end = text.find(END, start, limit)
    opening = text.find(ENTITY, start + 1, limit)
    if end >= 0 and (opening < 0 or end < opening):
        return end + len(END)
    if opening >= 0:
        return opening
    own = _START.match(text, start)
    assert own is not None
    # No end in sight: only the markers go, one by one, and the words stay text.
    return own.end()


def write_brackets(document: Annotated) -> str:
    """The bracket form; `parse` reads the same document from it.

    Raises CorpusError if the text itself or a slot holds a marker or the beginning of a call.
    """
    _check_plain(document, (_CALL, *MARKERS))
    pieces, at = [], 0
    for lookup in document.lookups:
        entity, relation = (_escape(part, "\\'") for part in (lookup.entity, lookup.relation))
        pieces.append(document.text[at : lookup.position])
        value = _escape(lookup.value, "\\[]")
        pieces.append(f"{_CALL}'{entity}', '{relation}') -> {value}] ")
        at = lookup.position
    return "".join([*pieces, document.text[at:]])


def _escape(text: str, characters: str) -> str:
    return "".join(f"\\{c}" if c in characters else c for c in text)


def write_markers(document: Annotated, spacing: Spacing = "lamplight") -> str:
    """The marker form; `parse` reads the same document from it.

    Raises CorpusError if the text itself or a slot holds a marker: it would be read as one.
    """
    _check_plain(document, MARKERS)
    text, pieces, at = document.text, [], 0
    places = [lookup.position for lookup in document.lookups]
    for index, lookup in enumerate(document.lookups):
        position = lookup.position
        before = text[at:position]
        moved = spacing == "lamplight" and before.endswith(" ") and _may_move(text, position)
        pieces.append(before[:-1] if moved else before)
        entity, relation, value = _slots(lookup)
        pieces.append(f"{ENTITY} {entity}{RELATIONSHIP} {relation}{RETURN} {value}{END}")
        at = position - 1 if moved else position
        if places[index + 1 : index + 2] == [position]:
            continue  # another lookup stands here; the space comes after the last
        here = text[at - 1 : at] if at else ""
        if not moved and (not here or here.isspace() or here in _OPENERS):
            pieces.append(" ")
    return "".join([*pieces, text[at:]])


def _check_plain(document: Annotated, signs: Sequence[str]) -> None:
    """Refuse what would be read as a lookup that nobody wrote."""
    for piece in (document.text, *(s for p in document.lookups for s in _slots(p))):
        if found := next((sign for sign in signs if sign in piece), None):
            raise CorpusError(f"The text {piece[:60]!r} holds the marker {found}: remove it.")


def _may_move(text: str, position: int) -> bool:
    """Whether the space before `position` can go behind a lookup and be found there again."""
    before = text[position - 2 : position - 1] if position >= 2 else ""
    return bool(before) and not before.isspace() and before not in _OPENERS


def _slots(lookup: Placed) -> Slots:
    return lookup.entity, lookup.relation, lookup.value
