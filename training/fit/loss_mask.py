"""The loss mask: which tokens of a document are trained.

The values that lookups return are masked out of the loss (arXiv 2505.15962), so facts stay out of
the weights. Roles come from `model.roles`, the one reader of the lookup grammar.
"""

from __future__ import annotations

from torch import Tensor

from model.roles import MarkerIds, Role


def loss_mask(ids_BT: Tensor, roles_BT: Tensor, markers: MarkerIds, values: bool = False) -> Tensor:
    """Which tokens are targets of training, bool [B, T].

    Out of the loss are the prompt, the values and `<|db_end|>`: what somebody else writes, the
    person or the graph. Index by target: entry t says whether predicting token t is trained.
    Padding is not known here; the caller that pads also masks it. With `values`, the values and
    `<|db_end|>` are trained too, to measure what leaving them out achieves.
    """
    if values:
        return roles_BT != int(Role.PROMPT)
    # Prompt (0) and value (4) are the roles whose last two bits are 0: a pass less over the batch.
    return ((roles_BT & 3) != 0) & (ids_BT != markers.end)
