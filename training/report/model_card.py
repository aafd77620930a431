"""`python -m training card`: the model card beside an exported checkpoint.

    python -m training card --model model/checkpoints/world

Everything in it is read from that folder, nothing typed: settings, corpus and speed from
training.json and curve.png (`python -m training export`), the measures from evaluation.json and
evaluation.run.json (`python -m training evaluate all --out ...`), and, where they are there, a
reader's verdicts from natural.md, ablations.json (`python -m training ablate`) and scaling.json
(`python -m tools.benchmarks.scaling`). Written is README.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, whole_file
from training.corpus.held_out import read_held_out
from training.errors import TrainingError
from training.fit.curves import PICTURE
from training.report.measures import interval, measure_tables, shown, table
from training.report.reader_verdicts import read_measures


def write_card(model: Path, *, force: bool = False) -> Path:
    """Write README.md to the folder ``model``.

    Raises TrainingError, in one sentence, if something that the card is made of is missing,
    and OutputRefused where README.md is another's, unless `force` is given.
    """
    facts = _read(model / "training.json", "export the run with `python -m training export`")
    path = model / "evaluation.json"
    found = _read(path, f"measure it with `python -m training evaluate all --out {path}`")
    found |= read_measures(model)
    run = _read(path.with_suffix(".run.json"), f"it is written with {path.name}")
    size = (model / "model.safetensors").stat().st_size / 2**20
    card = CARD.format(
        parameters=f"{facts['parameters'] / 1e6:.1f}",
        size=f"{size:.1f}",
        measures=measure_tables(found),
        settings=table(["setting", "value"], [[k, str(v)] for k, v in facts["settings"].items()]),
        steps=f"{facts['steps']:,}",
        runs=_runs(facts),
        before=_before(facts),
        speed=_speed(facts),
        seed=facts["corpus"].get("seed"),
        corpus=_corpus_table(facts["corpus"].get("splits", {})),
        held_out=_held_out(model),
        took=_took(run),
        curves=CURVES if (model / PICTURE).exists() else "",
        ablations=_ablations(model),
        scaling=_scaling(model),
    )
    path = model / "README.md"
    with whole_file(path, made=is_card, force=force) as file:
        file.write(card)
    return path


def is_card(path: Path) -> bool:
    """Whether a file is a card that was written here, by the sentences that all of them have."""
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return False
    return "\n# Lamplight world\n" in text and "\nMeasured by `python -m training" in text


def _read(path: Path, remedy: str) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise TrainingError(f"{path} is missing: {remedy}.") from error
    except ValueError as error:
        raise TrainingError(f"{path} is not valid JSON: {remedy}.") from error
    return loaded


def _runs(facts: Mapping[str, Any]) -> str:
    """All the training that is behind the weights, where the last run went on from others."""
    tokens = f"{facts['tokens_seen'] / 1e6:.1f} million tokens (padding included)"
    if not facts["settings"].get("start_from"):
        return f"On {tokens}: "
    hours = float(facts.get("seconds", 0.0)) / 3600
    several = "In several runs, each from the weights of the one before"
    return f"{several}, on {tokens} in {hours:.1f} hours. The last: "


def _before(facts: Mapping[str, Any]) -> str:
    """The runs before the last; empty if it began with random weights."""
    if not (runs := facts.get("before")):
        return ""
    rows = [
        [
            f"{run['tokens_seen'] / 1e6:.1f}",
            f"{run['steps']:,}",
            *(str(run.get(name, "")) for name in ("corpus_seed", "learning_rate", "final_rate")),
        ]
        for run in runs
    ]
    head = ["million tokens at its end", "steps", "corpus's seed", "highest rate", "last over it"]
    return BEFORE.format(table=table(head, rows, right=True))


def _speed(facts: Mapping[str, Any]) -> str:
    """Hours and speed of the last run; of one that was exported without its log, nothing."""
    last = facts.get("last_run", {})
    if "hours" not in last:
        return ""
    rate = f"{last['tokens_per_second']:,.0f} tokens a second"
    where = f" on {last['device']}" if "device" in last else ""
    return f", {last['hours']:.1f} hours{where} at {rate} (the median)"


def _took(run: Mapping[str, Any]) -> str:
    """With what seed all suites were measured, and how long they took."""
    jobs = f"{run['jobs']} processes" if run["jobs"] > 1 else "one process"
    return f" with seed {run['seed']} in {run['seconds'] / 60:.0f} minutes of {jobs}"


def _held_out(model: Path) -> str:
    return f"{len(read_held_out(model)):,}"


def _ablations(model: Path) -> str:
    """The section about variants of the recipe; empty where none was measured."""
    path = model / "ablations.json"
    if not path.exists():
        return ""
    found = _read(path, "measure them with `python -m training ablate`")
    variants = found["variants"]
    rows = [
        [f"`{name}`", *(_brief(row[name]) if name in row else "" for row in variants.values())]
        for name in ABLATED
        if any(name in row for row in variants.values())
    ]
    head = ["measure", *variants]
    return ABLATIONS.format(
        tokens=f"{found['tokens'] / 1e6:.1f}", table=table(head, rows, right=True)
    )


def _scaling(model: Path) -> str:
    """The section about throughput by size and context; empty where none was measured."""
    path = model / "scaling.json"
    if not path.exists():
        return ""
    found = _read(path, f"measure it with `python -m tools.benchmarks.scaling --out {path}`")
    rates = found["tokens_per_second"]
    contexts = list(next(iter(rates.values())))
    head = ["parameters", *(f"context {int(c):,}" for c in contexts)]
    rows = [[shape, *(f"{row[c]:,.0f}" for c in contexts)] for shape, row in rates.items()]
    return SCALING.format(threads=found["threads"], table=table(head, rows, right=True))


def _brief(row: Mapping[str, float]) -> str:
    return f"{shown(row['value'])} ({interval(row)})"


def _corpus_table(splits: Mapping[str, Any]) -> str:
    kinds = splits.get("train", {}).get("kinds", {})
    total = sum(kinds.values()) or 1
    common = sorted(kinds.items(), key=lambda item: -item[1])
    rows = [[kind, f"{number:,} ({number / total:.1%})"] for kind, number in common]
    return table(["kind", "documents"], rows)


ABLATED = (
    "lookup_validity", "coverage", "faithfulness", "edit_efficacy", "edit_novel", "specificity",
    "closed_book_ratio", "closed_book_trained", "closed_book_held_out", "closed_book_first_trained",
    "closed_book_first_held_out",
    "perplexity_static", "perplexity_dynamic", "perplexity_normalised", "perplexity_baseline",
    "perplexity_static_annotated", "perplexity_baseline_annotated",
)  # fmt: skip
"""The measures of variants that the card shows."""

ABLATIONS = """\
## What each part of the recipe does

