"""A session's private edits over a shared store: a store itself, kept in the shared one.

A draft is a row of steps (edits, undos, redos) over the revision at which it was begun. Every step
gives a new overlay and the old ones stay, so a generation that began before an edit reads on in
peace. The steps are written to the shared store as they are made; publishing writes their net
effect there as one transaction, in which the draft is emptied too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from graph.core.deltas import Delta, net, touched_ids
from graph.core.draft_record import DraftRecord, Step, check_draft_id
from graph.core.edits import Add, AddAlias, Edit, edit_kind, edit_to_json
from graph.core.errors import StoreError
from graph.core.identifiers import clean_iri, qualified
from graph.core.ids import new_id
from graph.core.import_rows import AliasRow, BadLine, FactRow, Row, read_year
from graph.core.journal import JournalEntry, history_subject, iso_time
from graph.core.names import clean_name, clean_signature
from graph.core.protocol import SharedStore, Statistics
from graph.editing.loading import clean_alias, unknown_entity
from graph.editing.overlay import Overlay
from graph.editing.overlay_reads import OverlayReads
from graph.editing.planning import plan, spelt


class StoredDraft(OverlayReads[SharedStore]):
    """The draft of one session; see `graph.core.protocol.Draft` for what each method promises."""

    def __init__(self, base: SharedStore, draft_id: str) -> None:
        self.draft_id = check_draft_id(draft_id)
        self.base = base
        self.url = base.url
        self._lock = threading.RLock()
        self._overlays: dict[int, Overlay] = {}  # by the draft's revision
        self._states: dict[int, str] = {}
        self._record = DraftRecord(self.draft_id, 0, 0)
        self._done: list[Step] = []  # the steps that stand
        self._undone: list[Step] = []  # what redo would do, last first
        self._revision = -1
        self.reload()

    def reload(self) -> None:
        """Take up what the store keeps; a draft without steps moves to the newest revision."""
        with self._lock:
            record = self.base.load_draft(self.draft_id)
            if record is not None and record.steps:
                if self._revision >= 0 and record == self._record:
                    return
                self._start(record)
                for step in record.steps:
                    self._take(step)
                return
            newest = self.base.revision()
            if self._revision >= 0 and not self._record.steps:
                if self._record.base_revision == newest:
                    return
                first = self._revision + 1
            else:
                first = max(self._revision + 1, record.first if record else 0)
            self._start(DraftRecord(self.draft_id, newest, first))

    def _start(self, record: DraftRecord) -> None:
        self._record = replace(record, steps=())
        self._done, self._undone = [], []
        self._overlays[record.first] = Overlay(self.base, record.base_revision)
        self._states[record.first] = self.base.state(record.base_revision)
        self._revision = record.first

    def _take(self, step: Step) -> None:
        """Do a step that is kept already."""
        if step.kind == "undo":
            self._undone.append(self._done.pop())
        elif step.kind == "redo":
            self._done.append(self._undone.pop())
        else:
            self._done.append(step)
            self._undone.clear()
        if step.kind == "undo":  # a layer cannot be removed: rebuild the rest
            overlay = Overlay(self.base, self._record.base_revision)
            for standing in self._done:
                overlay = overlay.with_deltas(standing.deltas())
        else:
            overlay = self._overlays[self._revision].with_deltas(self._done[-1].deltas())
        self._overlays[step.number] = overlay
        self._states[step.number] = f"{self.base.state(self._record.base_revision)}+{step.id}"
        self._record = replace(self._record, steps=(*self._record.steps, step))
        self._revision = step.number

    def _step(self, kind: str, author: str, reason: str, **more: Any) -> int:
        author, reason = clean_signature(author, reason)
        step = Step(
            number=self._revision + 1,
            id=new_id(),
            kind=kind,
            author=author,
            time=int(self.base.clock() * 1000),
            reason=reason,
            **more,
        )
        self.base.save_step(self._record, step)
        self._take(step)
        return step.number

    def _at(self, at: int | None) -> Overlay:
        overlay = self._overlays.get(self._revision if at is None else at)
        if overlay is None:
            raise StoreError(f"The draft has no revision {at}; the newest is {self._revision}.")
        return overlay

    @property
    def base_revision(self) -> int:
        return self._record.base_revision

    def revision(self) -> int:
        return self._revision

    def state(self, at: int | None = None) -> str:
        self._at(at)
        return self._states[self._revision if at is None else at]

    def apply(
        self, edits: Sequence[Edit], *, author: str, reason: str = "", write_id: str | None = None
    ) -> int:
        if not edits:
            raise StoreError("No edits were given; give at least one.")
        with self._lock:
            repeated = self._step_of(write_id)
            if repeated is not None:
                return repeated.number
            overlay = self._at(None).with_deltas(())
            planned = []
            for edit in edits:
                deltas = tuple(plan(edit, overlay))
                overlay.grow(deltas)
                planned.append((edit, deltas))
            return self._step("edit", author, reason, write_id=write_id, edits=tuple(planned))

    def has_step(self, write_id: str) -> bool:
        """Whether the draft holds the step of this write."""
        with self._lock:
            return self._step_of(write_id) is not None

    def _step_of(self, write_id: str | None) -> Step | None:
        if write_id is None:
            return None
        return next((step for step in self._record.steps if step.write_id == write_id), None)

    def load(
        self,
        rows: Iterable[Row],
        *,
        author: str,
        reason: str = "",
        source: str = "",
        on_bad: Callable[[BadLine], None] | None = None,
        write_id: str | None = None,
    ) -> int:
        """Add the facts and aliases of a file as one step; returns how many were added.

        A line that cannot be added is reported to `on_bad` and skipped; without a valid line
        nothing is done. `source` is of facts that name none.
        """
        with self._lock:
            repeated = self._step_of(write_id)
            if repeated is not None:
                return len(repeated.edits)
            overlay = self._at(None).with_deltas(())
            planned: list[tuple[Edit, tuple[Delta, ...]]] = []
            names = _Names(overlay)
            for row in rows:
                try:
                    edit = _addition(row, source, overlay, names)
                    deltas = tuple(plan(edit, overlay))
                except StoreError as problem:
                    if on_bad is not None:
                        on_bad(BadLine(row.line, str(problem)))
                    continue
                overlay.grow(deltas)
                planned.append((edit, deltas))
            if planned:
                self._step("edit", author, reason, write_id=write_id, edits=tuple(planned))
            return len(planned)

    def undo(self, *, author: str, reason: str = "", write_id: str | None = None) -> int:
        with self._lock:
            repeated = self._step_of(write_id)
            if repeated is not None:
                return repeated.number
            if not self._done:
                raise StoreError("There is nothing to undo in this draft.")
            return self._step("undo", author, reason, write_id=write_id)

    def redo(self, *, author: str, reason: str = "", write_id: str | None = None) -> int:
        with self._lock:
            repeated = self._step_of(write_id)
            if repeated is not None:
                return repeated.number
            if not self._undone:
                raise StoreError("There is nothing to redo in this draft.")
            return self._step("redo", author, reason, write_id=write_id)

    def revert(self, revision: int, *, author: str, reason: str = "") -> int:
        raise StoreError("A draft cannot revert; use undo or discard.")

    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return bool(self._done)

    def can_redo(self) -> bool:
        """Whether there is an undone edit to do again."""
        return bool(self._undone)

    def edits(self) -> list[Edit]:
        with self._lock:
            return [edit for step in self._done for edit, _ in step.edits]

    def deltas(self) -> list[Delta]:
        with self._lock:
            return net(delta for step in self._done for delta in step.deltas())

    def history(
        self,
        *,
        entity_id: int | None = None,
        fact_id: int | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[JournalEntry]:
        """The draft's own standing edits, newest first. For what is public ask `base`."""
        subject = history_subject(entity_id, fact_id)
        with self._lock:
            entries = [
                JournalEntry(
                    revision=step.number,
                    kind=edit_kind(edit),
                    author=step.author,
                    time=iso_time(step.time),
                    reason=step.reason,
                    edit=edit_to_json(edit),
                    deltas=deltas,
                )
                for step in self._done
                for edit, deltas in step.edits
                if (before is None or step.number < before)
                and (subject is None or subject in touched_ids(deltas))
            ]
        newest = entries[::-1]
        if not 0 < limit < len(newest):
            return newest if limit > 0 else []
        return [entry for entry in newest if entry.revision >= newest[limit - 1].revision]

    def statistics(self) -> Statistics:
        return self._with_own(self.base.statistics())

    def publish(self, *, author: str, reason: str = "", write_id: str | None = None) -> int:
        with self._lock:
            record = replace(self._record, first=self._revision + 1)
            published = self.base.publish_draft(
                record, self._done, author=author, reason=reason, write_id=write_id
            )
            if published > record.base_revision:  # not a repetition of an earlier publish
                self._start(replace(record, base_revision=published))
            return published

    def discard(self) -> int:
        with self._lock:
            newest = self.base.revision()
            record = DraftRecord(self.draft_id, newest, self._revision + 1)
            self.base.empty_draft(record)
            self._start(record)
            return self._revision

    def close(self) -> None:
        """Nothing to give back: the shared store is closed by whoever opened it."""


