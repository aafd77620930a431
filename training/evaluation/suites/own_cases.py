"""`cases`: questions whose answers somebody found wrong on the page (`training.case_file`).

`cases` is the share of texts that pass the pass rule (training/evaluation/pass_rule.py), over the
graph that the evaluation is given.
"""

from __future__ import annotations

from training.case_file import read_cases
from training.evaluation.natural import Answers, ask, expected
from training.evaluation.pass_rule import judge
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext


def own_cases(context: SuiteContext) -> Measures:
    """The measure above; none if there is no such file.

    Raises:
        TrainingError: if the file holds anything but cases.
    """
    path = context.against.cases
    if not path.exists():
        context.say(f"suite cases is skipped: {path} is not there (name the file with --cases)")
        return {}
    cases = context.some([case.expected() for case in read_cases(path)])
    answers = Answers(context, "cases")
    for case, trace in zip(cases, ask(context, [case["q"] for case in cases]), strict=True):
        answers.add(["cases"], trace, judge(case, trace), expected=expected(case))
    return answers.measures()
