"""`python -m training evaluate`: what a checkpoint does on a graph, with intervals.

    python -m training evaluate --json --model world
    python -m training evaluate edit forget --entities 100
    python -m training evaluate foreign --failures build/wrong.jsonl
    python -m training evaluate lmlm-audit FOLDER --model questions --guided --limit 20

With the names of suites, those of training/evaluation/suites/ run. Without one, the measures of
training/evaluation/case_measures.py are taken. Texts come from unconstrained greedy decoding: only
values and ``<|db_end|>`` are forced, nothing is filtered or ranked. Edits go through drafts over a
copy of the store, so the store stays as it is.

The command is resumable: it keeps each finished suite in `--keep`, and the same command, started
again after an interruption, reuses what is there. At its end it removes what it kept.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill
from typing import Any

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE
from graph.lookup.retriever import Retriever
from graph.world import DEFAULT_STORE, store_url
from model.checkpoint import WORLD, find_checkpoint, load_checkpoint
from model.engine.decoder import Decoder
from training.case_file import DEFAULT_CASES
from training.corpus.wordings import DEFAULT_DATA
from training.errors import EvaluationError
from training.evaluation.case_measures import failures, measures
from training.evaluation.cases import SETTINGS, BatchDecoder, generate_cases
from training.evaluation.finished import DEFAULT_FOLDER, remove
from training.evaluation.lmlm_audit.suite_files import check_folder
from training.evaluation.outputs import check_outputs, write_failures, write_found, write_texts
from training.evaluation.runner import SUITES, Plan, Say, chosen_suites, held_out_of, run_plan
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import References
from training.evaluation.working_store import working_store

_FOLLOWED = "lmlm-audit"  # the suite whose folder may follow its name


@dataclass
class _Outcome:
    """What an evaluation found."""

    about: str  # what was measured, in words
    found: Measures = field(default_factory=dict)
    wrong: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)  # by suite
    texts: list[dict[str, Any]] = field(default_factory=list)  # of natural prompts
    tables: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)  # folders of finished suites


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Raises:
        EvaluationError: if an option or a suite is not there.
    """
    options = _parser().parse_args(argv)
    options.model = find_checkpoint(options.model)
    options.suites, audit = split_folder(options.suites)
    inputs = [store_url(options.store), options.annotated, options.corpus, *options.graph]
    check_outputs(options.out, options.failures, options.texts, force=options.force, inputs=inputs)
    suites = chosen_suites(options.suites)
    if audit is not None:
        check_folder(audit)
    for name in ("jobs", "entities", "limit"):
        if (number := getattr(options, name)) is not None and number < 1:
            raise EvaluationError(f"--{name} is {number}; give 1 or more.")
    begun = time.perf_counter()

    def say(message: str) -> None:
        print(f"{time.perf_counter() - begun:6.0f} s  {message}", file=sys.stderr, flush=True)

    if options.sample:
        decoder = Decoder(load_checkpoint(options.model), guided=options.guided)
        with working_store(store_url(options.store)) as store:
            print_sample(decoder, store, options.sample, options.seed)
        return 0
    outcome = _run_suites(suites, audit, options, say) if suites else _run_plain(options, say)
    took = time.perf_counter() - begun
    table = sys.stderr if options.json else sys.stdout
    print_table(outcome.found, table)
    for text in outcome.tables:
        print(f"\n{text}\n", file=table)
    print(f"{outcome.about}; seed {options.seed}; {took:.0f} s.", file=table)
    if options.failures:
        write_failures(outcome.wrong, options.failures, force=options.force)
    if options.json:
        print(json.dumps(outcome.found, indent=1))
    if options.out:
        run = {
            "seed": options.seed,
            **({"guided": True} if options.guided else {}),
            "entities": options.entities,
            "jobs": options.jobs,
            "seconds": round(took, 1),
            "seconds_by_suite": outcome.seconds,
        }
        write_found(outcome.found, options.out, options.model, run, force=options.force)
    for folder in sorted(outcome.kept):
        remove(Path(folder))
    return 0


