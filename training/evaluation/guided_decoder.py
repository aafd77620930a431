"""The decoder with which a checkpoint is measured: unguided, or with every lookup guided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from model.checkpoint import Checkpoint
from model.engine.decoder import Decoder
from model.engine.events import Event, LookupSource
from model.settings import DecodingSettings
from model.trace import Trace


def evaluation_decoder(checkpoint: Checkpoint, guided: bool = False) -> Decoder:
    """A decoder for the suites, which pass it their own settings."""
    return (GuidedDecoder if guided else Decoder)(checkpoint)


class GuidedDecoder(Decoder):
    """Guides lookups under all settings."""

    def generate(
        self,
        prompt: str,
        retriever: LookupSource,
        settings: DecodingSettings | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Event]:
        """As `Decoder.generate`."""
        return super().generate(prompt, retriever, _guided(settings), cancelled)

    def regenerate(
        self,
        previous: Trace,
        retriever: LookupSource,
        settings: DecodingSettings | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[Event]:
        """As `Decoder.regenerate`."""
        chosen = _guided(settings or previous.settings)
        return super().regenerate(previous, retriever, chosen, cancelled)

    def generate_batch(
        self,
        prompts: Sequence[str],
        retrievers: Sequence[LookupSource],
        settings: DecodingSettings | None = None,
        batch_size: int = 64,
    ) -> list[Trace]:
        """As `Decoder.generate_batch`."""
        return super().generate_batch(prompts, retrievers, _guided(settings), batch_size)


def _guided(settings: DecodingSettings | None) -> DecodingSettings:
    return replace(settings or DecodingSettings(), guided=True)
