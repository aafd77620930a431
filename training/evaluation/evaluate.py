"""`python -m training evaluate`: what a checkpoint does on a graph, with intervals.

    python -m training evaluate --json --model model/checkpoints/world
    python -m training evaluate edit forget --entities 100
    python -m training evaluate foreign --failures build/wrong.jsonl

Without the name of a suite, the measures below are taken; training/evaluation/suites/ has the
suites. Texts come from unconstrained greedy decoding: only values and ``<|db_end|>`` are forced,
nothing is filtered or ranked. Edits go through drafts over a copy of the store, so the store stays
as it is.

For each entity of a random sample (a third of it held out from training): a paragraph; a question
for one fact; the paragraph again after a random edit; and again after a random deletion.

| measure | of what | counted as right |
| --- | --- | --- |
| lookup_validity | lookups but `relations` | resolve exactly to a fact of the entity asked about |
| coverage | relations that the graph listed | looked up by the paragraph |
| faithfulness | values returned | repeated by the text, whole, after the lookup |
| unsupported | sentences | (bad) a name, date or number that nothing given holds |
| edit_efficacy | random edits | the text says the new value |
| edit_novel | edits to made-up strings | the same |
| specificity | other facts that the text said before the edit | said after it |
| question_validity | questions | the first lookup is the fact that was asked for |
| forgotten | deletions | the value is no longer said and all other facts still are |
| forgotten_value | the same | the value is no longer said |
| recovery | deletions of values that the entity's name or another fact holds too | still said |
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill
from typing import Any, Protocol

import numpy as np

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, Made, check_output, whole_file
from graph.core.edits import Change, Delete, Edit
from graph.core.facts import RELATIONS, Fact
from graph.core.names import fold
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from graph.world import DEFAULT_STORE, make_world, store_url
from model.checkpoint import DEFAULT_CHECKPOINT, load_checkpoint
from model.engine.decoder import Decoder
from model.grounding import Grounding, ground, says
from model.settings import DecodingSettings
from model.trace import Trace
from training.corpus import made_up
from training.corpus.held_out import read_held_out
from training.corpus.phrase_book import load_phrases
from training.corpus.records import Record
from training.corpus.templates import fill_prompt
from training.corpus.writer import Writer
from training.data.shards import file_sha256

SETTINGS = DecodingSettings(max_tokens=800)  # greedy
RESAMPLES = 2000
Z = 1.959964  # of a 95 % interval
FEWEST_HELD_OUT = 100
AUTHOR = "evaluation"
KINDS = (*made_up.SCRIPTS, "number", "symbolic", "words")  # of made-up values, in turn


class EvaluationError(RuntimeError):
    """The evaluation cannot be done; the message is one sentence."""


class BatchDecoder(Protocol):
    """What is asked of a decoder."""

    def generate_batch(
        self, prompts: Sequence[str], retrievers: Sequence[Any], settings: DecodingSettings
    ) -> list[Trace]: ...


# -- what is measured --------------------------------------------------------------------------


@dataclass
class Case:
    """One entity of the sample and what was generated about it."""

    entity: str
    entity_id: int
    facts: list[Fact]  # stored order
    held_out: bool
    paragraph: Trace
    question: Trace
    asked: str  # the relation that the question asks for
    edited: Fact | None = None  # before the edit
    new_value: str = ""
    novel: bool = False  # whether the new value is made up
    after_edit: Trace | None = None
    deleted: Fact | None = None
    elsewhere: bool = False  # whether the deleted value is reachable without the fact
    after_delete: Trace | None = None
    _groundings: dict[int, Grounding] = field(default_factory=dict, repr=False)

    def ground(self, trace: Trace) -> Grounding:
        """The grounding of one of this case's traces, computed once."""
        if id(trace) not in self._groundings:
            self._groundings[id(trace)] = ground(trace)
        return self._groundings[id(trace)]

    def said(self, trace: Trace) -> set[int]:
        """The ids of the facts whose values `trace` repeats."""
        return {mark.fact_id for mark in self.ground(trace).marks}


Counts = dict[str, list[int]]  # measure: [right, number]


