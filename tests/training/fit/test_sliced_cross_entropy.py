"""The loss by slices is the plain cross-entropy, and so are its gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from training.fit.sliced_cross_entropy import SLICE, sliced_cross_entropy


@pytest.mark.parametrize("tokens", [1, SLICE, SLICE + 3])
def test_equals_the_full_computation(tokens):
    torch.manual_seed(0)
    hidden_ND = torch.randn(tokens, 16, dtype=torch.float64, requires_grad=True)
    weight_VD = torch.randn(40, 16, dtype=torch.float64, requires_grad=True)
    targets_N = torch.randint(0, 40, (tokens,))
    full = F.cross_entropy(hidden_ND @ weight_VD.T, targets_N, reduction="sum") / tokens
    expected = torch.autograd.grad(full, (hidden_ND, weight_VD))

    total, losses_N = sliced_cross_entropy(hidden_ND, weight_VD, targets_N)
    found = torch.autograd.grad(total / tokens, (hidden_ND, weight_VD))

    assert total.item() / tokens == pytest.approx(full.item(), rel=1e-5)
    assert losses_N.sum().item() == pytest.approx(total.item(), rel=1e-6)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_needs_no_gradient_to_evaluate():
    hidden_ND, weight_VD = torch.randn(5, 8), torch.randn(30, 8)
    with torch.no_grad():
        total, losses_N = sliced_cross_entropy(hidden_ND, weight_VD, torch.arange(5))
    assert total.item() == pytest.approx(losses_N.sum().item())


def test_frozen_rows_get_no_gradient_and_the_others_theirs():
    torch.manual_seed(1)
    hidden_ND = torch.randn(9, 16, requires_grad=True)
    weight_VD = torch.randn(40, 16, requires_grad=True)
    targets_N = torch.randint(0, 40, (9,))
    whole = torch.autograd.grad(sliced_cross_entropy(hidden_ND, weight_VD, targets_N)[0], weight_VD)
    total, _ = sliced_cross_entropy(hidden_ND, weight_VD, targets_N, first_trained=36)
    (part,) = torch.autograd.grad(total, weight_VD)
    assert not part[:36].any()
    torch.testing.assert_close(part[36:], whole[0][36:])


def test_a_target_that_is_nearly_sure_still_has_its_gradient_in_low_precision():
    hidden_ND = torch.zeros(1, 2, dtype=torch.bfloat16, requires_grad=True)
    weight_VD = torch.eye(2)
    with torch.no_grad():
        hidden_ND[0, 0] = 8.0  # a probability of .99966, which bfloat16 rounds to 1
    total, losses_N = sliced_cross_entropy(hidden_ND, weight_VD, torch.tensor([0]))
    (gradient,) = torch.autograd.grad(total, hidden_ND)
    assert gradient[0, 0].item() == pytest.approx(-losses_N.item(), rel=0.02)
