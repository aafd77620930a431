"""How the page *Training* looks: one string for each of its parts, and only those that changed."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from app.state.training_session import MEASURES, TrainingSession, prompts_of
from app.views import curves_figure, role_text
from app.views.curves_figure import number
from training.errors import CorpusError
from training.fit.samples import Sample
from training.report.runs import ROLES, Run, is_live

OUTPUTS = ("runs", "head", "curves", "values", "samples", "mask", "status")
MOST_SAMPLES = 12
START = "python -m training fit --config training/configs/world.yaml"


def updates(bench: TrainingSession) -> list[Any]:
    """The outputs in the order of `OUTPUTS`; what the browser shows already is skipped."""
    with bench.lock:
        now = _values(bench)
        changed = {name for name in OUTPUTS if bench.sent.get(name) != now[name]}
        bench.sent = now
        return [now[name] if name in changed else gr.skip() for name in OUTPUTS]


def lost() -> list[Any]:
    """The outputs for a page that has no session."""
    note = '<p class="error" role="alert">This page lost its server session; reload it.</p>'
    return [note if name == "head" else gr.skip() for name in OUTPUTS]


def _values(bench: TrainingSession) -> dict[str, str]:
    run = bench.run()
    drawn = curves_figure.figure(run, bench.measure) if run is not None else None
    return {
        "runs": _runs(bench, run),
        "head": _head(bench, run),
        "curves": json.dumps(drawn) if drawn is not None else "",
        "values": _numbers(bench, run, drawn is not None) if run is not None else "",
        "samples": _samples(bench, run) if run is not None else "",
        "mask": _mask(bench, run),
        "status": f'<span id="training-status" role="status">{escape(bench.status)}</span>',
    }


# -- the runs


def _runs(bench: TrainingSession, run: Run | None) -> str:
    written = bench.folders.runs.written()
    if run is None:
        return ""
    rows = "".join(
        f'<li id="run-{place}"><button type="button" class="run" data-action="run" '
        f'data-run="{escape(name)}" aria-pressed="{str(name == run.name).lower()}">'
        f"<b>{escape(name)}</b><span>{_when(when)}</span></button></li>"
        for place, (name, when) in enumerate(written.items())
    )
    return f'<h2 class="part">Runs</h2><ul class="runs">{rows}</ul>'


def _when(written: float) -> str:
    """When a run wrote last, for a reader."""
    if is_live(written):
        return '<span class="live">training now</span>'
    seconds = time.time() - written
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return f"{count:,} {unit}{'s' if count > 1 else ''} ago"
    return "a moment ago"


def amount(count: float) -> str:
    """A number of tokens for a reader."""
    for name, size in (("billion", 1e9), ("million", 1e6)):
        if count >= size:
            return f"{count / size:.2f} {name}"
    return f"{count:,.0f}"


def _head(bench: TrainingSession, run: Run | None) -> str:
    note = f'<p class="error" role="alert">{escape(bench.run_note)}</p>' if bench.run_note else ""
    if run is None:
        folder = escape(str(bench.folders.runs.folder))
        return (
            f'{note}<p class="banner" id="no-runs">There is no run in <code>{folder}</code> yet: '
            f"<code>{START}</code> starts one, and it appears here while it trains.</p>"
        )
    said = [_when(run.written)]
    if run.step is not None:
        said.append(f"step {run.step:,}")
    if run.tokens is not None:
        said.append(f"{amount(run.tokens)} tokens")
    if run.speed is not None:
        said.append(f"{run.speed:,.0f} tokens a second")
    loss = run.newest("train/loss")
    if loss is not None:
        said.append(f"loss {number(loss)}")
    facts = "".join(f"<li>{each}</li>" for each in said)
    tabs = _group(
        "Measure",
        [
            (
                name.capitalize(),
                f'id="measure-{name}" data-action="measure" data-measure="{name}"',
                name == bench.measure,
            )
            for name in MEASURES
        ],
    )
    return (
        f'{note}<div class="run-head"><h2 id="run-name">{escape(run.name)}</h2>'
        f'<ul class="run-facts" id="run-facts">{facts}</ul>{tabs}</div>'
    )


def _group(label: str, buttons: Sequence[tuple[str, str, bool]]) -> str:
    """Buttons of which one is chosen: words, escaped attributes, whether it is."""
    return (
        f'<div class="tabs" role="group" aria-label="{escape(label)}">'
        + "".join(
            f'<button type="button" {attributes} aria-pressed="{str(chosen).lower()}">'
            f"{escape(words)}</button>"
            for words, attributes, chosen in buttons
        )
        + "</div>"
    )


def _numbers(bench: TrainingSession, run: Run, drawn: bool) -> str:
    """Below the curves: what they mean, the newest values, all of them as a table, the settings."""
    settings = _settings(run)
    if not drawn:
        return f'<p class="faint" id="no-curves">No loss by role was logged yet.</p>{settings}'
    validated = bool(run.by_role("validation", perplexity=False))
    dots = "With dots: validation. Thin: training. " if validated else ""
    return (
        f'<p class="faint caption">{dots}Values and the closing marker are out of the '
        f"loss, so they have no curve.</p>{_newest(bench, run, validated)}"
        '<details class="fold" id="all-values"><summary>The curves as a table</summary>'
        f"{curves_figure.table_html(run, bench.measure)}</details>{settings}"
    )


def _newest(bench: TrainingSession, run: Run, validated: bool) -> str:
    """The newest values of both stages by role, and what else is measured."""
    stages = [("train", "training"), *([("validation", "validation")] if validated else [])]
    perplexity = bench.measure == "perplexity"
    curves = {stage: run.by_role(stage, perplexity) for stage, _ in stages}
    rows: list[tuple[str, list[str]]] = [
        (role, [number(_last(curves[stage].get(role))) for stage, _ in stages])
        for role in ROLES
        if any(role in curves[stage] for stage, _ in stages)
    ]
    more = (
        ("values copied right", "copy_accuracy", lambda v: f"{v:.1%}".replace("%", " %")),
        ("lookups per 100 tokens", "lookups_per_100_tokens", number),
    )
    for words, name, shown in more:
        values = [run.newest(f"{stage}/{name}") for stage, _ in stages]
        if any(value is not None for value in values):
            rows.append((words, ["–" if v is None else shown(v) for v in values]))
    head = "".join(f'<th scope="col">{words}</th>' for _, words in stages)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{value}</td>" for value in values)}</tr>'
        for name, values in rows
    )
    return (
        f'<table class="numbers" id="newest"><caption>Newest {bench.measure}</caption><thead><tr>'
        f"<td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _last(points: curves_figure.Points | None) -> float | None:
    return points[-1][1] if points else None


def _settings(run: Run) -> str:
    if not run.settings:
        return ""
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in run.settings.items()
    )
    return (
        '<details class="fold" id="settings"><summary>Settings</summary>'
        f'<dl class="settings">{rows}</dl></details>'
    )


# -- samples


def _samples(bench: TrainingSession, run: Run) -> str:
    head = '<h2 class="part">Samples over time</h2>'
    prompts = prompts_of(run)
    if not prompts:
        return (
            f'{head}<p class="faint" id="no-samples">This run has written no samples; '
            "<code>training.fit.samples.SampleWriter</code> among its callbacks does.</p>"
        )
    prompt = bench.prompt if bench.prompt in prompts else prompts[0]
    tabs = _group(
        "Prompt",
        [
            (
                each,
                f'id="prompt-{place}" data-action="prompt" data-number="{place}"',
                each == prompt,
            )
            for place, each in enumerate(prompts)
        ],
    )
    samples = [sample for sample in run.samples if sample.prompt == prompt][::-1]
    shown = samples
    if len(samples) > MOST_SAMPLES:
        last = len(samples) - 1
        shown = [samples[round(i * last / (MOST_SAMPLES - 1))] for i in range(MOST_SAMPLES)]
    count = (
        f"{len(shown)} of {len(samples)}, evenly over the run, the newest first."
        if len(shown) < len(samples)
        else "The newest first."
    )
    items = "".join(_sample(sample) for sample in shown)
    return (
        f'{head}<div class="sample-tools">{tabs}<span class="faint">{count}</span></div>'
        '<div class="samples-scroll" id="samples-scroll" tabindex="0" role="region" '
        f'aria-label="Samples over time"><ol class="samples">{items}</ol></div>'
        f"{role_text.legend(out=False)}"
    )


def _sample(sample: Sample) -> str:
    lookups = f"{sample.lookups} lookup{'' if sample.lookups == 1 else 's'}"
    missed = f", {sample.misses} missed" if sample.misses else ""
    cut = {"length": "cut at its length", "context": "cut at the context"}.get(sample.finish)
    words = [f"step {sample.step:,}", lookups + missed, *([cut] if cut else [])]
    text = role_text.pieces_html((role, text, True) for role, text in sample.pieces)
    return (
        f'<li id="sample-{sample.step}"><p class="sample-head">'
        f"<b>{amount(sample.tokens)} tokens</b>"
        f' <span>{" · ".join(words)}</span></p><p class="masked">{text}</p></li>'
    )


# -- the mask


def _mask(bench: TrainingSession, run: Run | None) -> str:
    head = '<h2 class="part">What is trained of a document</h2>'
    try:
        found = bench.corpus(run)
        if found is None:
            folder = escape(str(bench.folders.corpora.folder))
            return (
                f'{head}<p class="faint" id="no-corpora">There is no corpus in '
                f"<code>{folder}</code> yet:"
                " <code>python -m training corpus --out build/corpus/world</code> builds one.</p>"
            )
        name, corpus = found
        split = bench.split if bench.split in corpus.shards else next(iter(corpus.shards))
        count = len(corpus.shards[split])
        bench.document = min(bench.document, count)
        runs = corpus.runs(split, bench.document - 1)
    except CorpusError as problem:
        return f'{head}<p class="error" role="alert">{escape(str(problem))}</p>'
    body = role_text.list_html(runs) if bench.listed else role_text.document_html(runs)
    return (
        f"{head}{_mask_tools(bench, name, tuple(corpus.shards), split, count)}"
        f"{role_text.share_html(runs)}{body}"
    )


def _mask_tools(
    bench: TrainingSession, name: str, splits: Sequence[str], split: str, count: int
) -> str:
    corpora = _group(
        "Corpus",
        [
            (each, f'data-action="corpus" data-corpus="{escape(each)}"', each == name)
            for each in bench.folders.corpora.names()
        ],
    )
    halves = _group(
        "Split",
        [
            (each, f'id="split-{each}" data-action="split" data-split="{each}"', each == split)
            for each in splits
        ],
    )
    views = _group(
        "View",
        [
            ("Text", 'id="view-text" data-action="view" data-view="text"', not bench.listed),
            ("List", 'id="view-list" data-action="view" data-view="list"', bench.listed),
        ],
    )
    at = bench.document
    wrong = escape(bench.document_note)
    note = f'<p class="error" id="document-note" role="alert">{wrong}</p>' if wrong else ""

    def step(words: str, to: int) -> str:
        off = "" if 1 <= to <= count else " disabled"
        return (
            f'<button type="button" id="{words.lower()}-document" data-action="document" '
            f'data-number="{to}"{off}>{words}</button>'
        )

    return (
        f'<div class="mask-tools">{corpora}{halves}'
        '<form class="pager" data-action="document" id="document-form">'
        '<label for="document-number">Document</label>'
        f'<input type="text" inputmode="numeric" name="number" id="document-number" value="{at}" '
        f'autocomplete="off" aria-describedby="document-count">'
        f'<span id="document-count">of {count:,}</span>'
        '<button type="submit" id="go">Go</button>'
        f'<span class="row">{step("Previous", at - 1)}{step("Next", at + 1)}</span>'
        f"</form>{views}</div>{note}"
    )
