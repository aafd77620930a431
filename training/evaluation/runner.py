"""Runs the suites of `python -m training evaluate`, in one process or in several.

    for result in run_plan(["edit", "forget"], Plan(model, store), jobs=2, say=print):
        result.found

What a suite draws depends on the seed and not on the suites before it. So both ways give the same
figures, except for the measures of time.
"""

from __future__ import annotations

import fnmatch
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from model.checkpoint import load_checkpoint, read_held_out
from model.engine.decoder import Decoder
from training.errors import EvaluationError
from training.evaluation.case_measures import failures
from training.evaluation.finished import Finished, key
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import References, SuiteContext
from training.evaluation.suites.audit import audit_suites
from training.evaluation.suites.closed_book import closed_book
from training.evaluation.suites.completion import completion
from training.evaluation.suites.edit import edit
from training.evaluation.suites.foreign import foreign
from training.evaluation.suites.forget import forget
from training.evaluation.suites.kept_prompts import kept_prompt_suites
from training.evaluation.suites.lmlm_audit import audit_del_on, lmlm_audit
from training.evaluation.suites.lookup import lookup
from training.evaluation.suites.missing import missing
from training.evaluation.suites.natural_open import natural_open
from training.evaluation.suites.own_cases import own_cases
from training.evaluation.suites.own_tables import own_tables
from training.evaluation.suites.perplexity import perplexity
from training.evaluation.suites.relation_choice import relation_choice
from training.evaluation.working_store import working_store


@dataclass(frozen=True)
class Suite:
    """A suite by its function, and what it measures in a few words."""

    measure: Callable[[SuiteContext], Measures]
    about: str
    by_name: bool = False
    """Whether it runs only if it is named, and not with "all": it takes long."""


MADE = {
    "yes_no": "statements to answer with yes or no",
    "two_part": "two questions in one",
    "reverse": "which entity has a value",
    "chain_2": "a relation of the value of another",
    "out_of_scope": "what no graph answers",
}
SUITES = {
    "lookup": Suite(lookup, "validity, coverage and faithfulness of lookups"),
    "edit": Suite(edit, "changed facts: other wordings, chains, many edits at once"),
    "forget": Suite(forget, "deleted facts: FULL, DEL-ON, DEL-OFF"),
    "missing": Suite(missing, "questions without an answer; adversarial prompts"),
    "closed-book": Suite(closed_book, "what the weights prefer when lookups are forbidden"),
    "perplexity": Suite(perplexity, "static, dynamic and normalised perplexity"),
    "completion": Suite(completion, "statements of facts to complete"),
    "foreign": Suite(foreign, "graphs of other domains"),
    "natural_open": Suite(natural_open, "questions in people's own words"),
    "own_tables": Suite(own_tables, "questions about tables of somebody's own"),
    "cases": Suite(own_cases, "answers that somebody found wrong on the page"),
    "relation_choice": Suite(relation_choice, "the relation that unseen questions ask for"),
    **{
        name: Suite(measure, "prompts of LMLMAudit: " + " ".join(name.split("_")[1:]))
        for name, measure in audit_suites().items()
    },
    "audit_del_on": Suite(
        audit_del_on, "deleted facts of LMLMAudit: still said, not recorded", by_name=True
    ),
    "lmlm-audit": Suite(lmlm_audit, "LMLMAudit, all of the FOLDER that is named next", True),
    **{name: Suite(measure, MADE[name]) for name, measure in kept_prompt_suites().items()},
}
SLOWEST = ("edit", "foreign", "lookup", "forget", "perplexity", "closed-book")
"""The slow suites, the slowest first: with several processes they start first."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to measure, and against what. Each process gets a copy."""

    model: str
    store: str
    entities: int = 600
    seed: int = 0
    against: References = field(default_factory=References)
    keep_failures: bool = False
    limit: int | None = None
    guided: bool = False
    """Whether lookups may only hold what the prompt mentions and the graph holds."""
    keep: Path | None = None
    """A folder for finished suites, from which an interrupted run goes on; None to keep nothing."""