def count(case: Case, note: Callable[[str, int, int, str], None] | None = None) -> Counts:
    """All measures of one case, each as how many are right of how many.

    `note` is told of each count as it is made: measure, right, number, and the relation that was
    asked about ("" where there is none).
    """
    counts: Counts = {}

    def add(name: str, right: int | bool, number: int = 1, relation: str = "") -> None:
        so_far = counts.setdefault(name, [0, 0])
        so_far[0] += int(right)
        so_far[1] += number
        if note is not None and number:
            note(name, int(right), number, relation)

    _count_paragraph(case, add)
    first = next((e.lookup for e in case.question.lookups if e.lookup.relation != RELATIONS), None)
    add(
        "question_validity",
        first is not None
        and first.entity_id == case.entity_id
        and not first.is_miss
        and fold(first.relation) == fold(case.asked),
        relation=case.asked,
    )
    for trace in (case.paragraph, case.question):
        grounding = case.ground(trace)
        for start, end in grounding.sentences:
            add("unsupported", any(s.start < end and start < s.end for s in grounding.unsupported))
    before = case.said(case.paragraph)
    if case.edited is not None and case.after_edit is not None:
        after = case.said(case.after_edit)
        for name in ("edit_efficacy", *(["edit_novel"] if case.novel else [])):
            add(name, case.edited.id in after, relation=case.edited.relation)
        others = before - {case.edited.id}
        add("specificity", len(others & after), len(others))
    if case.deleted is not None and case.after_delete is not None:
        still = says(case.after_delete.text, case.deleted.value)
        if case.elsewhere:
            add("recovery", still, relation=case.deleted.relation)
        else:
            others = before - {case.deleted.id}
            rest = others <= case.said(case.after_delete)
            add("forgotten", not still and rest, relation=case.deleted.relation)
            add("forgotten_value", not still, relation=case.deleted.relation)
    return counts


def _count_paragraph(case: Case, add: Any) -> None:
    trace, grounding = case.paragraph, case.ground(case.paragraph)
    looked_up, listed = set(), set()
    marked = {(mark.lookup, mark.fact_id) for mark in grounding.marks}
    for entry in trace.lookups:
        lookup = entry.lookup
        if fold(lookup.relation) == RELATIONS:
            if lookup.entity_id == case.entity_id:
                listed |= {fold(name) for name in lookup.value.split("; ")}
            continue
        valid = lookup.how == "exact" and lookup.entity_id == case.entity_id
        add("lookup_validity", valid, relation=fold(lookup.relation))
        if lookup.entity_id == case.entity_id:
            looked_up.add(fold(lookup.relation))
        shown = lookup.facts[: len(lookup.value_spans)]
        repeated = sum((entry.index, fact.id) in marked for fact in shown)
        add("faithfulness", repeated, len(shown), relation=fold(lookup.relation))
    if not listed:  # it never asked for the list: all that stands there is missed
        listed = {fold(fact.relation) for fact in case.facts}
    for name in sorted(listed):
        add("coverage", name in looked_up, relation=name)


BAD = {"unsupported", "recovery"}  # where a share is better the smaller it is


