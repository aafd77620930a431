"""SHA-256 of the files that hold a model's weights, so that a trace names exactly what wrote it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from graph.core.file_hashes import file_sha256
from model.base.adapter import is_adapter, read_base
from model.base.smollm2 import find_base


def weight_hashes(folder: Path) -> dict[str, str]:
    """The hashes of a checkpoint's weight files by file name; of an adapter's base too.

    Raises BaseModelError if the base of an adapter is not there.
    """
    files = sorted(folder.glob("*.safetensors"))
    if is_adapter(folder):
        base = find_base(read_base(folder))
        files += sorted(base.glob("*.safetensors")) if base.is_dir() else [base]
    return {path.name: file_sha256(path) for path in files}


def checkpoint_hash(weights: Mapping[str, str]) -> str:
    """One SHA-256 for all files of a model; "" if their hashes are not known."""
    if not weights:
        return ""
    listed = "".join(f"{weights[name]}  {name}\n" for name in sorted(weights))
    return hashlib.sha256(listed.encode()).hexdigest()