class _Names:
    """What the identifiers of rows are called in a draft, which keeps no identifiers itself."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._by_iri: dict[str, str] = {}
        self._iris: dict[str, str] = {}  # by name

    def name(self, name: str, iri: str) -> str:
        """The name of what an identifier identifies: another than that of another identifier's."""
        if not clean_iri(iri):
            return name
        if iri not in self._by_iri:
            known = self._overlay.identified(iri)
            if known is not None:
                name = known.name
            elif self._is_other(clean_name(name)):
                name = qualified(clean_name(name), iri, self._is_other)
            self._by_iri[iri] = name
            self._iris.setdefault(clean_name(name), iri)
        return self._by_iri[iri]

    def _is_other(self, name: str) -> bool:
        if name in self._iris:
            return True
        entity = spelt(self._overlay, name)
        return entity is not None and bool(self._overlay.identifiers(entity.id))


def _addition(row: Row, source: str, overlay: Overlay, names: _Names) -> Add | AddAlias:
    """The edit that a line of a file stands for; raises `StoreError` if it stands for none."""
    match row:
        case BadLine():
            raise StoreError(row.reason)
        case FactRow():
            year = read_year(row.year)
            return Add(
                names.name(row.entity, row.entity_iri),
                row.relation,
                names.name(row.value, row.value_iri),
                row.source or source,
                year,
                True if row.value_iri else None,
            )
        case AliasRow():
            alias, name = clean_alias(row)
            found = [entity for entity, _ in overlay.find_entities(name)]
            exact = [entity for entity in found if entity.name == name] or found
            if len(exact) != 1:
                raise unknown_entity(name, alias)
            return AddAlias(exact[0].id, alias)
    raise StoreError("A draft imports only facts and aliases; import this file into the store.")
