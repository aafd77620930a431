"""Grounding: which words of a text were copied from the graph, and which were not.

The page and the evaluation use the same functions. They need only the trace.

- A *mark* covers words of the model that repeat a whole returned value after its lookup. We search
  up to the next lookup at another position, then up to the end of the sentence. Each of several
  values has its own mark, because a text joins them as "A, B and C".
- A lookup is `miss` if it found nothing, `faithful` if one of its values is marked, `contradicted`
  if the text says something else where the value should be, and otherwise `unused` (a `relations`
  lookup, a step of a chain).
- A stretch is `unsupported` if it is a name, a date or a number that appears in none of these: the
  prompt, an entity that was found, a relation that was looked up, a value returned before it.

Here a "name" is a word that is not in `_ORDINARY` and has a capital letter or a digit, or is in a
script without capitals. So a wrong word in lower case ("a planet") is not found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from graph.core.facts import RELATIONS
from model.trace import TracedText, TraceLookup

FAITHFUL, CONTRADICTED, UNUSED, MISS = "faithful", "contradicted", "unused", "miss"

# Words that may start a sentence, and so have a capital, but name nothing.
_ORDINARY = frozenset(
    """
    a about above abroad according across add after again against agriculture all along already
    also although always am among an and another answer any anyone apart are area around as ask
    at audiences available awards away back based because been before behind being below beneath
    beside besides best better between beyond born both build built but by called calls can
    chemists children close compare compared composed continue could counted counting created credit
    currently dated describe despite did died directed discovered do does doing done down due
    during each eight either elections element elsewhere even every everyone everything except
    explain facts fame farmers farms few fewer film films finally first five for formally
    formerly found founded four from further geographically give given go good goodbye goods had
    half has have having he hello help hence her here hers hi his home how however i if ignore
    in inaugurated including independence industry inside instead into introduce invented is it
    its itself just kept known large larger largest later latest least less let life like
    likewise list listed lists little local locally located long look looking lookups made main
    mainly many married me measured member members membership million more moreover most much my
    name named natural nature near nearly neither never nevertheless next nine no nobody none
    nor not nothing now number observers of off official officially often old on once one only
    onto opened or originally other others otherwise our out outside over overall part payments
    people perhaps please politically population previously produced published put rather read
    readers records released remains same say science second seven several she should show
    similarly since sing situated six small smaller smallest so some someone something sometimes
    soon sorted space speakers spoken spread still such summarise telephone tell temperatures
    ten than thank thanks that the their theirs them then there therefore these they third this
    those though three through throughout thus to today together too toward towards tradition
    traditionally translate try twice two under unfortunately unless unlike until up upon us use
    used usually various very via viewers voters was watching we web were what whatever when
    where whereas whether which while who whom whose why wide will with within without women
    work world would write written year years yes yet you your
    """.split()  # noqa: SIM905 (a list literal would be 300 lines)
)
# Scripts that put no spaces between words: each of their letters counts as a word.
_ALONE = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff가-힣]"
_UNSPACED = re.compile(_ALONE)
_LETTER = rf"(?!{_ALONE})[^\W\d_]"
_WORD = re.compile(
    rf"{_ALONE}|\d+(?:[.,:/]\d+)*(?:(?:{_LETTER})+\d*)*"
    rf"|(?:{_LETTER}|\d)+(?:['’.](?:{_LETTER}|\d)+)*"
)
_MORE = re.compile(r"; and (?P<count>\d+) more$")  # values that are only counted
_CAMEL = re.compile(r"(?<=[^\W\d_])(?=[A-Z])")
_JOINTS = (" ", "-", "–", "")  # between words of one name; "" in scripts without spaces
_POSSESSIVE = re.compile(r"['’]s$")
_STOP = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？।]+")
_ABBREVIATION = re.compile(r"(?:^|[\s(.])(?:\w|St|Mt|Dr|Mr|Mrs|Ms|No|Jr|Sr|vs|ca|approx)\.$")


class Mark(NamedTuple):
    """Words of the model, `trace.text[start:end]`, that repeat a returned value."""

    lookup: int  # index into trace.lookups
    fact_id: int
    start: int
    end: int


class Stretch(NamedTuple):
    """A name, date or number of the text, `trace.text[start:end]`, that nothing supports."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Grounding:
    """Which parts of a trace's text come from the graph."""

    marks: tuple[Mark, ...]  # in the order of the text
    by_lookup: tuple[str, ...]  # "faithful", "contradicted", "unused" or "miss", for each lookup
    unsupported: tuple[Stretch, ...]
    contradictions: tuple[Stretch | None, ...]  # for each lookup, what the text says instead
    sentences: tuple[tuple[int, int], ...]  # start and end of each sentence


