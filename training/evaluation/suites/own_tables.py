"""`own_tables`: questions in people's own words about tables of their own.

`own_tables` is the share of texts that pass (training/evaluation/pass_rule.py), each over a graph
that holds nothing but its table; `own_tables_KIND` the same for each kind of question.
"""

from __future__ import annotations

from training.evaluation.natural import Answers, ask, expected, store_of
from training.evaluation.pass_rule import judge
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext
from training.table_questions import MEASURED, read_tables


def own_tables(context: SuiteContext) -> Measures:
    """The measures above."""
    tables = read_tables(MEASURED)
    chosen = context.some([(table.name, case) for table in tables for case in table.cases])
    answers = Answers(context, "own_tables")
    for table in tables:
        cases = [case for name, case in chosen if name == table.name]
        with store_of(table.facts) as store:
            for case, trace in zip(
                cases, ask(context, [case["q"] for case in cases], store), strict=True
            ):
                measures = ["own_tables", f"own_tables_{case['kind']}"]
                verdict = judge(case, trace)
                answers.add(measures, trace, verdict, expected=expected(case), table=table.name)
    return answers.measures()
