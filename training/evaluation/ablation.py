"""`python -m training ablate`: what each part of the recipe contributes, at equal tokens.

    python -m training ablate --out build/ablations --tokens 4000000

Each variant is trained from the same random weights on equally many tokens; then all are measured
in the same way. The command is resumable: results already in the folder are reused. The results are
written to `ablations.json`. Copy that file into a checkpoint's folder, and
`python -m training card` makes a table of it.

| variant | what differs |
| --- | --- |
| full | nothing |
| values trained | the looked-up values are targets of training |
| nothing exchanged | names and values are as in the graph |
| values trained, nothing exchanged | both: nothing keeps the model from learning facts by heart |
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

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, check_folder, whole_file
from model.checkpoint import WORLD
from training.errors import TrainingError

CONFIG = Path(__file__).parents[1] / "configs" / "world.yaml"
SETTINGS = "settings.json"  # the settings that a folder of ablations was begun with


@dataclass(frozen=True)
class Variant:
    """A recipe with one or two parts changed."""

    name: str
    corpus: tuple[str, ...] = ()
    """Options of `corpus`."""
    fit: tuple[str, ...] = ()
    """Options of `fit`."""
    suites: tuple[str, ...] = ("lookup", "closed-book", "perplexity")

    @property
    def folder(self) -> str:
        return self.name.replace(",", "").replace(" ", "-")


BASELINE = Variant("no lookups", fit=("--data.lookups", "false"), suites=("closed-book",))
"""Its perplexity is measured along with that of every other variant, on the same texts."""

COMPARED = ("tokens", "seed", "entities", "config", "tokenizer", "annotated")
"""The options that must be the same for all variants of a folder."""

VARIANTS = (
    Variant("full"),
    Variant("values trained", fit=("--model.train_values", "true")),
    Variant("nothing exchanged", corpus=("--no-exchange",)),
    Variant(
        "values trained, nothing exchanged",
        corpus=("--no-exchange",),
        fit=("--model.train_values", "true"),
    ),
    Variant("no prose", corpus=("--no-prose",)),
    BASELINE,
)


def config(given: Path, folder: Path) -> Path:
    """Write the settings of a run, with its own folder in place of the given file's."""
    text = given.read_text("utf-8")
    path = folder.with_suffix(".yaml")
    theirs = yaml.safe_load(text)["trainer"]["default_root_dir"]
    with whole_file(path, made=_is_config) as file:
        file.write(text.replace(theirs, str(folder)))
    return path


def _is_config(path: Path) -> bool:
    return "default_root_dir" in path.read_text("utf-8", errors="replace")


def trainings(variant: Variant, options: argparse.Namespace) -> list[list[str]]:
    """The commands, in order, that a variant still needs until it is trained and exported."""
    out, seed = options.out, str(options.seed)
    corpus = out / ("corpus" + "".join(variant.corpus).replace("--", "-"))
    folder, model = out / f"run-{variant.folder}", _model(variant, out)
    if _is_exported(model):
        return []
    todo = []
    if not (corpus / "manifest.json").exists():
        wanted = ["--tokens", str(options.tokens), "--seed", seed, "--tokenizer", options.tokenizer]
        todo.append(["corpus", "--out", str(corpus), *wanted, *variant.corpus])
    last = folder / "checkpoints" / "last.ckpt"
    again = ["--ckpt_path", str(last)] if last.exists() else []
    wanted = ["--config", str(config(options.config, folder)), "--data.corpus", str(corpus)]
    wanted += ["--seed_everything", seed, "--data.seed", seed]
    todo.append(["fit", *wanted, *variant.fit, *again])
    todo.append(["export", "--run", str(folder), "--out", str(model)])
    return todo


def measurements(variant: Variant, options: argparse.Namespace) -> list[list[str]]:
    """The commands that a trained variant still needs until it is measured."""
    todo = []
    wanted = ["--model", str(_model(variant, options.out)), "--entities", str(options.entities)]
    baseline = _model(BASELINE, options.out)
    with_baseline = _is_exported(baseline)
    references = ["--baseline", str(baseline)] if with_baseline else []
    references += ["--annotated", options.annotated] if options.annotated else []
    for suite in variant.suites:
        path = _measures(variant, suite, options.out)
        of_text = suite == "perplexity"
        lacking = of_text and with_baseline and "perplexity_baseline" not in _read(path)
        if lacking or not path.exists():
            more = references if of_text else []
            todo.append(["evaluate", suite, *wanted, *more, "--out", str(path)])
    return todo


