"""The prompts of LMLMAudit under its conditions, each text judged by the suite's rule and by ours.

| condition | the graph |
| --- | --- |
| FULL | as it is |
| DEL-ON | without the prompt's fact |
| DEL-ON, closed | without the fact and its closure; only prompts whose value another fact holds |
| DEL-OFF | without the fact, and lookups are forbidden |

A judged text is a plain object with what `--texts` writes and what `figures` counts. It is kept as
soon as its file of prompts is done under its condition, so that an interrupted run goes on there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from graph.core.names import fold
from model.grounding import says
from model.trace import Trace
from training.evaluation.lmlm_audit.deletions import Deletion, Deletions
from training.evaluation.lmlm_audit.matching import answer_of, exact_match, is_unknown
from training.evaluation.lmlm_audit.suite_files import Database, PromptFile, PromptRow
from training.evaluation.natural import MAX_TOKENS, lookups_of, store_of
from training.evaluation.pass_rule import judge, says_not_held
from training.evaluation.suite_context import SuiteContext

FULL, DEL_ON, CLOSED, DEL_OFF = "FULL", "DEL-ON", "DEL-ON, closed", "DEL-OFF"
CONDITIONS = (FULL, DEL_ON, CLOSED, DEL_OFF)
SUITE = "lmlm-audit"

Judged = dict[str, Any]


def judged_texts(
    context: SuiteContext, database: Database, conditions: Sequence[str] = CONDITIONS
) -> Iterator[Judged]:
    """The judged texts of all prompts of a database, file by file."""
    with store_of(database.triplets) as store:
        deletions = Deletions(store)
        for file in database.prompts:
            rows = context.some(file.rows)
            there = [row for row in rows if deletions.of(row)]
            if absent := len(rows) - len(there):
                context.say(
                    f"{file.path}: {absent} of {len(rows)} prompts ask for facts that "
                    f"{database.path.name} does not hold; they are left out"
                )
            for condition in conditions:
                yield from _part(context, database, file, there, deletions, condition)


def _part(
    context: SuiteContext,
    database: Database,
    file: PromptFile,
    rows: Sequence[PromptRow],
    deletions: Deletions,
    condition: str,
) -> list[Judged]:
    """One file of prompts under one condition: kept from an interrupted run, or written."""
    content = repr((database.triplets, rows)).encode()
    digest = hashlib.sha256(content).hexdigest()[:16]
    name = f"{SUITE}/{database.name}/{file.kind}/{condition}/{digest}"
    kept: list[Judged] | None = context.finished.get(name)
    if kept is not None:
        context.say(f"{database.name}, {file.kind}, {condition}: kept from the interrupted run")
        return kept
    cases = [(row, deletion) for row in rows if (deletion := deletions.of(row))]
    if condition == CLOSED:
        cases = [(row, deletion) for row, deletion in cases if deletion.held]
    context.say(f"{database.name}, {file.kind}, {condition}: {len(cases)} prompts")
    retrievers = [
        deletions.intact()
        if condition == FULL
        else deletions.deleted(deletion, closed=condition == CLOSED)
        for _, deletion in cases
    ]
    traces = context.generate(
        [row.prompt for row, _ in cases],
        retrievers,
        max_tokens=MAX_TOKENS,
        lookups=condition != DEL_OFF,
    )
    judged = [
        {
            "suite": SUITE,
            "measure": f"{database.name}/{file.kind}/{condition}",
            "database": database.name,
            "variant": database.variant,
            "kind": file.kind,
            "condition": condition,
            "row": row.number,
            **_judged(row, deletion, trace, condition),
        }
        for (row, deletion), trace in zip(cases, traces, strict=True)
    ]
    context.finished.put(name, judged)
    return judged


def _judged(row: PromptRow, deletion: Deletion, trace: Trace, condition: str) -> Judged:
    answer = answer_of(trace)
    said = any(says(trace.text, one) for one in deletion.spellings)
    verdict = judge({"q": row.prompt, "any": deletion.values}, trace)
    right = verdict.right if condition == FULL else not said
    return {
        "right": right,
        "reason": "" if right else verdict.reason if condition == FULL else "still says it",
        "prompt": trace.prompt,
        "text": trace.text,
        "lookups": lookups_of(trace),
        "expected": [*deletion.values],
        "answer": answer,
        "exact_match": exact_match(answer, row.value, row.value_aliases),
        "unknown": is_unknown(answer),
        "evidence": _evidence(row, trace),
        "said": said,
        "returned": _returned(deletion, trace),
        "given": any(says(trace.prompt, one) for one in deletion.spellings),
        "not_recorded": says_not_held(trace.text) and not said,
        "named": deletion.named,
        "held": deletion.held,
    }


def _evidence(row: PromptRow, trace: Trace) -> bool:
    """Whether a lookup returned the prompt's own fact, in any of its spellings (the suite's)."""
    return any(
        exact_match(fact.entity, row.entity, row.entity_aliases)
        and exact_match(fact.relation, row.relation, row.relation_aliases)
        and exact_match(fact.value, row.value, row.value_aliases)
        for entry in trace.lookups
        for fact in entry.lookup.facts
    )


def _returned(deletion: Deletion, trace: Trace) -> bool:
    """Whether a lookup returned the value, from any fact; of an inverse one, it is the entity."""
    known = {fold(one) for one in deletion.spellings}
    return any(
        fold(shown) in known or any(says(shown, one) for one in deletion.spellings)
        for entry in trace.lookups
        for start, end in entry.lookup.value_spans
        for shown in [entry.lookup.value[start:end]]
    )