def ground(trace: TracedText) -> Grounding:
    """Compare the text of a trace with the values that its lookups returned."""
    text = trace.text
    sentences = tuple(_sentences(text, _values(trace)))
    marks: list[Mark] = []
    verdicts: list[str] = []
    contradictions: list[Stretch | None] = []
    for entry in trace.lookups:
        found = _marks(trace, entry, sentences, marks)
        marks += found
        other = None
        if entry.lookup.is_miss:
            verdict = MISS
        elif found:
            verdict = FAITHFUL
        elif entry.lookup.facts and (other := _contradiction(trace, entry, sentences)):
            verdict = CONTRADICTED
        else:
            verdict = UNUSED
        verdicts.append(verdict)
        contradictions.append(other)
    unsupported = _unsupported(text, _Sources(trace), marks)
    return Grounding(
        marks=tuple(sorted(marks, key=lambda mark: (mark.start, mark.end, mark.lookup))),
        by_lookup=tuple(verdicts),
        unsupported=tuple(unsupported),
        contradictions=tuple(contradictions),
        sentences=sentences,
    )


def places(text: str, value: str) -> list[tuple[int, int]]:
    """Where `text` contains the whole of `value`, by the same rule as for marks."""
    return list(_occurrences(text, value, 0, len(text)))


def says(text: str, value: str) -> bool:
    """Whether `text` contains the whole of `value`, by the same rule as for marks."""
    return next(_occurrences(text, value, 0, len(text)), None) is not None


# -- marks


def _marks(
    trace: TracedText, entry: TraceLookup, sentences: Sequence[tuple[int, int]], taken: list[Mark]
) -> list[Mark]:
    """The marks of one lookup: the first whole occurrence of each of its values.

    One inside the entity's name ("The Danube River is a river") counts only if there is no other.
    """
    lookup, begin = entry.lookup, trace.position(entry)
    near, far = _next_position(trace, entry), _sentence_end(sentences, begin)
    values = [
        (lookup.value[start:end], fact.id)
        for (start, end), fact in zip(lookup.value_spans, lookup.facts, strict=False)
    ]
    found: list[Mark] = []
    # Longest first, so that "Guinea" is not found inside "Equatorial Guinea".
    for value, fact_id in sorted(values, key=lambda pair: -len(pair[0])):
        names = {name for name in (lookup.entity, lookup.resolved_entity) if name and name != value}
        ends = dict.fromkeys((near, max(near, far)))
        for end, avoided in ((end, avoided) for avoided in (names, ()) for end in ends):
            span = _place(trace.text, value, begin, end, found, taken, avoided)
            if span is not None:
                found.append(Mark(entry.index, fact_id, *span))
                break
    return found


def _place(
    text: str,
    value: str,
    begin: int,
    end: int,
    own: list[Mark],
    others: list[Mark],
    avoided: Collection[str],
) -> tuple[int, int] | None:
    """The first occurrence without a mark; if there is none, one that other lookups mark too.

    The text says it once if a capital is also the largest city. Occurrences inside the names
    `avoided` do not count.
    """
    shared = None
    names = [span for name in avoided if value for span in _occurrences(text, name, begin, end)]
    for start, stop in _occurrences(text, value, begin, end):
        if any(first <= start and stop <= last for first, last in names):
            continue
        if any(start < mark.end and mark.start < stop for mark in own):
            continue
        clashes = [mark for mark in others if start < mark.end and mark.start < stop]
        if not clashes:
            return start, stop
        if shared is None and all((mark.start, mark.end) == (start, stop) for mark in clashes):
            shared = start, stop
    return shared


