"""The key that names a state of a graph: which store, which revision, and what is laid over it.

parse_state(store.state())      # GraphState(store_id="9f3c…", revision=12, over="")
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_KEY = re.compile(r"(?P<store>[^@]{1,64})@(?P<revision>[0-9]{1,18})(?P<over>[+-].*)?")


@dataclass(frozen=True, slots=True)
class GraphState:
    """A state by its parts."""

    store_id: str
    revision: int
    """The revision of the shared store, also under a draft."""
    over: str = ""
    """What is laid over the revision: the last step of a draft, or facts left out; "" if nothing
    is."""


def state_key(store_id: str, revision: int) -> str:
    """The key of a shared store at a revision."""
    return f"{store_id}@{revision}"


def parse_state(key: str) -> GraphState | None:
    """The parts of a key; None if it is not one."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    return GraphState(found["store"], int(found["revision"]), found["over"] or "")
