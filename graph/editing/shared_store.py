"""What every shared store does the same way: edits, publishing, and taking revisions back.

Each write follows the same steps: read what is there, plan or compare, write the deltas, journal
them. A back end gives the transaction (`SharedStoreSteps._revise`) and, inside it, a `Writing` with
the reads and the few writes that these steps need.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol, Self

from graph.core.deltas import Delta, net
from graph.core.draft_record import DraftRecord, Step
from graph.core.edits import Edit
from graph.core.errors import StoreError
from graph.core.facts import Entity, Fact
from graph.core.import_rows import BadLine, Row
from graph.core.journal import Journal, read_deltas
from graph.core.protocol import LoadReport, TripletReads
from graph.core.state_key import state_key
from graph.editing.draft_shelf import DraftKeeper, DraftShelf
from graph.editing.loading import Intake
from graph.editing.overlay import Overlay
from graph.editing.planning import conflict, inverse, plan, require_unchanged, slot_differences
from graph.editing.purging import Eraser

UNDOABLE = ("edit", "publish", "revert", "import")  # the kinds of revision that undo takes back
_DONE = {"undo": "undone", "redo": "redone", "revert": "reverted"}
_MOST_REVISIONS = 2**62  # a revision that is asked for is less: what a back end can compare


class StoredView(TripletReads, Protocol):
    """What a write reads: the store at one revision, and its list of revisions."""

    def prefetch(self, deltas: Iterable[Delta]) -> None:
        """Read at once, where that is cheaper, what comparing these deltas will ask one by one."""

    def newest_edit(self, *, standing: bool) -> int | None:
        """The newest revision of a kind in `UNDOABLE`; if `standing`, of those not undone."""

    def undos_after(self, revision: int) -> list[str]:
        """The undos since a revision, as the journal keeps each: the edit in JSON."""

    def first_undone(self, revisions: Sequence[int]) -> int | None:
        """The lowest of the revisions that is undone."""

    def revision_kind(self, revision: int) -> str | None:
        """The kind of a revision; None if there is no such revision."""

    def journalled_deltas(self, revision: int) -> list[str | None]:
        """The deltas of a revision's entries, in JSON; None where an entry lists none."""

    def changed_entities(self, revision: int) -> Iterable[list[int]]:
        """The ids of entities with a name that begins or ends with a revision, in pages."""

    def changed_facts(self, revision: int) -> Iterable[list[int]]:
        """The ids of facts with a version that begins or ends with a revision, in pages."""

    def changed_rules(self, revision: int) -> list[int]:
        """The ids of rules with a version that begins or ends with a revision."""

    def entities(self, ids: Sequence[int]) -> dict[int, Entity]:
        """Those of the entities that are there, by their ids."""

    def facts_by_id(self, ids: Sequence[int]) -> dict[int, Fact]:
        """Those of the facts that are there, by their ids."""


class Writing(Protocol):
    """A write in progress: a transaction that makes one revision."""

    revision: int
    """The revision that it makes."""
    journal: Journal
    """What is journalled with it."""

    @property
    def now(self) -> StoredView:
        """The store before this write."""

    @property
    def drafts(self) -> DraftShelf:
        """The drafts, inside this transaction."""

    def at(self, revision: int) -> StoredView:
        """The store as it was at a revision."""

    def write(self, deltas: Sequence[Delta]) -> None:
        """Close the version of every `before` and open one of every `after`; deltas are net."""

    def mark_undone(self, revision: int, undone: bool) -> None:
        """Note whether a revision stands undone."""


FindRevision = Callable[[StoredView], int]
"""Finds the revision to take back, or raises `StoreError`."""


