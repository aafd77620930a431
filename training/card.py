"""`python -m training card`: the model card beside an exported checkpoint.

    python -m training card --run build/runs/world --model model/checkpoints/world

Everything in it is read, nothing typed: settings and corpus from training.json, the curves from
the run's curve.csv, the measures from evaluation.json (`python -m training evaluate --out ...`).
Written are README.md and curve.png in the checkpoint's folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.corpus.records import read_held_out
from training.logs import read_curve
from training.module import TrainingError

Curves = dict[str, dict[int, float]]

ABOUT = {
    "lookup_validity": "lookups but `relations` that resolve exactly to a fact of the entity",
    "coverage": "relations that the graph listed and the paragraph went on to look up",
    "faithfulness": "values returned that the text repeats, whole",
    "unsupported": "sentences with a name or number that nothing given holds (less is better)",
    "edit_efficacy": "texts that say the new value after a random edit",
    "edit_novel": "the same, for made-up values in many scripts",
    "specificity": "other facts that are said as before the edit",
    "question_validity": "questions whose first lookup is the fact that was asked for",
    "forgotten": "deletions after which the value is gone and every other fact is still said",
    "forgotten_value": "deletions after which the value is gone",
    "recovery": "deleted values still said, where the name or another fact holds them too",
    "natural": "paragraphs, read by eye, of which every sentence is one that a person would write",
    "readable": "paragraphs, read by eye, without a loop or a broken sentence",
    "edit_question": "a changed fact, asked for in a wording of the corpus",
    "edit_paraphrase": "the same, in frames of the corpus that no document has with its noun",
    "edit_paraphrase_unseen": "the same, in 100 wordings that no document has",
    "edit_unrelated": "another fact of the entity, asked for after the edit",
    "edit_neighbour": "the same relation of another entity, of the same value if any has it",
    "edit_seconds": "seconds from an edit to the whole changed text",
    "edits_at_once_1": "a changed fact, asked for; one edit in the draft",
    "edits_at_once_10": "the same among 10 edits at once",
    "edits_at_once_100": "the same among 100",
    "edits_at_once_1000": "the same among 1,000",
    "propagation_2": "questions through two lookups, of which the first fact was changed",
    "propagation_3": "the same through three lookups",
    "forgotten_del_on": "deleted facts that are no longer said, lookups allowed",
    "forgotten_del_off": "the same with lookups forbidden",
    "retained": "facts that were not deleted and are still said",
    "leakage": "deleted facts said without lookups: L of arXiv 2607.00605 (less is better)",
    "retrieval_recovery": "deleted facts that lookups gave back: R of the same (less is better)",
    "retrieval_artifact": "deleted facts said though no lookup returned them (less is better)",
    "not_recorded": "questions without an answer of which the text says so, inventing nothing",
    "false_not_recorded": "facts of the graph said not to be recorded (less is better)",
    "adversarial_unsupported": "unsupported sentences on adversarial prompts (less is better)",
    "closed_book_ratio": "p(true) / p(another value) without lookups, trained over held-out",
    "closed_book_trained": "p(true) / p(another value) without lookups, trained entities",
    "closed_book_held_out": "the same of held-out entities",
    "closed_book_shuffled": "the same with another value for the true one",
    "closed_book_first_trained": "the true value is the likeliest of five, trained entities",
    "closed_book_first_held_out": "the same of held-out entities",
    "closed_book_rank_trained": "mean rank of the true value among five, trained entities",
    "closed_book_rank_held_out": "the same of held-out entities",
    "closed_book_probability_trained": "geometric mean of p(token) of the true value, trained",
    "closed_book_probability_held_out": "the same of held-out entities",
    "perplexity_static": "perplexity of the text, lookups given (arXiv 2505.15962)",
    "perplexity_dynamic": "the same, with queries of the model's own",
    "perplexity_normalised": "losses of all trained tokens, per token of the text",
    "perplexity_baseline": "perplexity of the text by a model without lookups",
    "completion": "held-out facts completed, T-REx style",
    "completion_closed": "the same with lookups forbidden (less is better)",
    "foreign_lookup_validity": "`lookup_validity` on a graph of chemical compounds",
    "foreign_coverage": "`coverage` there",
    "foreign_faithfulness": "`faithfulness` there",
    "foreign_edit_efficacy": "`edit_efficacy` there",
    "foreign_forgotten": "`forgotten` there",
    "foreign_unsupported": "`unsupported` there (less is better)",
}


def training_hours(curves: Curves) -> float:
    """Hours of training: the tokens between two entries of the log over the rate logged there."""
    tokens, rates = curves.get("train/tokens", {}), curves.get("train/tokens_per_second", {})
    steps = sorted(tokens)
    seconds, last = 0.0, 0.0
    for step in steps:
        if step in rates:
            seconds += max(0.0, tokens[step] - last) / rates[step]
        last = tokens[step]
    return seconds / 3600


def draw_curves(curves: Curves, path: Path) -> None:
    """Loss by role, and copy accuracy, over the tokens seen, as a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    tokens = curves.get("train/tokens", {})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 3.8), layout="constrained")

    def line(axes: Any, name: str, label: str, **style: Any) -> None:
        steps = [step for step in sorted(curves.get(name, {})) if _tokens_at(tokens, step)]
        places = [_tokens_at(tokens, step) / 1e6 for step in steps]
        axes.plot(places, [curves[name][step] for step in steps], label=label, **style)

    for role in ("text", "entity", "relation", "marker"):
        line(left, f"train/loss_{role}", role, linewidth=0.9, alpha=0.8)
    line(left, "validation/loss", "validation, all", color="black", marker=".", linewidth=1.2)
    left.set(xlabel="million tokens", ylabel="loss (nats per token)", yscale="log")
    left.set_title("Loss by role", fontsize=10)
    line(right, "train/copy_accuracy", "training", linewidth=0.9, alpha=0.8)
    line(right, "validation/copy_accuracy", "validation", color="black", marker=".")
    right.set(xlabel="million tokens", ylabel="share of tokens", ylim=(0, 1.02))
    right.set_title("Looked-up values copied, token by token", fontsize=10)
    for axes in (left, right):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _tokens_at(tokens: Mapping[int, float], step: int) -> float:
    """Tokens seen at the last entry at or before `step`."""
    return max((count for known, count in tokens.items() if known <= step), default=0.0)


