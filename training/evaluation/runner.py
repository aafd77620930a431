"""The suites of `python -m training evaluate`, one after another or in processes beside each other.

    for result in run_plan(["edit", "forget"], Plan(model, store), jobs=2, say=print):
        result.found

A suite's draws depend on the seed and not on the suites before it, so that both ways give the same
figures, but for the measures of time.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from model.checkpoint import load_checkpoint
from model.engine.decoder import Decoder
from training.evaluation.evaluate import EvaluationError, failures, held_out_of, working_store
from training.evaluation.suite_context import References, World
from training.evaluation.tally import Measures

SUITES = {
    "lookup": ("training.evaluation.suites.lookup", "lookup", "validity, coverage, faithfulness"),
    "edit": (
        "training.evaluation.suites.edit",
        "edit",
        "changed facts: wordings, chains, many at once",
    ),
    "forget": (
        "training.evaluation.suites.forget",
        "forget",
        "deleted facts: FULL, DEL-ON, DEL-OFF",
    ),
    "missing": (
        "training.evaluation.suites.missing",
        "missing",
        "without an answer; adversarial prompts",
    ),
    "closed-book": (
        "training.evaluation.suites.closed_book",
        "closed_book",
        "what the weights prefer",
    ),
    "perplexity": (
        "training.evaluation.suites.perplexity",
        "perplexity",
        "static, dynamic, normalised",
    ),
    "completion": (
        "training.evaluation.suites.completion",
        "completion",
        "held-out facts completed",
    ),
    "foreign": ("training.evaluation.suites.foreign", "foreign", "graphs of other domains"),
}
LONGEST = ("edit", "foreign", "lookup", "forget", "perplexity", "closed-book")
"""Those that take long, in this order: processes beside each other begin with them."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is to be measured, and against what; a process beside this one is given a copy."""

    model: str
    store: str
    entities: int = 600
    seed: int = 0
    against: References = field(default_factory=References)
    keep_failures: bool = False


@dataclass
class Result:
    """What a suite found."""

    suite: str
    found: Measures
    seconds: float
    failures: list[dict[str, Any]] = field(default_factory=list)


def chosen_suites(names: Sequence[str]) -> list[str]:
    """The suites named, each once, in the stated order; "all" names all of them."""
    unknown = [name for name in names if name not in SUITES and name != "all"]
    if unknown:
        raise EvaluationError(
            f"There is no suite {unknown[0]!r}; there are {', '.join(SUITES)} and all."
        )
    return [name for name in SUITES if name in names or "all" in names]


def run_suite(name: str, world: World) -> Measures:
    """The measures of one suite."""
    module, function, about = SUITES[name]
    world.say(f"suite {name}: {about}")
    return getattr(importlib.import_module(module), function)(world)


def run_plan(names: Sequence[str], plan: Plan, jobs: int, say: Say) -> Iterator[Result]:
    """The results of these suites in their order, from so many processes beside each other."""
    if jobs > 1 and len(names) > 1:
        yield from _beside_each_other(names, plan, jobs)
        return
    with _world(plan, say) as world:
        for name in names:
            yield _measured(name, world, plan)


@contextmanager
def _world(plan: Plan, say: Say) -> Iterator[World]:
    decoder = Decoder(load_checkpoint(plan.model))
    held_out = held_out_of(plan.model, say)
    with working_store(plan.store) as store:
        yield World(
            decoder,
            store,
            held_out,
            plan.entities,
            plan.seed,
            say,
            plan.against,
            keep_cases=plan.keep_failures,
        )


def _measured(name: str, world: World, plan: Plan) -> Result:
    world.cases.clear()
    begun = time.perf_counter()
    found = run_suite(name, world)
    seconds = time.perf_counter() - begun
    return Result(name, found, seconds, list(failures(world.cases)) if plan.keep_failures else [])


def _beside_each_other(names: Sequence[str], plan: Plan, jobs: int) -> Iterator[Result]:
    # A process that is spawned has none of this one's threads, which a forked one would wait for.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(names)), mp_context=context) as pool:
        order = sorted(names, key=lambda name: (*LONGEST, name).index(name))
        begun = time.time()
        # Threads beyond the cores wait for each other: that made all ten times slower.
        threads = max(1, (os.cpu_count() or 1) // min(jobs, len(names)))
        running = {pool.submit(_in_a_process, name, plan, begun, threads): name for name in order}
        try:
            results = {running[done]: done.result() for done in as_completed(running)}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    yield from (results[name] for name in names)


def _in_a_process(name: str, plan: Plan, begun: float, threads: int) -> Result:
    torch.set_num_threads(threads)

    def say(message: str) -> None:
        line = f"{time.time() - begun:6.0f} s  {name}: {message}"
        print(line, file=sys.stderr, flush=True)

    with _world(plan, say) as world:
        return _measured(name, world, plan)
