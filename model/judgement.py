"""Which relation a question means, and whether any does: the model and the ranking together.

A model that was trained on few relations is less sure about others than a sentence encoder is. The
encoder ranks the relations of an entity for its list, and knows nothing of the text so far. So
guided decoding weighs both: each name counts by its probability under the model, times e to the
power of `relevance` times its score in the list. Right after a list, `fits` says whether a lookup
opens, from the model's own probability to open it and the best score in the list: the log-odds that
something fits, as a logistic regression on questions with and without an answer finds them.

The weights belong to one checkpoint, because another is sure of other things. They are in its
`config.json` (an adapter's `lamplight.json`), and `python -m training calibrate` fits them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_LEAST = 1e-6  # probability


@dataclass(frozen=True)
class Judgement:
    """The weights of one checkpoint."""

    relevance: float
    """Nats that a name gains for each unit of its score in the list."""
    opening: float
    """Weight of the log-odds that the model gives to opening a lookup."""
    best: float
    """Weight of the best score in the list."""
    bias: float

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Judgement:
        """Raises KeyError, TypeError or ValueError for other data."""
        return cls(*(float(data[name]) for name in ("relevance", "opening", "best", "bias")))

    def to_json(self) -> dict[str, float]:
        return asdict(self)

    def fits(self, opening: float, best: float) -> float:
        """The log-odds that a relation of the list is the one that is asked for.

        Args:
            opening: the model's probability to open a lookup right after the list.
            best: the best score in the list.
        """
        return self.opening * log_odds(opening) + self.best * best + self.bias


def log_odds(probability: float) -> float:
    """The log-odds of a probability, finite for 0 and 1 too."""
    kept = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))
