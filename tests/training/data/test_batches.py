"""Batches: whole documents, each once a pass, in an order that a resumed run continues."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.data.batches import BatchLoader, LookupDataModule, collate, plan_batches
from training.data.shards import Shard
from training.errors import CorpusError, TrainingError


@pytest.fixture
def shard(toy_corpus) -> Shard:
    return Shard(toy_corpus / "train")


def test_every_document_once_and_few_padding_tokens():
    lengths_N = np.random.default_rng(0).integers(10, 400, 5000)
    batches = plan_batches(lengths_N, batch_tokens=8192, seed=0, epoch=0)
    assert sorted(np.concatenate(batches)) == list(range(5000))
    padded = [len(b) * (-(-lengths_N[b].max() // 8) * 8) for b in batches]
    assert max(padded) <= 8192
    assert lengths_N.sum() / sum(padded) > 0.95


def test_order_depends_on_seed_and_epoch():
    lengths_N = np.random.default_rng(0).integers(10, 400, 500)
    first = np.concatenate(plan_batches(lengths_N, 2048, 0, 0)).tolist()
    assert np.concatenate(plan_batches(lengths_N, 2048, 0, 0)).tolist() == first
    assert np.concatenate(plan_batches(lengths_N, 2048, 0, 1)).tolist() != first
    assert np.concatenate(plan_batches(lengths_N, 2048, 1, 0)).tolist() != first


def test_rows_are_padded_on_the_right(shard):
    batch = collate(shard, np.array([0, 1, 2]), pad_id=2)
    for row in range(3):
        ids, flags, prompt_length = shard.document(row)
        assert batch["ids_BT"][row, : len(ids)].tolist() == ids.tolist()
        assert (batch["ids_BT"][row, len(ids) :] == 2).all()
        assert batch["flags_BT"][row, : len(ids)].tolist() == flags.astype(bool).tolist()
        assert not batch["flags_BT"][row, len(ids) :].any()
        assert batch["prompt_lengths_B"][row] == prompt_length


@pytest.mark.parametrize("seen", [0, 1, 3])
def test_a_restored_loader_goes_on_with_the_next_batch(shard, seen):
    straight = BatchLoader(shard, 512, 2, seed=5)
    expected = [b["ids_BT"] for _ in range(2) for b in straight]

    first = BatchLoader(shard, 512, 2, seed=5)
    stream = iter(first)
    found = [next(stream)["ids_BT"] for _ in range(seen)]
    second = BatchLoader(shard, 512, 2, seed=5)
    second.load_state_dict(first.state_dict())
    found += [b["ids_BT"] for b in second]
    found += [b["ids_BT"] for b in second]
    assert len(found) == len(expected)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_an_epoch_that_was_left_early_is_not_taken_up_again(shard):
    loader = BatchLoader(shard, 512, 2)
    next(iter(loader))
    assert sum(1 for _ in loader) == len(loader)


def test_ranks_read_disjoint_parts_of_equal_size(shard):
    loaders = [BatchLoader(shard, 512, 2, rank=r, world_size=2) for r in range(2)]
    rows = [[tuple(row.tolist()) for b in loader for row in b["ids_BT"]] for loader in loaders]
    assert len(loaders[0]) == len(loaders[1])
    plans = [np.concatenate(loader._plan(0)) for loader in loaders]
    assert not set(plans[0]) & set(plans[1])
    assert all(rows)


@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_no_document_is_left_out_for_the_sake_of_equal_parts(shard, ranks):
    loaders = [BatchLoader(shard, 512, 2, rank=r, world_size=ranks) for r in range(ranks)]
    for epoch in range(3):
        plans = [loader._plan(epoch) for loader in loaders]
        assert len({len(plan) for plan in plans}) == 1
        read = np.concatenate([batch for plan in plans for batch in plan])
        assert sorted(read) == list(range(len(shard)))


def test_more_ranks_than_documents_are_refused(shard):
    with pytest.raises(TrainingError, match="too few for 999 ranks"):
        BatchLoader(shard, 512, 2, world_size=999)


def test_workers_read_the_same_batches_and_hold_none_back_from_a_resumed_run(shard):
    expected = [batch["ids_BT"] for batch in BatchLoader(shard, 512, 2, seed=5)]
    first = BatchLoader(shard, 512, 2, seed=5, workers=2)
    stream = iter(first)
    found = [next(stream)["ids_BT"] for _ in range(2)]
    second = BatchLoader(shard, 512, 2, seed=5, workers=2)
    second.load_state_dict(first.state_dict())
    found += [batch["ids_BT"] for batch in second]
    assert len(found) == len(expected)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("change", [{"batch_tokens": 256}, {"world_size": 2}])
def test_a_place_among_other_batches_is_refused(shard, change):
    first = BatchLoader(shard, 512, 2)
    next(iter(first))
    settings = {"batch_tokens": 512, **change}
    other = BatchLoader(shard, settings.pop("batch_tokens"), 2, **settings)
    with pytest.raises(TrainingError, match="skipped or read twice"):
        other.load_state_dict(first.state_dict())


def test_no_corpus_is_told_in_one_sentence(tmp_path):
    with pytest.raises(CorpusError, match="build the corpus"):
        LookupDataModule(str(tmp_path)).setup("fit")
