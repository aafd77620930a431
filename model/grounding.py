"""Grounding: what of a text was copied from the graph, and what was not.

Everything is computed from the trace alone, by the page and the evaluation alike.

- A *mark* covers words of the model that repeat a whole returned value after the lookup. We search
  up to the next lookup elsewhere in the text, then up to the end of the sentence. Several values
  count one by one, because a text joins them as "A, B and C".
- A lookup is a `miss`; or `faithful` if a value of it is marked; or `contradicted` if something
  else stands in the place of its value; or `unused` (a `relations` lookup, a step of a chain).
- A stretch is `unsupported` if it is a name, a date or a number that is not in the prompt, not in
  an entity that was found or a relation that was asked for, and not in a value returned before it.

Here a "name" is a word that has a capital letter or a digit, or is in a script without capitals,
and is not in `_ORDINARY`. So a wrong word in lower case ("a planet") is not found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from graph.core.facts import RELATIONS
from model.trace import TracedText, TraceLookup

FAITHFUL, CONTRADICTED, UNUSED, MISS = "faithful", "contradicted", "unused", "miss"

# Words that a sentence may open with and that name nothing.
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
# Scripts that put no spaces between words: each letter of them stands for itself.
_ALONE = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff가-힣]"
_UNSPACED = re.compile(_ALONE)
_LETTER = rf"(?!{_ALONE})[^\W\d_]"
_WORD = re.compile(
    rf"{_ALONE}|\d+(?:[.,:/]\d+)*(?:(?:{_LETTER})+\d*)*"
    rf"|(?:{_LETTER}|\d)+(?:['’.](?:{_LETTER}|\d)+)*"
)
_MORE = re.compile(r"; and (?P<count>\d+) more$")  # values that are only counted
_CAMEL = re.compile(r"(?<=[^\W\d_])(?=[A-Z])")
_JOINTS = (" ", "-", "–", "")  # between words of one name; "" where a script has no spaces
_POSSESSIVE = re.compile(r"['’]s$")
_STOP = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？।]+")
_ABBREVIATION = re.compile(r"(?:^|[\s(.])(?:\w|St|Mt|Dr|Mr|Mrs|Ms|No|Jr|Sr|vs|ca|approx)\.$")


class Mark(NamedTuple):
    """Words of the model that repeat a returned value: `trace.text[start:end]`."""

    lookup: int  # index into trace.lookups
    fact_id: int
    start: int
    end: int


class Stretch(NamedTuple):
    """`trace.text[start:end]`, a name, date or number that nothing supports."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Grounding:
    """What of a trace's text comes from the graph."""

    marks: tuple[Mark, ...]  # in the order of the text
    by_lookup: tuple[str, ...]  # "faithful", "contradicted", "unused" or "miss", for each lookup
    unsupported: tuple[Stretch, ...]
    contradictions: tuple[Stretch | None, ...]  # for each lookup, what stands in the value's place
    sentences: tuple[tuple[int, int], ...]  # begin and end of each sentence


def ground(trace: TracedText) -> Grounding:
    """Compare a trace's text with what was returned to the model."""
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


def says(text: str, value: str) -> bool:
    """Whether `text` says `value`, whole, by the same rule as for marks."""
    return next(_occurrences(text, value, 0, len(text)), None) is not None


# -- marks


def _marks(
    trace: TracedText, entry: TraceLookup, sentences: Sequence[tuple[int, int]], taken: list[Mark]
) -> list[Mark]:
    """Where the values of one lookup are repeated: the first whole occurrence of each."""
    lookup, begin = entry.lookup, trace.position(entry)
    near, far = _next_position(trace, entry), _sentence_end(sentences, begin)
    values = [
        (lookup.value[start:end], fact.id)
        for (start, end), fact in zip(lookup.value_spans, lookup.facts, strict=False)
    ]
    found: list[Mark] = []
    # Longest first, so that "Guinea" is not found inside "Equatorial Guinea".
    for value, fact_id in sorted(values, key=lambda pair: -len(pair[0])):
        for end in dict.fromkeys((near, max(near, far))):
            span = _place(trace.text, value, begin, end, found, taken)
            if span is not None:
                found.append(Mark(entry.index, fact_id, *span))
                break
    return found


