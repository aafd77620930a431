"""`natural_open`: questions in people's own words about the shipped world.

`natural_open` is the share of texts that pass (training/evaluation/pass_rule.py);
`natural_open_KIND` the same for each kind of question, and `natural_open_unshared` without the
questions whose wording training may have too ("The R of X is", "Tell me about X.").
"""

from __future__ import annotations

import json
import re

from training.corpus.wordings import is_plain, question_key
from training.evaluation.natural import Answers, ask, expected, there
from training.evaluation.pass_rule import judge
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext

FILE = "questions_open.jsonl"


def natural_open(context: SuiteContext) -> Measures:
    """The measures above; none if the questions are not there."""
    path = context.against.data / FILE
    if not there(context, "natural_open", path):
        return {}
    cases = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    cases = context.some(cases)
    answers = Answers(context, "natural_open")
    for case, trace in zip(cases, ask(context, [case["q"] for case in cases]), strict=True):
        kind = "natural_open_" + re.sub(r"\W+", "_", case["kind"])
        measures = ["natural_open", kind]
        if not is_plain(question_key(case["q"])):
            measures.insert(1, "natural_open_unshared")
        answers.add(measures, trace, judge(case, trace), expected=expected(case))
    return answers.measures()
