"""What can go wrong with a store, each as one sentence that an interface can show as it is."""

from __future__ import annotations

from dataclasses import dataclass


class StoreError(Exception):
    """A read or an edit that cannot be done; the message is one sentence for a person."""


class InvalidText(StoreError, ValueError):
    """A name, value or note that cannot be kept: empty, too long, or with control characters."""


class AlreadyThere(StoreError):
    """An edit that would change nothing, for the graph says so already."""


@dataclass(frozen=True)
class Difference:
    """One place where the store no longer holds what an edit started from."""

    what: str
    """What is meant, for a person: "capital of France" or "the entity France"."""
    entity_id: int
    relation: str | None
    base: tuple[str, ...]
    """The values (or the name) when the draft was begun."""
    mine: tuple[str, ...]
    """What the draft, undo or revert would write."""
    theirs: tuple[str, ...]
    """What the store holds now."""


class Conflict(StoreError):
    """A publish, undo or revert that would overwrite another's change; nothing was written."""

    def __init__(self, message: str, differences: tuple[Difference, ...] = ()) -> None:
        super().__init__(message)
        self.differences = differences
