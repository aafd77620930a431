"""Tokens a second of training, by context and size of the model: one table.

    python -m tools.benchmarks.scaling [--steps N] [--batch-tokens N] [--out FILE]

Whole optimiser steps in bfloat16 autocast, on rows as long as the context. Prints the table in
Markdown, adds it to `build/bench.json` as `training_scaling`, and writes it to FILE: as
`scaling.json` next to a model it becomes a table of the model card.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
import yaml

from model.checkpoint import WORLD
from tools.benchmarks.results import write_results
from tools.benchmarks.training_speed import bare_steps
from training.data.batches import Batch
from training.fit.module import LookupLanguageModule

CONTEXTS = (256, 512, 1024)  # tokens
CONFIGS = Path("training") / "configs"
SIZES = ("5M", "10M", "20M")  # parameters; their shapes are in CONFIGS
FIRST_WORD = 300  # ids from here on are not markers


def rows(context: int, batch_tokens: int, vocabulary: int, steps: int) -> Iterator[Batch]:
    """Batches of full rows of tokens drawn at random, all of them trained."""
    generator = torch.Generator().manual_seed(0)
    number = max(1, batch_tokens // context)
    for _ in range(steps):
        ids_BT = torch.randint(FIRST_WORD, vocabulary, (number, context), generator=generator)
        yield Batch(
            ids_BT=ids_BT,
            flags_BT=torch.ones_like(ids_BT, dtype=torch.bool),
            prompt_lengths_B=torch.ones(number, dtype=torch.int64),
        )


def new_module(size: str) -> LookupLanguageModule:
    """A model of this size, with the shipped vocabulary and random weights."""
    shape = yaml.safe_load((CONFIGS / f"size-{size}.yaml").read_text("utf-8"))["model"]
    torch.manual_seed(0)
    return LookupLanguageModule(str(WORLD), **shape)


def measure(size: str, context: int, batch_tokens: int, steps: int) -> float:
    """Tokens a second of steps after the first."""
    module = new_module(size)
    vocabulary = int(module.model.config.vocab_size)
    return bare_steps(module, rows(context, batch_tokens, vocabulary, steps), full=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmarks.scaling", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=6,
        help="optimiser steps per measurement; the first is not counted (default: %(default)s)",
    )
    parser.add_argument(
        "--batch-tokens", type=int, default=8192, help="tokens per step (default: %(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="also write the figures to this file"
    )
    options = parser.parse_args(argv)
    if options.steps < 2:
        parser.error("--steps must be at least 2, because the first step is not counted")
    found: dict[str, dict[str, float]] = {}
    print("| parameters | " + " | ".join(f"context {context:,}" for context in CONTEXTS) + " |")
    print("| --- |" + " ---: |" * len(CONTEXTS))
    for size in SIZES:
        found[size] = {
            str(context): measure(size, context, options.batch_tokens, options.steps)
            for context in CONTEXTS
        }
        cells = " | ".join(f"{rate:,.0f}" for rate in found[size].values())
        print(f"| {size} | {cells} |", flush=True)
    print(f"Tokens a second on {torch.get_num_threads()} threads.")
    write_results({"training_scaling": found})
    if options.out:
        rates = {"threads": torch.get_num_threads(), "tokens_per_second": found}
        options.out.write_text(json.dumps(rates, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
