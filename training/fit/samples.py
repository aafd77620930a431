"""Samples over time: what the model writes with the graph, greedily, while it is trained.

    trainer:
      callbacks:
        - class_path: training.fit.samples.SampleWriter
          init_args:
            folder: build/runs/world
            store: sqlite:///world.db
            prompts: [Tell me about France.]

Each answer is a line of ``FOLDER/samples.jsonl``: ``{"step", "tokens", "prompt", "pieces",
"lookups", "misses", "finish"}``, where "tokens" are those seen by then and "pieces" are ``[role,
text]`` in the order of the text. A resumed run appends; `SampleReader` keeps the latest answers.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch

from graph.core.errors import StoreError
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model.checkpoint import Checkpoint, make_checkpoint
from model.engine.decoder import Decoder
from model.prompts import PromptError
from model.settings import DecodingSettings
from model.trace import Trace
from training.data.batches import LookupDataModule
from training.data.tokenizer import load_tokenizer
from training.fit.export import name_prompt_form
from training.fit.line_files import GrowingFile, append_lines
from training.fit.module import LookupLanguageModule
from training.fit.time_share import TimeShare

SAMPLES = "samples.jsonl"


@dataclass(frozen=True)
class Sample:
    """One answer of the model while it is trained."""

    step: int
    tokens: int  # seen by the model until then
    prompt: str
    pieces: tuple[tuple[str, str], ...]  # role and text
    lookups: int
    misses: int
    finish: str  # "end", "length" or "context"; see model.trace

    @classmethod
    def of(cls, trace: Trace, step: int, tokens: int) -> Sample:
        """The sample made from a trace at a step."""
        pieces = [
            (role.name.lower(), "".join(token.text for token in group))
            for role, group in itertools.groupby(trace.tokens, key=lambda token: token.role)
        ]
        return cls(
            step=step,
            tokens=tokens,
            prompt=trace.prompt,
            pieces=tuple(piece for piece in pieces if piece[1]),
            lookups=len(trace.lookups),
            misses=sum(each.lookup.is_miss for each in trace.lookups),
            finish=trace.finish,
        )

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Sample:
        """Read the object of a line. Raises KeyError, TypeError or ValueError if it is bad."""
        return cls(
            step=int(data["step"]),
            tokens=int(data["tokens"]),
            prompt=str(data["prompt"]),
            pieces=tuple((str(role), str(text)) for role, text in data["pieces"]),
            lookups=int(data["lookups"]),
            misses=int(data["misses"]),
            finish=str(data["finish"]),
        )


class SampleWriter(L.Callback):
    """Lets the model answer a few prompts now and then; draws no random numbers.

    Args:
        folder: folder of the run.
        prompts: prompts to answer each time.
        store: URL of the graph that answers lookups. Without one, no samples are written.
        every_n_steps: optimiser steps between samples; the last step has samples too.
        max_tokens: limit on the tokens of an answer, forced ones included.
        most_time: largest share of the run's time that samples may take; they become rarer
            before they exceed it.
    """

    def __init__(
        self,
        folder: str,
        prompts: list[str],
        store: str = "",
        every_n_steps: int = 250,
        max_tokens: int = 160,
        most_time: float = 0.02,
    ) -> None:
        self.path = Path(folder) / SAMPLES
        self.prompts, self.store = prompts, store
        self.every_n_steps, self._time = every_n_steps, TimeShare(most_time)
        self.settings = DecodingSettings(max_tokens=max_tokens)
        self._step = 0  # of the last samples
        self._off = not store

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._time.begin()
        self._step = trainer.global_step
        if hasattr(trainer.model, "clip_grad_norm_"):
            self._stop("the weights are spread over several processes")  # FSDP

    def on_train_batch_end(
        self, trainer: L.Trainer, module: L.LightningModule, *arguments: Any
    ) -> None:
        if trainer.global_step % self.every_n_steps == 0 and self._time.allows():
            self._sample(trainer, module)

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self._sample(trainer, module)

    def _sample(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        step = trainer.global_step
        if self._off or step == self._step or not trainer.is_global_zero:
            return
        assert isinstance(module, LookupLanguageModule)
        self._step = step
        data = getattr(trainer, "datamodule", None)
        lookups = not isinstance(data, LookupDataModule) or data.lookups
        with self._time.spending():
            try:
                with decodable(module) as checkpoint:
                    traces = self._write(checkpoint, lookups)
            except (StoreError, PromptError) as problem:
                self._stop(str(problem).rstrip("."))
                return
            samples = [Sample.of(trace, step, module.tokens_seen) for trace in traces]
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps(asdict(sample), ensure_ascii=False) + "\n" for sample in samples)
            append_lines(self.path, "".join(lines))

    def _write(self, checkpoint: Checkpoint, lookups: bool) -> list[Trace]:
        settings = (
            self.settings
            if lookups
            else DecodingSettings.from_json({**self.settings.to_json(), "lookups": False})
        )
        # Opened each time: the graph is read as it is now, and no file stays open for hours.
        store = open_store(self.store, read_only=True)
        try:
            retriever = Retriever(store, embeddings=False)
            decoder = Decoder(checkpoint)
            return decoder.generate_batch(self.prompts, [retriever] * len(self.prompts), settings)
        finally:
            store.close()

    def _stop(self, why: str) -> None:
        """Write no more samples, and say so once; training continues without them."""
        if not self._off:
            print(f"No samples are written: {why}.", file=sys.stderr)
        self._off = True


@contextlib.contextmanager
def decodable(module: LookupLanguageModule) -> Iterator[Checkpoint]:
    """The module's model as a checkpoint to decode with; afterwards its training continues."""
    tokenizer = load_tokenizer(module.hparams["tokenizer"])
    model = module.model
    if model.device.type != "cpu":  # the decoder computes on the CPU
        model = copy.deepcopy(model).to("cpu", torch.float32)
    training = model.training
    name_prompt_form(model.config, tokenizer)
    try:
        # torch.compile would compile again at every token, because the shapes differ.
        with torch.compiler.set_stance("force_eager"):
            yield make_checkpoint(model, tokenizer, "in training")
    finally:
        model.train(training)


class SampleReader:
    """Reads the samples of a run, each time only what was added; see `read`."""

    def __init__(self, folder: str | Path) -> None:
        self._file = GrowingFile(Path(folder) / SAMPLES)
        self.samples: list[Sample] = []

    def read(self) -> Sequence[Sample]:
        """The samples, with rising steps.

        When a resumed run goes back to its checkpoint, what came after that is dropped. A broken
        or incomplete line is left out.
        """
        lines, from_start = self._file.new_lines()
        if from_start:
            self.samples = []
        for line in lines:
            try:
                sample = Sample.from_json(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
            if self.samples and sample.step < self.samples[-1].step:
                self.samples = [each for each in self.samples if each.step < sample.step]
            self.samples = [
                each
                for each in self.samples
                if (each.step, each.prompt) != (sample.step, sample.prompt)
            ]
            self.samples.append(sample)
        return self.samples
