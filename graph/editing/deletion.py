"""A graph without some of its facts, in memory: nothing is written to any store.

    Retriever(without(store, [fact.id]))

An audit reads such a graph, so it needs no draft of its own and works on a store that is read-only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

from graph.core.edits import Delete
from graph.core.protocol import TripletStore
from graph.editing.pinned_reads import PinnedReads
from graph.editing.planning import plan


def without(store: TripletStore, fact_ids: Sequence[int], at: int | None = None) -> TripletStore:
    """The store or draft as it is at a revision, without these facts; to be read only.

    Raises:
        StoreError: if there is no such fact.
    """
    return cast(TripletStore, _Without(store, fact_ids, at))


class _Without(PinnedReads):
    def __init__(self, store: TripletStore, fact_ids: Sequence[int], at: int | None) -> None:
        super().__init__(store, at)
        for fact_id in dict.fromkeys(fact_ids):
            self._overlay.grow(plan(Delete(fact_id), self._overlay))
        gone = ",".join(map(str, sorted(set(fact_ids))))
        self._over = f"-{hashlib.sha256(gone.encode()).hexdigest()[:16]}"
