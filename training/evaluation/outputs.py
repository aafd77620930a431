"""The files that an evaluation writes, and how it recognises them to write them again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graph.core.atomic_files import Made, check_output, whole_file
from graph.core.file_hashes import file_sha256
from model.base.adapter import WEIGHTS, is_adapter


def check_outputs(
    out: Path | None,
    failures: Path | None,
    texts: Path | None = None,
    *,
    force: bool,
    inputs: Iterable[str | Path | None],
) -> None:
    """Raise `OutputRefused` before anything is measured rather than afterwards."""
    outputs: list[tuple[Path, Made]] = []
    if out:
        outputs += [(out, is_found), (_run_of(out), is_run)]
    if failures:
        outputs.append((failures, is_failures))
    if texts:
        outputs.append((texts, is_texts))
    given = list(inputs)
    for path, made in outputs:
        check_output(path, made=made, force=force, inputs=given)


def write_found(
    found: Mapping[str, Any],
    out: Path,
    model: str,
    run: Mapping[str, Any],
    *,
    force: bool = False,
) -> None:
    """Write the measures to `OUT` as JSON, and how they were measured to `OUT.run.json`.

    `sha256` in the second file is that of the weights (of an adapter, without its base), or "" for
    a model that is not a folder.

    Raises:
        OutputRefused: if a file there is not such measures, unless `force` is given.
    """
    weights = Path(model) / (WEIGHTS if is_adapter(model) else "model.safetensors")
    about = {"sha256": file_sha256(weights) if weights.is_file() else "", **run}
    contents = {out: (found, is_found), _run_of(out): (about, is_run)}
    for path, (_, made) in contents.items():
        check_output(path, made=made, force=force)
    out.parent.mkdir(parents=True, exist_ok=True)
    for path, (content, made) in contents.items():
        with whole_file(path, made=made, force=force) as file:
            file.write(json.dumps(content, indent=1) + "\n")


def write_failures(wrong: Sequence[Mapping[str, Any]], path: Path, *, force: bool = False) -> None:
    """Write the wrong answers as JSON Lines; raises `OutputRefused` as `write_found` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, made=is_failures, force=force) as file:
        for each in wrong:
            print(json.dumps(each, ensure_ascii=False), file=file)


def write_texts(texts: Sequence[Mapping[str, Any]], path: Path, *, force: bool = False) -> None:
    """Write natural prompts with their texts and verdicts; raises as `write_found` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, made=is_texts, force=force) as file:
        for each in texts:
            print(json.dumps(each, ensure_ascii=False), file=file)


def is_found(path: Path) -> bool:
    """Whether a file holds measures, and nothing else."""
    rows = _json(path)
    return isinstance(rows, dict) and all(
        isinstance(row, dict) and {"value", "low", "high", "n"} <= row.keys()
        for row in rows.values()
    )


def is_run(path: Path) -> bool:
    """Whether a file says how measures were taken."""
    about = _json(path)
    return isinstance(about, dict) and {"sha256", "seed"} <= about.keys()


def is_failures(path: Path) -> bool:
    """Whether a file lists wrong answers, or is empty."""
    return _begins_with(path, {"measure", "entity", "prompt"})


def is_texts(path: Path) -> bool:
    """Whether a file holds texts with their verdicts, or is empty."""
    return _begins_with(path, {"suite", "measure", "right", "prompt", "text"})


def _begins_with(path: Path, keys: set[str]) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(100_000)
        return not line or keys <= json.loads(line).keys()
    except (OSError, ValueError, AttributeError):
        return False


def _run_of(out: Path) -> Path:
    return out.with_suffix(".run.json")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
