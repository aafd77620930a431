"""A trace as it is handed to somebody else: with what it takes to write the text again.

Next to the trace itself it names the checkpoint by one hash, the store and its revision, and has
the edits of the draft that the text was written over. No path of a machine is in it.
`model.replay` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.core.deltas import Delta
from graph.core.facts import Entity, Fact
from graph.core.rules import Rule
from graph.core.state_key import GraphState, parse_state
from model.trace import Trace, TraceError
from model.weight_hashes import checkpoint_hash

Steps = Sequence[Sequence[Delta]]
"""What each step of a draft did, oldest first."""
_ON_THE_HUB = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def public_name(model: str) -> str:
    """The name of a checkpoint without the folder that it is in."""
    if _ON_THE_HUB.fullmatch(model) and not Path(model).exists():
        return model
    return Path(model).name


@dataclass(frozen=True)
class ExportedTrace:
    """A trace, and the edits that it was written over."""

    trace: Trace
    edits: Steps = ()

    @property
    def graph(self) -> GraphState | None:
        """The graph that was read; None in a trace that does not name it."""
        return parse_state(self.trace.state)

    def to_json(self) -> dict[str, Any]:
        """As a plain object: that of the trace, and more."""
        trace, graph = self.trace, self.graph
        return {
            **trace.to_json(),
            "model": public_name(trace.model),
            "checkpoint": checkpoint_hash(trace.weights),
            "store": None if graph is None else {"id": graph.store_id, "revision": graph.revision},
            "edits": [[delta.to_json() for delta in step] for step in self.edits],
        }

    @classmethod
    def from_json(cls, data: Any) -> ExportedTrace:
        """From `to_json`, or from the `to_json` of a trace.

        Raises:
            TraceError: if this is not a trace, or if it lacks the edits that it was written over.
        """
        trace = Trace.from_json(data)
        try:
            edits = [[_delta(delta) for delta in step] for step in data.get("edits", ())]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TraceError(f"The edits in the trace cannot be read ({error!r}).") from error
        made = cls(trace, edits)
        if made.graph is not None and made.graph.over and "edits" not in data:
            raise TraceError(
                "The trace was written over a draft and does not have its edits; export it with "
                "Export on the page."
            )
        return made


def _delta(data: Any) -> Delta:
    """A delta whose fields have the types that an overlay relies on. Raises `TypeError` if not."""
    delta = Delta.from_json(data)
    for version in (delta.before, delta.after):
        if isinstance(version, Fact):
            words: tuple[object, ...] = (version.entity, version.relation, version.value)
        elif isinstance(version, Entity):
            words = (version.name, *version.aliases)
        elif isinstance(version, Rule):
            words = (version.kind, version.name, version.value)
        else:
            continue
        if not all(isinstance(word, str) for word in words):
            raise TypeError("a name or a value is not text")
    if delta.before is None and delta.after is None:
        raise TypeError("a change has neither a before nor an after")
    return delta
