"""What passes between the decoder and its caller: the graph it asks, and the events it yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from graph.lookup.result import Lookup
from model.guided.guide import GuideSource
from model.trace import Trace, TraceLookup, TraceToken


class LookupSource(GuideSource, Protocol):
    """What the decoder needs of a graph: answers, all from one revision, and names for a guide."""

    @property
    def revision(self) -> int: ...

    @property
    def state(self) -> str: ...


def ask_again(source: LookupSource, lookup: Lookup, prompt: str) -> Lookup:
    """The answer to an earlier lookup as it is now, asked in the same way."""
    if lookup.ranking is None:
        return source.lookup(lookup.entity, lookup.relation)
    return source.lookup(lookup.entity, lookup.relation, prompt)


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A token was appended to the trace, at `index`."""

    token: TraceToken
    index: int
    reused: bool = False
    """Whether the token was copied from the trace that is being regenerated."""


@dataclass(frozen=True, slots=True)
class LookupEvent:
    """The graph has answered; comes after the query's tokens and before the value's."""

    lookup: TraceLookup
    reused: bool = False
    """Whether the lookup was copied from the trace that is being regenerated."""


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The last event: the complete trace."""

    trace: Trace


Event = TokenEvent | LookupEvent | DoneEvent
