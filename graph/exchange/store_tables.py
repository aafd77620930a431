"""A store's rows as a copy reads them (exchange/copying.py), the same for every back end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from graph.core.deltas import touched_ids
from graph.core.ids import LARGEST_ID
from graph.core.journal import read_deltas, undone_by
from graph.exchange.copying import Row

_VERSIONED = ("name", "fact", "rule")


class CopiedStore(Protocol):
    """What a copy needs of a store itself."""

    url: str
    store_id: str

    def revision(self) -> int:
        """The newest revision."""

    def close(self) -> None:
        """Give back files and connections."""


class StoreTables(ABC):
    """A store as the source of a copy; see `graph.exchange.copying.Source`."""

    def __init__(self, store: CopiedStore) -> None:
        self.url = store.url
        self.store_id = store.store_id
        self._copied = store
        self._undone: tuple[int, set[int]] | None = None

    @abstractmethod
    def _read_rows(self, table: str, cursor: Any, at: int) -> tuple[list[Row], Any]:
        """Rows after the cursor as they are kept, and the cursor after them.

        A version that was closed after `at` is read with its later end. Revisions are read
        without whether they stand undone.
        """

    @abstractmethod
    def _undos(self, at: int) -> Iterable[Sequence[str]]:
        """The kind and edit of each undo and redo up to a revision, oldest first."""

    def revision(self) -> int:
        return self._copied.revision()

    def close(self) -> None:
        self._copied.close()

    def read(self, table: str, cursor: Any, at: int) -> tuple[list[Row], Any]:
        first: Any = "" if table.startswith("draft") or table == "identifier" else -1
        rows, after = self._read_rows(table, first if cursor is None else cursor, at)
        if table in _VERSIONED:
            rows = [(*row[:2], row[2] if row[2] <= at else LARGEST_ID, *row[3:]) for row in rows]
        if table == "revision":
            undone = self._undone_at(at)
            rows = [(*row, row[0] in undone) for row in rows]
        return rows, after

    def _undone_at(self, at: int) -> set[int]:
        """The revisions that stood undone at a revision, by the undos and redos up to it."""
        if self._undone is None or self._undone[0] != at:
            self._undone = at, undone_by(self._undos(at))
        return self._undone[1]


def standing_counts(facts: Iterable[Row]) -> Counter[int]:
    """How many current facts from and to it each entity has among the rows of a copy."""
    counts: Counter[int] = Counter()
    for _, _, until, entity_id, _, _, value_id, *_ in facts:
        if until == LARGEST_ID:
            counts.update([entity_id] if value_id is None else [entity_id, value_id])
    return counts


def touched_by(entries: Iterable[Row]) -> list[tuple[int, int, int]]:
    """Which entries are about what: the object's id, the revision and the number of each."""
    return [
        (object_id, revision, number)
        for revision, number, _, _, deltas in entries
        for object_id in touched_ids(read_deltas(deltas))
    ]