Variants trained from the same random weights on {tokens} million tokens each, far fewer than the
shipped file, so that all do worse (`python -m training ablate` says what differs; 95 % intervals in
brackets). `closed_book_ratio` above 1 means that facts are in the weights.

{table}

"""

BEFORE = """\
The runs before it, as far as their records go; each changed the corpus to what the evaluation of
the one before had shown, so that the weights can be trained again alike, but not bit for bit:

{table}

"""

CURVES = f"""\
![Loss by role, and share of looked-up values copied, over the tokens seen]({PICTURE})

"""

SCALING = """\
## How fast larger ones train

Tokens a second of whole steps on {threads} CPU threads, in bfloat16, by size of the model and
length of the rows (`python -m tools.benchmarks.scaling`; a shared machine: only ratios count):

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
answers its lookups (`model/engine/decoder.py`). A document is `<|begin|>`, a space, the prompt, a
line break, the text with its lookups, `<|end|>`.

## What it does

Measured by `python -m training evaluate all` on the shipped graph{took}.
Decoding is greedy and unconstrained: only values and `<|db_end|>` are forced, nothing is filtered.
In brackets: 95 % interval and number; *each relation alike* is the mean over relations, in which a
rare one weighs as much as a frequent one. No training document names one of the {held_out} held-out
entities. Other graphs stand in a table of their own: chemical compounds, and those given by
`--graph`. Names that end in `_annotated` are of a corpus given by `--annotated`.

{measures}

## How it was trained

{runs}`python -m training fit --config training/configs/world.yaml`,
with the settings below: {steps} steps{speed}. The
corpus's seed is {seed}; documents were written from the graph by `training/corpus`:

{corpus}

{settings}

{before}{curves}{ablations}{scaling}## Limits

It writes short English about what its graph holds, and nothing else: no conversation, no
reasoning, no other language. A lookup spelt in a way that the graph does not know is a miss, and
the text then says that nothing is recorded. What the graph holds wrongly it repeats.

Of a graph that it never saw it looks up fewer of the relations that are listed, and asked for one
it picks the wrong one more often: see the rows `coverage` and `question_validity` there. The same
goes for other nouns for a relation that it knows (`edit_paraphrase_synonym`), and for questions
through three lookups where the corpus chains no such relations (`propagation_3_unseen`). The first
such graph, the chemical compounds, was looked at while the corpus was made better; the corpus took
no name or value of it.

In its last corpus no name stands beside its own values, but in the passages of prose: names are
another entity's or made up, and half of the values are exchanged or made up too. So there was
little to learn by heart, and `closed_book` and `leakage` say of this file that it was not learnt.
What the mask does where facts are left as they are, the table of variants says. With lookups
forbidden the text mostly says that nothing is recorded, which the corpus teaches; `closed_book`
looks behind that sentence.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the card as the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m training card",
        description="Write a checkpoint's model card.",
        epilog=OUTPUT_RULE,
    )
    parser.add_argument("--model", type=Path, default=Path("model/checkpoints/world"))
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(argv)
    print(f"Wrote {write_card(options.model, force=options.force)}.")
    return 0
