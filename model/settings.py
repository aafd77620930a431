"""Decoding settings: what a person can choose, all of it recorded in the trace."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from graph.core.errors import UserError


class SettingsError(UserError, ValueError):
    """A decoding setting out of its range."""


@dataclass(frozen=True)
class DecodingSettings:
    """Settings of one generation. The defaults are greedy."""

    temperature: float = 0.0
    """0 takes the most probable token; higher values sample from softmax(logits / temperature)."""
    top_p: float = 1.0
    """Sample only from the most probable tokens that together have this probability."""
    seed: int = 0
    """Seed for sampling; the same seed gives the same text."""
    max_tokens: int = 400
    """Limit on the tokens after the prompt. Forced ones count too, but not for a checkpoint that
    asks for ranked lists of relations."""
    max_lookups: int = 32
    """After so many lookups, `<|db_entity|>` is forbidden."""
    max_lookup_tokens: int = 64
    """Limit on the tokens of entity and relation together; a longer lookup is closed as a miss."""
    lookups: bool = True
    """False forbids `<|db_entity|>` from the start (DEL-OFF of an audit)."""
    guided: bool = False
    """True restricts lookups to what the prompt mentions and the graph holds (`model.guided`)."""

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            SettingsError: for a setting out of its range.
        """
        if not 0 <= self.temperature <= 10:
            raise SettingsError(f"The temperature must be from 0 to 10, not {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise SettingsError(f"top_p must be above 0 and at most 1, not {self.top_p}.")
        for name in ("max_tokens", "max_lookup_tokens"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if self.max_lookups < 0:
            raise SettingsError(f"max_lookups must be at least 0, not {self.max_lookups}.")

    def to_json(self) -> dict[str, Any]:
        """As a plain object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> DecodingSettings:
        """From `to_json`; a setting of a later version is ignored."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**known)
