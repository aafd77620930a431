"""Weights in parts: what a run on a GPU machine sends back, and `join`, which reads it.

    python -m tools.gpu join FOLDER --name world --out build/model/world

`NAME.json` lists the parts with a checksum of the whole; the parts `NAME.000`, `NAME.001`, ... are
pieces of one tar archive: the files of a checkpoint folder or of an adapter folder.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graph.core.errors import UserError

MEBIBYTE = 1 << 20


class PartsError(UserError):
    """Parts that do not belong together."""


def write_parts(
    files: Mapping[str, bytes], out: Path, name: str, facts: Mapping[str, Any], size: float = 15
) -> list[Path]:
    """Write files as parts of at most `size` MiB, and what is known about them."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for file, content in files.items():
            entry = tarfile.TarInfo(file)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    content, step = archive.getvalue(), int(size * MEBIBYTE)
    pieces = [content[start : start + step] for start in range(0, len(content), step)]
    written = [out / f"{name}.{number:03}" for number in range(len(pieces))]
    index = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "parts": [path.name for path in written],
        **facts,
    }
    out.mkdir(parents=True, exist_ok=True)
    written.append(out / f"{name}.json")
    pieces.append(json.dumps(index, indent=1).encode())
    for path, piece in zip(written, pieces, strict=True):  # first completely, then all at once
        (out / f".{path.name}").write_bytes(piece)
    for path in written:
        (out / f".{path.name}").replace(path)
    return written


def join(argv: Sequence[str]) -> None:
    """Make the checkpoint folder or adapter folder again from a run's parts."""
    parser = argparse.ArgumentParser(prog="python -m tools.gpu join", description=join.__doc__)
    parser.add_argument("folder", type=Path, help="folder with the parts")
    parser.add_argument("--name", required=True, help="name of the run: world or adapter")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; it must be new")
    options = parser.parse_args(argv)
    join_parts(options.folder, options.name, options.out)
    print(f"{options.out}: {', '.join(sorted(path.name for path in options.out.iterdir()))}")


def join_parts(folder: Path, name: str, out: Path) -> dict[str, Any]:
    """Write the files that the parts hold to `out`; returns what is known about them."""
    if out.exists() and any(out.iterdir()):
        raise PartsError(f"{out} is not empty; name a new folder.")
    try:
        index: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
        content = b"".join((folder / part).read_bytes() for part in index["parts"])
    except OSError as error:
        raise PartsError(f"A part is missing: {error.filename}.") from error
    if hashlib.sha256(content).hexdigest() != index["sha256"]:
        raise PartsError(f"The parts of {name} in {folder} are of different moments of a run.")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(out, filter="data")
    return index
