"""What all sessions of a server share: the store, the decoder and the examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from app.state.examples import Example, examples_for
from app.state.metrics import Metrics
from graph.core.protocol import Draft, SharedStore
from model.base.smollm2 import SMOLLM2
from model.checkpoint import DEFAULT_CHECKPOINT, load_checkpoint
from model.engine.decoder import Decoder
from model.settings import DecodingSettings

AUTHOR = "page visitor"  # of every edit, as the journal records it


@dataclass(frozen=True)
class Service:
    """A store and a decoder. The page, its sessions and the server are built around one."""

    store: SharedStore
    decoder: Decoder
    cases: Path | None = None
    """The file for answers that a visitor finds wrong; None to offer no such thing."""
    publishes: bool = True
    """Whether drafts can be published; if not, everything else works."""
    metrics: Metrics = field(default_factory=Metrics, compare=False)
    base: str = SMOLLM2
    """The pre-trained base that *Verify* asks as an ordinary model."""

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """What a newcomer can try on this graph."""
        return examples_for(self.store, self.prompt_about)

    @cached_property
    def settings(self) -> DecodingSettings:
        """What a page starts with.

        Lookups are guided if the model was trained on lists in order of relevance. An earlier model
        says that a fact is not recorded by looking it up, which guidance forbids.
        """
        return DecodingSettings(guided=self.decoder.checkpoint.ranked)

    def settings_with(self, given: Mapping[str, Any]) -> DecodingSettings:
        """The settings that a page starts with, and those given. Raises `SettingsError`."""
        return DecodingSettings(**{**self.settings.to_json(), **given})

    @cached_property
    def verified(self) -> Decoder:
        """The decoder whose model *Verify* is about.

        A pre-trained base knows the world, so nothing can be shown of it; then it is the shipped
        model that was trained without facts.
        """
        if not self.decoder.checkpoint.base:
            return self.decoder
        return Decoder(load_checkpoint(DEFAULT_CHECKPOINT))

    def prompt_about(self, name: str) -> str:
        """A prompt about an entity: a request, or words to continue.

        A model that was never taught to list relations, such as a released one, only continues.
        """
        taught = self.decoder.checkpoint.relations
        return f"Tell me about {name}." if taught else f"{name} is"

    def draft(self, session_id: str) -> Draft:
        """The draft of a session."""
        return self.store.draft(session_id)
