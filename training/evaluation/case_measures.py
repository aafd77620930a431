"""What counts as right in a case, and the measures of many cases.

| measure | of what | counted as right |
| --- | --- | --- |
| lookup_validity | lookups except `relations` | resolve exactly to a fact of the entity asked about |
| coverage | relations that the graph listed | looked up by the paragraph |
| faithfulness | values returned | repeated by the text, whole, after the lookup |
| unsupported | sentences | (bad) a name, date or number that nothing given holds |
| edit_efficacy | random edits | the text says the new value |
| edit_novel | edits to made-up strings | the same |
| specificity | other facts that the text said before the edit | said after it |
| question_validity | questions | the first lookup is the fact that was asked for |
| forgotten | deletions | the value is no longer said and all other facts still are |
| forgotten_value | the same | the value is no longer said |
| recovery | deletions of values that the entity's name or another fact holds too | still said |
"""  # noqa: E501 (a table)

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from graph.core.facts import RELATIONS
from graph.core.names import fold
from model.grounding import says
from training.evaluation.cases import Case
from training.evaluation.statistics import Measures, bootstrap, wilson

Counts = dict[str, list[int]]  # measure: [right, number]


def count(case: Case, note: Callable[[str, int, int, str], None] | None = None) -> Counts:
    """All measures of one case, each as how many are right of how many.

    Args:
        case: the case to count.
        note: called for each count with the measure, right, number, and the relation that was
            asked about ("" if there is none).
    """
    counts: Counts = {}

    def add(name: str, right: int | bool, number: int = 1, relation: str = "") -> None:
        so_far = counts.setdefault(name, [0, 0])
        so_far[0] += int(right)
        so_far[1] += number
        if note is not None and number:
            note(name, int(right), number, relation)

    _count_paragraph(case, add)
    first = next((e.lookup for e in case.question.lookups if e.lookup.relation != RELATIONS), None)
    add(
        "question_validity",
        first is not None
        and first.entity_id == case.entity_id
        and not first.is_miss
        and fold(first.relation) == fold(case.asked),
        relation=case.asked,
    )
    for trace in (case.paragraph, case.question):
        grounding = case.ground(trace)
        for start, end in grounding.sentences:
            add("unsupported", any(s.start < end and start < s.end for s in grounding.unsupported))
    before = case.said(case.paragraph)
    if case.edited is not None and case.after_edit is not None:
        after = case.said(case.after_edit)
        for name in ("edit_efficacy", *(["edit_novel"] if case.novel else [])):
            add(name, case.edited.id in after, relation=case.edited.relation)
        others = before - {case.edited.id}
        add("specificity", len(others & after), len(others))
    if case.deleted is not None and case.after_delete is not None:
        still = says(case.after_delete.text, case.deleted.value)
        if case.elsewhere:
            add("recovery", still, relation=case.deleted.relation)
        else:
            others = before - {case.deleted.id}
            rest = others <= case.said(case.after_delete)
            add("forgotten", not still and rest, relation=case.deleted.relation)
            add("forgotten_value", not still, relation=case.deleted.relation)
    return counts


def _count_paragraph(case: Case, add: Any) -> None:
    trace, grounding = case.paragraph, case.ground(case.paragraph)
    looked_up, listed = set(), set()
    marked = {(mark.lookup, mark.fact_id) for mark in grounding.marks}
    for entry in trace.lookups:
        lookup = entry.lookup
        if fold(lookup.relation) == RELATIONS:
            if lookup.entity_id == case.entity_id:
                listed |= set(map(fold, lookup.listed))
            continue
        valid = lookup.how == "exact" and lookup.entity_id == case.entity_id
        add("lookup_validity", valid, relation=fold(lookup.relation))
        if lookup.entity_id == case.entity_id:
            looked_up.add(fold(lookup.relation))
        shown = lookup.facts[: len(lookup.value_spans)]
        repeated = sum((entry.index, fact.id) in marked for fact in shown)
        add("faithfulness", repeated, len(shown), relation=fold(lookup.relation))
    if not listed:  # it never asked for the list, so every relation in it counts as missed
        listed = {fold(fact.relation) for fact in case.facts}
    for name in sorted(listed):
        add("coverage", name in looked_up, relation=name)


BAD = {"unsupported", "recovery"}  # measures that are better the smaller they are


def failures(cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    """Every wrong answer, for inspection: the measure, what it was about, and the text."""
    for case in cases:
        wrong: list[tuple[str, str]] = []

        def note(name: str, right: int, number: int, relation: str) -> None:
            if right < number if name not in BAD else right:
                wrong.append((name, relation))  # noqa: B023 (called at once)

        count(case, note)
        for name, relation in dict.fromkeys(wrong):
            trace, fact = case.paragraph, None
            if name == "question_validity":
                trace = case.question
            elif name in ("edit_efficacy", "edit_novel", "specificity"):
                trace, fact = case.after_edit or trace, case.edited
            elif name.startswith("forgotten") or name == "recovery":
                trace, fact = case.after_delete or trace, case.deleted
            yield {
                "measure": name,
                "entity": case.entity,
                "held_out": case.held_out,
                "relation": relation,
                "edited": None if fact is None else f"{fact.relation}: {fact.value}",
                "new_value": case.new_value if trace is case.after_edit else "",
                "prompt": trace.prompt,
                "lookups": [
                    f"{e.lookup.entity} · {e.lookup.relation} → {e.lookup.value}"
                    for e in trace.lookups
                ],
                "text": trace.text,
            }


PER_CASE = {  # one yes or no per entity: Wilson's interval; the others: bootstrap over entities
    "question_validity",
    "edit_efficacy",
    "edit_novel",
    "forgotten",
    "forgotten_value",
    "recovery",
}


def measures(cases: Sequence[Case], seed: int = 0) -> Measures:
    """``{measure: {"value", "low", "high", "n"}}``, held-out entities separately as `_held_out`."""
    counted = [(case, count(case)) for case in cases]
    result: Measures = {}
    for suffix, chosen in (
        ("", counted),
        ("_held_out", [(case, counts) for case, counts in counted if case.held_out]),
    ):
        for name in dict.fromkeys(name for _, counts in chosen for name in counts):
            pairs_E2 = np.array([counts.get(name, [0, 0]) for _, counts in chosen])
            if pairs_E2[:, 1].sum():
                estimate = wilson(pairs_E2) if name in PER_CASE else bootstrap(pairs_E2, seed)
                result[name + suffix] = estimate
    return result
