"""Attention in packed rows: causal, and blind to the other documents of the row.

`ATTENTION` names one function of transformers' attention interface for two kernels. Given a mask of
every pair of tokens it uses PyTorch's scaled dot product; given a block mask, FlexAttention, which
skips whole blocks but has to be compiled. `FLEX` and `DENSE` choose which mask is made.
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
    if documents_BT.is_cuda and torch.is_autocast_enabled("cuda"):
        # The kernel adds the mask to the scores, so it is made a number once, not in each layer.
        added = torch.zeros(visible_BTT.shape, dtype=torch.bfloat16, device=documents_BT.device)
        return added.masked_fill_(~visible_BTT, float("-inf"))[:, None]
    return visible_BTT[:, None]


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
    else:
        if grouped:
            groups = query.shape[1] // key.shape[1]
            key, value = (t.repeat_interleave(groups, dim=1) for t in (key, value))
        attended = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, scale=scaling
        )
    return attended.transpose(1, 2).contiguous(), None


for _name in (FLEX, DENSE):
    AttentionInterface.register(_name, packed_attention)


def use_attention(model: Any, name: str) -> None:
    """Let a model compute attention in one of the two ways."""
    for part in model.modules():
        if hasattr(part, "config") and hasattr(part.config, "_attn_implementation"):
            part.config._attn_implementation = name