def _place(
    text: str, value: str, begin: int, end: int, own: list[Mark], others: list[Mark]
) -> tuple[int, int] | None:
    """The first free occurrence; else one that another lookup marks too (a capital that is also
    the largest city is said once)."""
    shared = None
    for start, stop in _occurrences(text, value, begin, end):
        if any(start < mark.end and mark.start < stop for mark in own):
            continue
        clashes = [mark for mark in others if start < mark.end and mark.start < stop]
        if not clashes:
            return start, stop
        if shared is None and all((mark.start, mark.end) == (start, stop) for mark in clashes):
            shared = start, stop
    return shared


def _occurrences(text: str, value: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Whole occurrences of `value` in `text[begin:end]`; its first letter may be capitalised."""
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
    """Whether `text[start:end]` does not cut a word or a number."""
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
    if unicodedata.category(right).startswith("M"):  # a mark modifies what stands before it
        return True
    if _UNSPACED.match(left) or _UNSPACED.match(right):  # scripts that put no spaces between words
        return False
    return _wordlike(left) and _wordlike(right)


def _wordlike(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _next_position(trace: TracedText, entry: TraceLookup) -> int:
    """Where the next lookup stands that is not at the same place, or the end of the text."""
    here = trace.position(entry)
    later = (trace.position(other) for other in trace.lookups[entry.index + 1 :])
    return next(
        (position for position in later if trace.text[here:position].strip()), len(trace.text)
    )


# -- sentences


def _sentences(text: str, values: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Begin and end of each sentence; a full stop inside a value or an abbreviation ends none."""
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
    """The end of the sentence in which the words after `position` stand."""
    return next((end for _, end in sentences if end > position), position)


# -- what supports a word


class _Word(NamedTuple):
    start: int
    end: int
    key: str  # case-folded, without a possessive


def _words(text: str, begin: int = 0, end: int | None = None) -> list[_Word]:
    words = []
    for match in _WORD.finditer(text, begin, len(text) if end is None else end):
        written = _POSSESSIVE.sub("", match[0])
        words.append(_Word(match.start(), match.start() + len(written), written.casefold()))
    return words


class _Sources:
    """What the model was given: the prompt, the entities it found, and the values returned."""

    def __init__(self, trace: TracedText) -> None:
        self._phrases: list[tuple[int, tuple[str, ...], bool]] = []  # from where on, words, whole
        self._add(0, trace.prompt, whole=False)
        for entry in trace.lookups:
            lookup, position = entry.lookup, trace.position(entry)
            relation = _CAMEL.sub(" ", lookup.relation)
            self._add(0, relation)
            self._add(0, relation + "s")  # a text may speak of World Heritage Sites
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
        """Whether these words stand one after another in something given before `position`."""
        return any(
            given <= position
            and any(phrase[i : i + len(words)] == words for i in range(len(phrase)))
            for given, phrase, _ in self._phrases
        )

    def starts(self, words: tuple[str, ...], position: int) -> int:
        """How many of the first `words` are something that was given, whole."""
        return max(
            (
                len(phrase)
                for given, phrase, whole in self._phrases
                if whole and given <= position and words[: len(phrase)] == phrase
            ),
            default=0,
        )


def _is_item(text: str, word: _Word) -> bool:
    """Whether a word may be of a name or a number: a capital, a digit, a script without case."""
    return any(
        c.isupper() or c.isdigit() or (c.isalpha() and not c.islower())
        for c in text[word.start : word.end]
    )


def _items(text: str, begin: int, end: int, marks: Sequence[Mark] = ()) -> Iterator[list[_Word]]:
    """Runs of names and numbers that only one space or hyphen parts, marked words left out.

    An ordinary word begins no run, but may stand in one ("Cannes Film Festival").
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
    """The names, dates and numbers of `text` that neither a mark covers nor a source holds."""
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
    """First and last word of each part of `words` without a gap in `run`."""
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
    """What stands in the place of the value: the first name, date or number after the lookup, up
    to the next one or the end of the sentence, unless it names what the sentence is about."""
    begin, text = trace.position(entry), trace.text
    end = min(_next_position(trace, entry), _sentence_end(sentences, begin))
    about = [trace.prompt]
    for other in trace.lookups:
        about += [other.lookup.entity, other.lookup.resolved_entity or "", other.lookup.relation]
        beside = other.index != entry.index and trace.position(other) == begin
        if beside or other.lookup.relation == RELATIONS:
            about.append(other.lookup.value)
    known = [tuple(word.key for word in _words(phrase)) for phrase in about]
    for run in _items(text, begin, end):
        keys = tuple(word.key for word in run)
        if not any(
            phrase[i : i + len(keys)] == keys for phrase in known for i in range(len(phrase))
        ):
            return Stretch(run[0].start, run[-1].end, text[run[0].start : run[-1].end])
    return None
