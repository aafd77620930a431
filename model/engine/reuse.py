"""What of an earlier trace still holds on another state of the graph."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from graph.lookup.result import Lookup
from model.checkpoint import Checkpoint
from model.engine.events import LookupSource, ask_again
from model.trace import Trace, TraceLookup, TraceToken


@dataclass(frozen=True)
class ReusablePart:
    """The beginning of a trace that a regeneration copies."""

    tokens: list[TraceToken]
    """The tokens before the first changed value; all of them where no value changed."""
    lookups: list[TraceLookup]
    """The lookups that are complete in `tokens`, with the facts as they are now."""
    changed: Lookup | None
    """The present answer to the first lookup whose returned string differs."""
    expected_ids: list[int]
    """A guess at what follows `changed`: the old text, with the new value in place of the old."""


def reusable_part(previous: Trace, retriever: LookupSource, checkpoint: Checkpoint) -> ReusablePart:
    """Ask the lookups of `previous` again, up to the first whose returned string differs."""
    tokens = previous.tokens
    lookups: list[TraceLookup] = []
    for entry in previous.lookups:
        lookup = entry.lookup
        if entry.closed == "model":
            lookup = ask_again(retriever, lookup, previous.prompt)
        if lookup.value != entry.lookup.value:
            return_id = checkpoint.markers.return_
            value_start = 1 + next(
                i for i in range(entry.start, entry.end) if tokens[i].id == return_id
            )
            expected_ids = _replace_all(
                [token.id for token in tokens[entry.end :]],
                [token.id for token in tokens[value_start : entry.end - 1]],
                checkpoint.encode_value(lookup.value),
            )
            return ReusablePart(tokens[:value_start], lookups, lookup, expected_ids)
        lookups.append(dataclasses.replace(entry, lookup=lookup))
    return ReusablePart(tokens, lookups, None, [])


def _replace_all(ids: list[int], old: list[int], new: list[int]) -> list[int]:
    """`ids` with `new` wherever `old` occurs."""
    result, position = [], 0
    while position < len(ids):
        if old and ids[position : position + len(old)] == old:
            result += new
            position += len(old)
        else:
            result.append(ids[position])
            position += 1
    return result
