"""How to decode: the choices that a person can make, all part of a trace."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DecodingSettings:
    """Settings of one generation. The defaults are greedy."""

    temperature: float = 0.0
    """0 takes the most probable token; above it, tokens are drawn from logits / temperature."""
    top_p: float = 1.0
    """Draw only from the most probable tokens that together have this probability."""
    seed: int = 0
    """Of the draws; the same seed gives the same text."""
    max_tokens: int = 400
    """The most tokens after the prompt, forced ones included."""
    max_lookups: int = 32
    """After so many lookups, `<|db_entity|>` is forbidden."""
    max_lookup_tokens: int = 64
    """The most tokens of entity and relation together; a longer lookup is closed as a miss."""
    lookups: bool = True
    """False forbids `<|db_entity|>` from the start (DEL-OFF of an audit)."""

    def __post_init__(self) -> None:
        """Raises ValueError, in one sentence, for a setting out of range."""
        if not 0 <= self.temperature <= 10:
            raise ValueError(f"The temperature must be from 0 to 10, not {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, not {self.top_p}.")
        for name in ("max_tokens", "max_lookup_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if self.max_lookups < 0:
            raise ValueError(f"max_lookups must be at least 0, not {self.max_lookups}.")

    def to_json(self) -> dict[str, Any]:
        """As a plain object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> DecodingSettings:
        """From `to_json`; a setting of a later version is ignored."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**known)
