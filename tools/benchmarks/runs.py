"""What a benchmark runs on, and what one of its runs gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from model.engine.decoder import Decoder
from model.engine.events import DoneEvent, Event
from model.trace import Trace

ROUNDS = 3


@dataclass
class Pair:
    """One run: what is measured, and what it is compared with, in the same unit."""

    ours: float
    theirs: float


@dataclass
class Setting:
    """What benchmarks run on."""

    decoder: Decoder
    store: Any
    prompts: list[str]


def finish(events: Iterator[Event]) -> Trace:
    """Run a generation to its end."""
    *_, last = events
    assert isinstance(last, DoneEvent)
    return last.trace
