"""What an export writes besides facts: aliases, declared relations, synonyms and settings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TextIO

from graph.core.facts import Fact
from graph.core.import_rows import AliasRow, RelationRow, Row, SettingRow, SynonymRow
from graph.core.names import fold, is_number_or_date
from graph.core.protocol import TripletReads

_TOGETHER = 1000  # names looked up at once
KEYS: dict[type, tuple[str, ...]] = {
    AliasRow: ("alias", "entity"),
    RelationRow: ("relation", "kind", "description"),
    SynonymRow: ("phrase", "relation"),
    SettingRow: ("setting", "value"),
}
"""What each kind of row holds; the last of a relation is optional."""


@dataclass
class OtherRows:
    """The rows of a store that are not facts, at a revision.

    Aliases are those of the entities that an import finds or makes when it reads the facts.
    """

    store: TripletReads
    at: int | None = None
    noted: int = 0
    """Facts so far that have a source or a year."""
    _names: dict[int, str] = field(default_factory=dict)
    _literals: set[int] = field(default_factory=set)
    """Hashes of the literals of undeclared relations, which an import might take for links."""
    _targets: set[int] = field(default_factory=set)
    """Ids that undeclared relations link to; an import makes no entities of them."""
    _loose: int = 0

    def relations(self) -> Iterator[RelationRow]:
        """The declared relations; they come before the facts, which they decide about."""
        for relation in self.store.relations():
            if relation.kind is not None:
                yield RelationRow(0, relation.name, relation.kind, relation.description)

    def noting(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """The facts, whose entities are noted for `later`."""
        kinds = {fold(row.relation): row.kind for row in self.relations()}
        for fact in facts:
            self._names.setdefault(fact.entity_id, fact.entity)
            self.noted += bool(fact.source) or fact.year is not None
            kind = kinds.get(fold(fact.relation))
            if kind == "link" and fact.value_id is not None:
                self._names.setdefault(fact.value_id, fact.value)
            elif kind is None and fact.value_id is None:
                if not is_number_or_date(fact.value):
                    self._literals.add(hash(fact.value))
            elif kind is None and fact.value_id is not None:
                self._loose += is_number_or_date(fact.value)
                self._targets.add(fact.value_id)
            yield fact

    def ambiguous(self) -> int:
        """How many names and values an import would take for the other kind: a link, a literal.

        A value of an undeclared relation is a link where it is spelt as an entity.
        """
        spelt = sum(hash(name) in self._literals for name in self._names.values())
        return spelt + self._loose + len(self._targets - self._names.keys())

    def counts(self) -> Counter[type]:
        """How many rows there are of each kind, after the facts."""
        return Counter(type(row) for row in (*self.relations(), *self.later()))

    def later(self) -> Iterator[AliasRow | SynonymRow | SettingRow]:
        """What comes after the facts."""
        names = list(self._names.items())
        for begin in range(0, len(names), _TOGETHER):
            some = dict(names[begin : begin + _TOGETHER])
            found = self.store.find_names(list(some.values()), self.at)
            for entity_id, name in some.items():
                for entity, _ in found.get(name, []):
                    if entity.id == entity_id:
                        yield from (AliasRow(0, alias, name) for alias in entity.aliases)
        for rule in self.store.rules(at=self.at):
            make = SynonymRow if rule.kind == "synonym" else SettingRow
            yield make(0, rule.name, rule.value)


def cells_of(row: Row) -> dict[str, str]:
    """What a row holds, by the names that its table or its JSON object has for it."""
    return {key: getattr(row, key) for key in KEYS[type(row)]}


def write_json_rows(rows: Iterable[Row], file: TextIO) -> int:
    """Write rows as JSON Lines; returns how many."""
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        file.write(json.dumps(cells_of(row), ensure_ascii=False) + "\n")
    return count


def json_row(number: int, data: dict[str, object]) -> Row | None:
    """The row of a JSON object that is not a fact; None if it has not the keys of one."""
    for make, keys in KEYS.items():
        if set(data) <= set(keys) and set(keys[:2]) <= set(data):
            cells = [data.get(key, "") for key in keys]
            if all(isinstance(cell, str) for cell in cells):
                row: Row = make(number, *cells)
                return row
    return None
