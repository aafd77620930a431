"""A decoder whose graph knows the prompt: for checkpoints that were trained on ranked lists.

    decoder = evaluation_decoder(load_checkpoint(model))

Such a checkpoint (`"relations": "ranked"` in its `config.json`) expects the answer to `relations`
in order of relevance to the prompt, so each prompt gets a retriever of its own. This is the only
place of the evaluation that knows so: suites give one retriever for many prompts.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from graph.lookup.retriever import Retriever
from model.checkpoint import Checkpoint
from model.engine.decoder import Decoder
from model.engine.events import Event
from model.settings import DecodingSettings
from model.trace import Trace

RANKED = "ranked"


def evaluation_decoder(checkpoint: Checkpoint) -> Decoder:
    """The decoder with which a checkpoint is measured."""
    ours = getattr(checkpoint.model.config, "lamplight", None) or {}
    return (PromptedDecoder if ours.get("relations") == RANKED else Decoder)(checkpoint)


def prompted(retriever: Any, prompt: str) -> Any:
    """The same graph at the same revision, with lists ranked for one prompt."""
    ranks = RANKED in inspect.signature(Retriever.__init__).parameters
    if not ranks or not isinstance(retriever, Retriever):
        return retriever
    options: dict[str, Any] = {"context": prompt, RANKED: True}
    return Retriever(retriever.store, retriever.revision, **options)


class PromptedDecoder(Decoder):
    """Gives each prompt a retriever that ranks for it."""

    def generate(self, prompt: str, retriever: Any, *args: Any, **options: Any) -> Iterator[Event]:
        """As `Decoder.generate`."""
        return super().generate(prompt, prompted(retriever, prompt), *args, **options)

    def regenerate(
        self, previous: Trace, retriever: Any, *args: Any, **options: Any
    ) -> Iterator[Event]:
        """As `Decoder.regenerate`."""
        ranked = prompted(retriever, previous.prompt)
        return super().regenerate(previous, ranked, *args, **options)

    def generate_batch(
        self,
        prompts: Sequence[str],
        retrievers: Sequence[Any],
        settings: DecodingSettings | None = None,
        batch_size: int = 64,
    ) -> list[Trace]:
        """As `Decoder.generate_batch`."""
        ranked = [prompted(one, prompt) for prompt, one in zip(prompts, retrievers, strict=True)]
        return super().generate_batch(prompts, ranked, settings, batch_size)
