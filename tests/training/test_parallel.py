"""A step may be cut into parts, in time and over processes, and its gradient stays the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training.gradient_run import DOCUMENTS, run
from tests.training.toy import run_alone
from training.data import plan_batches
from training.shards import Shard

WHOLE = 1 << 20  # tokens: all documents in one batch


def _cut(corpus: Path, number: int) -> int:
    """A size of batches that cuts the documents into so many."""
    lengths_N = Shard(corpus / "train").lengths_N[:DOCUMENTS]
    for batch_tokens in range(100, 8000, 20):
        if len(plan_batches(lengths_N, batch_tokens, 0, 0)) == number:
            return batch_tokens
    raise AssertionError(f"no size cuts the documents into {number} batches")


@pytest.fixture(scope="module")
def whole(toy_corpus, tmp_path_factory):
    gradient, batches = run(toy_corpus, tmp_path_factory.mktemp("whole"), WHOLE, 1, 1)
    assert batches == 1
    return gradient


def _same(found, expected):
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5, rtol=1e-4, msg=name)
    assert max(gradient.abs().max() for gradient in expected.values()) > 1e-3


def test_accumulation_of_four_gives_the_gradient_of_the_whole(toy_corpus, tmp_path, whole):
    gradient, batches = run(toy_corpus, tmp_path, _cut(toy_corpus, 4), 4, 1)
    assert batches == 4
    _same(gradient, whole)


@pytest.mark.timeout(1500)  # a busy machine takes its time to start two interpreters
def test_two_processes_give_the_gradient_of_the_whole(toy_corpus, tmp_path, whole):
    """Two real processes under gloo; each reads its own half of the documents."""
    size = _cut(toy_corpus, 2)
    run_alone("gradient_run", toy_corpus, tmp_path, size, 1, 2)
    _same(torch.load(tmp_path / "gradient.pt", weights_only=True), whole)
    shard = Shard(toy_corpus / "train")
    documents = [tuple(shard.document(index)[0].tolist()) for index in range(DOCUMENTS)]
    read = [_rows(tmp_path / f"read-{rank}.pt") for rank in (0, 1)]
    assert all(read)
    assert sorted(read[0] + read[1]) == sorted(documents)  # each once, by one of the two


def _rows(path: Path) -> list[tuple[int, ...]]:
    """The documents that one rank read, without their padding."""
    batches = torch.load(path, weights_only=True)
    rows = [row.tolist() for batch in batches for row in batch]
    return [tuple(row[: row.index(1) + 1]) for row in rows]  # 1 ends a document
