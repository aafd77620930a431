"""Linear layers in int8, which decode a pre-trained base two to three times as fast on a CPU.

Each row of the weight has a scale, and so has each row of the activations, which are rounded when
they come in. The products are summed in int32, so the result of a row is the same however many rows
are computed with it: a text depends neither on the batch nor on guessed tokens. Rounding takes .02
nats a token from SmolLM2-135M on encyclopaedia prose.

oneDNN computes the product, through the operator that PyTorch's own quantisation lowers to. A model
stays as it is where PyTorch has no such operator (it comes with x86 builds), and where the
processor has no instruction for it (VNNI): oneDNN then adds pairs of products in 16 bits, which
overflow, and takes ten times as long as floating point.

Letters in tensor names: N rows of activations, I inputs, O outputs.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

LARGEST = 127.0  # of an int8, in both directions
TINY = 1e-12  # smallest scale, so that a row of zeros divides by something


class Int8Linear(nn.Module):
    """A linear layer without a bias, its weight rounded to int8. For inference only."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight_OI = linear.weight.detach().float()
        scales_O = (weight_OI.abs().amax(dim=1) / LARGEST).clamp_(min=TINY)
        rounded_OI = (weight_OI / scales_O[:, None]).round_().to(torch.int8)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self._packed = _onednn().qlinear_prepack(rounded_OI, None)
        self._scales_O = scales_O
        self._zeros_O = torch.zeros(self.out_features, dtype=torch.int32)

    def forward(self, inputs: Tensor) -> Tensor:
        """`inputs` [..., I] in floating point, the outputs [..., O] in float32."""
        rows_NI = inputs.reshape(-1, self.in_features).float()
        scales_N1 = (rows_NI.abs().amax(dim=1, keepdim=True) / LARGEST).clamp_(min=TINY)
        rounded_NI = (rows_NI / scales_N1).round_().to(torch.int8)
        alone = len(rounded_NI) == 1
        if alone:  # oneDNN computes two rows several times as fast as one
            rounded_NI = rounded_NI.expand(2, -1).contiguous()
        outputs_NO = _product(rounded_NI, self._packed, self._scales_O, self._zeros_O)
        if alone:
            outputs_NO = outputs_NO[:1]
        result: Tensor = (outputs_NO * scales_N1).view(*inputs.shape[:-1], self.out_features)
        return result


def round_to_int8(model: nn.Module) -> nn.Module:
    """The model with its linear layers in int8; as it is where that cannot be computed.

    It is changed in place. The rounded weights do not count among its parameters.
    """
    if not available():
        return model
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear and child.bias is None:
                setattr(module, name, Int8Linear(child))
    return model


@cache
def available() -> bool:
    """Whether this build of PyTorch and this processor compute such layers, and exactly."""
    layer = nn.Linear(32, 32, bias=False)
    nn.init.ones_(layer.weight)  # the largest products that there are
    try:
        with torch.inference_mode():
            outputs = Int8Linear(layer)(torch.ones(2, 32))
    except (AttributeError, NotImplementedError, RuntimeError):
        return False
    return torch.allclose(outputs, torch.full_like(outputs, 32.0))


def _onednn() -> Any:
    return torch.ops.onednn


def _product(rows_NI: Tensor, packed: Tensor, scales_O: Tensor, zeros_O: Tensor) -> Tensor:
    """float32 [N, O]: the product with the packed weight times the scales of its rows."""
    outputs_NO: Tensor = _onednn().qlinear_pointwise(
        rows_NI, 1.0, 0, packed, scales_O, zeros_O, None, 1.0, 0, torch.float32, "none", [], ""
    )
    return outputs_NO
