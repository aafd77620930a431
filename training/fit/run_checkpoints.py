"""Checkpoint files of a run: written completely or not at all, and read without pickle.

Lightning writes a checkpoint to the temporary folder and moves it. If that is on another disk, the
move is a copy, and a kill or a full disk in the middle leaves neither the old checkpoint nor the
new one. Here the new one is written next to the old one and replaces it when it is complete.
"""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from graph.core.atomic_files import whole_file
from training.errors import TrainingError


class WholeCheckpoints(TorchCheckpointIO):
    """Lightning's checkpoint files, made safe against a kill and a full disk."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write one file; a kill leaves PATH.partial, which the next call overwrites."""
        if "://" in str(path):  # a bucket writes completely or not at all
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        content = io.BytesIO()
        torch.save(checkpoint, content)
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        with whole_file(path, "wb", made=_is_checkpoint, partial=partial) as file:
            file.write(content.getbuffer())

    def load_checkpoint(self, path: str | Path, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Raises TrainingError if it is not a checkpoint, or holds more than plain values."""
        try:
            return super().load_checkpoint(path, *args, **kwargs)
        except Exception as error:
            raise TrainingError(
                f"{path} cannot be read as a checkpoint ({type(error).__name__}): name another "
                "with --ckpt_path, or leave that out to start from the beginning."
            ) from error


def _is_checkpoint(path: Path) -> bool:
    """Lightning chooses the names, and numbers them if its own name is taken."""
    return path.suffix == ".ckpt"


def fingerprint(tokenizer: Any) -> str:
    """The same for two tokenizers only if each token has the same id in both."""
    vocabulary = json.dumps(sorted(tokenizer.get_vocab().items()))
    return hashlib.sha256(vocabulary.encode()).hexdigest()


def checkpoint_of(run: str | Path) -> Path:
    """The newest last.ckpt in the folder of a run, or ``run`` itself if it is a file.

    Raises TrainingError if there is none.
    """
    path = Path(run)
    if path.is_file():
        return path
    found = sorted(path.rglob("last.ckpt"), key=lambda p: p.stat().st_mtime)
    if not found:
        raise TrainingError(f"No checkpoint (last.ckpt) in {path}: train first.")
    return found[-1]
