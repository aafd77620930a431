"""`audit_…`: the prompts of LMLMAudit, each on a store of the triplets that they were made from.

A text passes if it holds the right value or an alias of it, as whole words, inside a value that a
lookup returned. `…_contains` is the laxer share of texts that contain the value as a string.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from training.evaluation.natural import Answers, ask, store_of, there
from training.evaluation.pass_rule import judge
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext

GRAPHS = {  # the file with the triplets, and the folder with the prompts
    "countries": ("countries-base.json", "prompts-countries-base"),
    "released": ("released.json", "prompts-released"),
}
KINDS = {
    "direct": "direct_questions",
    "contextual": "contextual_questions",
    "paraphrased": "paraphrased_questions",
    "cloze": "cloze",
    "continuations": "continuations",
    "fewshot": "fewshot_questions",
}


def audit_suites() -> dict[str, Callable[[SuiteContext], Measures]]:
    """A suite for each graph and each kind of prompt, by its name."""

    def suite(graph: str, kind: str) -> Callable[[SuiteContext], Measures]:
        return lambda context: audit(context, graph, kind)

    return {f"audit_{graph}_{kind}": suite(graph, kind) for graph in GRAPHS for kind in KINDS}


def audit(context: SuiteContext, graph: str, kind: str) -> Measures:
    """Both shares for one kind of prompt on one graph; none if the prompts are not there."""
    name, (base, prompts) = f"audit_{graph}_{kind}", GRAPHS[graph]
    folder = context.against.data / "lmlm-audit"
    path = folder / prompts / f"prompts_{KINDS[kind]}.jsonl"
    if not there(context, name, path):
        return {}
    rows = context.some([json.loads(line) for line in path.read_text("utf-8").splitlines()])
    answers = Answers(context, name)
    with store_of(_triplets(folder / base)) as store:
        traces = ask(context, [row["prompt_text"].strip() for row in rows], store)
    for row, trace in zip(rows, traces, strict=True):
        gold = [row["gold_object"], *row.get("object_aliases", ())]
        contained = any(one.casefold() in trace.text.casefold() for one in gold)
        answers.tally.add(f"{name}_contains", contained, entity=str(row["prompt_id"]))
        answers.add([name], trace, judge({"any": gold}, trace), expected=gold)
    return answers.measures()


def _triplets(path: Path) -> list[tuple[str, str, str]]:
    return [(s, r, o) for s, r, o in json.loads(path.read_text("utf-8"))["triplets"]]
