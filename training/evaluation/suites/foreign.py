"""`foreign`: the same figures on graphs of other domains, which no part of training saw.

The first is training/evaluation/foreign/compounds.csv, constants of chemical compounds under
relations whose names the corpus lacks. Others, such as a published LMLM database, are named by
--graph: a file that `python -m graph import` reads, or a store's URL.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graph.exchange.formats import read_rows
from graph.opening import open_store
from training.evaluation.cases import AUTHOR, generate_cases
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext
from training.evaluation.suites.edit import edit
from training.evaluation.suites.forget import forget
from training.evaluation.suites.lookup import tallied
from training.evaluation.tally import prefixed
from training.evaluation.working_store import working_store

COMPOUNDS = Path(__file__).parent.parent / "foreign" / "compounds.csv"


def foreign(context: SuiteContext) -> Measures:
    """The measures of `lookup`, `edit` and `forget` as `foreign_…`, or `foreign_NAME_…`."""
    found: Measures = {}
    for place, graph in enumerate((str(COMPOUNDS), *context.against.graphs)):
        name = "" if place == 0 else re.sub(r"\W+", "_", Path(graph).stem).strip("_").lower() + "_"
        with graph_store(graph) as store:
            context.say(f"the graph {graph}")
            cases = generate_cases(
                context.decoder,
                store,
                frozenset(),
                max(1, context.entities // 3),
                context.seed,
                context.say,
            )
            if context.keep_cases:
                context.cases += cases
            there = SuiteContext(
                context.decoder, store, entities=max(1, context.entities // 6), seed=context.seed,
                say=context.say,
            )  # fmt: skip
            measures = tallied(cases, context.seed) | edit(there) | forget(there)
            found |= prefixed(f"foreign_{name}", measures)
    return found


@contextmanager
def graph_store(graph: str) -> Iterator[Any]:
    """A store of its own for a file of facts, or a working copy of a store."""
    if "://" in graph:
        with working_store(graph) as store:
            yield store
        return
    with (
        tempfile.TemporaryDirectory(prefix="lamplight-foreign-") as folder,
        open_store(f"sqlite:///{folder}/graph.db", create=True) as store,
    ):
        store.load(read_rows(Path(graph)), author=AUTHOR, skip_bad=True)
        yield store
