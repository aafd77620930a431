"""A draft as a shared store keeps it: its steps and their deltas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from graph.core.deltas import Delta, net
from graph.core.edits import Edit, edit_from_json, edit_to_json
from graph.core.errors import StoreError
from graph.core.names import quoted

IDLE_DAYS = 7  # days without use after which a draft is dropped
_DRAFT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Step:
    """One edit, undo or redo in a draft."""

    number: int
    """The revision of the draft that this step made."""
    id: int
    kind: str
    """"edit", "undo" or "redo"."""
    author: str
    time: int
    """Milliseconds since 1970, UTC."""
    reason: str = ""
    write_id: str | None = None
    edits: tuple[tuple[Edit, tuple[Delta, ...]], ...] = ()
    """Each edit with its deltas; empty for an undo or redo."""

    def deltas(self) -> list[Delta]:
        """The net deltas of the step."""
        return net(delta for _, deltas in self.edits for delta in deltas)

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "id": str(self.id),
            "kind": self.kind,
            "author": self.author,
            "time": self.time,
            "reason": self.reason,
            "write_id": self.write_id,
            "edits": [
                {"edit": edit_to_json(edit), "deltas": [delta.to_json() for delta in deltas]}
                for edit, deltas in self.edits
            ],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Step:
        edits = tuple(
            (edit_from_json(item["edit"]), tuple(Delta.from_json(d) for d in item["deltas"]))
            for item in data["edits"]
        )
        return cls(**{**data, "id": int(data["id"]), "edits": edits})


@dataclass(frozen=True, slots=True)
class DraftRecord:
    """A draft as the shared store keeps it."""

    draft_id: str
    base_revision: int
    first: int
    """The revision of the draft before its first step."""
    steps: tuple[Step, ...] = ()


def check_draft_id(draft_id: str) -> str:
    """The id itself; raises `StoreError` for one that no page was ever given."""
    if not isinstance(draft_id, str) or not _DRAFT_ID.fullmatch(draft_id):
        raise StoreError(
            f"{quoted(str(draft_id))} is not a draft; an id has 1 to 64 letters, digits, - and _."
        )
    return draft_id
