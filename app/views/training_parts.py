"""How the page *Training* looks: one string for each of its parts, and only those that changed."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from app.state.training_session import MEASURES, TrainingSession, prompts_of
from app.views import curves_figure, role_text
from app.views.curves_figure import number
from app.views.templates import Macros, plural
from training.errors import CorpusError
from training.fit.samples import Sample
from training.report.runs import ROLES, Points, Run, is_live

OUTPUTS = ("runs", "head", "curves", "values", "samples", "mask", "status")
MOST_SAMPLES = 12
CUT_OFF = {"length": "cut off at its length limit", "context": "cut off at the context size"}
START = "python -m training fit --config training/configs/world.yaml"
_HTML = Macros("training_parts.html")
Choice = dict[str, Any]  # a button of several, as the macro `tabs` draws it


def updates(session: TrainingSession) -> list[Any]:
    """The outputs in the order of `OUTPUTS`; what the browser shows already is skipped."""
    with session.lock:
        now = _values(session)
        changed = {name for name in OUTPUTS if session.sent.get(name) != now[name]}
        session.sent = now
        return [now[name] if name in changed else gr.skip() for name in OUTPUTS]


def lost() -> list[Any]:
    """The outputs for a page that has no session."""
    return [_HTML.lost() if name == "head" else gr.skip() for name in OUTPUTS]


def _values(session: TrainingSession) -> dict[str, str]:
    run = session.run()
    drawn = curves_figure.figure(run, session.measure) if run is not None else None
    return {
        "runs": _runs(session, run),
        "head": _head(session, run),
        "curves": json.dumps(drawn) if drawn is not None else "",
        "values": _numbers(session, run, drawn is not None) if run is not None else "",
        "samples": _samples(session, run) if run is not None else "",
        "mask": _mask(session, run),
        "status": _HTML.status(session.status),
    }


# -- the runs


def _runs(session: TrainingSession, run: Run | None) -> str:
    if run is None:
        return ""
    written = session.folders.runs.written()
    return _HTML.runs({name: _when(when) for name, when in written.items()}, run.name)


def _when(written: float) -> str:
    """When a run wrote last, for a reader; "" for one that is training."""
    if is_live(written):
        return ""
    seconds = time.time() - written
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{plural(count, unit)} ago"
    return "a moment ago"


def amount(count: float) -> str:
    """A number of tokens for a reader."""
    for name, size in (("billion", 1e9), ("million", 1e6)):
        if count >= size:
            return f"{count / size:.2f} {name}"
    return f"{count:,.0f}"


def _head(session: TrainingSession, run: Run | None) -> Markup:
    if run is None:
        return _HTML.no_runs(session.run_note, _folder(session.folders.runs.folder), START)
    facts = []
    if run.step is not None:
        facts.append(f"step {run.step:,}")
    if run.tokens is not None:
        facts.append(f"{amount(run.tokens)} tokens")
    if run.speed is not None:
        facts.append(f"{run.speed:,.0f} tokens per second")
    loss = run.newest("train/loss")
    if loss is not None:
        facts.append(f"loss {number(loss)}")
    measures = [
        _choice(name.capitalize(), "measure", name, name == session.measure) for name in MEASURES
    ]
    return _HTML.head(session.run_note, run.name, _when(run.written), facts, measures)


def _choice(words: str, data: str, value: str, chosen: bool) -> Choice:
    """One of several buttons."""
    return {"words": words, "id": f"{data}-{value}", "data": {data: value}, "chosen": chosen}


def _numbers(session: TrainingSession, run: Run, drawn: bool) -> Markup:
    """Below the curves: what they mean, the newest values, all of them as a table, the settings."""
    if not drawn:
        return _HTML.no_curves(run.settings)
    stages = {"train": "training"}
    if run.by_role("validation", perplexity=False):
        stages["validation"] = "validation"
    return _HTML.numbers(
        "validation" in stages,
        session.measure,
        list(stages.values()),
        _newest(session, run, list(stages)),
        curves_figure.table_html(run, session.measure),
        run.settings,
    )


def _newest(
    session: TrainingSession, run: Run, stages: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """The newest values of the stages by role, and what else is measured."""
    perplexity = session.measure == "perplexity"
    curves = {stage: run.by_role(stage, perplexity) for stage in stages}
    rows: list[tuple[str, list[str]]] = [
        (role, [number(_last(curves[stage].get(role))) for stage in stages])
        for role in ROLES
        if any(role in curves[stage] for stage in stages)
    ]
    more = (
        ("values copied correctly", "copy_accuracy", lambda v: f"{v:.1%}".replace("%", " %")),
        ("lookups per 100 tokens", "lookups_per_100_tokens", number),
    )
    for words, name, shown in more:
        values = [run.newest(f"{stage}/{name}") for stage in stages]
        if any(value is not None for value in values):
            rows.append((words, ["–" if v is None else shown(v) for v in values]))
    return rows


def _last(points: Points | None) -> float | None:
    return points[-1][1] if points else None


# -- samples


def _samples(session: TrainingSession, run: Run) -> Markup:
    prompts = prompts_of(run)
    if not prompts:
        return _HTML.no_samples()
    prompt = session.prompt if session.prompt in prompts else prompts[0]
    samples = [sample for sample in run.samples if sample.prompt == prompt][::-1]
    shown = samples
    if len(samples) > MOST_SAMPLES:
        last = len(samples) - 1
        shown = [samples[round(i * last / (MOST_SAMPLES - 1))] for i in range(MOST_SAMPLES)]
    count = (
        f"{len(shown)} of {len(samples)}, evenly spread over the run, newest first."
        if len(shown) < len(samples)
        else "Newest first."
    )
    choices = [
        {
            "words": each,
            "id": f"prompt-{place}",
            "data": {"number": place},
            "chosen": each == prompt,
        }
        for place, each in enumerate(prompts)
    ]
    return _HTML.samples(choices, count, [_sample(sample) for sample in shown], role_text.ROLES)


def _sample(sample: Sample) -> dict[str, Any]:
    missed = f", {sample.misses} missed" if sample.misses else ""
    cut = {"length": "cut off at its length limit", "context": "cut off at the context size"}.get(
        sample.finish
    )
    words = [f"step {sample.step:,}", plural(sample.lookups, "lookup") + missed]
    return {
        "step": sample.step,
        "tokens": amount(sample.tokens),
        "words": [*words, *([cut] if cut else [])],
        "pieces": role_text.pieces((role, text, True) for role, text in sample.pieces),
    }


# -- the mask


def _mask(session: TrainingSession, run: Run | None) -> Markup:
    try:
        found = session.corpus(run)
        if found is None:
            return _HTML.no_corpora(_folder(session.folders.corpora.folder))
        name, corpus = found
        split = session.split if session.split in corpus.shards else next(iter(corpus.shards))
        count = len(corpus.shards[split])
        session.document = min(session.document, count)
        runs = corpus.runs(split, session.document - 1)
    except CorpusError as problem:
        return _HTML.corpus_error(str(problem))
    return _HTML.mask(
        corpora=[
            {"words": each, "id": "", "data": {"corpus": each}, "chosen": each == name}
            for each in session.folders.corpora.names()
        ],
        splits=[_choice(each, "split", each, each == split) for each in corpus.shards],
        views=[
            _choice("Text", "view", "text", not session.listed),
            _choice("List", "view", "list", session.listed),
        ],
        number=session.document,
        count=count,
        note=session.document_note,
        share=role_text.share_html(runs),
        text=role_text.list_html(runs) if session.listed else role_text.document_html(runs),
    )


def _folder(path: Path) -> str:
    """A folder as the page names it: never where it lies on the server."""
    return path.name if path.is_absolute() else str(path)