class SharedStoreSteps(DraftKeeper):
    """The writing half of a shared store; see `graph.core.protocol.SharedStore`."""

    store_id: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Give back files and connections."""

    @abstractmethod
    def _revise(
        self,
        kind: str,
        author: str,
        reason: str,
        work: Callable[[Writing], None],
        write_id: str | None = None,
        *,
        brief: bool = True,
    ) -> int:
        """Do `work` in one transaction that makes a revision; returns the revision.

        Does nothing where a write of this id was done before, and returns its revision. Readers of
        this process pause during a `brief` one.
        """

    @abstractmethod
    def _unlisted_deltas(self, writing: Writing, revision: int) -> list[Delta]:
        """What a revision changed that the journal does not list."""

    @abstractmethod
    def _eraser(self, writing: Writing) -> Eraser:
        """What erases facts in a write."""

    @abstractmethod
    def _load(
        self, rows: Iterable[Row], intake: Intake, kind: str, author: str, reason: str
    ) -> LoadReport:
        """Import all rows as one revision."""

    def state(self, at: int | None = None) -> str:
        return state_key(self.store_id, self.revision() if at is None else at)

    def apply(
        self, edits: Sequence[Edit], *, author: str, reason: str = "", write_id: str | None = None
    ) -> int:
        if not edits:
            raise StoreError("No edits were given; give at least one.")

        def work(writing: Writing) -> None:
            overlay = Overlay(writing.now, None)
            changes: list[Delta] = []
            for edit in edits:
                deltas = plan(edit, overlay)
                overlay.grow(deltas)
                changes += deltas
                writing.journal.add_edit(edit, deltas)
            writing.write(net(changes))

        return self._revise("edit", author, reason, work, write_id)

    def load(
        self,
        rows: Iterable[Row],
        *,
        author: str,
        reason: str = "",
        kind: str = "import",
        source: str = "",
        skip_bad: bool = False,
        on_bad: Callable[[BadLine], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> LoadReport:
        intake = Intake(source, skip_bad, on_bad, on_progress)
        return self._load(rows, intake, kind, author, reason)

    def publish_draft(
        self,
        record: DraftRecord,
        steps: Sequence[Step],
        *,
        author: str,
        reason: str,
        write_id: str | None,
    ) -> int:
        def work(writing: Writing) -> None:
            deltas = net(delta for step in steps for delta in step.deltas())
            if not deltas:
                raise StoreError("There is nothing to publish: the draft changes nothing.")
            now, base = writing.now, writing.at(record.base_revision)
            for view in (now, base):
                view.prefetch(deltas)
            differences = slot_differences(deltas, base, now)
            if differences:
                raise conflict(differences, "published")
            require_unchanged(deltas, now, "published")
            writing.write(deltas)
            self._keep_empty(writing.drafts, replace(record, base_revision=writing.revision))
            for step in steps:
                for edit, own in step.edits:
                    writing.journal.add_edit(edit, own)

        return self._revise("publish", author, reason, work, write_id)

    def undo(self, *, author: str, reason: str = "") -> int:
        return self._take_back("undo", _to_undo, author, reason)

    def redo(self, *, author: str, reason: str = "") -> int:
        return self._take_back("redo", _to_redo, author, reason)

    def revert(self, revision: int, *, author: str, reason: str = "") -> int:
        def find(view: StoredView) -> int:
            kind = None
            if type(revision) is int and 0 < revision < _MOST_REVISIONS:
                kind = view.revision_kind(revision)
            if kind is None or kind == "init":
                raise StoreError(
                    f"There is no revision {revision} to revert; the history shows which there are."
                )
            return revision

        return self._take_back("revert", find, author, reason)

    def purge(self, fact_ids: Sequence[int], *, author: str, reason: str = "") -> int:
        def work(writing: Writing) -> None:
            self._eraser(writing).erase(fact_ids)
            edit = {"kind": "purge", "facts": len(set(fact_ids))}
            writing.journal.add("purge", edit, None)

        return self._revise("purge", author, reason, work, brief=False)

    def _take_back(self, kind: str, find: FindRevision, author: str, reason: str) -> int:
        def work(writing: Writing) -> None:
            target = find(writing.now)
            deltas = listed_deltas(writing.now, target)
            if deltas is None:
                deltas = self._unlisted_deltas(writing, target)
            deltas = taken_back(writing.now, kind, deltas)
            writing.write(deltas)
            note_taken_back(writing, kind, target, deltas)

        return self._revise(kind, author, reason, work)


def _to_undo(view: StoredView) -> int:
    found = view.newest_edit(standing=True)
    if found is None:
        raise StoreError("There is nothing to undo.")
    return found


def _to_redo(view: StoredView) -> int:
    """What was undone since the last edit, the oldest first."""
    undos = view.undos_after(view.newest_edit(standing=False) or 0)
    found = view.first_undone([json.loads(edit).get("revision", 0) for edit in undos])
    if found is None:
        raise StoreError("There is nothing to redo.")
    return found


def listed_deltas(view: StoredView, revision: int) -> list[Delta] | None:
    """What a revision changed, net, as the journal lists it; None where it does not."""
    entries = view.journalled_deltas(revision)
    if any(deltas is None for deltas in entries):
        return None
    return net(delta for deltas in entries for delta in read_deltas(deltas))


def version_deltas(before: StoredView, after: StoredView, revision: int) -> list[Delta]:
    """What differs between a revision and the one before, by the versions that bear its number."""
    deltas: list[Delta] = []
    rules = after.changed_rules(revision)
    if rules:
        old_rules = {rule.id: rule for rule in before.rules()}
        new_rules = {rule.id: rule for rule in after.rules()}
        deltas += [Delta(old_rules.get(rule_id), new_rules.get(rule_id)) for rule_id in rules]
    for ids in after.changed_entities(revision):
        old_entities, new_entities = before.entities(ids), after.entities(ids)
        deltas += [Delta(old_entities.get(number), new_entities.get(number)) for number in ids]
    for ids in after.changed_facts(revision):
        old_facts, new_facts = before.facts_by_id(ids), after.facts_by_id(ids)
        deltas += [Delta(old_facts.get(number), new_facts.get(number)) for number in ids]
    return deltas


def taken_back(now: StoredView, kind: str, deltas: list[Delta]) -> list[Delta]:
    """The deltas that undo or revert these, or for a redo do them again.

    Raises `Conflict` where what they changed was changed since.
    """
    if kind != "redo":
        deltas = inverse(deltas)
    now.prefetch(deltas)
    require_unchanged(deltas, now, _DONE[kind])
    return deltas


def note_taken_back(writing: Writing, kind: str, target: int, deltas: list[Delta]) -> None:
    """Journal an undo, redo or revert of a revision, and mark that revision."""
    if kind != "revert":
        writing.mark_undone(target, kind == "undo")
    writing.journal.add(kind, {"kind": kind, "revision": target}, deltas)
