"""Cross-entropy straight from hidden states, a slice of rows at a time.

The logits of a whole batch are by far its largest tensor ([N, V] in fp32: 130 MB at 4,000 tokens
and a vocabulary of 8,192). Here each slice's logits live only as long as a slice takes: loss and
gradients are computed while they are in the cache, and only the gradients of hidden states and
embeddings are kept. N trained tokens, C tokens of a slice, D hidden width, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SLICE = 256  # tokens; on a GPU more, up to LOGITS of them
LOGITS = 1 << 27


class _SlicedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        weight_VD: Tensor,
        targets_N: Tensor,
        counts_N: Tensor | None,
        first_trained: int,
    ) -> tuple[Tensor, Tensor]:
        size = max(SLICE, LOGITS // len(weight_VD)) if hidden_ND.is_cuda else SLICE
        dtype = hidden_ND.dtype
        needs_grad = any(ctx.needs_input_grad)
        weight_low_VD = weight_VD.detach().to(dtype)
        losses_N = torch.empty(len(targets_N), dtype=torch.float32, device=hidden_ND.device)
        if needs_grad:
            grad_hidden_ND = torch.empty_like(hidden_ND)
            grad_weight_VD = torch.zeros_like(weight_VD, dtype=torch.float32)
        for start in range(0, len(targets_N), size):
            rows = slice(start, start + size)
            targets_C1 = targets_N[rows][:, None]
            hidden_CD = hidden_ND[rows]
            logits_CV = hidden_CD @ weight_low_VD.T
            log_total_C1 = logits_CV.float().logsumexp(dim=1, keepdim=True)
            losses_C1 = log_total_C1 - logits_CV.gather(1, targets_C1).float()
            losses_N[rows] = losses_C1.squeeze(1)
            if needs_grad:
                grad_CV = torch.sub(logits_CV, log_total_C1).exp_().to(dtype)
                # Near 1 a low precision has no room for what is left to learn, so the gradient of
                # the target is computed in fp32.
                grad_CV.scatter_(1, targets_C1, torch.expm1(-losses_C1).to(dtype))
                if counts_N is not None:
                    grad_CV.mul_(counts_N[rows][:, None])
                grad_hidden_ND[rows] = grad_CV @ weight_low_VD
                grad_weight_VD[first_trained:] += grad_CV[:, first_trained:].T @ hidden_CD
        if needs_grad:
            ctx.save_for_backward(grad_hidden_ND, grad_weight_VD)
        ctx.mark_non_differentiable(losses_N)
        counted_N = losses_N if counts_N is None else losses_N * counts_N
        return counted_N.sum(), losses_N

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        grad_hidden_ND, grad_weight_VD = ctx.saved_tensors
        scale = gradients[0]
        return grad_hidden_ND * scale, grad_weight_VD * scale, None, None, None


def sliced_cross_entropy(
    hidden_ND: Tensor,
    weight_VD: Tensor,
    targets_N: Tensor,
    counts_N: Tensor | None = None,
    first_trained: int = 0,
) -> tuple[Tensor, Tensor]:
    """(sum of the losses, which has the gradient; losses_N in fp32, which have none).

    With ``counts_N`` each loss counts so many times in the sum, but not in losses_N. Logits are
    ``hidden_ND @ weight_VD.T`` in the precision of the hidden states. Rows of the weight before
    ``first_trained`` are frozen: they get no gradient, which saves a product.
    """
    with torch.autocast(hidden_ND.device.type, enabled=False):
        loss, losses_N = _SlicedCrossEntropy.apply(  # type: ignore[no-untyped-call]
            hidden_ND, weight_VD, targets_N, counts_N, first_trained
        )
    return loss, losses_N
