"""What the page needs to know about a trace, computed once: marks, numbers, chips, flags.

    marked = mark_trace(trace)

The text, the graph, the table, the card and the diff are all drawn from a marked trace, so a number
means the same fact everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from graph.core.facts import RELATIONS, Fact
from graph.core.names import fold
from model.grounding import Mark, OtherRelation, ground
from model.trace import TracedText, TraceLookup


def asked_for(lookup: TraceLookup) -> str:
    """The relation that a lookup asked for; "" if it asked which relations there are."""
    return "" if fold(lookup.lookup.relation) == RELATIONS else lookup.lookup.relation


@dataclass(frozen=True, slots=True)
class Chip:
    """A lookup that left no words in the text: its value was not used, or nothing is recorded."""

    at: int  # offset in the text
    kind: str  # "unused" or "miss"
    lookup: int
    fact: Fact | None


@dataclass(frozen=True)
class MarkedTrace:
    """A trace as a reader sees it; offsets are characters of `text`."""

    trace: TracedText
    marks: tuple[Mark, ...]
    chips: tuple[Chip, ...]
    contradicted: tuple[tuple[int, int, int], ...]  # begin, end, lookup
    unsupported: tuple[tuple[int, int], ...]
    other_relations: tuple[OtherRelation, ...] = ()  # of the facts' marks
    facts: dict[int, Fact] = field(default_factory=dict)  # shown facts by id, in order of use
    numbers: dict[int, int] = field(default_factory=dict)  # fact id -> order of use, from 1
    lookup_of: dict[int, int] = field(default_factory=dict)  # fact id -> first lookup

    @property
    def text(self) -> str:
        """The text without lookups."""
        return self.trace.text

    @cached_property
    def listed(self) -> list[TraceLookup]:
        """The lookups of `relations` that were answered."""
        return [
            each
            for each in self.trace.lookups
            if each.lookup.resolved_relation == RELATIONS and not each.lookup.is_miss
        ]

    @cached_property
    def hit_nothing(self) -> bool:
        """Whether no lookup found anything in the graph."""
        return all(each.lookup.is_miss for each in self.trace.lookups)

    @cached_property
    def whole(self) -> list[tuple[int, int]]:
        """The stretches that a word diff must not cut: values, and what contradicts one."""
        stretches = {(mark.start, mark.end) for mark in self.marks}
        stretches.update((begin, end) for begin, end, _ in self.contradicted)
        return sorted(stretches)

    def lookup(self, index: int) -> TraceLookup:
        """A lookup by its index."""
        return self.trace.lookups[index]

    def says(self, fact_id: int) -> str:
        """What the sentence says instead, where it repeats a fact's value of another relation."""
        lookup = self.lookup_of.get(fact_id)
        return next((each.says for each in self.other_relations if each.lookup == lookup), "")

    def marks_of(self, fact_id: int) -> list[Mark]:
        """The marks that repeat a fact's value."""
        return [mark for mark in self.marks if mark.fact_id == fact_id]

    def words(self, mark: Mark) -> str:
        """The words of a mark."""
        return self.text[mark.start : mark.end]


def shown_facts(lookup: TraceLookup) -> tuple[Fact, ...]:
    """The facts whose values the answer contains (at most five; the others are only counted)."""
    return lookup.lookup.facts[: len(lookup.lookup.value_spans)]


def mark_trace(trace: TracedText, finished: bool = True) -> MarkedTrace:
    """Mark a trace. While it is in progress, the last lookup may still be repeated in the text."""
    grounding = ground(trace)
    facts: dict[int, Fact] = {}
    lookup_of: dict[int, int] = {}
    for each in trace.lookups:
        for fact in shown_facts(each):
            facts.setdefault(fact.id, fact)
            lookup_of.setdefault(fact.id, each.index)
    numbers = {fact_id: number for number, fact_id in enumerate(facts, start=1)}
    repeated = {mark.fact_id for mark in grounding.marks}
    last = trace.lookups[-1].index if trace.lookups and not finished else -1
    chips = []
    contradicted = []
    for each, wrong in zip(trace.lookups, grounding.contradictions, strict=True):
        at = trace.position(each)
        if each.lookup.is_miss:
            chips.append(Chip(at, "miss", each.index, None))
        elif fold(each.lookup.resolved_relation or "") == RELATIONS or each.index == last:
            continue
        elif wrong is not None:
            # Marks of other lookups are not cut.
            cut = [m for m in grounding.marks if m.start < wrong.end and wrong.start < m.end]
            begin = min([wrong.start, *(mark.start for mark in cut)])
            end = max([wrong.end, *(mark.end for mark in cut)])
            contradicted.append((begin, end, each.index))
        else:
            chips += [
                Chip(at, "unused", each.index, fact)
                for fact in shown_facts(each)
                if fact.id not in repeated and lookup_of[fact.id] == each.index
            ]
    # The last sentence of a text in progress may still go on.
    ended = len(trace.text) if finished else (grounding.sentences or ((0, 0),))[-1][0]
    return MarkedTrace(
        trace=trace,
        marks=tuple(sorted(grounding.marks, key=lambda mark: (mark.start, mark.end))),
        chips=tuple(chips),
        contradicted=tuple(contradicted),
        unsupported=tuple(
            (stretch.start, stretch.end)
            for stretch in grounding.unsupported
            if finished
            and not any(stretch.start < e and b < stretch.end for b, e, _ in contradicted)
        ),
        other_relations=tuple(each for each in grounding.other_relations if each.end <= ended),
        facts=facts,
        numbers=numbers,
        lookup_of=lookup_of,
    )


def marks_json(marked: MarkedTrace) -> dict[str, Any]:
    """Marks, contradictions and what nothing supports, as plain objects with their words."""
    text = marked.text
    return {
        "marks": [
            {
                "start": mark.start,
                "end": mark.end,
                "words": marked.words(mark),
                "lookup": mark.lookup,
                "fact_id": str(mark.fact_id),
            }
            for mark in marked.marks
        ],
        "contradicted": [
            {"start": start, "end": end, "words": text[start:end], "lookup": lookup}
            for start, end, lookup in marked.contradicted
        ],
        "other_relations": [
            {
                "start": each.start,
                "end": each.end,
                "words": text[each.start : each.end],
                "lookup": each.lookup,
                "says": each.says,
            }
            for each in marked.other_relations
        ],
        "unsupported": [
            {"start": start, "end": end, "words": text[start:end]}
            for start, end in marked.unsupported
        ],
    }
