"""Rows of one fixed length that hold several documents each.

With one shape for all batches a compiled model is compiled once, and hardly a token is padding. The
rows are made once and kept as tensors, on the GPU if there is one, so nothing is loaded while
training. A document is never cut, and sees no other one of its row: positions start at 0 for each,
and `training.fit.packed_attention` makes the mask from the documents' numbers. Roles are found for
each document before it is packed.

Letters in tensor names: B or R rows, T tokens of a row, N documents.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from model.roles import MarkerIds, token_roles
from training.data.shards import Shard
from training.errors import TrainingError

CHUNK = 2048  # documents whose roles are found together


class PackedBatch(TypedDict):
    """Rows of several documents each, B of them, T tokens long."""

    ids_BT: Tensor  # int64
    flags_BT: Tensor  # bool, False where a token is never in the loss; else its role decides
    roles_BT: Tensor  # int64
    positions_BT: Tensor  # int64, within the document
    documents_BT: Tensor  # int32, the document's number in the row; padding is a document too


@dataclass
class PackedRows:
    """All rows of a corpus, in types that take little room."""

    ids_RT: Tensor  # int32
    flags_RT: Tensor  # bool
    roles_RT: Tensor  # uint8
    positions_RT: Tensor  # int16
    documents_RT: Tensor  # int16
    tokens: int  # without padding

    def __len__(self) -> int:
        return len(self.ids_RT)

    def to(self, device: torch.device | str) -> PackedRows:
        """The same rows on a device."""
        return PackedRows(
            self.ids_RT.to(device),
            self.flags_RT.to(device),
            self.roles_RT.to(device),
            self.positions_RT.to(device),
            self.documents_RT.to(device),
            self.tokens,
        )

    def batch(self, rows_B: Tensor) -> PackedBatch:
        """Some of the rows as a batch."""
        return PackedBatch(
            ids_BT=self.ids_RT[rows_B].long(),
            flags_BT=self.flags_RT[rows_B],
            roles_BT=self.roles_RT[rows_B].long(),
            positions_BT=self.positions_RT[rows_B].long(),
            documents_BT=self.documents_RT[rows_B].int(),
        )


def plan_rows(lengths_N: np.ndarray, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The row of each document and where it starts there, int64 [N] both.

    Each row begins with the longest document left and takes the longest that still fits, until none
    does. Documents of one length are taken in random order.
    """
    generator = np.random.default_rng(seed)
    order_N = generator.permutation(len(lengths_N))
    order_N = order_N[np.argsort(lengths_N[order_N], kind="stable")]
    present, starts = np.unique(lengths_N[order_N], return_index=True)
    stacks = {
        int(length): order_N[start:end].tolist()
        for length, start, end in zip(present, starts, [*starts[1:], len(order_N)], strict=True)
    }
    if len(present) and present[-1] > width:
        raise TrainingError(
            f"The corpus has a document of {present[-1]:,} tokens, longer than a row of {width:,}."
        )
    left = sorted(stacks)  # lengths that still have documents
    rows_N, starts_N = np.zeros((2, len(lengths_N)), dtype=np.int64)
    row = 0
    while left:
        filled = 0
        while (place := bisect_right(left, width - filled)) > 0:
            length = left[place - 1]
            document = stacks[length].pop()
            rows_N[document], starts_N[document] = row, filled
            filled += length
            if not stacks[length]:
                left.pop(place - 1)
        row += 1
    return rows_N, starts_N


def pack_shards(
    shards: Sequence[Shard],
    width: int,
    pad_id: int,
    markers: MarkerIds,
    seed: int = 0,
    limit: int | None = None,
) -> PackedRows:
    """The documents of all shards in rows of `width` tokens; `limit`: only so many of each."""
    lengths_N = np.concatenate([shard.lengths_N[:limit] for shard in shards])
    rows_N, starts_N = plan_rows(lengths_N, width, seed)
    count = int(rows_N.max()) + 1
    ids = np.full(count * width, pad_id, dtype=np.int32)
    flags = np.zeros(count * width, dtype=bool)
    roles = np.zeros(count * width, dtype=np.uint8)  # padding is prompt
    positions = np.tile(np.arange(width, dtype=np.int16), count)
    numbers = np.full(count * width, -1, dtype=np.int16)
    begin_N = rows_N * width + starts_N  # where each document goes
    order_N = np.lexsort((starts_N, rows_N))
    number_N = np.zeros(len(rows_N), dtype=np.int16)
    first_N = np.r_[True, np.diff(rows_N[order_N]) > 0]
    since_N = np.arange(len(rows_N)) - np.maximum.accumulate(
        np.where(first_N, np.arange(len(rows_N)), 0)
    )
    number_N[order_N] = since_N
    done = 0
    for shard in shards:
        total = len(shard.lengths_N[:limit])
        by_length = np.argsort(shard.lengths_N[:total], kind="stable")
        for chunk in (by_length[i : i + CHUNK] for i in range(0, total, CHUNK)):
            lengths_C = shard.lengths_N[chunk]
            source_CT = shard.offsets_N[chunk][:, None] + np.arange(int(lengths_C.max()))
            inside_CT = np.arange(source_CT.shape[1]) < lengths_C[:, None]
            source_CT = np.minimum(source_CT, len(shard.tokens) - 1)
            ids_CT = shard.tokens[source_CT].astype(np.int64)
            flags_CT = shard.targets[source_CT].astype(bool)
            flags_CT[:, 0] = False  # nothing stands before it to predict it from
            roles_CT = token_roles(
                torch.from_numpy(np.where(inside_CT, ids_CT, pad_id)),
                markers,
                torch.from_numpy(shard.prompt_lengths_N[chunk].copy()),
            ).numpy()
            target_CT = begin_N[done + chunk][:, None] + np.arange(source_CT.shape[1])
            target = target_CT[inside_CT]
            ids[target] = ids_CT[inside_CT]
            flags[target] = flags_CT[inside_CT]
            roles[target] = roles_CT[inside_CT]
            positions[target] = np.broadcast_to(
                np.arange(source_CT.shape[1], dtype=np.int16), source_CT.shape
            )[inside_CT]
            numbers[target] = np.broadcast_to(number_N[done + chunk][:, None], source_CT.shape)[
                inside_CT
            ]
        done += total
    shape = (count, width)
    return PackedRows(
        torch.from_numpy(ids.reshape(shape)),
        torch.from_numpy(flags.reshape(shape)),
        torch.from_numpy(roles.reshape(shape)),
        torch.from_numpy(positions.reshape(shape)),
        torch.from_numpy(numbers.reshape(shape)),
        int(lengths_N.sum()),
    )


class PackedLoader:
    """Batches of whole rows: each epoch in another order, the rest of it left out."""

    def __init__(self, rows: PackedRows, batch_rows: int, seed: int = 0) -> None:
        self.rows, self.seed, self.epoch = rows, seed, 0
        self.batch_rows = min(batch_rows, len(rows))

    def __len__(self) -> int:
        return len(self.rows) // self.batch_rows

    def __iter__(self) -> Iterator[PackedBatch]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        self.epoch += 1
        order_R = torch.randperm(len(self.rows), generator=generator)
        order_R = order_R.to(self.rows.ids_RT.device)
        for start in range(0, len(self) * self.batch_rows, self.batch_rows):
            yield self.rows.batch(order_R[start : start + self.batch_rows])
