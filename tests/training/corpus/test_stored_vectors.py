"""Vectors in a file: read again, added to, and not trusted if another encoder wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from graph.core.vectors import Vectors
from training.corpus.questions.stored_vectors import StoredVectors


class Counting:
    """An encoder that counts the texts it was given."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift, self.asked = shift, 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += len(texts)
        rows = [[len(text) + self.shift, 1.0] for text in texts]
        return np.array(rows, dtype=np.float32)


def test_what_was_encoded_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "vectors.npz"
    first = Counting()
    wanted = StoredVectors(first, path).encode(["a", "bb", "a"])
    assert wanted.tolist() == [[1, 1], [2, 1], [1, 1]]
    assert first.asked == 2
    second = Counting()
    again = StoredVectors(second, path).encode(["bb", "ccc", "a"])
    assert again.tolist() == [[2, 1], [3, 1], [1, 1]]
    assert second.asked == 2  # the probe and the new one


def test_another_encoder_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    StoredVectors(Counting(), path).encode(["a"])
    other = StoredVectors(Counting(shift=5.0), path)
    assert other.encode(["a"]).tolist() == [[6, 1]]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_written_again(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vectors.npz"
    path.write_bytes(content)
    assert StoredVectors(Counting(), path).encode(["a"]).tolist() == [[1, 1]]
    reader = Counting()
    assert StoredVectors(reader, path).encode(["a"]).tolist() == [[1, 1]]
    assert reader.asked == 1
