"""Errors for the user: each message is one sentence that an interface can show unchanged."""

from __future__ import annotations

from dataclasses import dataclass


class UserError(Exception):
    """The base class of every error that is one sentence for the user.

    The message says what is wrong, with which value, and what to do about it. A command catches
    this class at its edge and prints the message; `python -m graph` then exits with 2, and
    `python -m model` and `python -m training` with 1. A page shows the message. Anything else that
    is raised is a defect of the program and keeps its traceback.
    """


class StoreError(UserError):
    """A read or an edit that a store cannot do."""


class InvalidText(StoreError, ValueError):
    """A name, value or note that is empty, too long, or contains control characters."""


class AlreadyThere(StoreError):
    """An edit that would change nothing, because the graph already says so."""


class EditedElsewhere(StoreError):
    """An edit of a draft that another process has edited since; it wrote nothing."""


@dataclass(frozen=True)
class Difference:
    """One place where the store no longer holds what an edit started from."""

    what: str
    """The place in words: "capital of France" or "the entity France"."""
    entity_id: int
    relation: str | None
    """The relation whose values differ; None where the entity's name differs."""
    base: tuple[str, ...]
    """The values (or the name) when the draft was begun."""
    mine: tuple[str, ...]
    """The values that the draft, undo or revert would write."""
    theirs: tuple[str, ...]
    """The values that the store holds now."""


class Conflict(StoreError):
    """A publish, undo or revert that would overwrite somebody else's change; it wrote nothing."""

    def __init__(self, message: str, differences: tuple[Difference, ...] = ()) -> None:
        super().__init__(message)
        self.differences = differences
