"""`python -m training ablate`: what each part of the recipe is good for, at equal tokens.

    python -m training ablate --out build/ablations --tokens 4000000

Each variant is trained from the same random weights on as many tokens; then all are measured alike.
Folders that are there are gone on with, so the command may be stopped and started again. The
results are written to `ablations.json`, which the model card shows where it lies beside the model.

| variant | what differs |
| --- | --- |
| full | nothing |
| values trained | the looked-up values are targets of training |
| nothing exchanged | names and values are as in the graph |
| both of these | a training that should learn facts by heart |
| no prose | no passages of real prose |
| no lookups | the same texts, values and all, without a lookup: the baseline |
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from model.checkpoint import DEFAULT_CHECKPOINT
from training.errors import TrainingError

CONFIG = Path(__file__).parent / "configs" / "world.yaml"


@dataclass(frozen=True)
class Variant:
    """A recipe with one part changed, or two."""

    name: str
    corpus: tuple[str, ...] = ()
    """Options of `corpus`."""
    fit: tuple[str, ...] = ()
    """Options of `fit`."""
    suites: tuple[str, ...] = ("lookup", "closed-book", "perplexity")

    @property
    def folder(self) -> str:
        return self.name.replace(" ", "-")


BASELINE = Variant("no lookups", fit=("--data.lookups", "false"), suites=("closed-book",))
"""Its perplexity is measured beside that of each other, on the same texts."""

VARIANTS = (
    Variant("full"),
    Variant("values trained", fit=("--model.train_values", "true")),
    Variant("nothing exchanged", corpus=("--no-exchange",)),
    Variant("both of these", corpus=("--no-exchange",), fit=("--model.train_values", "true")),
    Variant("no prose", corpus=("--no-prose",)),
    BASELINE,
)


def config(given: Path, run: Path) -> Path:
    """The settings of a run with its own folder in place of the given file's; written beside it."""
    settings = yaml.safe_load(given.read_text("utf-8"))
    folder = settings["trainer"]["default_root_dir"]
    path = run.with_suffix(".yaml")
    path.write_text(given.read_text("utf-8").replace(folder, str(run)), encoding="utf-8")
    return path


def trainings(variant: Variant, options: argparse.Namespace) -> list[list[str]]:
    """What is still to be run until a variant is trained and exported, in order."""
    out, seed = options.out, str(options.seed)
    corpus = out / ("corpus" + "".join(variant.corpus).replace("--", "-"))
    run, model = out / f"run-{variant.folder}", out / f"model-{variant.folder}"
    todo = []
    if not (corpus / "manifest.json").exists():
        wanted = ["--tokens", str(options.tokens), "--seed", seed, "--tokenizer", options.tokenizer]
        todo.append(["corpus", "--out", str(corpus), *wanted, *variant.corpus])
    if not (model / "config.json").exists():
        last = run / "checkpoints" / "last.ckpt"
        again = ["--ckpt_path", str(last)] if last.exists() else []
        wanted = ["--config", str(config(options.config, run)), "--data.corpus", str(corpus)]
        wanted += ["--seed_everything", seed, "--data.seed", seed]
        todo.append(["fit", *wanted, *variant.fit, *again])
        todo.append(["export", "--run", str(run), "--out", str(model)])
    return todo


def measurements(variant: Variant, options: argparse.Namespace) -> list[list[str]]:
    """What is still to be run until a trained variant is measured."""
    todo = []
    wanted = ["--model", str(options.out / f"model-{variant.folder}")]
    wanted += ["--entities", str(options.entities)]
    baseline = options.out / f"model-{BASELINE.folder}"
    beside = ["--baseline", str(baseline)] if baseline.exists() else []
    beside += ["--annotated", options.annotated] if options.annotated else []
    for suite in variant.suites:
        path = found(variant, suite, options.out)
        if not path.exists():
            more = beside if suite == "perplexity" else []
            todo.append(["evaluate", suite, *wanted, *more, "--out", str(path)])
    return todo


def found(variant: Variant, suite: str, out: Path) -> Path:
    """Where the measures of a suite are."""
    return out / f"found-{variant.folder}-{suite}.json"


def gathered(out: Path) -> dict[str, dict[str, Any]]:
    """The measures of each variant that was measured; the baseline's perplexity in its own row."""
    table: dict[str, dict[str, Any]] = {}
    of_baseline: dict[str, Any] = {}
    for variant in VARIANTS:
        for suite in variant.suites:
            path = found(variant, suite, out)
            measures = json.loads(path.read_text("utf-8")) if path.exists() else {}
            for name, row in measures.items():
                own = not name.startswith("perplexity_baseline")
                (table.setdefault(variant.name, {}) if own else of_baseline)[name] = row
    if of_baseline:
        table.setdefault(BASELINE.name, {}).update(of_baseline)
    return table


def run(variant: Variant, todo: Sequence[Sequence[str]]) -> None:
    """Run commands of `python -m training`; raises TrainingError where one fails."""
    for command in todo:
        print(f"{variant.name}: {' '.join(command[:2])}", flush=True)
        # A process of its own gives back what it took, and can be stopped alone.
        done = subprocess.run([sys.executable, "-m", "training", *command])  # noqa: S603
        if done.returncode:
            raise TrainingError(
                f"`{command[0]}` of the variant {variant.name!r} ended with {done.returncode}: "
                "mend what it says and run this again, it goes on there."
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Train and measure all variants, or those named."""
    parser = argparse.ArgumentParser(
        prog="python -m training ablate", description="Train and measure variants of the recipe."
    )
    parser.add_argument("variants", nargs="*", help="all unless named")
    parser.add_argument("--out", type=Path, default=Path("build/ablations"))
    parser.add_argument("--tokens", type=int, default=4_000_000, help="of each")
    parser.add_argument("--entities", type=int, default=300, help="to measure on")
    parser.add_argument("--annotated", help="an annotated corpus, for perplexity on it too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--tokenizer", default=str(DEFAULT_CHECKPOINT), help="of all variants")
    options = parser.parse_args(argv)
    known = {variant.name: variant for variant in VARIANTS}
    if unknown := [name for name in options.variants if name not in known]:
        parser.error(f"there is no variant {unknown[0]!r}; there are: {', '.join(known)}")
    options.out.mkdir(parents=True, exist_ok=True)
    chosen = [known[name] for name in options.variants] or VARIANTS
    for variant in chosen:
        run(variant, trainings(variant, options))
    for variant in chosen:
        run(variant, measurements(variant, options))
    path = options.out / "ablations.json"
    results = {"tokens": options.tokens, "variants": gathered(options.out)}
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"Wrote {path}.")
    return 0