def _occurrences(text: str, value: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The whole occurrences of `value` in `text[begin:end]`; its first letter may be a capital."""
    if not value:
        return
    pattern = re.escape(value)
    if value[0].upper() != value[0] and len(value[0].upper()) == 1:
        pattern = f"(?:{re.escape(value[0].upper())}|{re.escape(value[0])}){re.escape(value[1:])}"
    for match in re.finditer(f"(?={pattern})", text[begin:end]):
        start, stop = begin + match.start(), begin + match.start() + len(value)
        if stop <= end and _is_whole(text, start, stop):
            yield start, stop


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` begins and ends between words and numbers."""
    before, first, last, after = text[:start][-2:], text[start], text[end - 1], text[end:][:2]
    if _joins(before[-1:], first) or _joins(last, after[:1]):
        return False
    if first.isdigit() and before[-1:] in (".", ",") and before[:-1].isdigit():
        return False  # 234 in 1,234
    return not (last.isdigit() and after[:1] in (".", ",") and after[1:].isdigit())


def _joins(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word."""
    if not left or not right:
        return False
    if unicodedata.category(right).startswith("M"):  # a combining mark modifies the letter before
        return True
    if _UNSPACED.match(left) or _UNSPACED.match(right):  # scripts that put no spaces between words
        return False
    return _wordlike(left) and _wordlike(right)


def _wordlike(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _next_position(trace: TracedText, entry: TraceLookup) -> int:
    """The position of the next lookup that is not at the same place, or the end of the text."""
    here = trace.position(entry)
    later = (trace.position(other) for other in trace.lookups[entry.index + 1 :])
    return next(
        (position for position in later if trace.text[here:position].strip()), len(trace.text)
    )


# -- sentences


def _sentences(text: str, values: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The start and end of each sentence. Full stops in values and abbreviations do not count."""
    inside = {
        position
        for value in set(values)
        if "." in value or "!" in value or "?" in value
        for start, end in _occurrences(text, value, 0, len(text))
        for position in range(start, end)
    }
    start = 0
    for match in _STOP.finditer(text):
        following = text[match.end() :].lstrip()[:1]
        if match.start() in inside and not (following.isupper() or not following):
            continue
        if match.start() not in inside and _ABBREVIATION.search(text[: match.start() + 1]):
            continue
        if following and following.islower():
            continue
        yield start + _spaces(text[start:]), match.end()
        start = match.end()
    if text[start:].strip():
        yield start + _spaces(text[start:]), len(text)


def _spaces(text: str) -> int:
    return len(text) - len(text.lstrip())


def _sentence_end(sentences: Sequence[tuple[int, int]], position: int) -> int:
    """The end of the sentence that the words after `position` belong to."""
    return next((end for _, end in sentences if end > position), position)


# -- what supports a word


class _Word(NamedTuple):
    start: int
    end: int
    key: str  # case-folded, without a possessive "'s"


def _words(text: str, begin: int = 0, end: int | None = None) -> list[_Word]:
    words = []
    for match in _WORD.finditer(text, begin, len(text) if end is None else end):
        written = _POSSESSIVE.sub("", match[0])
        words.append(_Word(match.start(), match.start() + len(written), written.casefold()))
    return words


class _Sources:
    """What the model was given: the prompt, the entities that it found, and the returned values."""

    def __init__(self, trace: TracedText) -> None:
        # Each has the position from which it counts, its words, and whether it is a whole name.
        self._phrases: list[tuple[int, tuple[str, ...], bool]] = []
        self._add(0, trace.prompt, whole=False)
        for entry in trace.lookups:
            lookup, position = entry.lookup, trace.position(entry)
            relation = _CAMEL.sub(" ", lookup.relation)
            self._add(0, relation)
            self._add(0, relation + "s")  # the text may say "World Heritage Sites"
            if lookup.is_miss:
                continue
            self._add(0, lookup.entity)
            self._add(0, lookup.resolved_entity or "")
            parts = [lookup.value[start:end] for start, end in lookup.value_spans]
            for part in parts or lookup.listed:
                self._add(position, part)
            if more := _MORE.search(lookup.value):
                self._add(position, more["count"])

    def _add(self, position: int, text: str, whole: bool = True) -> None:
        words = tuple(word.key for word in _words(text))
        if words:
            self._phrases.append((position, words, whole))

    def holds(self, words: tuple[str, ...], position: int) -> bool:
        """Whether something given before `position` has these words, one after another."""
        return any(
            given <= position
            and any(phrase[i : i + len(words)] == words for i in range(len(phrase)))
            for given, phrase, _ in self._phrases
        )

    def starts(self, words: tuple[str, ...], position: int) -> int:
        """How many of `words`, from the first on, are a whole phrase given before `position`."""
        return max(
            (
                len(phrase)
                for given, phrase, whole in self._phrases
                if whole and given <= position and words[: len(phrase)] == phrase
            ),
            default=0,
        )


def _is_item(text: str, word: _Word) -> bool:
    """Whether a word may belong to a name or number: a capital, a digit, a script without case."""
    return any(
        c.isupper() or c.isdigit() or (c.isalpha() and not c.islower())
        for c in text[word.start : word.end]
    )


def _items(text: str, begin: int, end: int, marks: Sequence[Mark] = ()) -> Iterator[list[_Word]]:
    """Runs of names and numbers separated by one space or hyphen each, without marked words.

    An ordinary word cannot start a run, but may be inside one ("Cannes Film Festival").
    """
    run: list[_Word] = []
    for word in _words(text, begin, end):
        marked = any(word.start < mark.end and mark.start < word.end for mark in marks)
        if run and (
            marked or not _is_item(text, word) or text[run[-1].end : word.start] not in _JOINTS
        ):
            yield run
            run = []
        if not marked and _is_item(text, word) and (run or word.key not in _ORDINARY):
            run.append(word)
    if run:
        yield run


def _unsupported(text: str, sources: _Sources, marks: Sequence[Mark]) -> list[Stretch]:
    """The names, dates and numbers of `text` that no mark covers and no source contains."""
    stretches: list[Stretch] = []
    for run in _items(text, 0, len(text), marks):
        keys = tuple(word.key for word in run)
        wrong: list[_Word] = []
        index = 0
        while index < len(run) and not sources.holds(keys[index:], run[index].start):
            known = sources.starts(keys[index:], run[index].start)
            if not known and keys[index] not in _ORDINARY:
                wrong.append(run[index])
            index += known or 1
        for first, last in _neighbours(wrong, run):
            stretches.append(Stretch(first.start, last.end, text[first.start : last.end]))
    return stretches


def _neighbours(words: list[_Word], run: list[_Word]) -> Iterator[tuple[_Word, _Word]]:
    """The first and last of each group of `words` that are neighbours in `run`."""
    if not words:
        return
    first = words[0]
    for word, following in pairwise(words):
        if run.index(following) != run.index(word) + 1:
            yield first, word
            first = following
    yield first, words[-1]


def _values(trace: TracedText) -> list[str]:
    found = [trace.prompt]
    for entry in trace.lookups:
        lookup = entry.lookup
        found += [lookup.value[start:end] for start, end in lookup.value_spans]
        found += [lookup.entity, lookup.resolved_entity or ""]
    return [value for value in found if value]


def _contradiction(
    trace: TracedText, entry: TraceLookup, sentences: Sequence[tuple[int, int]]
) -> Stretch | None:
    """What the text says instead of the value; None if that cannot be seen.

    It is the first name, date or number between the lookup and the next one or the end of the
    sentence that does not name what the text is about.
    """
    begin, text = trace.position(entry), trace.text
    end = min(_next_position(trace, entry), _sentence_end(sentences, begin))
    about = [trace.prompt]
    for other in trace.lookups:
        about += [other.lookup.entity, other.lookup.resolved_entity or "", other.lookup.relation]
        same_place = other.index != entry.index and trace.position(other) == begin
        if same_place or other.lookup.relation == RELATIONS:
            about.append(other.lookup.value)
    known = [tuple(word.key for word in _words(phrase)) for phrase in about]
    for run in _items(text, begin, end):
        keys = tuple(word.key for word in run)
        if not any(
            phrase[i : i + len(keys)] == keys for phrase in known for i in range(len(phrase))
        ):
            return Stretch(run[0].start, run[-1].end, text[run[0].start : run[-1].end])
    return None
