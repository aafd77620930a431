"""What the suites of natural prompts share: ask, judge by the pass rule, and keep the texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from graph.core.import_rows import FactRow
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model.trace import Trace
from training.evaluation.cases import AUTHOR
from training.evaluation.pass_rule import Verdict
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext
from training.evaluation.tally import Tally

MAX_TOKENS = 300  # of a text; a right answer is a sentence or two


@dataclass
class Answers:
    """Counts the verdicts of one suite and keeps its texts, to be read."""

    context: SuiteContext
    suite: str
    tally: Tally = field(default_factory=Tally)
    _number: int = 0

    def add(self, measures: Sequence[str], trace: Trace, verdict: Verdict, **about: Any) -> None:
        """Count one verdict in each of the measures."""
        self._number += 1
        for measure in dict.fromkeys(measures):
            self.tally.add(measure, verdict.right, entity=f"prompt {self._number}")
        self.context.texts.append(
            {
                "suite": self.suite,
                "measure": measures[-1],
                "right": verdict.right,
                "reason": verdict.reason,
                "prompt": trace.prompt,
                "text": trace.text,
                "lookups": lookups_of(trace),
                **about,
            }
        )

    def measures(self) -> Measures:
        """The share of each measure, with its interval."""
        return self.tally.measures(self.context.seed)


def lookups_of(trace: Trace) -> list[str]:
    """Each lookup of a text in one line."""
    return [
        f"{entry.lookup.entity} · {entry.lookup.relation} → {entry.lookup.value}"
        for entry in trace.lookups
    ]


@contextmanager
def store_of(facts: Iterable[tuple[str, str, str]]) -> Iterator[Any]:
    """A store of its own for triplets, which is removed afterwards."""
    rows = (FactRow(line, *fact) for line, fact in enumerate(dict.fromkeys(facts), start=1))
    with (
        TemporaryDirectory(prefix="lamplight-evaluation-") as folder,
        open_store(f"sqlite:///{folder}/graph.db", create=True) as store,
    ):
        store.load(rows, author=AUTHOR, skip_bad=True)
        yield store


def ask(context: SuiteContext, prompts: Sequence[str], store: Any = None) -> list[Trace]:
    """The texts that answer these prompts, on the shipped world or on a store."""
    retrievers = None if store is None else [Retriever(store)] * len(prompts)
    return context.generate(prompts, retrievers, max_tokens=MAX_TOKENS)


def there(context: SuiteContext, suite: str, path: Path) -> bool:
    """Whether a file or folder of the data sets is there; if not, says that a suite is skipped."""
    if path.exists():
        return True
    context.say(f"suite {suite} is skipped: {path} is not there (name the folder with --data)")
    return False


def expected(case: Mapping[str, Any]) -> dict[str, Any]:
    """What a case expects, to be kept next to its text."""
    return {key: case[key] for key in ("any", "all", "yes", "no", "none") if key in case}