def _model(variant: Variant, out: Path) -> Path:
    return out / f"model-{variant.folder}"


def _is_exported(model: Path) -> bool:
    return (model / "config.json").exists()


def _measures(variant: Variant, suite: str, out: Path) -> Path:
    return out / f"found-{variant.folder}-{suite}.json"


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def gathered(out: Path) -> dict[str, dict[str, Any]]:
    """The measures of each measured variant; the baseline's perplexity is in its own row."""
    rows: dict[str, dict[str, Any]] = {variant.name: {} for variant in VARIANTS}
    for variant in VARIANTS:
        for suite in variant.suites:
            for name, measure in _read(_measures(variant, suite, out)).items():
                of_baseline = name.startswith("perplexity_baseline")
                rows[BASELINE.name if of_baseline else variant.name][name] = measure
    return {name: row for name, row in rows.items() if row}


def begin(options: argparse.Namespace) -> None:
    """Note what the folder is begun with; raises TrainingError if it was begun otherwise."""
    wanted = {name: str(value) for name, value in vars(options).items() if name in COMPARED}
    path = options.out / SETTINGS
    begun = _begun(options.out) or wanted
    if begun is wanted:
        check_folder(options.out, force=options.force)
        options.out.mkdir(parents=True, exist_ok=True)
    for name, value in wanted.items():
        if begun[name] != value:
            raise TrainingError(
                f"{options.out} was begun with --{name} {begun[name]}, not {value}: variants are "
                "compared at equal settings. Give the same value, or another --out."
            )
    with whole_file(path, made=lambda _: bool(_begun(options.out)), force=options.force) as file:
        file.write(json.dumps(begun, indent=1) + "\n")


def _begun(out: Path) -> dict[str, str]:
    """The settings that a folder of ablations was begun with; {} for any other folder."""
    try:
        begun = _read(out / SETTINGS)
    except ValueError:
        return {}
    return begun if isinstance(begun, dict) and set(COMPARED) <= begun.keys() else {}


def run_all(variant: Variant, commands: Sequence[Sequence[str]]) -> None:
    """Run commands of `python -m training`; raises TrainingError where one fails."""
    for command in commands:
        named = command[: 2 if command[0] == "evaluate" else 1]
        print(f"{variant.name}: {' '.join(named)}", flush=True)
        # A separate process frees all its memory at the end, and can be stopped alone.
        done = subprocess.run([sys.executable, "-m", "training", *command])  # noqa: S603
        if done.returncode:
            raise TrainingError(
                f"`{' '.join(named)}` of the variant {variant.name!r} ended with "
                f"{done.returncode}: fix what it reports and run this again (it resumes)."
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training ablate",
        description="Train and measure variants of the recipe.",
        epilog=OUTPUT_RULE,
    )
    parser.add_argument("variants", nargs="*", help="variants to train (default: all)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/ablations"),
        help="folder for corpora, runs and results (default build/ablations)",
    )
    parser.add_argument(
        "--tokens",
        type=int,
        default=4_000_000,
        help="tokens to train each variant on (default 4,000,000)",
    )
    parser.add_argument(
        "--entities", type=int, default=300, help="entities to measure on (default 300)"
    )
    parser.add_argument("--annotated", help="annotated corpus to measure perplexity on too")
    parser.add_argument("--seed", type=int, default=0, help="seed for the corpus and the training")
    parser.add_argument(
        "--config", type=Path, default=CONFIG, help="settings of every run (default world.yaml)"
    )
    parser.add_argument(
        "--tokenizer",
        default=str(WORLD),
        help="tokenizer of all variants: a folder or a Hub name",
    )
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(argv)
    known = {variant.name: variant for variant in VARIANTS}
    if unknown := [name for name in options.variants if name not in known]:
        parser.error(f"there is no variant {unknown[0]!r}; the variants are {', '.join(known)}")
    begin(options)
    chosen = [known[name] for name in options.variants] or VARIANTS
    for variant in chosen:
        run_all(variant, trainings(variant, options))
    for variant in chosen:
        run_all(variant, measurements(variant, options))
    path = options.out / "ablations.json"
    results = {"tokens": options.tokens, "variants": gathered(options.out)}
    with whole_file(path, made=lambda _: bool(_begun(options.out)), force=options.force) as file:
        file.write(json.dumps(results, indent=1) + "\n")
    print(f"Wrote {path}.")
    return 0
