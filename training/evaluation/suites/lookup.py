"""`lookup`: validity, coverage and faithfulness of what a model looks up and says.

The measures of training/evaluation/case_measures.py, each with its macro average over relations,
and separately for held-out entities. It draws more entities than the other suites do, and more of
the few that are held out, to have enough lookups to distinguish .995 from .99.
"""

from __future__ import annotations

from collections.abc import Sequence

from training.evaluation.case_measures import count
from training.evaluation.cases import Case, generate_cases
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext
from training.evaluation.tally import Tally

HELD_OUT_SHARE = 0.55


def lookup(context: SuiteContext) -> Measures:
    """The measures of training/evaluation/case_measures.py and their macro averages."""
    number = context.entities * 3 // 2
    cases = generate_cases(
        context.decoder,
        context.store,
        context.held_out,
        number,
        context.seed,
        context.say,
        HELD_OUT_SHARE,
    )
    if context.keep_cases:
        context.cases += cases
    return tallied(cases, context.seed)


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
