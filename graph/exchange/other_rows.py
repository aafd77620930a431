"""What an export writes besides facts: aliases, declared relations, synonyms and settings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TextIO
from urllib.parse import quote

from graph.core.facts import Fact
from graph.core.import_rows import AliasRow, RelationRow, Row, SettingRow, SynonymRow
from graph.core.names import fold
from graph.core.protocol import TripletReads

_TOGETHER = 1000  # names looked up at once
_KEYS: dict[type, tuple[str, ...]] = {
    AliasRow: ("alias", "entity"),
    RelationRow: ("relation", "kind", "description"),
    SynonymRow: ("phrase", "relation"),
    SettingRow: ("setting", "value"),
}


@dataclass
class OtherRows:
    """The rows of a store that are not facts, at a revision.

    Aliases are those of the entities that an import finds or makes when it reads the facts.
    """

    store: TripletReads
    at: int | None = None
    _names: dict[int, str] = field(default_factory=dict)

    def relations(self) -> Iterator[RelationRow]:
        """The declared relations; they come before the facts, which they decide about."""
        for relation in self.store.relations():
            if relation.kind is not None:
                yield RelationRow(0, relation.name, relation.kind, relation.description)

    def noting(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """The facts, whose entities are noted for `later`."""
        links = {fold(row.relation) for row in self.relations() if row.kind == "link"}
        for fact in facts:
            self._names.setdefault(fact.entity_id, fact.entity)
            if fact.value_id is not None and fold(fact.relation) in links:
                self._names.setdefault(fact.value_id, fact.value)
            yield fact

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


def write_json_rows(rows: Iterable[Row], file: TextIO) -> int:
    """Write rows as JSON Lines; returns how many."""
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        data = {key: getattr(row, key) for key in _KEYS[type(row)]}
        file.write(json.dumps(data, ensure_ascii=False) + "\n")
    return count


def json_row(number: int, data: dict[str, object]) -> Row | None:
    """The row of a JSON object that is not a fact; None if it has not the keys of one."""
    for make, keys in _KEYS.items():
        if set(data) <= set(keys) and set(keys[:2]) <= set(data):
            cells = [data.get(key, "") for key in keys]
            if all(isinstance(cell, str) for cell in cells):
                row: Row = make(number, *cells)
                return row
    return None


def write_alternative_labels(rows: Iterable[Row], file: TextIO) -> int:
    """Write the aliases among some rows as `skos:altLabel` in N-Triples; returns how many."""
    count = 0
    for row in rows:
        if isinstance(row, AliasRow):
            count += 1
            text = json.dumps(row.alias, ensure_ascii=False)
            entity = quote(row.entity, safe="")
            file.write(
                f"<urn:lamplight:entity:{entity}> "
                f"<http://www.w3.org/2004/02/skos/core#altLabel> {text} .\n"
            )
    return count
