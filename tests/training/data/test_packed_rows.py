"""Documents packed into rows are trained as if each had a row of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model.base.smollm2 import base_tokenizer
from model.roles import MarkerIds, Role
from tests.model.tiny_base import write_tiny_base
from tests.training.toy import toy_documents, write_toy_corpus
from training.data.batches import collate
from training.data.packed_rows import PackedLoader, pack_shards, plan_rows
from training.data.shards import Shard, write_corpus
from training.data.tokenizer import load_tokenizer
from training.errors import TrainingError
from training.fit.module import LookupLanguageModule
from training.fit.packed_attention import DENSE, FLEX, use_attention


def test_rows_are_full_and_hold_each_document_once():
    lengths_N = np.random.default_rng(3).integers(5, 200, 3000)
    rows_N, starts_N = plan_rows(lengths_N, 256)
    taken = np.zeros((rows_N.max() + 1, 256), dtype=int)
    for row, start, length in zip(rows_N, starts_N, lengths_N, strict=True):
        assert start + length <= 256
        taken[row, start : start + length] += 1
    assert taken.max() == 1
    assert taken.mean() > 0.97


def test_a_document_longer_than_a_row_is_an_error():
    with pytest.raises(TrainingError, match="longer than a row of 100"):
        plan_rows(np.array([20, 101]), 100)


@pytest.fixture(scope="module", params=["world", "adapter"])
def trained(request, tmp_path_factory):
    """A module and the training split of its corpus."""
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    if request.param == "world":
        corpus = write_toy_corpus(folder / "corpus")
        module = LookupLanguageModule(str(corpus / "tokenizer"), 64, 128, 2, 2, relation_weight=3.0)
    else:
        base = write_tiny_base(folder / "base")
        corpus = folder / "corpus"
        splits = {"train": toy_documents(40, 1), "validation": toy_documents(5, 2)}
        write_corpus(corpus, splits, base_tokenizer(base))
        module = LookupLanguageModule(
            str(corpus / "tokenizer"), base=str(base), adapter_rank=4, relation_weight=3.0
        )
    return module, Shard(corpus / "train"), load_tokenizer(corpus / "tokenizer")


@pytest.mark.parametrize("attention", [DENSE, FLEX])
def test_packed_documents_have_the_loss_of_single_ones(trained, attention):
    module, shard, tokenizer = trained
    use_attention(module.model, "sdpa")
    single = module.model_step(collate(shard, np.arange(len(shard)), tokenizer.pad_token_id), True)
    rows = pack_shards([shard], 384, tokenizer.pad_token_id, MarkerIds.of(tokenizer))
    assert len(rows) < len(shard) / 2
    use_attention(module.model, attention)
    with torch.no_grad():
        packed = module.model_step(rows.batch(torch.arange(len(rows))), True)
    assert packed["trained"] == single["trained"]
    for name, value in single.items():
        torch.testing.assert_close(packed[name], value, atol=1e-4, rtol=1e-4)


def test_packed_documents_have_the_gradient_of_single_ones(trained):
    module, shard, tokenizer = trained
    rows = pack_shards([shard], 384, tokenizer.pad_token_id, MarkerIds.of(tokenizer))
    gradients = []
    for attention, batch in (
        ("sdpa", collate(shard, np.arange(len(shard)), tokenizer.pad_token_id)),
        (DENSE, rows.batch(torch.arange(len(rows)))),
    ):
        use_attention(module.model, attention)
        module.zero_grad()
        module.model_step(batch, False)["loss"].backward()
        gradients.append([p.grad.clone() for p in module.parameters() if p.grad is not None])
    for single, packed in zip(*gradients, strict=True):
        torch.testing.assert_close(packed, single, atol=1e-5, rtol=1e-3)


def test_relation_tokens_count_as_often_as_they_are_told_to(trained):
    module, shard, tokenizer = trained
    use_attention(module.model, DENSE)
    rows = pack_shards([shard], 384, tokenizer.pad_token_id, MarkerIds.of(tokenizer))
    with torch.no_grad():
        result = module.model_step(rows.batch(torch.arange(len(rows))), True)
    roles = [role for role in Role if f"loss_{role.name.lower()}" in result]
    counts = {role: 3.0 if role == Role.RELATION else 1.0 for role in roles}
    pairs = {role: result[f"loss_{role.name.lower()}"] for role in roles}
    total = sum(counts[role] * pair[0] for role, pair in pairs.items())
    number = sum(counts[role] * pair[1] for role, pair in pairs.items())
    torch.testing.assert_close(result["loss"], total / number)


def test_an_epoch_has_each_row_once_in_an_order_of_its_own(trained):
    _, shard, tokenizer = trained
    rows = pack_shards([shard], 384, tokenizer.pad_token_id, MarkerIds.of(tokenizer))
    loader = PackedLoader(rows, 1, seed=5)
    first, second = ([b["ids_BT"][0].tolist() for b in loader] for _ in range(2))
    assert first != second
    assert sorted(first) == sorted(second)
