"""Decoding many rows together: each forward pass appends one token to every row.

Rows are padded on the left and numbered by their own positions, so each row is written as it
would be alone, up to rounding. Tokens that a guided row tried and did not choose stay in the cache,
hidden by the mask.

Letters in tensor names: B rows of the batch, T tokens of a row, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from model.checkpoint import Checkpoint
from model.engine.cache import GrowingCache
from model.engine.row import Row


@torch.inference_mode()
def decode_batch(checkpoint: Checkpoint, rows: Sequence[Row]) -> None:
    """Run rows until all have finished."""
    longest = max(len(row.pending) for row in rows)
    ids_BT = torch.zeros((len(rows), longest), dtype=torch.long)
    mask_BT = torch.zeros((len(rows), longest), dtype=torch.long)
    for index, row in enumerate(rows):
        ids_BT[index, longest - len(row.pending) :] = torch.tensor(row.pending)
        mask_BT[index, longest - len(row.pending) :] = 1
        row.pending = []
    positions_BT = (mask_BT.cumsum(1) - 1).clamp(min=0)
    cache, running = GrowingCache(), list(rows)
    while running:
        logits_BV = checkpoint.model(
            input_ids=ids_BT,
            attention_mask=mask_BT,
            position_ids=positions_BT,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        for index, (row, logits_V) in enumerate(zip(running, logits_BV, strict=True)):
            if not row.pending:  # else the next token is forced
                row.check_limits()
                if row.finish is None:
                    row.step(logits_V)
            if row.rewind:
                mask_BT[index, mask_BT[index].nonzero()[-row.rewind :, 0]] = 0
                positions_BT[index, -1] -= row.rewind
                row.rewind = 0
            row.events.clear()
        kept = [index for index, row in enumerate(running) if row.finish is None]
        if len(kept) < len(running):
            kept_B = torch.tensor(kept, dtype=torch.long)
            running = [running[index] for index in kept]
            cache, mask_BT = cache.rows(kept_B), mask_BT[kept_B]
            positions_BT = positions_BT[kept_B]
        ids_BT = torch.tensor([[row.pending.pop(0)] for row in running], dtype=torch.long)
        positions_BT = positions_BT[:, -1:] + 1
        mask_BT = torch.cat([mask_BT, mask_BT.new_ones((len(running), 1))], dim=1)
