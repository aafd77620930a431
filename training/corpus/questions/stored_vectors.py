"""Vectors of wordings, kept in a file, because encoding sixteen thousand takes ten minutes."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from graph.core.atomic_files import whole_file
from graph.core.vectors import Vectors
from graph.lookup.encoder import Encoder

DEFAULT = Path("build/wording_vectors.npz")
_SAME = 1e-3  # at most between two vectors of one text, from one encoder on two machines


class StoredVectors:
    """An encoder that reads from a file what it once encoded, and adds what is new."""

    def __init__(self, encoder: Encoder, path: Path = DEFAULT) -> None:
        self._encoder, self._path = encoder, path
        self._places: dict[str, int] = {}
        self._vectors_ND: Vectors | None = None
        self._load()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """float32 [N, D], each row of length 1."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._places]
        if fresh:
            new_ND = self._encoder.encode(fresh)
            old_ND = self._vectors_ND
            self._vectors_ND = new_ND if old_ND is None else np.concatenate([old_ND, new_ND])
            for text in fresh:
                self._places[text] = len(self._places)
            self._save(self._vectors_ND)
        if self._vectors_ND is None:
            return self._encoder.encode(texts)
        return self._vectors_ND[[self._places[text] for text in texts]]

    def _load(self) -> None:
        """Read the file, unless it is damaged or of another encoder."""
        try:
            with np.load(self._path, allow_pickle=False) as stored:
                texts, vectors_ND = stored["texts"].tolist(), stored["vectors"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return
        if not texts or len(texts) != len(vectors_ND):
            return
        probe_D = self._encoder.encode(texts[:1])[0]
        if probe_D.shape == vectors_ND[0].shape and np.allclose(probe_D, vectors_ND[0], atol=_SAME):
            self._places = {text: place for place, text in enumerate(texts)}
            self._vectors_ND = vectors_ND

    def _save(self, vectors_ND: Vectors) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(self._path, "wb", made=lambda _: True) as file:
            np.savez(file, texts=np.array(list(self._places)), vectors=vectors_ND)
