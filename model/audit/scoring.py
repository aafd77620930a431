"""The log-probabilities that a checkpoint gives to tokens, many rows in one pass.

Tensor names carry their shape: B rows, T tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from model.checkpoint import Checkpoint
from model.engine.cache import GrowingCache

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


@torch.inference_mode()
def continued(
    checkpoint: Checkpoint, context: Sequence[int], options: Sequence[Sequence[int]]
) -> list[float]:
    """log p(option | context) of several continuations of one context, which is read once.

    As `log_probabilities` up to rounding, in nats. No option is empty.
    """
    cache = GrowingCache()

    def forward(ids_BT: torch.Tensor, cache: GrowingCache, keep: int) -> torch.Tensor:
        logits_BTV: torch.Tensor = checkpoint.model(
            input_ids=ids_BT, past_key_values=cache, use_cache=True, logits_to_keep=keep
        ).logits
        return logits_BTV[:, -keep:].float().log_softmax(dim=2)

    first_V = forward(torch.tensor([list(context)]), cache, 1)[0, 0]
    found = [float(first_V[option[0]]) for option in options]
    longer = [place for place, option in enumerate(options) if len(option) > 1]
    if not longer:
        return found
    width = max(len(options[place]) for place in longer) - 1
    ids_BT = torch.zeros((len(longer), width), dtype=torch.long)
    for row, place in enumerate(longer):  # padded on the right, which no token attends to
        ids_BT[row, : len(options[place]) - 1] = torch.tensor(options[place][:-1])
    logs_BTV = forward(ids_BT, cache.rows(torch.zeros(len(longer), dtype=torch.long)), width)
    for row, place in enumerate(longer):
        for step, token in enumerate(options[place][1:]):
            found[place] += float(logs_BTV[row, step, token])
    return found
