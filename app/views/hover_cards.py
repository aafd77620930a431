"""The cards that open over a mark on hover or focus: one per fact looked up, one per miss."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from functools import lru_cache

from markupsafe import Markup

from app.state.marked_trace import MarkedTrace, asked_for
from app.views.considered import considered, in_one_line
from app.views.templates import joined, macro, percent, shortened
from graph.core.facts import Fact
from graph.world import source_names
from model.grounding import Mark
from model.trace import TraceLookup

_CARD = macro("text_elements.html", "tip")
REMEMBERED = 4096  # cards kept; those of a text are drawn again for each word of it
FOUND_BY = {  # what follows "found"
    "exact": "by its exact name",
    "alias": "by another name",
    "inverse": "through the facts that point to it",
    "fuzzy": "by a similar name or meaning",
    "miss": "not at all",
}


def mark_groups(marked: MarkedTrace) -> list[list[Mark]]:
    """The marks by the words they stand on: one word may repeat a capital and a largest city."""
    groups: dict[tuple[int, int], list[Mark]] = {}
    for mark in marked.marks:
        groups.setdefault((mark.start, mark.end), []).append(mark)
    return list(groups.values())


def hover_cards_html(marked: MarkedTrace, edited: Container[int]) -> Markup:
    """The cards that open on hover or focus: one per fact that was looked up, one per miss."""
    out: list[Markup] = []
    marks: dict[int, list[Mark]] = {}
    for mark in marked.marks:
        marks.setdefault(mark.fact_id, []).append(mark)
    shared = [group for group in mark_groups(marked) if len(group) > 1]
    for fact_id, fact in marked.facts.items():
        others = tuple(_repeated_with(fact_id, shared, marked)) if shared else ()
        out.append(
            _fact_tip(
                fact,
                _how(marked.lookup(marked.lookup_of[fact_id])),
                _probability(marked, marks.get(fact_id, ())),
                in_one_line(considered(marked.lookup(marked.lookup_of[fact_id]))),
                fact_id in edited,
                others,
                marked.says(fact_id),
            )
        )
    for chip in marked.chips:
        if chip.fact is None:
            lookup = marked.lookup(chip.lookup)
            rows = [("found", _how(lookup))]
            if weighed := in_one_line(considered(lookup)):
                rows.append(("considered", weighed))
            relation = asked_for(lookup)
            out.append(_CARD(f"miss-{chip.lookup}", lookup.lookup.entity, relation, None, rows))
    return joined(out)


@lru_cache(REMEMBERED)
def _fact_tip(
    fact: Fact,
    how: str,
    probability: str,
    weighed: str,
    edited: bool,
    others: tuple[Fact, ...],
    says: str,
) -> Markup:
    """The hover card of a fact; the words that repeat it may repeat others too."""
    rows = []
    if says:
        rows.append(("≠", asked_and_says(fact.relation, says)))
    if edited:
        rows.append(("your edit", "visible only to you until you publish"))
    if fact.source:
        year = f", {fact.year}" if fact.year else ""
        rows.append(("source", f"{source_names(fact.source)}{year}"))
    rows += [("found", how), ("model", probability)]
    if weighed:
        rows.append(("considered", weighed))
    rows += [("also", f"{other.entity} · {other.relation}") for other in others]
    return _CARD(fact.id, fact.entity, fact.relation, shortened(fact.value, 120), rows)


def _repeated_with(
    fact_id: int, groups: Sequence[Sequence[Mark]], marked: MarkedTrace
) -> Iterator[Fact]:
    """Other facts that the words of this one repeat too."""
    for group in groups:
        if any(mark.fact_id == fact_id for mark in group):
            for mark in group:
                if mark.fact_id != fact_id:
                    yield marked.facts[mark.fact_id]


def _how(lookup: TraceLookup) -> str:
    if lookup.closed != "model":
        return "the model did not finish this lookup, so the graph was not asked"
    asked = lookup.lookup
    if asked.is_miss and asked.resolved_entity:
        return f"the graph has no “{asked.relation}” for {asked.resolved_entity}"
    if asked.is_miss:
        return f"the graph has nothing called “{asked.entity}”"
    score = "" if asked.how == "exact" else f" (score {asked.score:.2f})"
    return FOUND_BY.get(asked.how, asked.how) + score


def _probability(marked: MarkedTrace, marks: Sequence[Mark]) -> str:
    if not marks:
        return "did not use it"
    probability = marked.trace.probability(marks[0].start, marks[0].end)
    if probability is None:
        return "its words were forced"
    return repeated_with(probability)


def asked_and_says(relation: str, says: str) -> str:
    """That a sentence gives a value to another relation, in words for a card."""
    return f"asked for {relation}, and the sentence says {says}"


def repeated_with(probability: float) -> str:
    """How probable the model found its own words, in a sentence whose subject is the model."""
    return f"repeated the graph's value with a probability of {percent(probability)}"
