"""A graph without some of its facts, in memory: nothing is written to any store.

    Retriever(without(store, [fact.id]))

An audit reads such a graph, so it needs no draft of its own and works on a store that is read-only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

from graph.core.edits import Delete
from graph.core.errors import StoreError
from graph.core.protocol import Statistics, TripletStore
from graph.editing.overlay import Overlay
from graph.editing.overlay_reads import OverlayReads
from graph.editing.planning import plan


def without(store: TripletStore, fact_ids: Sequence[int], at: int | None = None) -> TripletStore:
    """The store or draft as it is at a revision, without these facts; to be read only.

    Raises:
        StoreError: if there is no such fact.
    """
    return cast(TripletStore, _Without(store, fact_ids, at))


class _Without(OverlayReads[TripletStore]):
    def __init__(self, store: TripletStore, fact_ids: Sequence[int], at: int | None) -> None:
        self.base, self.url = store, store.url
        self._revision = store.revision() if at is None else at
        self._overlay = Overlay(store, self._revision)
        for fact_id in dict.fromkeys(fact_ids):
            self._overlay.grow(plan(Delete(fact_id), self._overlay))
        gone = ",".join(map(str, sorted(set(fact_ids))))
        digest = hashlib.sha256(gone.encode()).hexdigest()[:16]
        self._state = f"{store.state(self._revision)}-{digest}"

    def revision(self) -> int:
        return self._revision

    def state(self, at: int | None = None) -> str:
        """A key for caches: the state of the store, and which facts are missing."""
        self._at(at)
        return self._state

    def statistics(self) -> Statistics:
        return self._with_own(self.base.statistics())

    def _at(self, at: int | None) -> Overlay:
        if at not in (None, self._revision):
            raise StoreError(f"This graph is read at revision {self._revision}, not at {at}.")
        return self._overlay
