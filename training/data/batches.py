"""Batches of whole documents for Lightning.

Documents of similar length share a batch of at most ``batch_tokens`` tokens, padding included, and
are padded on the right. With causal attention nothing to the right of a token affects it, and each
document has its own row, so no attention mask is needed and no logit depends on another document.

The order depends on seed and epoch only, and the loader knows its position: a resumed run sees
exactly the batches that it had not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from model.roles import MarkerIds, Role, token_roles
from training.data.shards import Shard
from training.data.tokenizer import load_tokenizer
from training.errors import TrainingError

POOL = 64  # batches' worth of documents that are sorted by length together
WIDTH_MULTIPLE = 8  # row lengths are rounded up to this, which kernels like


class Batch(TypedDict):
    """Documents as rows, B of them, padded on the right to T tokens."""

    ids_BT: Tensor  # int64
    flags_BT: Tensor  # bool, False where the corpus keeps a token out of the loss, and in padding
    prompt_lengths_B: Tensor  # int64, tokens


def plan_batches(
    lengths_N: np.ndarray, batch_tokens: int, seed: int, epoch: int, shuffle: bool = True
) -> list[np.ndarray]:
    """Cut documents 0..N-1 into batches of at most ``batch_tokens`` tokens with their padding."""
    generator = np.random.default_rng((seed, epoch))
    order_N = generator.permutation(len(lengths_N)) if shuffle else np.arange(len(lengths_N))
    pool_tokens = POOL * batch_tokens
    pool_N = np.cumsum(lengths_N[order_N]) // pool_tokens  # a pool sorts together
    order_N = order_N[np.lexsort((lengths_N[order_N], pool_N))]
    batches, start, width, pools = [], 0, 0, np.sort(pool_N)
    widths_N = -(-lengths_N[order_N] // WIDTH_MULTIPLE) * WIDTH_MULTIPLE
    for position, row_width in enumerate(widths_N):
        wider = max(width, int(row_width))
        full = wider * (position - start + 1) > batch_tokens
        if position > start and (full or pools[position] != pools[start]):
            batches.append(order_N[start:position])
            start, wider = position, int(row_width)
        width = wider
    batches.append(order_N[start:])
    if shuffle:
        generator.shuffle(batches)
    return batches


def collate(
    shard: Shard, indices: np.ndarray, pad_id: int, without: MarkerIds | None = None
) -> Batch:
    """The rows ``indices`` of ``shard`` as one batch.

    If ``without`` gives the tokenizer's markers, the rows are the same texts without their lookups.
    A baseline reads those and has to keep the facts in its weights.
    """
    width = int(shard.lengths_N[indices].max())
    width = -(-width // WIDTH_MULTIPLE) * WIDTH_MULTIPLE
    ids_BT = np.full((len(indices), width), pad_id, dtype=np.int64)
    flags_BT = np.zeros((len(indices), width), dtype=bool)
    for row, index in enumerate(indices):
        ids, flags, _ = shard.document(int(index))
        ids_BT[row, : len(ids)] = ids
        flags_BT[row, : len(ids)] = flags
    if without is not None:
        ids_BT, flags_BT = _without_lookups(shard, indices, ids_BT, flags_BT, pad_id, without)
    return Batch(
        ids_BT=torch.from_numpy(ids_BT),
        flags_BT=torch.from_numpy(flags_BT),
        prompt_lengths_B=torch.from_numpy(shard.prompt_lengths_N[indices].copy()),
    )


def _without_lookups(
    shard: Shard,
    indices: np.ndarray,
    ids_BT: np.ndarray,
    flags_BT: np.ndarray,
    pad_id: int,
    markers: MarkerIds,
) -> tuple[np.ndarray, np.ndarray]:
    """The rows with prompt and text only, closed up and padded again."""
    prompts_B = torch.from_numpy(shard.prompt_lengths_N[indices].copy())
    roles_BT = token_roles(torch.from_numpy(ids_BT), markers, prompts_B).numpy()
    inside_BT = np.arange(ids_BT.shape[1]) < shard.lengths_N[indices][:, None]
    kept_BT = np.isin(roles_BT, (Role.PROMPT, Role.TEXT)) & inside_BT
    width = -(-int(kept_BT.sum(axis=1).max()) // WIDTH_MULTIPLE) * WIDTH_MULTIPLE
    ids = np.full((len(indices), width), pad_id, dtype=np.int64)
    flags = np.zeros((len(indices), width), dtype=bool)
    for row, kept_T in enumerate(kept_BT):
        number = int(kept_T.sum())
        ids[row, :number] = ids_BT[row, kept_T]
        flags[row, :number] = flags_BT[row, kept_T]
    return ids, flags


class _Collated(Dataset[Batch]):
    """The batches of one epoch by position, as workers ask for them."""

    def __init__(self, loader: BatchLoader, batches: list[np.ndarray]) -> None:
        self._loader, self._batches = loader, batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, place: int) -> Batch:
        loader = self._loader
        return collate(loader.shard, self._batches[place], loader.pad_id, loader.without)


class BatchLoader:
    """Endless epochs, one for each ``iter()``; Lightning saves and restores the position."""

    def __init__(
        self,
        shard: Shard,
        batch_tokens: int,
        pad_id: int,
        seed: int = 0,
        shuffle: bool = True,
        rank: int = 0,
        world_size: int = 1,
        without: MarkerIds | None = None,
        workers: int = 0,
    ) -> None:
        self.without = without
        self.workers = workers
        self.shard, self.batch_tokens, self.pad_id = shard, batch_tokens, pad_id
        self.seed, self.shuffle, self.rank, self.world_size = seed, shuffle, rank, world_size
        self.epoch = 0
        self.position = 0  # of the next batch in this epoch
        self._restored = False
        # Every epoch has the length of the first, so that the schedule knows its end.
        self._length = len(self._plan(0))

    def _plan(self, epoch: int) -> list[np.ndarray]:
        """The batches of this rank; all ranks have equally many, and none in common."""
        batches = plan_batches(
            self.shard.lengths_N, self.batch_tokens, self.seed, epoch, self.shuffle
        )
        # Halve the fullest batches until their number is a multiple of the ranks.
        while len(batches) % self.world_size:
            fullest = max(range(len(batches)), key=lambda i: len(batches[i]))
            if len(batches[fullest]) < 2:
                raise TrainingError(
                    f"The corpus has {len(self.shard):,} documents, too few for "
                    f"{self.world_size} ranks: use fewer (--trainer.devices)."
                )
            batches[fullest : fullest + 1] = np.array_split(batches[fullest], 2)
        return batches[self.rank :: self.world_size]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Batch]:
        if not self._restored and self.position:  # the last epoch was left before its end
            self.epoch, self.position = self.epoch + 1, 0
        self._restored = False
        batches = self._plan(self.epoch if self.shuffle else 0)
        places = [place % len(batches) for place in range(self.position, self._length)]
        rows = _Collated(self, [batches[place] for place in places])
        # Batches that workers hold ready do not count: the position follows the last one given out.
        for batch in DataLoader(rows, batch_size=None, num_workers=self.workers):
            self.position += 1
            yield batch
        self.epoch += 1
        self.position = 0

    def _cut(self) -> dict[str, int]:
        """What decides, apart from the seed, which documents a batch has."""
        return {
            "batch_tokens": self.batch_tokens,
            "world_size": self.world_size,
            "documents": len(self.shard),
        }

    def state_dict(self) -> dict[str, int]:
        return {"epoch": self.epoch, "position": self.position, "seed": self.seed, **self._cut()}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Resume at a position. Raises TrainingError if the batches were made differently then."""
        for name, ours in self._cut().items():
            theirs = state.get(name, ours)
            if theirs != ours and state["position"]:
                raise TrainingError(
                    f"The run was stopped within an epoch with {theirs:,} as its "
                    f"{name.replace('_', ' ')}, and now it is {ours:,}: documents would be skipped "
                    "or read twice. Resume it as it was, or start a new run from its weights "
                    "(--model.start_from)."
                )
        self.epoch, self.position = state["epoch"], state["position"]
        self.seed = state["seed"]
        self._restored = True


