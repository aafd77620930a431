"""Rows of the journal, the same in every store: gathered, read as entries, scrubbed by a purge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from graph.core.deltas import Delta, touched_ids
from graph.core.edits import Edit, edit_kind, edit_to_json
from graph.core.ids import is_id

MOST_LISTED = 10_000  # deltas that one entry lists
NO_DELTAS = "[]"  # the deltas of an entry from which a purge erased everything


def history_subject(entity_id: int | None, fact_id: int | None) -> int | None:
    """The id whose entries `history` lists: the fact's if both are given, None for all entries.

    A number that cannot be an id becomes 0, which nothing has, so that no entry matches it.
    """
    subject = entity_id if fact_id is None else fact_id
    return subject if subject is None or is_id(subject) else 0


def read_entry(
    revision: int,
    kind: str,
    author: str,
    time: int,
    reason: str,
    edit: str,
    deltas: str | None,
    transaction: str,
) -> JournalEntry:
    """An entry from its columns: `time` in milliseconds, `edit` and `deltas` in JSON.

    `transaction` is the kind of the revision that the entry belongs to.
    """
    return JournalEntry(
        revision=revision,
        kind=kind,
        author=author,
        time=iso_time(time),
        reason=reason,
        edit=json.loads(edit),
        deltas=read_deltas(deltas),
        published=transaction == "publish",
    )


def read_deltas(text: str | None) -> tuple[Delta, ...]:
    """Deltas from the journal's JSON; none for an import, which lists no deltas."""
    return tuple(Delta.from_json(delta) for delta in json.loads(text)) if text else ()


def scrub_entry(object_id: int, kind: str, edit: str, deltas: str | None) -> tuple[str, str | None]:
    """An entry's edit and deltas, in JSON, without anything about one fact or entity.

    If the entry lists deltas, its edit is kept only if it consists of ids and revisions.
    """
    if deltas is None:
        return edit, None
    kept = [d for d in json.loads(deltas) if int((d["before"] or d["after"])["id"]) != object_id]
    if kind not in ("undo", "redo", "revert", "delete", "merge", "import", "purge"):
        edit = json.dumps({"kind": kind, "purged": True})
    return edit, json.dumps(kept, ensure_ascii=False)


def iso_time(milliseconds: int) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One edit in the journal (an import is one entry)."""

    revision: int
    kind: str
    """"add", "change", "delete", "rename", "merge", "add alias", "remove alias", "add synonym",
    "remove synonym", "change setting", "import", "purge", "undo", "redo" or "revert"."""
    author: str
    time: str
    """When it was written, ISO 8601 in UTC."""
    reason: str
    edit: dict[str, Any]
    """The edit as it was requested; for an import, what was read and counted."""
    deltas: tuple[Delta, ...]
    """What changed, one fact or entity at a time; empty for an import."""
    published: bool = False
    """Whether it is part of a published draft."""

    def to_json(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "kind": self.kind,
            "author": self.author,
            "time": self.time,
            "reason": self.reason,
            "edit": self.edit,
            "deltas": [delta.to_json() for delta in self.deltas],
            "published": self.published,
        }


@dataclass(slots=True)
class Journal:
    """The entries of one revision, gathered to be written at once."""

    entries: list[tuple[int, str, str, str | None]] = field(default_factory=list)
    """The number within the revision, the kind, and the edit and its deltas in JSON."""
    touched: list[tuple[int, int]] = field(default_factory=list)
    """The ids that entries are about, each with the entry's number."""

    def add_edit(self, edit: Edit, deltas: Sequence[Delta]) -> None:
        """An entry for an edit."""
        self.add(edit_kind(edit), edit_to_json(edit), deltas)

    def add(self, kind: str, edit: dict[str, Any], deltas: Sequence[Delta] | None) -> None:
        """An entry; None for deltas too many to list, because the versions show what changed."""
        number = len(self.entries)
        listed = None
        if deltas is not None and len(deltas) <= MOST_LISTED:
            listed = json.dumps([delta.to_json() for delta in deltas], ensure_ascii=False)
            self.touched += [(object_id, number) for object_id in touched_ids(deltas)]
        self.entries.append((number, kind, json.dumps(edit, ensure_ascii=False), listed))


def undone_by(entries: Iterable[Sequence[str]]) -> set[int]:
    """The revisions that stand undone after these undos and redos, kind and JSON each."""
    undone: set[int] = set()
    for kind, edit in entries:
        target = json.loads(edit)["revision"]
        if kind == "undo":
            undone.add(target)
        else:
            undone.discard(target)
    return undone
