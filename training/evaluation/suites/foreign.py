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
from training.evaluation.evaluate import AUTHOR, generate_cases, working_store
from training.evaluation.suite_context import World
from training.evaluation.suites.edit import edit
from training.evaluation.suites.forget import forget
from training.evaluation.suites.lookup import tallied
from training.evaluation.tally import Measures, prefixed

COMPOUNDS = Path(__file__).parent.parent / "foreign" / "compounds.csv"


def foreign(world: World) -> Measures:
    """The measures of `lookup`, `edit` and `forget` as `foreign_…`, or `foreign_NAME_…`."""
    found: Measures = {}
    for place, graph in enumerate((str(COMPOUNDS), *world.against.graphs)):
        name = "" if place == 0 else re.sub(r"\W+", "_", Path(graph).stem).strip("_").lower() + "_"
        with graph_store(graph) as store:
            world.say(f"the graph {graph}")
            cases = generate_cases(
                world.decoder,
                store,
                frozenset(),
                max(1, world.entities // 3),
                world.seed,
                world.say,
            )
            if world.keep_cases:
                world.cases += cases
            there = World(
                world.decoder, store, entities=max(1, world.entities // 6), seed=world.seed,
                say=world.say,
            )  # fmt: skip
            measures = tallied(cases, world.seed) | edit(there) | forget(there)
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
