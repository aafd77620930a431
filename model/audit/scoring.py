"""The log-probabilities that a checkpoint gives to tokens, many rows in one pass.

Tensor names carry their shape: B rows, T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from model.checkpoint import Checkpoint

BATCH_TOKENS = 4096  # of one pass, padding included


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows of similar length together, the longest first."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    batch: list[int] = []
    for index in order:
        if batch and lengths[batch[0]] * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


@torch.inference_mode()
def token_losses(
    checkpoint: Checkpoint, rows: Sequence[Sequence[int]], forbidden: Sequence[int] = ()
) -> list[np.ndarray]:
    """The loss of each token of each row, in nats, float64 [T]; that of the first token is 0.

    `forbidden` ids get no probability; the other ids share it.
    """
    found: list[np.ndarray] = [np.zeros(0)] * len(rows)
    for batch in _batches([len(row) for row in rows]):
        width = len(rows[batch[0]])
        ids_BT = torch.zeros((len(batch), width), dtype=torch.long)
        for place, index in enumerate(batch):  # padded on the right, which no token attends to
            ids_BT[place, : len(rows[index])] = torch.tensor(rows[index])
        logits_BTV = checkpoint.model(input_ids=ids_BT, use_cache=False).logits[:, :-1].float()
        if forbidden:
            logits_BTV[..., list(forbidden)] = -torch.inf
        chosen_BT = logits_BTV.gather(2, ids_BT[:, 1:, None]).squeeze(2)
        losses_BT = logits_BTV.logsumexp(dim=2) - chosen_BT
        for place, index in enumerate(batch):
            length = len(rows[index])
            losses = losses_BT[place, : length - 1].double().numpy()
            found[index] = np.concatenate([[0.0], losses])
    return found


def log_probabilities(
    checkpoint: Checkpoint,
    rows: Sequence[tuple[Sequence[int], Sequence[int]]],
    forbidden: Sequence[int] = (),
) -> list[float]:
    """log p(continuation | context) of each pair of context and continuation, in nats."""
    losses = token_losses(checkpoint, [[*before, *after] for before, after in rows], forbidden)
    return [
        -float(loss[len(before) :].sum()) for loss, (before, _) in zip(losses, rows, strict=True)
    ]