@dataclass
class Result:
    """What a suite found."""

    suite: str
    found: Measures
    seconds: float
    failures: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    kept: str = ""
    """The folder in which the result is kept, to be removed at the end; "" if it is not."""


def chosen_suites(names: Sequence[str]) -> list[str]:
    """The suites named, each once, in the stated order; "audit_*" names several.

    "all" names all but those that run only by their own name.

    Raises:
        EvaluationError: if there is no suite of that name.
    """
    unknown = [name for name in names if name != "all" and not fnmatch.filter(SUITES, name)]
    if unknown:
        raise EvaluationError(
            f"There is no suite {unknown[0]!r}; the suites are {', '.join(SUITES)} and all."
        )

    def chosen(name: str, pattern: str) -> bool:
        return not SUITES[name].by_name if pattern == "all" else fnmatch.fnmatch(name, pattern)

    return [name for name in SUITES if any(chosen(name, one) for one in names)]


def run_suite(name: str, context: SuiteContext) -> Measures:
    """The measures of one suite."""
    suite = SUITES[name]
    context.say(f"suite {name}: {suite.about}")
    return suite.measure(context)


def run_plan(names: Sequence[str], plan: Plan, jobs: int, say: Say) -> Iterator[Result]:
    """The results of these suites in their order, computed by up to `jobs` processes."""
    if jobs > 1 and len(names) > 1:
        yield from _in_processes(names, plan, jobs)
        return
    with _context_of(plan, say) as context:
        for name in names:
            yield _measured(name, context, plan)


def held_out_of(model: str, say: Say) -> frozenset[str]:
    """The entities that a model's training held out; says so if the checkpoint does not list them.

    Args:
        model: folder or Hub name of a checkpoint.
        say: where to report progress.
    """
    held_out = read_held_out(model)
    if not held_out:
        say(f"{model} has no held_out.txt, so no measure of held-out entities is reported")
    return held_out


@contextmanager
def _context_of(plan: Plan, say: Say) -> Iterator[SuiteContext]:
    decoder = Decoder(load_checkpoint(plan.model), guided=plan.guided)
    held_out = held_out_of(plan.model, say)
    with working_store(plan.store) as store:
        folder = plan.keep and plan.keep / key(replace(plan, keep=None), store.state())
        yield SuiteContext(
            decoder,
            store,
            held_out,
            plan.entities,
            plan.seed,
            say,
            plan.against,
            keep_cases=plan.keep_failures,
            limit=plan.limit,
            finished=Finished(folder, say),
            model_name=Path(plan.model).name,
        )


def _measured(name: str, context: SuiteContext, plan: Plan) -> Result:
    if kept := context.finished.get(name):
        context.say(f"suite {name}: kept from the interrupted run in {context.finished.folder}")
        return Result(**kept)
    for lists in (context.cases, context.texts, context.tables):
        lists.clear()
    begun = time.perf_counter()
    found = run_suite(name, context)
    seconds = time.perf_counter() - begun
    wrong = list(failures(context.cases)) if plan.keep_failures else []
    where = str(context.finished.folder or "")
    result = Result(name, found, seconds, wrong, [*context.texts], [*context.tables], where)
    if found:  # a suite that was skipped may run next time
        context.finished.put(name, asdict(result))
    return result


def _in_processes(names: Sequence[str], plan: Plan, jobs: int) -> Iterator[Result]:
    # A spawned process has none of this one's threads; a forked one would wait for them forever.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(names)), mp_context=spawn) as pool:
        order = sorted(names, key=lambda name: (*SLOWEST, name).index(name))
        begun = time.time()
        # More threads than cores wait for each other: measured, that was ten times slower.
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

    with _context_of(plan, say) as context:
        return _measured(name, context, plan)