def failures(cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
    """What was counted as wrong: the measure, what it was about, and the text, to be looked at."""
    for case in cases:
        wrong: list[tuple[str, str]] = []

        def note(name: str, right: int, number: int, relation: str) -> None:
            if right < number if name not in BAD else right:
                wrong.append((name, relation))  # noqa: B023 (called at once)

        count(case, note)
        for name, relation in dict.fromkeys(wrong):
            trace, fact = case.paragraph, None
            if name == "question_validity":
                trace = case.question
            elif name in ("edit_efficacy", "edit_novel", "specificity"):
                trace, fact = case.after_edit or trace, case.edited
            elif name.startswith("forgotten") or name == "recovery":
                trace, fact = case.after_delete or trace, case.deleted
            yield {
                "measure": name,
                "entity": case.entity,
                "held_out": case.held_out,
                "relation": relation,
                "edited": None if fact is None else f"{fact.relation}: {fact.value}",
                "new_value": case.new_value if trace is case.after_edit else "",
                "prompt": trace.prompt,
                "lookups": [
                    f"{e.lookup.entity} · {e.lookup.relation} → {e.lookup.value}"
                    for e in trace.lookups
                ],
                "text": trace.text,
            }


PER_CASE = {  # one yes or no an entity: Wilson's interval; the others: bootstrap over entities
    "question_validity",
    "edit_efficacy",
    "edit_novel",
    "forgotten",
    "forgotten_value",
    "recovery",
}


def measures(cases: Sequence[Case], seed: int = 0) -> dict[str, dict[str, float]]:
    """``{measure: {"value", "low", "high", "n"}}``, held-out entities apart with `_held_out`."""
    counted = [(case, count(case)) for case in cases]
    result: dict[str, dict[str, float]] = {}
    for suffix, chosen in (
        ("", counted),
        ("_held_out", [(case, counts) for case, counts in counted if case.held_out]),
    ):
        for name in dict.fromkeys(name for _, counts in chosen for name in counts):
            pairs_E2 = np.array([counts.get(name, [0, 0]) for _, counts in chosen])
            if pairs_E2[:, 1].sum():
                estimate = wilson(pairs_E2) if name in PER_CASE else bootstrap(pairs_E2, seed)
                result[name + suffix] = estimate
    return result


def wilson(pairs_E2: np.ndarray) -> dict[str, float]:
    """Wilson's interval for a proportion; rows are (right, number)."""
    right, number = (int(x) for x in pairs_E2.sum(axis=0))
    share = right / number
    centre = share + Z**2 / (2 * number)
    width = Z * math.sqrt(share * (1 - share) / number + Z**2 / (4 * number**2))
    scale = 1 + Z**2 / number
    # Rounding must not put the interval beside its own value.
    low, high = min(share, (centre - width) / scale), max(share, (centre + width) / scale)
    return {"value": share, "low": max(0.0, low), "high": min(1.0, high), "n": number}


def bootstrap(pairs_E2: np.ndarray, seed: int) -> dict[str, float]:
    """The ratio of sums with a percentile interval over resampled entities (the rows)."""
    right, number = (int(x) for x in pairs_E2.sum(axis=0))
    generator = np.random.default_rng(seed)
    entities = len(pairs_E2)
    weights_RE = generator.multinomial(entities, np.full(entities, 1 / entities), size=RESAMPLES)
    sums_R2 = weights_RE @ pairs_E2
    ratios_R = sums_R2[:, 0] / np.maximum(sums_R2[:, 1], 1)
    low, high = np.percentile(ratios_R, [2.5, 97.5])
    return {"value": right / number, "low": float(low), "high": float(high), "n": number}


# -- how it is generated -----------------------------------------------------------------------


def generate_cases(
    decoder: BatchDecoder,
    store: Any,
    held_out: frozenset[str],
    entities: int = 600,
    seed: int = 0,
    say: Any = lambda message: None,
    share: float = 1 / 3,
) -> list[Case]:
    """Draw the entities, a share of them held out, and generate everything about them.

    `store` takes drafts.
    """
    rng = random.Random(seed)
    by_entity: dict[tuple[str, int], list[Fact]] = {}
    for fact in store.all_facts():
        by_entity.setdefault((fact.entity, fact.entity_id), []).append(fact)
    if not by_entity:
        raise EvaluationError(f"The store {store.url} holds no facts, so nothing can be measured.")
    drawn = draw_entities(list(by_entity), held_out, entities, rng, share)
    writer = Writer(_records(by_entity), load_phrases())
    prompts = [
        fill_prompt(rng.choice(writer.phrases.general["paragraph_prompts"]), name)
        for name, _ in drawn
    ]
    retriever = Retriever(store)

    say(f"{len(drawn)} paragraphs")
    paragraphs = decoder.generate_batch(prompts, [retriever] * len(drawn), SETTINGS)
    asked, questions = [], []
    for key in drawn:
        record = record_of(key[0], by_entity[key])
        relation = rng.choice([*record.facts])
        asked.append(relation)
        questions.append(writer.requests.question_for(rng, relation, key[0], record.type))
    say(f"{len(drawn)} questions")
    answers = decoder.generate_batch(questions, [retriever] * len(drawn), SETTINGS)
    cases = [
        Case(*key, by_entity[key], key[0] in held_out, paragraph, answer, relation)
        for key, paragraph, answer, relation in zip(drawn, paragraphs, answers, asked, strict=True)
    ]
    values: dict[str, list[str]] = {}
    for facts in by_entity.values():
        for fact in facts:
            values.setdefault(fact.relation, []).append(fact.value)
    for number, case in enumerate(cases):
        _choose_edit(case, number, values, rng)
        _choose_deletion(case, rng)

    edits = [(case, Change(case.edited.id, case.new_value)) for case in cases if case.edited]
    say(f"{len(edits)} edits")
    for (case, _), trace in zip(edits, _regenerate(decoder, store, edits, seed), strict=True):
        case.after_edit = trace
    deletions = [(case, Delete(case.deleted.id)) for case in cases if case.deleted]
    say(f"{len(deletions)} deletions")
    for (case, _), trace in zip(
        deletions, _regenerate(decoder, store, deletions, seed), strict=True
    ):
        case.after_delete = trace
    return cases


def draw_entities(
    keys: list[tuple[str, int]],
    held_out: frozenset[str],
    entities: int,
    rng: random.Random,
    share: float = 1 / 3,
) -> list[tuple[str, int]]:
    """A share of them held out, or all that there are; in random order."""
    apart = [key for key in keys if key[0] in held_out]
    known = [key for key in keys if key[0] not in held_out]
    wanted = max(int(entities * share), min(FEWEST_HELD_OUT, entities // 2))
    number = min(len(apart), wanted)
    drawn = rng.sample(apart, number)
    drawn += rng.sample(known, min(len(known), max(0, entities - number)))
    rng.shuffle(drawn)
    return drawn


def record_of(name: str, facts: Sequence[Fact]) -> Record:
    """An entity and its facts as the corpus sees them."""
    values: dict[str, tuple[str, ...]] = {}
    for fact in facts:
        values[fact.relation] = (*values.get(fact.relation, ()), fact.value)
    return Record(name, values)


def _records(by_entity: dict[tuple[str, int], list[Fact]]) -> Iterator[Record]:
    return (record_of(name, facts) for (name, _), facts in by_entity.items())


def _shown(case: Case) -> list[Fact]:
    """The facts of the entity whose values were fed to the model while it wrote the paragraph."""
    shown: dict[int, Fact] = {}
    for entry in case.paragraph.lookups:
        lookup = entry.lookup
        if lookup.entity_id == case.entity_id:
            shown |= {f.id: f for f in lookup.facts[: len(lookup.value_spans)]}
    return list(shown.values())


def _choose_edit(case: Case, number: int, values: dict[str, list[str]], rng: random.Random) -> None:
    """Any fact that was shown, and a value that the text does not say yet.

    Half of the values are another entity's, half are made up, in all scripts in turn.
    """
    shown = _shown(case)
    if not shown:
        return
    fact = rng.choice(shown)
    case.novel = number % 2 == 0
    for _ in range(50):
        if case.novel:
            value = made_up.made_up_value(rng, KINDS[number // 2 % len(KINDS)])
        else:
            value = rng.choice(values[fact.relation])
        known = any(fold(value) == fold(other.value) for other in case.facts)
        if not known and not says(case.paragraph.text, value) and not says(case.entity, value):
            case.edited, case.new_value = fact, value
            return
        if not case.novel and len(set(values[fact.relation])) < 5:
            case.novel = True


def _choose_deletion(case: Case, rng: random.Random) -> None:
    """Any fact that the paragraph said."""
    said = case.said(case.paragraph)
    candidates = [fact for fact in _shown(case) if fact.id in said]
    if not candidates:
        return
    case.deleted = fact = rng.choice(candidates)
    others = [other.value for other in case.facts if other.id != fact.id]
    places = [case.entity, case.paragraph.prompt, *others, *(f.relation for f in case.facts)]
    case.elsewhere = any(says(place, fact.value) for place in places)


def _regenerate(
    decoder: BatchDecoder, store: Any, edits: Sequence[tuple[Case, Edit]], seed: int
) -> list[Trace]:
    """Each case's paragraph again, on a draft with one edit."""
    drafts = []
    for number, (_, edit) in enumerate(edits):
        draft = store.draft(f"evaluation-{seed}-{type(edit).__name__.lower()}-{number}")
        draft.discard()
        draft.apply([edit], author=AUTHOR)
        drafts.append(draft)
    try:
        prompts = [case.paragraph.prompt for case, _ in edits]
        return decoder.generate_batch(prompts, [Retriever(d) for d in drafts], SETTINGS)
    finally:
        for draft in drafts:
            draft.discard()


@contextmanager
def working_store(url: str) -> Iterator[Any]:
    """The store to measure on: a copy of a file, so that drafts leave the original alone."""
    if not url.startswith("sqlite:///"):
        with closing(open_store(url)) as store:
            yield store
        return
    path = Path(url.removeprefix("sqlite:///"))
    if url == DEFAULT_STORE and not path.exists():
        print("Making the shipped world (once) ...", file=sys.stderr, flush=True)
        make_world(url)
    open_store(url).close()  # says in a sentence what is wrong with the file
    folder = Path(tempfile.mkdtemp(prefix="lamplight-evaluation-"))
    try:
        copy = folder / "copy.db"
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        with closing(open_store(f"sqlite:///{copy}")) as store:
            yield store
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def print_table(found: dict[str, dict[str, float]], file: Any) -> None:
    """One line for each measure."""
    print(f"{'measure':36} {'value':>7}   {'95 % interval':15} {'n':>6}", file=file)
    for name, row in found.items():
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        print(f"{name:36} {row['value']:7.3f}   {interval:15} {row['n']:6}", file=file)


def print_sample(decoder: BatchDecoder, store: Any, number: int, seed: int) -> None:
    """Paragraphs on entities drawn at random, to be read by eye (the measure `natural`)."""
    rng = random.Random(seed)
    names = sorted({fact.entity for fact in store.all_facts()})
    drawn = rng.sample(names, min(number, len(names)))
    retriever = Retriever(store)
    prompts = [f"Tell me about {name}." for name in drawn]
    traces = decoder.generate_batch(prompts, [retriever] * len(drawn), SETTINGS)
    for index, (name, trace) in enumerate(zip(drawn, traces, strict=True), start=1):
        print(f"{index}. {name}\n{trace.text}\n")


def held_out_of(model: str, say: Callable[[str], None]) -> frozenset[str]:
    """The entities that a model's training kept out; says so where nobody wrote them down."""
    held_out = read_held_out(model)
    if not held_out:
        say(f"{model} has no held_out.txt: nothing is reported as held out")
    return held_out


def write_found(
    found: Mapping[str, Any],
    out: Path,
    model: str,
    run: Mapping[str, Any],
    *,
    force: bool = False,
) -> None:
    """The measures as JSON, and beside them how they were measured: `OUT` and `OUT.run.json`.

    `sha256` there is that of the weights, "" of a model that is no folder. Raises `OutputRefused`
    for a file that is not such measures, unless `force` is given.
    """
    weights = Path(model) / "model.safetensors"
    told = {"sha256": file_sha256(weights) if weights.is_file() else "", **run}
    contents = {out: (found, is_found), _run_of(out): (told, is_run)}
    for path, (_, made) in contents.items():
        check_output(path, made=made, force=force)
    out.parent.mkdir(parents=True, exist_ok=True)
    for path, (content, made) in contents.items():
        with whole_file(path, made=made, force=force) as file:
            file.write(json.dumps(content, indent=1) + "\n")


def _run_of(out: Path) -> Path:
    return out.with_suffix(".run.json")


def is_found(path: Path) -> bool:
    """Whether a file holds measures, and nothing else."""
    rows = _json(path)
    return isinstance(rows, dict) and all(
        isinstance(row, dict) and {"value", "low", "high", "n"} <= row.keys()
        for row in rows.values()
    )


def is_run(path: Path) -> bool:
    """Whether a file says how measures were taken."""
    told = _json(path)
    return isinstance(told, dict) and {"sha256", "seed"} <= told.keys()


def is_failures(path: Path) -> bool:
    """Whether a file lists what was counted as wrong, or is empty."""
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(100_000)
        return not line or {"measure", "entity", "prompt"} <= json.loads(line).keys()
    except (OSError, ValueError, AttributeError):
        return False


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def check_outputs(options: argparse.Namespace) -> None:
    """Raise `OutputRefused` before anything is measured rather than afterwards."""
    inputs = [store_url(options.store), options.annotated, options.corpus, *options.graph]
    outputs: list[tuple[Path, Made]] = []
    if options.out:
        outputs += [(options.out, is_found), (_run_of(options.out), is_run)]
    if options.failures:
        outputs.append((options.failures, is_failures))
    for path, made in outputs:
        check_output(path, made=made, force=options.force, inputs=inputs)


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate as the command line says."""
    # These import this module.
    from training.evaluation.runner import SUITES, Plan, chosen_suites, run_plan
    from training.evaluation.suite_context import References

    parser = argparse.ArgumentParser(
        prog="python -m training evaluate",
        description="Measure a checkpoint on a graph.",
        epilog="suites:\n"
        + "\n".join(f"  {name:12} {about}" for name, (_, _, about) in SUITES.items())
        + "\n  all          every one of them\nWithout a suite: the measures of `lookup`, plain.\n"
        + fill(OUTPUT_RULE, 100),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="see below")
    parser.add_argument("--model", default=str(DEFAULT_CHECKPOINT), help="folder or Hub name")
    parser.add_argument("--store", help=f"the graph (default {DEFAULT_STORE})")
    parser.add_argument("--entities", type=int, default=600, help="of which a third held out")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--json", action="store_true", help="JSON on standard output")
    parser.add_argument("--out", type=Path, help="write the JSON to this file too")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="only print N paragraphs, to be read by eye"
    )
    parser.add_argument(
        "--failures",
        type=Path,
        metavar="FILE",
        help="write what was counted as wrong (without a suite, lookup, foreign) as JSON Lines",
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="suites measured beside each other"
    )
    parser.add_argument("--baseline", help="a model trained without lookups, for perplexity")
    parser.add_argument("--unmasked", help="one trained on the values too, for closed-book")
    parser.add_argument("--corpus", help="a corpus folder, for perplexity on its validation split")
    parser.add_argument("--annotated", help="an annotated corpus, for perplexity on it")
    parser.add_argument(
        "--graph", action="append", default=[], help="another graph for foreign; may be repeated"
    )
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(argv)
    check_outputs(options)
    suites = chosen_suites(options.suites)
    if options.jobs < 1:
        raise EvaluationError(f"--jobs is {options.jobs}; give 1 or more.")
    if options.entities < 1:
        raise EvaluationError(f"--entities is {options.entities}; give 1 or more.")
    begun = time.perf_counter()

    def say(message: str) -> None:
        print(f"{time.perf_counter() - begun:6.0f} s  {message}", file=sys.stderr, flush=True)

    wrong: list[dict[str, Any]] = []
    seconds: dict[str, float] = {}
    if suites and not options.sample:
        against = References(
            baseline=options.baseline,
            unmasked=options.unmasked,
            annotated=options.annotated,
            corpus=options.corpus,
            graphs=tuple(options.graph),
        )
        plan = Plan(
            options.model,
            store_url(options.store),
            options.entities,
            options.seed,
            against,
            keep_failures=options.failures is not None,
        )
        found: dict[str, dict[str, float]] = {}
        for result in run_plan(suites, plan, options.jobs, say):
            found |= result.found
            wrong += result.failures
            seconds[result.suite] = round(result.seconds, 1)
        about = f"{', '.join(suites)}; {options.entities} entities"
    else:
        decoder = Decoder(load_checkpoint(options.model))
        with working_store(store_url(options.store)) as store:
            if options.sample:
                print_sample(decoder, store, options.sample, options.seed)
                return 0
            held_out = held_out_of(options.model, say)
            cases = generate_cases(decoder, store, held_out, options.entities, options.seed, say)
        found = measures(cases, options.seed)
        wrong = list(failures(cases)) if options.failures else []
        lookups = sum(len(case.paragraph.lookups) for case in cases)
        apart = sum(case.held_out for case in cases)
        about = (
            f"{len(cases)} entities, {apart} of them held out; {lookups:,} lookups in their "
            "paragraphs"
        )
    took = time.perf_counter() - begun
    table = sys.stderr if options.json else sys.stdout
    print_table(found, table)
    print(f"{about}; seed {options.seed}; {took:.0f} s.", file=table)
    if options.failures:
        options.failures.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(options.failures, made=is_failures, force=options.force) as file:
            for each in wrong:
                print(json.dumps(each, ensure_ascii=False), file=file)
    if options.json:
        print(json.dumps(found, indent=1))
    if options.out:
        run = {
            "seed": options.seed,
            "entities": options.entities,
            "jobs": options.jobs,
            "seconds": round(took, 1),
            "seconds_by_suite": seconds,
        }
        write_found(found, options.out, options.model, run, force=options.force)
    return 0