SUFFIXES = {
    "_novel": "of edits to made-up values",
    "_alias": "asked for by another name of the entity",
    "_neighbour": "of entities of which another has a like name",
    "_annotated": "on an annotated corpus (`--annotated`)",
    "_corpus": "on a corpus's validation documents (`--corpus`)",
    "_unmasked": "of a model trained on the values too (`--unmasked`)",
    "_entity": "of an entity that the graph lacks",
    "_elsewhere": "where the value can be told without the fact",
    "_false_premise": "prompts with a false premise",
    "_no_entity": "prompts about nothing in the graph",
    "_other_languages": "prompts in other languages",
    "_typed_markers": "prompts with markers typed into them",
    "_typos": "prompts with slips of the finger",
}


def measure_table(found: Mapping[str, Mapping[str, float]]) -> str:
    """The measures as Markdown; macro average and held-out entities in columns of their own."""
    rows = [
        "| measure | what | all | each relation alike | held-out entities |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in found:
        if name.endswith("_macro"):
            continue
        if name.endswith("_held_out") and name.removesuffix("_held_out") in found:
            continue
        cells = [found.get(name + suffix) for suffix in ("", "_macro", "_held_out")]
        shown = " | ".join(_cell(cell) if cell else "" for cell in cells)
        rows.append(f"| `{name}` | {_about(name)} | {shown} |")
    return "\n".join(rows)


def _about(name: str) -> str:
    """What a measure is; of one on another graph, other documents or another model, that too."""
    if name in ABOUT:
        return ABOUT[name]
    for suffix, where in SUFFIXES.items():
        if name.endswith(suffix):
            return f"`{name.removesuffix(suffix)}`, {where}"
    if name.startswith("foreign_"):
        kind = max((k for k in ABOUT if name.endswith("_" + k)), key=len, default="")
        graph = name.removeprefix("foreign_").removesuffix(kind).strip("_")
        if kind:
            return f"`{kind}` on {f'the graph {graph}' if graph else 'the chemical compounds'}"
    return ""


def _cell(row: Mapping[str, float]) -> str:
    interval = f"{_shown(row['low'])} to {_shown(row['high'])}" if "low" in row else ""
    return f"{_shown(row['value'])} ({interval}; n = {int(row['n']):,})"


def _shown(value: float) -> str:
    """Three digits after the point; a probability too small for them has its power of ten."""
    return f"{value:.1e}" if 0 < abs(value) < 0.0005 else f"{value:,.3f}"


def write_card(model: Path, run: Path, evaluation: Path) -> Path:
    """Write README.md and curve.png to the folder ``model``.

    Raises TrainingError, in one sentence, if something that the card is made of is missing.
    """
    facts = _read(model / "training.json", "export the run with `python -m training export`")
    found = _read(evaluation, f"measure it with `python -m training evaluate --out {evaluation}`")
    try:
        curves = read_curve(run)
    except FileNotFoundError as error:
        raise TrainingError(f"No curve.csv in {run}: give the folder of the run.") from error
    draw_curves(curves, model / "curve.png")
    rates = sorted(curves.get("train/tokens_per_second", {}).values())
    size = (model / "model.safetensors").stat().st_size / 2**20
    card = CARD.format(
        parameters=f"{facts['parameters'] / 1e6:.1f}",
        size=f"{size:.1f}",
        measures=measure_table(found),
        settings="\n".join(f"| {k} | {v} |" for k, v in facts["settings"].items()),
        steps=f"{facts['steps']:,}",
        before=_before(facts),
        hours=f"{training_hours(curves):.1f}",
        rate=f"{rates[len(rates) // 2]:,.0f}" if rates else "an unknown number of",
        seed=facts["corpus"].get("seed"),
        corpus=_corpus_table(facts["corpus"].get("splits", {})),
        held_out=_held_out(model),
        ablations=_ablations(model),
        scaling=_scaling(model),
    )
    path = model / "README.md"
    path.write_text(card, encoding="utf-8")
    return path


def _read(path: Path, remedy: str) -> dict[str, Any]:
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise TrainingError(f"{path} is missing: {remedy}.") from error
    except ValueError as error:
        raise TrainingError(f"{path} is not valid JSON: {remedy}.") from error


def _before(facts: Mapping[str, Any]) -> str:
    """All the training that is behind the weights, where the last run went on from others."""
    tokens = f"{facts['tokens_seen'] / 1e6:.1f} million tokens (padding included)"
    if not facts["settings"].get("start_from"):
        return f"On {tokens}: "
    hours = float(facts.get("seconds", 0.0)) / 3600
    several = "In several runs, each from the weights of the one before"
    return f"{several}, on {tokens} in {hours:.1f} hours. The last: "


def _held_out(model: Path) -> str:
    return f"{len(read_held_out(model)):,}"


def _ablations(model: Path) -> str:
    """The section about variants of the recipe; empty where none was measured."""
    path = model / "ablations.json"
    if not path.exists():
        return ""
    found = _read(path, "measure them with `python -m training ablate`")
    shown = [name for name in ABLATED if any(name in row for row in found["variants"].values())]
    rows = [
        "| variant | " + " | ".join(f"`{name}`" for name in shown) + " |",
        "| --- |" + " ---: |" * len(shown),
    ]
    for variant, row in found["variants"].items():
        cells = [_brief(row[name]) if name in row else "" for name in shown]
        rows.append(f"| {variant} | " + " | ".join(cells) + " |")
    return ABLATIONS.format(tokens=f"{found['tokens'] / 1e6:.1f}", table="\n".join(rows))


def _scaling(model: Path) -> str:
    """The section about throughput by size and context; empty where none was measured."""
    path = model / "scaling.json"
    if not path.exists():
        return ""
    found = _read(path, f"measure it with `python -m tests.benchmarks.scaling --out {path}`")
    rates = found["tokens_per_second"]
    contexts = list(next(iter(rates.values())))
    rows = [
        "| parameters | " + " | ".join(f"context {int(c):,}" for c in contexts) + " |",
        "| --- |" + " ---: |" * len(contexts),
    ]
    for shape, row in rates.items():
        rows.append(f"| {shape} | " + " | ".join(f"{row[c]:,.0f}" for c in contexts) + " |")
    return SCALING.format(threads=found["threads"], table="\n".join(rows))


def _brief(row: Mapping[str, float]) -> str:
    return f"{_shown(row['value'])} ({_shown(row['low'])} to {_shown(row['high'])})"


def _corpus_table(splits: Mapping[str, Any]) -> str:
    rows = ["| kind | documents |", "| --- | --- |"]
    kinds = splits.get("train", {}).get("kinds", {})
    total = sum(kinds.values()) or 1
    for kind, number in sorted(kinds.items(), key=lambda item: -item[1]):
        rows.append(f"| {kind} | {number:,} ({number / total:.1%}) |")
    return "\n".join(rows)


ABLATED = (
    "lookup_validity", "coverage", "faithfulness", "edit_efficacy", "edit_novel", "specificity",
    "closed_book_ratio",
)  # fmt: skip
"""The measures of variants that the card shows."""

ABLATIONS = """\
## What each part of the recipe does

Variants trained from the same random weights on {tokens} million tokens each, far fewer than the
shipped file (`python -m training ablate`; 95 % intervals in brackets):

{table}

"""

SCALING = """\
## How fast larger ones train

Tokens a second of whole steps on {threads} CPU threads, in bfloat16, by size of the model and
length of the rows (`python -m tests.benchmarks.scaling`; a shared machine: only ratios count):

{table}

"""

CARD = """\
---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
tags: [lookups, knowledge-graph, lmlm]
---

# Lamplight world

A language model of {parameters} million parameters ({size} MiB) that looks facts up in a graph
while it writes. The values that it looked up were never targets of its training (after LMLM,
arXiv 2505.15962), so what it tells is the graph's: change a fact there, and the text changes.

```
python -m model generate "Tell me about France."
```

It loads with `AutoModelForCausalLM` and `AutoTokenizer`, but is of use only with a decoder that
answers its lookups (`model/decoder.py`). A document is `<|begin|>`, a space, the prompt, a line
break, the text with its lookups, `<|end|>`.

## What it does

Measured by `python -m training evaluate all` on the shipped graph, by unconstrained greedy decoding
of this file: only values and `<|db_end|>` are forced, nothing is filtered. In brackets: 95 %
interval and number; *each relation alike* is the mean over relations, in which a rare one weighs as
much as a frequent one. No training document names one of the {held_out} held-out entities. Rows of
another graph or corpus, if any, were measured with `--graph` and `--annotated`.

{measures}

## How it was trained

{before}`python -m training fit --config training/configs/world.yaml`,
with the settings below: {steps} steps, {hours} hours on two CPU cores at {rate} tokens a second
(the median). The corpus's seed is {seed}; documents were written from the graph by
`training/corpus`:

{corpus}

| setting | value |
| --- | --- |
{settings}

![Loss by role, and share of looked-up values copied, over the tokens seen](curve.png)

{ablations}{scaling}## Limits

It writes short English about what its graph holds, and nothing else: no conversation, no
reasoning, no other language. A lookup spelt in a way that the graph does not know is a miss, and
the text then says that nothing is recorded. What the graph holds wrongly it repeats. Half of the
values in its training were exchanged or made up, so that no fact is to be found in the weights;
that concerns facts, not the ways of speaking that any text teaches.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the card as the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m training card", description="Write a checkpoint's model card."
    )
    parser.add_argument("--run", type=Path, default=Path("build/runs/world"))
    parser.add_argument("--model", type=Path, default=Path("model/checkpoints/world"))
    parser.add_argument("--evaluation", type=Path, help="default: evaluation.json beside the model")
    options = parser.parse_args(argv)
    evaluation = options.evaluation or options.model / "evaluation.json"
    print(f"Wrote {write_card(options.model, options.run, evaluation)}.")
    return 0
