"""A graph at one revision with edits on top, in memory: nothing is written to any store.

    Retriever(edited(store, 12, steps))

A trace that was written over a draft is replayed on such a graph, and an audit reads one without
some of its facts (`graph.editing.deletion`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import cast

from graph.core.deltas import Delta
from graph.core.errors import StoreError
from graph.core.protocol import Statistics, TripletStore
from graph.editing.overlay import Overlay
from graph.editing.overlay_reads import OverlayReads


class PinnedReads(OverlayReads[TripletStore]):
    """The reads of a store at one revision through an overlay, which its maker fills."""

    def __init__(self, store: TripletStore, at: int | None) -> None:
        self.base, self.url = store, store.url
        self._revision = store.revision() if at is None else at
        self._overlay = Overlay(store, self._revision)
        self._over = ""  # what is laid over the revision, for the key of the state

    def revision(self) -> int:
        return self._revision

    def state(self, at: int | None = None) -> str:
        """A key for caches: the state of the store, and what is laid over it."""
        self._at(at)
        return f"{self.base.state(self._revision)}{self._over}"

    def statistics(self) -> Statistics:
        return self._with_own(self.base.statistics())

    def _at(self, at: int | None) -> Overlay:
        if at not in (None, self._revision):
            raise StoreError(f"This graph is read at revision {self._revision}, not at {at}.")
        return self._overlay


def edited(store: TripletStore, at: int, steps: Iterable[Sequence[Delta]]) -> TripletStore:
    """The store at a revision with the steps of a draft on top, oldest first; to be read only.

    Raises:
        StoreError: if there is no such revision.
    """
    if not 0 <= at <= store.revision():
        raise StoreError(f"There is no revision {at}; the newest is {store.revision()}.")
    return cast(TripletStore, _Edited(store, at, [tuple(step) for step in steps]))


class _Edited(PinnedReads):
    def __init__(self, store: TripletStore, at: int, steps: list[tuple[Delta, ...]]) -> None:
        super().__init__(store, at)
        for step in steps:
            self._overlay.grow(step)
        if steps:
            plain = json.dumps([[delta.to_json() for delta in step] for step in steps])
            self._over = f"-{hashlib.sha256(plain.encode()).hexdigest()[:16]}"