def split_folder(given: Sequence[str]) -> tuple[list[str], Path | None]:
    """The suites that the command line names, and the folder that follows `lmlm-audit`.

    >>> split_folder(["forget", "lmlm-audit", "data/audit"])
    (['forget', 'lmlm-audit'], PosixPath('data/audit'))
    """
    suites = list(given)
    after = suites.index(_FOLLOWED) + 1 if _FOLLOWED in suites else len(suites)
    if after < len(suites) and suites[after] != "all" and not fnmatch.filter(SUITES, suites[after]):
        return [*suites[:after], *suites[after + 1 :]], Path(suites[after])
    return suites, None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training evaluate",
        description="Measure what a checkpoint looks up and says on a graph.",
        epilog="suites:\n"
        + "\n".join(f"  {name:27} {suite.about}" for name, suite in SUITES.items())
        + f"\n  {'all':27} all but audit_del_on and lmlm-audit; 'audit_*' names several\n"
        "Without a suite, the measures of `lookup` are taken, without averages over relations.\n"
        + fill(OUTPUT_RULE, 100),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("suites", nargs="*", metavar="SUITE", help="suites to run (see below)")
    add(
        "--keep",
        type=Path,
        default=DEFAULT_FOLDER,
        metavar="FOLDER",
        help="where finished suites are kept until the whole command is done, so that the same "
        "command goes on from there after an interruption (default %(default)s)",
    )
    add(
        "--model",
        default=WORLD.name,
        help="checkpoint: a shipped one by its name, a folder or a Hub name (default %(default)s)",
    )
    add("--store", help=f"URL of the graph to measure on (default {DEFAULT_STORE})")
    add(
        "--entities",
        type=int,
        default=600,
        help="entities to sample, a third of them held out from training (default 600)",
    )
    add("--seed", type=int, default=0, help="seed for random sampling")
    add("--guided", action="store_true", help="guide lookups (only models of ranked lists)")
    add("--json", action="store_true", help="print JSON; the table goes to standard error")
    add("--out", type=Path, help="also write the JSON to this file")
    add("--sample", type=int, metavar="N", help="only print N paragraphs, to be read by eye")
    add(
        "--failures",
        type=Path,
        metavar="FILE",
        help="write every wrong answer to this file, as JSON Lines (without a suite, or for "
        "lookup and foreign)",
    )
    add("--jobs", type=int, default=1, metavar="N", help="suites to run in parallel processes")
    add("--baseline", help="for perplexity: a checkpoint trained without lookups")
    add("--unmasked", help="for closed-book: a checkpoint trained on the looked-up values too")
    add("--corpus", help="for perplexity: a corpus folder, whose validation split is used too")
    add("--annotated", help="for perplexity: an annotated corpus to use too")
    add(
        "--graph",
        action="append",
        default=[],
        help="for foreign: another graph, a file or a store URL; may be repeated",
    )
    add(
        "--data",
        type=Path,
        default=DEFAULT_DATA,
        metavar="FOLDER",
        help="for natural_open, relation_choice, audit_* and lmlm-audit: the folder of their data "
        "sets (default shared/data next to the repository); without it they are skipped",
    )
    add(
        "--cases",
        type=Path,
        default=Path(DEFAULT_CASES),
        metavar="FILE",
        help="for cases: the file of answers that you called wrong on the page "
        "(default %(default)s)",
    )
    add(
        "--limit",
        type=int,
        metavar="N",
        help="for the same: prompts of each measure, or of each file, at most",
    )
    add(
        "--texts",
        type=Path,
        metavar="FILE",
        help="for the same: write each prompt with its text, lookups and verdict to this file, "
        "as JSON Lines",
    )
    add("--force", action="store_true", help=FORCE_HELP)
    return parser


def _run_suites(
    suites: Sequence[str], audit: Path | None, options: argparse.Namespace, say: Say
) -> _Outcome:
    against = References(
        baseline=options.baseline,
        unmasked=options.unmasked,
        annotated=options.annotated,
        corpus=options.corpus,
        graphs=tuple(options.graph),
        data=options.data,
        cases=options.cases,
        audit=audit,
    )
    plan = Plan(
        options.model,
        store_url(options.store),
        options.entities,
        options.seed,
        against,
        keep_failures=options.failures is not None,
        limit=options.limit,
        guided=options.guided,
        keep=options.keep,
    )
    outcome = _Outcome(f"{', '.join(suites)}; {options.entities} entities")
    for result in run_plan(suites, plan, options.jobs, say):
        outcome.found |= result.found
        outcome.wrong += result.failures
        outcome.texts += result.texts
        if options.texts:  # after each suite, so that a long run can be read while it goes on
            write_texts(outcome.texts, options.texts, force=options.force)
        outcome.seconds[result.suite] = round(result.seconds, 1)
        outcome.tables += result.tables
        if result.kept:
            outcome.kept.add(result.kept)
    return outcome


def _run_plain(options: argparse.Namespace, say: Say) -> _Outcome:
    decoder = Decoder(load_checkpoint(options.model), guided=options.guided)
    with working_store(store_url(options.store)) as store:
        held_out = held_out_of(options.model, say)
        cases = generate_cases(decoder, store, held_out, options.entities, options.seed, say)
    lookups = sum(len(case.paragraph.lookups) for case in cases)
    apart = sum(case.held_out for case in cases)
    return _Outcome(
        f"{len(cases)} entities, {apart} of them held out; {lookups:,} lookups in their paragraphs",
        measures(cases, options.seed),
        list(failures(cases)) if options.failures else [],
    )


def print_table(found: Measures, file: Any) -> None:
    """Print one line for each measure; measures of parts of a suite ("/") have its own tables."""
    print(f"{'measure':36} {'value':>7}   {'95 % interval':15} {'n':>6}", file=file)
    for name, row in found.items():
        if "/" in name:
            continue
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        print(f"{name:36} {row['value']:7.3f}   {interval:15} {row['n']:6}", file=file)


def print_sample(decoder: BatchDecoder, store: Any, number: int, seed: int) -> None:
    """Print paragraphs about random entities, to be read by eye (the measure `natural`)."""
    rng = random.Random(seed)
    names = sorted({fact.entity for fact in store.all_facts()})
    drawn = rng.sample(names, min(number, len(names)))
    retriever = Retriever(store)
    prompts = [f"Tell me about {name}." for name in drawn]
    traces = decoder.generate_batch(prompts, [retriever] * len(drawn), SETTINGS)
    for index, (name, trace) in enumerate(zip(drawn, traces, strict=True), start=1):
        print(f"{index}. {name}\n{trace.text}\n")
