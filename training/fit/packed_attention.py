"""Attention in packed rows: causal, and blind to the other documents of the row.

`FLEX` and `DENSE` name one function of transformers' attention interface for two kernels, and
choose which mask is made. Given a mask of every pair of tokens it uses PyTorch's scaled dot
product, or on a CPU two matrix products and a softmax, because their backward pass is faster there.
Given a block mask it uses FlexAttention, which skips whole blocks but has to be compiled.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

FLEX, DENSE = "lamplight_flex", "lamplight_dense"


def document_mask(documents_BT: Tensor, config: Any) -> Any:
    """What each token may see: earlier tokens of its document, and itself."""
    rows, width = documents_BT.shape
    if config._attn_implementation == FLEX:
        from torch.nn.attention.flex_attention import create_block_mask

        def visible(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
            return (q >= k) & (documents_BT[b, q] == documents_BT[b, k])

        return create_block_mask(visible, rows, None, width, width, device=documents_BT.device)
    visible_BTT = (documents_BT[:, :, None] == documents_BT[:, None, :]).tril()
    # The mask is added to the scores, so it is made a number once, not in each layer.
    low = torch.is_autocast_enabled(documents_BT.device.type)
    dtype = torch.bfloat16 if low else torch.float32
    added = torch.zeros(visible_BTT.shape, dtype=dtype, device=documents_BT.device)
    return added.masked_fill_(~visible_BTT, float("-inf"))[:, None]


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Any,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it; shapes are [rows, heads, tokens, width]."""
    query, key = query.to(value.dtype), key.to(value.dtype)  # the rotary embedding is in fp32
    grouped = query.shape[1] != key.shape[1]
    if module.config._attn_implementation == FLEX:  # type: ignore[union-attr]
        from torch.nn.attention.flex_attention import flex_attention

        attended: Any = flex_attention(
            query, key, value, block_mask=attention_mask, scale=scaling, enable_gqa=grouped
        )
    elif not query.is_cuda:
        attended = _plain_attention(query, key, value, attention_mask, scaling)
    else:
        if grouped:
            groups = query.shape[1] // key.shape[1]
            key, value = (t.repeat_interleave(groups, dim=1) for t in (key, value))
        attended = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, scale=scaling
        )
    return attended.transpose(1, 2).contiguous(), None


def _plain_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scaling: float | None
) -> Tensor:
    """Softmax of the scaled products plus the mask; heads that share a key are one product."""
    rows, heads, width, size = query.shape
    keys = key.shape[1]
    together = (rows, keys, heads // keys * width, size)
    query = (query * (size**-0.5 if scaling is None else scaling)).reshape(together)
    scores = (query @ key.transpose(-1, -2)).view(rows, keys, heads // keys, width, width)
    weights = torch.softmax(scores + mask[:, :, None], dim=-1, dtype=torch.float32)
    weights = weights.to(value.dtype).view(rows, keys, heads // keys * width, width)
    return (weights @ value).view(rows, heads, width, size)


for _name in (FLEX, DENSE):
    AttentionInterface.register(_name, packed_attention)


def use_attention(model: Any, name: str) -> None:
    """Let a model compute attention in one of the two ways."""
    for part in model.modules():
        if hasattr(part, "config") and hasattr(part.config, "_attn_implementation"):
            part.config._attn_implementation = name
