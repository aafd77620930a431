"""Names that differ only by case, accents, punctuation or spacing: likely the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graph.core.import_rows import FactRow, Row
from graph.core.names import plain
from graph.core.protocol import TripletReads

_MOST = 200_000  # names that are compared
_LOOKED_UP = 20_000  # names that are looked up in the store
_GUESSED = 500  # new names whose neighbours in the store are compared
_NEAR = 50  # neighbours that are compared
_TOGETHER = 500  # names looked up at once


class LikelyDuplicates:
    """Collects the entities of an import, and finds pairs of likely duplicates.

    Args:
        store: where the facts go. Its names are compared as they stood before the import.
    """

    def __init__(self, store: TripletReads) -> None:
        self._store = store
        self._names: dict[str, str] = {}
        self._seen: set[str] = set()
        self.pairs: dict[tuple[str, str], None] = {}
        """Two names each, in the order in which they were found."""

    def noting(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, whose entities are noted."""
        seen = self._seen
        for row in rows:
            if isinstance(row, FactRow) and row.entity not in seen and len(seen) < _MOST:
                self._note(row.entity)
            yield row

    def _note(self, name: str) -> None:
        self._seen.add(name)
        name = " ".join(name.split())[:512]
        key = _key(name)
        if not key:
            return
        first = self._names.setdefault(key, name)
        if first != name:
            self.pairs[first, name] = None

    def in_store(self, at: int) -> None:
        """Compare with the names that the store held at a revision.

        Names in other capitals are found for the first 20,000, and those with other accents,
        punctuation or spaces for the first 500 that the store did not have.
        """
        names = list(self._names.values())[:_LOOKED_UP]
        new: list[str] = []
        for begin in range(0, len(names), _TOGETHER):
            some = names[begin : begin + _TOGETHER]
            found = self._store.find_names(some, at)
            for name in some:
                entities = found.get(name, [])
                for entity, how in entities:
                    if how == "folded" and entity.name != name and name not in entity.aliases:
                        self.pairs[entity.name, name] = None
                if not entities and len(new) < _GUESSED:
                    new.append(name)
        for name in new:
            for entity in self._store.candidates(name, _NEAR, at):
                if entity.name != name and _key(entity.name) == _key(name):
                    self.pairs[entity.name, name] = None


def _key(name: str) -> str:
    """What likely duplicates share: their letters and digits, folded, without accents."""
    return "".join(c for c in plain(name) if c.isalnum())
