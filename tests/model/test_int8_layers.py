"""Layers in int8: near the layers they replace, and each row independent of the others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from model.base import int8_layers
from model.base.int8_layers import Int8Linear, available, round_to_int8
from model.base.smollm2 import load_base
from tests.model.tiny_base import write_tiny_base

on_this_machine = pytest.mark.skipif(not available(), reason="no int8 layers on this machine")


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Linear(96, 160, bias=False)


@on_this_machine
def test_a_layer_in_int8_is_near_the_one_it_replaces(layer):
    inputs = torch.randn(3, 7, 96)
    expected, found = layer(inputs), Int8Linear(layer)(inputs)
    assert found.shape == expected.shape
    assert (found - expected).norm() / expected.norm() < 0.02


@on_this_machine
def test_a_row_is_the_same_alone_and_among_others(layer):
    rounded = Int8Linear(layer)
    rows = torch.randn(33, 96) * torch.logspace(-3, 3, 33)[:, None]
    together = rounded(rows)
    for number in (1, 2, 3, 16):
        parts = torch.cat([rounded(part) for part in rows.split(number)])
        assert torch.equal(parts, together)


@on_this_machine
def test_rows_of_zeros_and_weights_of_zeros_stay_zeros(layer):
    layer.weight.data[5] = 0.0
    rounded = Int8Linear(layer)
    assert not rounded(torch.zeros(2, 96)).any()
    assert not rounded(torch.randn(4, 96))[:, 5].any()


@on_this_machine
def test_a_model_keeps_its_choices_in_int8(tmp_path):
    model = load_base(base=str(write_tiny_base(tmp_path / "base")))
    ids = torch.arange(1, 40)[None]
    before = model(input_ids=ids).logits
    assert round_to_int8(model) is model
    assert not [m for m in model.modules() if type(m) is nn.Linear]
    after = model(input_ids=ids).logits
    assert (after - before).norm() / before.norm() < 0.05


def test_a_model_stays_as_it_is_where_sums_overflow(
    layer: nn.Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a processor without VNNI: the activations are shifted to be positive, and pairs of
    # products are added in 16 bits.
    def product(
        rows_NI: torch.Tensor, packed_OI: torch.Tensor, scales_O: torch.Tensor, _: torch.Tensor
    ) -> torch.Tensor:
        products_NOI = (rows_NI[:, None].int() + 128) * packed_OI.int()
        pairs_NOI = products_NOI.unflatten(-1, (-1, 2)).sum(-1).clamp(-(2**15), 2**15 - 1)
        return (pairs_NOI.sum(-1) - 128 * packed_OI.int().sum(-1)) * scales_O

    unpacked = SimpleNamespace(qlinear_prepack=lambda weight_OI, _: weight_OI)
    monkeypatch.setattr(int8_layers, "_onednn", lambda: unpacked)
    monkeypatch.setattr(int8_layers, "_product", product)
    available.cache_clear()
    try:
        assert not available()
        model = nn.Sequential(layer)
        assert round_to_int8(model)[0] is layer
    finally:
        monkeypatch.undo()
        available.cache_clear()
