"""`python -m training card`: the model card of an exported checkpoint.

    python -m training card --model model/checkpoints/world

Every figure is read from the checkpoint's folder, and the card is written there as README.md:

- training.json, curve.png: settings, corpus and speed (`python -m training export`);
- evaluation.json, evaluation.run.json: the measures (`python -m training evaluate all --out ...`);
- natural.md, if there: a reader's verdicts on paragraphs;
- ablations.json, if there: variants of the recipe (`python -m training ablate`);
- scaling.json, if there: throughput (`python -m tools.benchmarks.scaling`).

The key figures come first, and every other table is folded.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, whole_file
from graph.version import VERSION
from model.checkpoint import read_held_out
from training.errors import TrainingError
from training.fit.curves import PICTURE
from training.report.measures import interval, key_figures, measure_tables, shown, table
from training.report.reader_verdicts import read_measures


def write_card(model: Path, *, force: bool = False) -> Path:
    """Write README.md to the folder ``model``.

    Raises:
        TrainingError: if a file that the card is made of is missing.
        OutputRefused: if README.md was not written by this command, unless `force` is given.
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
        key_figures=key_figures(found),
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
        file.write(f"{card.rstrip()}\n\n*Card written by Lamplight {VERSION}.*\n")
    return path


def is_card(path: Path) -> bool:
    """Whether this command wrote a file, by two lines that every card has."""
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
    """How much training the weights have had, over all runs if the last one continued others."""
    tokens = f"{facts['tokens_seen'] / 1e6:.1f} million tokens (padding included)"
    if not facts["settings"].get("start_from"):
        return f"On {tokens}, by "
    hours = float(facts.get("seconds", 0.0)) / 3600
    several = "In several runs, each from the weights of the previous one"
    return f"{several}, on {tokens} in {hours:.1f} hours. The last run was "


def _before(facts: Mapping[str, Any]) -> str:
    """The runs before the last one; empty if that began with random weights."""
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
    head = ["million tokens by its end", "steps", "corpus seed", "highest rate", "last / highest"]
    return BEFORE.format(table=table(head, rows, right=True))


def _speed(facts: Mapping[str, Any]) -> str:
    """Hours and speed of the last run; empty if it was exported without its log."""
    last = facts.get("last_run", {})
    if "hours" not in last:
        return ""
    rate = f"{last['tokens_per_second']:,.0f} tokens a second"
    where = f" on {last['device']}" if "device" in last else ""
    return f", {last['hours']:.1f} hours{where} at {rate} (the median)"


def _took(run: Mapping[str, Any]) -> str:
    """The seed of the measurement, and how long it took."""
    jobs = f"{run['jobs']} processes" if run["jobs"] > 1 else "one process"
    return f" with seed {run['seed']}, in {run['seconds'] / 60:.0f} minutes with {jobs}"


def _held_out(model: Path) -> str:
    return f"{len(read_held_out(model)):,}"


def _ablations(model: Path) -> str:
    """The section about variants of the recipe; empty if none was measured."""
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
    """The section about throughput by size and context; empty if it was not measured."""
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


def _folded(title: str, content: str) -> str:
    """A section that a reader opens with a click, in Markdown that GitHub and the Hub render."""
    return f"<details>\n<summary>{title}</summary>\n\n{content.strip()}\n\n</details>\n\n"


ABLATIONS = _folded(
    "What each part of the recipe does",
    """\
Variants trained from the same random weights on {tokens} million tokens each, far fewer than the
shipped weights had, so all of them do worse. `python -m training ablate` trains and measures them
and says what differs. In brackets: 95 % interval. A `closed_book_ratio` above 1 means that facts
are in the weights.

{table}
""",
)

BEFORE = """\
The earlier runs, as far as they are on record. After each run the evaluation decided what changed
in the corpus. So the weights can be trained again in the same way, but not bit for bit:

{table}

"""

CURVES = f"""\
![Loss by role, and share of looked-up values copied, over the tokens seen]({PICTURE})

"""

SCALING = _folded(
    "How fast larger models train",
    """\
Tokens a second over whole steps on {threads} CPU threads, in bfloat16, by size of the model and
length of the rows (`python -m tools.benchmarks.scaling`). The machine was shared, so only the
ratios count:

{table}
""",
)

CARD = (
    """\
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
arXiv 2505.15962), so its facts come from the graph: change a fact there, and the text changes.

```
python -m model generate "Tell me about France."
```

It loads with `AutoModelForCausalLM` and `AutoTokenizer`, but it needs a decoder that answers its
lookups (`model/engine/decoder.py`). A document is `<|begin|>`, a space, the prompt, a line break,
the text with its lookups, `<|end|>`.

## Key figures

{key_figures}

Measured by `python -m training evaluate all` on the shipped graph{took}.
Decoding is greedy and unconstrained: only values and `<|db_end|>` are forced, nothing is filtered.
In brackets: 95 % interval and count. No training document names any of the {held_out} held-out
entities.

## Limits

It writes short English about what its graph holds, and nothing else: no conversation, no
reasoning, no other language. A lookup spelt in a way that the graph does not know is a miss, and
the text then says that nothing is recorded. If the graph is wrong, the text repeats the mistake.

On a graph that it never saw, it looks up fewer of the listed relations, and for a question it
picks the wrong relation more often: see `coverage` and `question_validity` in the table of other
graphs. It also does worse with other nouns for a relation that it knows
(`edit_paraphrase_synonym`), and with questions through three lookups whose relations the corpus
never chains (`propagation_3_unseen`). The first of the other graphs, the chemical compounds, was
consulted while the corpus was improved; the corpus took no name or value from it.

In its last corpus, outside the passages of prose, no name stands next to its own values: names are
another entity's or made up, and half of the values are exchanged or made up too. So there was
little to learn by heart, and `closed_book` and `leakage` show that this checkpoint did not learn
it. What the loss mask does when facts are left as they are is in the table of variants. With
lookups forbidden the text mostly says that nothing is recorded, which the corpus teaches;
`closed_book` looks behind that sentence.

## Details

"""
    + _folded(
        "All measures",
        """\
*Each relation alike* is the mean over relations: a rare one weighs as much as a frequent one.
Other graphs have a table of their own: chemical compounds, and those given by `--graph`. Names
that end in `_annotated` are measured on a corpus given by `--annotated`.

{measures}
""",
    )
    + _folded(
        "How it was trained",
        """\
{runs}`python -m training fit --config training/configs/world.yaml`,
with the settings below: {steps} steps{speed}. The corpus
seed is {seed}; `training/corpus` wrote the documents from the graph:

{corpus}

{settings}

{before}{curves}
""",
    )
    + "{ablations}{scaling}"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training card",
        description="Write a checkpoint's model card.",
        epilog=OUTPUT_RULE,
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("model/checkpoints/world"),
        help="folder of the exported checkpoint (default model/checkpoints/world)",
    )
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(argv)
    print(f"Wrote {write_card(options.model, force=options.force)}.")
    return 0
