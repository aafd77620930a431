"""Where a shared store keeps drafts: opened, kept step by step, and dropped when they lie idle."""

from __future__ import annotations

import json
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol, cast

from graph.core.draft_record import IDLE_DAYS, DraftRecord, Step, check_draft_id
from graph.core.errors import EditedElsewhere, StoreError
from graph.core.protocol import SharedStore
from graph.editing.draft import StoredDraft

_IDLE = IDLE_DAYS * 24 * 3600 * 1000  # milliseconds


class DraftShelf(Protocol):
    """The drafts of a store, inside one of its transactions."""

    def keep(self, record: DraftRecord, now: int) -> None:
        """Write a draft without its steps, used at `now`; locks it until the transaction ends."""

    def empty(self, draft_id: str) -> None:
        """Delete the steps of a draft."""

    def last_step(self, draft_id: str) -> int | None:
        """The number of the last step that is kept."""

    def holds(self, draft_id: str, step: Step) -> bool:
        """Whether this very step is kept."""

    def add(self, draft_id: str, step: Step) -> None:
        """Keep one more step."""

    def touch(self, draft_id: str, now: int) -> None:
        """Note that the draft was used at `now`."""

    def keep_notes(self, record: DraftRecord, notes: Mapping[str, str | None], now: int) -> None:
        """Keep texts next to a draft, which is written first if there is none; None drops one."""

    def drop_idle(self, oldest: int) -> None:
        """Drop the drafts last used at `oldest` or before."""


class DraftKeeper(ABC):
    """The half of a shared store that keeps drafts; see `graph.core.protocol.SharedStore`."""

    clock: Callable[[], float]
    read_only: bool

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._drafts: weakref.WeakValueDictionary[str, StoredDraft] = weakref.WeakValueDictionary()
        self._drafts_lock = threading.Lock()

    @abstractmethod
    def _kept_draft(
        self, draft_id: str, oldest: int
    ) -> tuple[int, int, int, tuple[str, ...]] | None:
        """Base revision, first revision, last use and steps of a draft used since `oldest`."""

    @abstractmethod
    def draft_notes(self, draft_id: str) -> dict[str, str]:
        """What a front end keeps next to a draft."""

    @abstractmethod
    def revision(self) -> int:
        """The newest revision."""

    @abstractmethod
    def _has_idle_drafts(self, oldest: int) -> bool:
        """Whether some draft was last used at `oldest` or before."""

    @abstractmethod
    def _on_shelf(self, work: Callable[[DraftShelf], None]) -> None:
        """Do `work` in one transaction."""

    def _now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return int(self.clock() * 1000)

    def draft(self, draft_id: str) -> StoredDraft:
        """The session's draft; made at the newest revision if there is none."""
        check_draft_id(draft_id)
        with self._drafts_lock:
            draft = self._drafts.get(draft_id)
            if draft is None:
                self._expire_drafts()
                draft = self._drafts[draft_id] = StoredDraft(cast(SharedStore, self), draft_id)
                return draft
        draft.reload()
        return draft

    def load_draft(self, draft_id: str) -> DraftRecord | None:
        now = self._now()
        kept = self._kept_draft(draft_id, now - _IDLE)
        if kept is None:
            return None
        base_revision, first, used, steps = kept
        if now - used > _IDLE // 100 and not self.read_only:  # so that reading alone seldom writes
            with suppress(StoreError):  # on a full disk the draft is read all the same
                self._on_shelf(lambda shelf: shelf.touch(draft_id, now))
        return DraftRecord(
            draft_id, base_revision, first, tuple(Step.from_json(json.loads(s)) for s in steps)
        )

    def save_step(self, record: DraftRecord, step: Step) -> None:
        expected = record.steps[-1].number if record.steps else None

        def save(shelf: DraftShelf) -> None:
            shelf.keep(record, self._now())  # which takes the draft's lock
            last = shelf.last_step(record.draft_id)
            if last == step.number and shelf.holds(record.draft_id, step):
                return  # kept already, and only the reply was lost
            if last != expected:
                raise EditedElsewhere(
                    f"The draft {record.draft_id} was edited elsewhere in the meantime; reload "
                    "and make this edit again."
                )
            shelf.add(record.draft_id, step)

        self._on_shelf(save)

    def keep_draft_notes(self, draft_id: str, notes: Mapping[str, str | None]) -> None:
        record = DraftRecord(check_draft_id(draft_id), self.revision(), 0)
        self._on_shelf(lambda shelf: shelf.keep_notes(record, notes, self._now()))

    def empty_draft(self, record: DraftRecord) -> None:
        self._on_shelf(lambda shelf: self._keep_empty(shelf, record))

    def _keep_empty(self, shelf: DraftShelf, record: DraftRecord) -> None:
        shelf.keep(record, self._now())
        shelf.empty(record.draft_id)

    def _expire_drafts(self) -> None:
        oldest = self._now() - _IDLE
        if not self.read_only and self._has_idle_drafts(oldest):
            with suppress(StoreError):  # on a full disk, or a server that is read-only
                self._on_shelf(lambda shelf: shelf.drop_idle(oldest))
