"""Marks: the words of a text that answer a lookup.

A value may occur more than once after its lookup. The mark goes to the occurrence that the sentence
is about:

- never inside the name of the entity that was asked about ("[New York City] is a city"), of an
  entity of another lookup, or of a longer name with a hyphen ("Guinea-Bissau");
- not inside a longer value of another lookup, unless that value occurs elsewhere too;
- not where the sentence names its subject ("the capital of Luxembourg is [Luxembourg]"), if the
  value is also a name of the entity, or stands there by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from graph.core.names import fold
from model.grounding.occurrences import is_whole, occurrences
from model.grounding.sentences import sentence_end
from model.trace import TracedText, TraceLookup

Span = tuple[int, int]  # start and end in the text

_QUALIFIER = re.compile(r"\s*(?:\([^()]*\)|,.*)$")  # of "Georgia (country)", "Brest, Belarus"
_OF = re.compile(r"\bof (?:the )?$", re.I)
_POSSESSED = re.compile(r"['’]s?\b|['’]")
_BEGINNING = re.compile(r"(?:the )?", re.I)
_COPULA = re.compile(r",? (?:is|are|was|were) (?:the |an? )?")
_FREE, _AT_BEGINNING, _SUBJECT = range(3)  # how much an occurrence looks like the subject


class Mark(NamedTuple):
    """Words of the model, `trace.text[start:end]`, that repeat a returned value."""

    lookup: int  # index into trace.lookups
    fact_id: int
    start: int
    end: int


def marks_of(
    trace: TracedText, entry: TraceLookup, sentences: Sequence[Span], taken: Sequence[Mark]
) -> list[Mark]:
    """The marks of one lookup, one for each of its values that the text repeats.

    We search up to the next lookup at another position, then up to the end of the sentence.
    `taken` are the marks of earlier lookups.
    """
    lookup, begin = entry.lookup, trace.position(entry)
    near, far = next_position(trace, entry), sentence_end(sentences, begin)
    values = [
        (lookup.value[start:end], fact.id)
        for (start, end), fact in zip(lookup.value_spans, lookup.facts, strict=False)
    ]
    found: list[Mark] = []
    # Longest first, so that "Guinea" is not found inside "Equatorial Guinea".
    for value, fact_id in sorted(values, key=lambda pair: -len(pair[0])):
        if not value:
            continue
        candidates = _candidates(trace, entry, value)
        for end in dict.fromkeys((near, max(near, far))):
            span = _chosen(
                [span for span in candidates if span[1] <= end],
                [(mark.start, mark.end) for mark in found],
                [(mark.start, mark.end) for mark in taken],
            )
            if span is not None:
                found.append(Mark(entry.index, fact_id, *span))
                break
    return found


def next_position(trace: TracedText, entry: TraceLookup) -> int:
    """The position of the next lookup that is not at the same place, or the end of the text."""
    here = trace.position(entry)
    later = (trace.position(other) for other in trace.lookups[entry.index + 1 :])
    return next(
        (position for position in later if trace.text[here:position].strip()), len(trace.text)
    )


def _chosen(
    candidates: Sequence[Span], own: Collection[Span], others: Collection[Span]
) -> Span | None:
    """The first candidate without a mark; if there is none, one that other lookups mark too.

    The text says it once if a capital is also the largest city.
    """
    shared = None
    for span in candidates:
        if _overlapping(span, own):
            continue
        clashes = _overlapping(span, others)
        if not clashes:
            return span
        if shared is None and all(clash == span for clash in clashes):
            shared = span
    return shared


def _overlapping(span: Span, spans: Collection[Span]) -> list[Span]:
    return [(start, end) for start, end in spans if span[0] < end and start < span[1]]


def _candidates(trace: TracedText, entry: TraceLookup, value: str) -> list[Span]:
    """Where a value after its lookup may answer it, the best first."""
    text, begin, names = trace.text, trace.position(entry), _names(entry)
    never = list(_inside_names(trace, names, value))
    whole, parts = _longer_values(trace, entry, value)
    spans = [
        span
        for span in occurrences(text, value, begin, len(text))
        if not _is_part(text, *span) and not _within(span, never) and not _within(span, whole)
    ]
    spans.sort(key=lambda span: _within(span, parts))  # stable: otherwise in the order of the text
    if not spans or _within(spans[0], parts):
        return spans
    if any(_names_it(value, name) for name in names):
        sentence = [span for span in spans if not _ends_between(text, spans[0][0], span[0])]
        roles = {span: _role(text, *span) for span in sentence}
        if len(sentence) == 1 and value in names and roles[spans[0]] != _FREE:
            return spans[1:]  # the text names its subject, and does not say the value yet
        return sorted(sentence, key=lambda span: roles[span]) + spans[len(sentence) :]
    if len(spans) > 1 and _is_subject(text, spans[0], spans[1]):
        return [spans[1], spans[0], *spans[2:]]
    return spans


# -- names


def _names(entry: TraceLookup) -> set[str]:
    """What the entity of a lookup is called: as asked, as found, and both without a qualifier."""
    names = {name for name in (entry.lookup.entity, entry.lookup.resolved_entity) if name}
    return names | {short for name in names if (short := _QUALIFIER.sub("", name))}


def _inside_names(trace: TracedText, names: Collection[str], value: str) -> Iterator[Span]:
    """Where the text names an entity by a name that holds the value.

    A longer name counts in any case ("widget 0"). The name itself counts if it is spelt otherwise
    than the value: "Moon is a [moon]".
    """
    others = {name for other in trace.lookups for name in _names(other)}
    for name in names:
        if name != value and fold(name) == fold(value):
            yield from occurrences(trace.text, name, 0, len(trace.text))
    key = value.casefold()
    for name in others | set(names):
        if len(name) > len(value) and key in name.casefold():
            for match in re.finditer(re.escape(name), trace.text, re.I):
                if is_whole(trace.text, *match.span()):
                    yield match.span()


def _longer_values(
    trace: TracedText, entry: TraceLookup, value: str
) -> tuple[list[Span], list[Span]]:
    """Where the text repeats longer values of other lookups that hold this one.

    First those that occur once, so that these words belong to them, then the others.
    """
    whole: list[Span] = []
    parts: list[Span] = []
    for other in trace.lookups:
        if other.index == entry.index:
            continue
        for start, end in other.lookup.value_spans:
            longer = other.lookup.value[start:end]
            if len(longer) > len(value) and value.casefold() in longer.casefold():
                spans = list(occurrences(trace.text, longer, trace.position(other)))
                (whole if len(spans) == 1 else parts).extend(spans)
    return whole, parts


def _within(span: Span, spans: Collection[Span]) -> bool:
    return any(start <= span[0] and span[1] <= end for start, end in spans)


def _is_part(text: str, start: int, end: int) -> bool:
    """Whether a hyphen joins these words to another name: "Bissau" in "Guinea-Bissau".

    "Warsaw-born" is not a name, so Warsaw is whole there.
    """
    before = re.search(r"(\w+)-$", text[:start])
    after = re.match(r"-(\w+)", text[end:])
    return any(match is not None and match[1][0].isupper() for match in (before, after))


# -- what a sentence is about


def _names_it(value: str, name: str) -> bool:
    """Whether the words of a value are a name of the entity, or a short form of it."""
    return f" {fold(value)} " in f" {fold(name)} "


def _role(text: str, start: int, end: int) -> int:
    """How much an occurrence looks like the subject of its sentence."""
    if _OF.search(text[:start]) or _POSSESSED.match(text, end):
        return _SUBJECT
    before = re.split(r"[.!?]\s+|\n", text[:start])[-1]
    return _AT_BEGINNING if _BEGINNING.fullmatch(before.lstrip()) else _FREE


def _is_subject(text: str, first: Span, second: Span) -> bool:
    """Whether the first of two occurrences is the subject, and the second the value.

    So it is in "the largest city of Mexico City is Mexico City", where the model misspelt the
    subject as the value.
    """
    between = text[first[1] : second[0]]
    if _OF.search(text[: first[0]]) and _COPULA.fullmatch(between):
        return True
    return re.match(r"['’]s\b", between) is not None and not re.search(r"[.!?]\s", between)


def _ends_between(text: str, begin: int, end: int) -> bool:
    return re.search(r"[.!?](?:\s|$)", text[begin:end]) is not None