class LookupDataModule(L.LightningDataModule):
    """The train and validation shards of a corpus folder.

    Args:
        corpus: folder that `python -m training corpus` wrote.
        batch_tokens: tokens in a batch, padding included.
        seed: seed for the order of documents.
        verify: compare the shards' checksums before training.
        limit_documents: use only this many documents, the first ones (for debugging).
        lookups: if false, train a baseline on the same texts without lookups, values included.
        workers: processes that prepare batches ahead of time (0: none; preparing takes under a
            hundredth of a small model's step, so they help only with an accelerator).
    """

    def __init__(
        self,
        corpus: str = "build/corpus/world",
        batch_tokens: int = 8192,
        seed: int = 0,
        verify: bool = True,
        limit_documents: int | None = None,
        lookups: bool = True,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.lookups, self.workers = lookups, workers
        self.corpus = Path(corpus)
        self.batch_tokens, self.seed, self.verify = batch_tokens, seed, verify
        self.limit_documents = limit_documents
        self._shards: dict[str, Shard] = {}
        self._restored: dict[str, int] | None = None

    def setup(self, stage: str) -> None:
        tokenizer = load_tokenizer(self.corpus / "tokenizer")
        self.pad_id = int(tokenizer.pad_token_id)
        self.without = None if self.lookups else MarkerIds.of(tokenizer)
        for split in ("train", "validation"):
            if split in self._shards:
                continue
            shard = Shard(self.corpus / split)
            if self.verify:
                shard.verify()
            if limit := self.limit_documents:
                shard.lengths_N = shard.lengths_N[:limit]
            self._shards[split] = shard

    def _loader(self, split: str) -> BatchLoader:
        train = split == "train"
        return BatchLoader(
            self._shards[split],
            self.batch_tokens,
            self.pad_id,
            self.seed,
            shuffle=train,
            rank=self.trainer.global_rank if self.trainer and train else 0,
            world_size=self.trainer.world_size if self.trainer and train else 1,
            without=self.without,
            workers=self.workers if train else 0,
        )

    def longest(self) -> int:
        """Tokens of the longest document, after `setup`."""
        return max((int(shard.lengths_N.max()) for shard in self._shards.values()), default=0)

    def train_dataloader(self) -> BatchLoader:
        loader = self._loader("train")
        if self._restored is not None:
            loader.load_state_dict(self._restored)
            self._restored = None
        return loader

    def val_dataloader(self) -> BatchLoader:
        return self._loader("validation")

    def resume_from(self, state: dict[str, int]) -> None:
        """Let the next train loader start at the position in an earlier one's `state_dict`."""
        self._restored = state
