"""What of an earlier trace still holds on another state of the graph."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from model.checkpoint import Checkpoint
from model.engine.events import LookupSource, ask_again
from model.guided.guide import Guide
from model.trace import Trace, TraceLookup, TraceToken


@dataclass(frozen=True)
class ReusablePart:
    """The beginning of a trace that a regeneration copies."""

    tokens: list[TraceToken]
    """The tokens before the first changed value, or before the first name that was chosen from
    others; all of them where nothing changed."""
    lookups: list[TraceLookup]
    """The lookups that are complete in `tokens`, with the facts as they are now."""
    changed: TraceLookup | None
    """The first lookup whose returned string differs, with the present answer."""
    expected_ids: list[int]
    """A guess at what follows: the old text, with the new value in place of the old."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing changed."""
        return self.changed is None and not self.expected_ids


def reusable_part(
    previous: Trace, retriever: LookupSource, checkpoint: Checkpoint, guide: Guide | None = None
) -> ReusablePart:
    """Ask the lookups of `previous` again, up to the first whose returned string differs.

    With a guide, also up to the first lookup whose names could now be chosen from others.
    """
    tokens = previous.tokens
    lookups: list[TraceLookup] = []
    for entry in previous.lookups:
        lookup = entry.lookup
        if guide is not None and tokens[entry.start].id == checkpoint.markers.entity:
            answered = [earlier.lookup for earlier in lookups]
            if guide.digest(lookup.entity, answered) != entry.guidance:
                kept = entry.start  # it may not even open now
                return ReusablePart(tokens[:kept], lookups, None, [t.id for t in tokens[kept:]])
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
            changed = dataclasses.replace(entry, lookup=lookup)
            return ReusablePart(tokens[:value_start], lookups, changed, expected_ids)
        lookups.append(dataclasses.replace(entry, lookup=lookup))
    if guide is not None and not lookups and guide.asks_plainly():  # for what was added since
        return ReusablePart([], [], None, [token.id for token in tokens])
    ended = bool(tokens) and tokens[-1].id in checkpoint.stop_ids
    if guide is not None and ended and guide.leads_on([entry.lookup for entry in lookups]):
        return ReusablePart(tokens[:-1], lookups, None, [tokens[-1].id])
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
