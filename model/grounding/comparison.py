"""Comparing the text of a trace with what its lookups returned."""

from __future__ import annotations

from dataclasses import dataclass

from model.grounding.marks import Mark, marks_of
from model.grounding.sentences import sentences_of
from model.grounding.stated_relation import OtherRelation, other_relations
from model.grounding.support import Sources, Stretch, contradiction, unsupported_stretches
from model.trace import TracedText

FAITHFUL, CONTRADICTED, UNUSED, MISS = "faithful", "contradicted", "unused", "miss"
OTHER_RELATION = "other relation"


@dataclass(frozen=True)
class Grounding:
    """Which parts of a trace's text come from the graph."""

    marks: tuple[Mark, ...]  # in the order of the text
    by_lookup: tuple[str, ...]  # "faithful" or another verdict, for each lookup
    unsupported: tuple[Stretch, ...]
    contradictions: tuple[Stretch | None, ...]  # for each lookup, what the text says instead
    sentences: tuple[tuple[int, int], ...]  # start and end of each sentence
    other_relations: tuple[OtherRelation, ...] = ()  # values said of another relation


def ground(trace: TracedText) -> Grounding:
    """Compare the text of a trace with the values that its lookups returned."""
    text = trace.text
    sentences = tuple(sentences_of(text, _values(trace)))
    marks: list[Mark] = []
    verdicts: list[str] = []
    contradictions: list[Stretch | None] = []
    for entry in trace.lookups:
        found = marks_of(trace, entry, sentences, marks)
        marks += found
        other = None
        if entry.lookup.is_miss:
            verdict = MISS
        elif found:
            verdict = FAITHFUL
        elif entry.lookup.facts and (other := contradiction(trace, entry, sentences)):
            verdict = CONTRADICTED
        else:
            verdict = UNUSED
        verdicts.append(verdict)
        contradictions.append(other)
    marks.sort(key=lambda mark: (mark.start, mark.end, mark.lookup))
    others = other_relations(trace, marks, sentences)
    for other_relation in others:
        verdicts[other_relation.lookup] = OTHER_RELATION
    return Grounding(
        marks=tuple(marks),
        by_lookup=tuple(verdicts),
        unsupported=tuple(unsupported_stretches(text, Sources(trace), marks)),
        contradictions=tuple(contradictions),
        sentences=sentences,
        other_relations=tuple(others),
    )


def _values(trace: TracedText) -> list[str]:
    found = [trace.prompt]
    for entry in trace.lookups:
        lookup = entry.lookup
        found += [lookup.value[start:end] for start, end in lookup.value_spans]
        found += [lookup.entity, lookup.resolved_entity or ""]
    return [value for value in found if value]
