"""Speed of training, as ratios: run with the others by `make bench`.

All run the shipped model's shape on a corpus of its own kind, in bfloat16 autocast as on two cores.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import lightning as L
import torch
import torch.nn.functional as F

from model.checkpoint import WORLD
from model.roles import MarkerIds, token_roles
from tools.benchmarks.runs import Pair
from training.corpus.phrase_book import load_phrases
from training.corpus.records import DEFAULT_FACTS, read_records
from training.corpus.writer import Writer
from training.data.batches import Batch, BatchLoader, LookupDataModule
from training.data.shards import Shard, write_corpus
from training.data.tokenizer import load_tokenizer
from training.fit.loss_mask import loss_mask
from training.fit.module import LookupLanguageModule

BATCH_TOKENS = 8192  # as training/configs/world.yaml
STEPS = 6
ROUNDS = 4
DOCUMENTS = 1200
_FOLDER = tempfile.TemporaryDirectory(prefix="lamplight-bench-")


@cache
def corpus() -> Path:
    """A small corpus of the usual documents, in the shipped tokenizer."""
    import random

    writer = Writer(read_records(DEFAULT_FACTS).values(), load_phrases())
    documents = [writer.document(random.Random(number)) for number in range(DOCUMENTS + 40)]
    folder = Path(_FOLDER.name) / "corpus"
    tokenizer = load_tokenizer(WORLD)
    splits = {"train": documents[:DOCUMENTS], "validation": documents[DOCUMENTS:]}
    write_corpus(folder, splits, tokenizer)
    return folder


def _module() -> LookupLanguageModule:
    torch.manual_seed(0)
    return LookupLanguageModule(str(corpus() / "tokenizer"))


@cache
def _batches() -> list[Batch]:
    pad_id = int(load_tokenizer(WORLD).pad_token_id)
    loader = BatchLoader(Shard(corpus() / "train"), BATCH_TOKENS, pad_id)
    return list(itertools.islice(loader, STEPS))


class _Clock(L.Callback):
    """The time of the steps after the first."""

    def __init__(self) -> None:
        self.tokens = 0
        self.begun = self.ended = 0.0

    def on_train_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: Any, i: int
    ) -> None:
        self.ended = time.perf_counter()
        if i == 0:
            self.begun = self.ended
        else:
            self.tokens += batch["ids_BT"].numel()


def _lightning_rate() -> float:
    """Tokens a second of a run by the trainer, after its first step."""
    clock = _Clock()
    trainer = L.Trainer(
        accelerator="cpu",
        devices=1,
        precision="bf16-mixed",
        max_steps=STEPS,
        gradient_clip_val=1.0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        callbacks=[clock],
        default_root_dir=_FOLDER.name,
    )
    data = LookupDataModule(str(corpus()), BATCH_TOKENS, verify=False)
    trainer.fit(_module(), datamodule=data)
    return clock.tokens / (clock.ended - clock.begun)


def bare_steps(module: LookupLanguageModule, batches: Iterator[Batch], full: bool) -> float:
    """Tokens a second of a plain loop: with `full`, the loss is that of plain cross-entropy."""
    model, markers = module.model.train(), module.markers
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    tokens, begun = 0, 0.0
    for number, batch in enumerate(batches):
        if number == 1:
            begun = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            if full:
                ids_BT = batch["ids_BT"]
                roles_BT = token_roles(ids_BT, markers, batch["prompt_lengths_B"])
                mask_BT = loss_mask(ids_BT, roles_BT, markers) & batch["flags_BT"]
                labels_BT = ids_BT.masked_fill(~mask_BT, -100)
                logits_BTV = model(input_ids=ids_BT, use_cache=False).logits[:, :-1]
                loss = F.cross_entropy(logits_BTV.flatten(0, 1).float(), labels_BT[:, 1:].flatten())
            else:
                loss = module.model_step(batch, details=False)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if number:
            tokens += batch["ids_BT"].numel()
    return tokens / (time.perf_counter() - begun)


def train_step_vs_bare_loop(_: Any) -> Iterator[Pair]:
    """Tokens a second: the Lightning run over a bare PyTorch loop, same model, loss and batches."""
    for _round in range(ROUNDS):
        bare = bare_steps(_module(), iter(_batches()), full=False)
        yield Pair(_lightning_rate(), bare)


def sliced_loss_vs_full(_: Any) -> Iterator[Pair]:
    """Tokens a second of a bare loop: our loss, of the trained tokens only, over that of all."""
    for _round in range(ROUNDS):
        full = bare_steps(_module(), iter(_batches()), full=True)
        yield Pair(bare_steps(_module(), iter(_batches()), full=False), full)


def mask_cost_share(_: Any) -> Iterator[Pair]:
    """Seconds of roles and loss mask over the seconds of the whole step."""
    module = _module()
    batch = _batches()[0]
    for _round in range(ROUNDS):
        rate = bare_steps(module, itertools.repeat(batch, 3), full=False)
        begun = time.perf_counter()
        for _again in range(10):
            _mask(batch, module.markers)
        masks = (time.perf_counter() - begun) / 10
        yield Pair(masks, batch["ids_BT"].numel() / rate)


def _mask(batch: Batch, markers: MarkerIds) -> torch.Tensor:
    roles_BT = token_roles(batch["ids_BT"], markers, batch["prompt_lengths_B"])
    return loss_mask(batch["ids_BT"], roles_BT, markers)


def _mask_by_loop(batch: Batch, markers: MarkerIds) -> torch.Tensor:
    """The same mask by going along each row in Python."""
    rows = []
    for ids, prompt in zip(
        batch["ids_BT"].tolist(), batch["prompt_lengths_B"].tolist(), strict=True
    ):
        row, inside = [], False
        for position, token in enumerate(ids):
            if position < prompt:
                row.append(False)
                continue
            if token in markers.as_tuple():
                inside = token == markers.return_
                row.append(token != markers.end)
            else:
                row.append(not inside)
        rows.append(row)
    return torch.tensor(rows)


def mask_vs_python_loop(_: Any) -> Iterator[Pair]:
    """Tokens a second: the vectorised mask over a Python loop over rows."""
    markers = MarkerIds.of(load_tokenizer(WORLD))
    for batch in _batches() * 2:
        seconds = []
        for way, times in ((_mask, 10), (_mask_by_loop, 1)):
            begun = time.perf_counter()
            for _again in range(times):
                found = way(batch, markers)
            seconds.append((time.perf_counter() - begun) / times)
            assert found.shape == batch["ids_BT"].shape
        assert torch.equal(_mask(batch, markers), _mask_by_loop(batch, markers))
        tokens = batch["ids_BT"].numel()
        yield Pair(tokens / seconds[0], tokens / seconds[1])


def data_loading_ratio(_: Any) -> Iterator[Pair]:
    """Tokens a second: with batches from the shards over batches that are in memory."""
    module = _module()
    pad_id = int(load_tokenizer(WORLD).pad_token_id)
    for _round in range(ROUNDS):
        loader = BatchLoader(Shard(corpus() / "train"), BATCH_TOKENS, pad_id)
        cached = bare_steps(module, iter(_batches()), full=False)
        yield Pair(bare_steps(module, itertools.islice(loader, STEPS), full=False), cached)


BENCHMARKS: dict[str, Callable[[Any], Iterator[Pair]]] = {
    "train_step_vs_bare_loop": train_step_vs_bare_loop,
    "sliced_loss_vs_full": sliced_loss_vs_full,
    "mask_cost_share": mask_cost_share,
    "mask_vs_python_loop": mask_vs_python_loop,
    "data_loading_ratio": data_loading_ratio,
}
