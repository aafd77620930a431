"""`lookup`: validity, coverage and faithfulness of what a model looks up and says.

The paragraphs, questions, edits and deletions of training/evaluation/evaluate.py, with a macro
average over relations beside each share, held-out entities apart. More entities are drawn than for
the other suites, and most of those that are held out, which are few: there must be lookups enough
to tell .995 from .99.
"""

from __future__ import annotations

from collections.abc import Sequence

from training.evaluation.evaluate import Case, count, generate_cases
from training.evaluation.suite_context import World
from training.evaluation.tally import Measures, Tally

HELD_OUT_SHARE = 0.55


def lookup(world: World) -> Measures:
    """The measures of training/evaluation/evaluate.py and their macro averages."""
    number = world.entities * 3 // 2
    cases = generate_cases(
        world.decoder, world.store, world.held_out, number, world.seed, world.say, HELD_OUT_SHARE
    )
    if world.keep_cases:
        world.cases += cases
    return tallied(cases, world.seed)


def tallied(cases: Sequence[Case], seed: int) -> Measures:
    """The measures of cases, with macro averages; of held-out ones as `_held_out` too."""
    tally = Tally()
    for case in cases:
        _count(case, tally)
    return tally.measures(seed)


def _count(case: Case, tally: Tally) -> None:
    def note(name: str, right: int, number: int, relation: str) -> None:
        for suffix in ("", "_held_out") if case.held_out else ("",):
            tally.add(name + suffix, right, number, entity=case.entity, relation=relation)

    count(case, note)
