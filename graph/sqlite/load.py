"""Bulk import into the embedded store: one transaction, one revision, one journal entry.

Rows are streamed, and only bounded caches are kept in memory: ids of entities, the facts of recent
entities, and rows to be written by the thousand.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

from graph.core.edits import AddSynonym, ChangeSetting
from graph.core.errors import StoreError
from graph.core.identifiers import clean_iri
from graph.core.ids import new_ids
from graph.core.import_rows import (
    AliasRow,
    BadLine,
    FactRow,
    RelationRow,
    Row,
    SettingRow,
    SynonymRow,
)
from graph.core.link_rule import declares_link, is_link
from graph.core.names import (
    clean_name,
    fold,
)
from graph.core.protocol import LoadReport
from graph.editing.loading import (
    Intake,
    clean_alias,
    clean_declaration,
    clean_fact,
    clean_identifiers,
    unknown_entity,
)
from graph.lookup.spelling import bag_of, words_of
from graph.sqlite.dictionary import remember_new_names
from graph.sqlite.file import OPEN
from graph.sqlite.writes import (
    WRITE_FACT,
    WRITE_NAME,
    SqliteWriting,
    find_or_make_relation,
    index_literals,
    write_rule,
)

_ALIASED = f"""SELECT DISTINCT entity_id FROM name
    WHERE key = ? AND text = ? AND is_alias = 1 AND until = {OPEN} LIMIT 2"""  # noqa: S608
_ANY_ALIAS = f"SELECT EXISTS (SELECT 1 FROM name WHERE is_alias = 1 AND until = {OPEN})"  # noqa: S608
_ANY_IDENTIFIER = "SELECT EXISTS (SELECT 1 FROM identifier)"
_IDENTIFY = "INSERT INTO identifier (iri, entity_id, relation_id, since) VALUES (?, ?, ?, ?)"
_HELD = f"""SELECT r.key, coalesce(f.value_id, f.value) FROM fact f
    JOIN relation r ON r.id = f.relation_id
    WHERE f.entity_id = ? AND f.until = {OPEN} LIMIT ?"""  # noqa: S608
_CACHED = 200_000  # ids of entities kept in memory, some 30 MB, and values, as many
_MANY = 1000  # facts of an entity above which they are asked for one by one
_TOGETHER = 5000  # rows written at once
_PAGES_KB = 256_000  # of the file kept in memory
_A_LINK = 0  # stands next to a relation's key for all ids that it links to


@dataclass
class _Relation:
    id: int
    key: str
    is_link: bool | None
    same_key: list[int] = field(default_factory=list)
    """The ids of all relations of this folded key."""


def load(
    revise: Callable[[str, str, str, Callable[[SqliteWriting], None]], int],
    rows: Iterable[Row],
    intake: Intake,
    kind: str,
    author: str,
    reason: str,
) -> LoadReport:
    """Import all rows as one revision; see `graph.core.protocol.SharedStore.load`.

    `revise` does a piece of work in a transaction that makes a revision.
    """

    def work(writing: SqliteWriting) -> None:
        with _much_memory(writing.sql):
            loader = _Loader(writing, intake)
            for row in intake.counted(rows):
                if isinstance(row, BadLine):
                    intake.leave_out(row)
                    continue
                try:
                    loader.take(row)
                except StoreError as problem:
                    intake.leave_out(BadLine(row.line, str(problem)))
            intake.refuse_bad()
            intake.refuse_nothing()
            loader.finish()

    intake.report.revision = revise(kind, author, reason, work)
    return intake.report


@contextmanager
def _much_memory(connection: sqlite3.Connection) -> Iterator[None]:
    """A page cache that holds the indexes of some million names, which are written all over."""
    (usual,) = connection.execute("PRAGMA cache_size").fetchone()
    connection.execute(f"PRAGMA cache_size = -{_PAGES_KB}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA cache_size = {usual}")
        connection.execute("PRAGMA shrink_memory")


class _Loader:
    def __init__(self, writing: SqliteWriting, intake: Intake) -> None:
        self.writing = writing
        self.sql = writing.sql
        self.revision = writing.revision
        self.intake = intake
        self.report = intake.report
        self.first_name = self._last("name")
        self.first_fact = self._last("fact")
        self.entities: dict[str, int] = {}
        self.absent: set[str] = set()  # names of no entity: most values are, again and again
        self.any_alias = bool(self.sql.execute(_ANY_ALIAS).fetchone()[0])
        self.relations: dict[str, _Relation] = {}
        self.any_identifier = bool(self.sql.execute(_ANY_IDENTIFIER).fetchone()[0])
        self.identified: dict[str, int] = {}  # entities by the identifiers met lately
        self.has_identifier: set[int] = set()
        self.identifiers: list[tuple[Any, ...]] = []  # rows yet to be written
        self.relations_identified: dict[str, str] = {}
        # Of entities met lately all they hold: the relation's key with a literal or a linked id.
        self.held: dict[int, set[tuple[str, str | int | None]] | None] = {}
        self.held_size = 0
        self.names: list[tuple[Any, ...]] = []  # rows yet to be written; each is in `entities`
        self.facts: list[tuple[Any, ...]] = []
        self.ids = chain.from_iterable(map(new_ids, repeat(_TOGETHER)))
        self.known: Counter[int] = Counter()

    def _last(self, table: str) -> int:
        sql = f"SELECT coalesce(max(version), 0) FROM {table}"  # noqa: S608
        return int(self.sql.execute(sql).fetchone()[0])

    def take(self, row: FactRow | AliasRow | RelationRow | SynonymRow | SettingRow) -> None:
        """Write one row; raises `StoreError`, before it writes anything, if the row is invalid."""
        match row:
            case FactRow():
                self._take_fact(*clean_fact(row, self.intake.source), *clean_identifiers(row))
            case AliasRow():
                self._take_alias(*clean_alias(row), clean_iri(row.entity_iri))
            case RelationRow():
                self._take_relation(*clean_declaration(row))
            case SynonymRow():
                self._take_rule(AddSynonym(row.phrase, row.relation))
            case SettingRow():
                self._take_rule(ChangeSetting(row.setting, row.value))

    def _find(self, name: str) -> int | None:
        """The entity of this name, or the only one with this alias."""
        found = self.entities.get(name)
        if found is not None or name in self.absent:
            return found
        row = self.sql.execute(
            f"SELECT entity_id FROM name WHERE text = ? AND is_alias = 0 AND until = {OPEN}",  # noqa: S608
            (name,),
        ).fetchone()
        if row is None:
            aliased = (fold(name), name)
            rows = self.sql.execute(_ALIASED, aliased).fetchall() if self.any_alias else []
            if len(rows) != 1:
                if len(self.absent) >= _CACHED:
                    self.absent.clear()
                self.absent.add(name)
                return None
            row = rows[0]
        self._keep(name, row[0])
        return int(row[0])

    def _keep(self, name: str, entity_id: int) -> None:
        if len(self.entities) >= _CACHED:
            self._flush()
            self.entities.clear()
        self.entities[name] = entity_id
        self.absent.discard(name)

    def _find_or_make(self, name: str, iri: str = "") -> int:
        if iri:
            return self._identify(name, iri)
        found = self._find(name)
        return self._make(name) if found is None else found

    def _identify(self, name: str, iri: str) -> int:
        """The entity of an identifier: what has it, or has this name and no other identifier."""
        found = self.identified.get(iri)
        if found is not None:
            return found
        there = self.writing.now.identified(iri) if self.any_identifier else None
        if there is not None:
            found = there.id
        else:
            found = self._find(name)
            if found is not None and self._is_identified(found):
                name = self.intake.qualify(name, iri, lambda own: self._find(own) is not None)
                found = None
            if found is None:
                found = self._make(name)
            self.identifiers.append((iri, found, None, self.revision))
        if len(self.identified) >= _CACHED:
            self._flush()
            self.identified.clear()
            self.has_identifier.clear()
            self.any_identifier = True
        self.identified[iri] = found
        self.has_identifier.add(found)
        return found

    def _is_identified(self, entity_id: int) -> bool:
        if entity_id in self.has_identifier:
            return True
        return self.any_identifier and bool(self.writing.now.identifiers(entity_id))

    def _relation_name(self, name: str, iri: str) -> str:
        """The relation of an identifier: what has it, or has this name and no other identifier."""
        found = self.relations_identified.get(iri) or self.writing.now.relation_identified(iri)
        if found is None:
            found = name
            if self._other_relation(name):
                found = self.intake.qualify(name, iri, self._other_relation)
            self.sql.execute(_IDENTIFY, (iri, None, self._relation(found).id, self.revision))
        self.relations_identified[iri] = found
        return found

    def _other_relation(self, name: str) -> bool:
        """Whether an identifier has a relation of this name, in any spelling."""
        sql = "SELECT 1 FROM relation r JOIN identifier i ON i.relation_id = r.id WHERE r.key = ?"
        return self.sql.execute(sql, (fold(name),)).fetchone() is not None

    def _make(self, name: str) -> int:
        entity_id = next(self.ids)
        self._keep(name, entity_id)
        self.names.append(self._name_row(entity_id, name, False))
        self._hold(entity_id, set())
        self.report.entities += 1
        return entity_id

    def _name_row(self, entity_id: int, text: str, is_alias: bool) -> tuple[Any, ...]:
        bag = bag_of(words_of(text))
        return entity_id, is_alias, text, fold(text), bag, self.revision, OPEN

    def _flush(self) -> None:
        """Write the rows that wait; names are made searchable only at the end."""
        self.sql.executemany("INSERT INTO entity (id) VALUES (?)", [row[:1] for row in self.names])
        self.sql.executemany(WRITE_NAME, self.names)
        self.sql.executemany(WRITE_FACT, self.facts)
        self.sql.executemany(_IDENTIFY, self.identifiers)
        self.identifiers.clear()
        self.names.clear()
        self.facts.clear()

    def _relation(self, name: str) -> _Relation:
        relation = self.relations.get(name)
        if relation is None:
            relation_id = find_or_make_relation(self.sql, name)
            rows = self.sql.execute(
                "SELECT id, kind FROM relation WHERE key = ?", (fold(name),)
            ).fetchall()
            kinds = [kind for _, kind in rows if kind is not None]
            same_key = [number for number, _ in rows]
            declared = declares_link(kinds[0] if kinds else None)
            if len(self.relations) >= _CACHED:
                self.relations.clear()
            relation = _Relation(relation_id, fold(name), declared, same_key)
            self.relations[name] = relation
            for other in self.relations.values() if len(same_key) > 1 else ():
                if other.id in same_key:
                    other.same_key = same_key
        return relation

    def _take_fact(
        self,
        name: str,
        relation: str,
        value: str,
        source: str,
        year: int | None,
        entity_iri: str,
        relation_iri: str,
        value_iri: str,
    ) -> None:
        if relation_iri:
            relation = self._relation_name(relation, relation_iri)
        known = self.relations.get(relation) or self._relation(relation)
        linked = known.is_link or (known.is_link is None and value_iri != "")
        if linked:
            value = clean_name(value, "value")
        entity_id = self._find_or_make(name, entity_iri)
        value_id = self._find_or_make(value, value_iri) if linked else None
        there = self._there(entity_id, known, value, value_id)
        if there is not None:
            self._add_source(there, entity_id, source, year)
            return
        self.facts.append(
            (
                next(self.ids),
                entity_id,
                known.id,
                None if linked else value,
                value_id,
                source,
                year,
                self.revision,
                OPEN,
            )
        )
        if len(self.facts) >= _TOGETHER:
            self._flush()
        self.report.facts += 1

    def _there(
        self, entity_id: int, relation: _Relation, value: str, value_id: int | None
    ) -> tuple[Any, ...] | None:
        """The row of the fact that says this already; a new one is held from now on.

        Whether an undeclared value is a link is settled at the end, when all entities are known;
        for now it matters only if it is there already as one.
        """
        held, key = self._held_by(entity_id), relation.key
        may_link = relation.is_link is None and (held is None or (key, _A_LINK) in held)
        if value_id is not None:
            may_link = False
            if held is not None and relation.is_link is None:
                held.add((key, _A_LINK))
        if may_link and is_link(None, value) is None:
            value_id = self._find(value)
        if held is not None and (key, value) not in held and (key, value_id) not in held:
            held.add((key, value if value_id is None or may_link else value_id))
            self.held_size += 1
            return None
        self._flush()
        for relation_id in relation.same_key:
            row: tuple[Any, ...] | None = self.sql.execute(
                "SELECT version, id, relation_id, value, value_id, source, year, since FROM fact"  # noqa: S608
                " WHERE entity_id = ? AND relation_id = ?"
                f" AND until = {OPEN} AND (value_id = ? OR value = ?)",
                (entity_id, relation_id, value_id, value),
            ).fetchone()
            if row is not None:
                return row
        return None

    def _held_by(self, entity_id: int) -> set[tuple[str, str | int | None]] | None:
        """All that an entity holds; None for one that holds too much to be kept in memory."""
        if entity_id not in self.held:
            self._flush()
            rows = self.sql.execute(_HELD, (entity_id, _MANY)).fetchall()
            links = {(key, _A_LINK) for key, value in rows if isinstance(value, int)}
            self._hold(entity_id, None if len(rows) == _MANY else links.union(rows))
        return self.held[entity_id]

    def _hold(self, entity_id: int, held: set[tuple[str, str | int | None]] | None) -> None:
        if self.held_size >= _CACHED:
            self.held.clear()
            self.held_size = 0
        self.held[entity_id] = held
        self.held_size += 1 + len(held or ())

    def _add_source(
        self,
        there: tuple[Any, ...],
        entity_id: int,
        source: str,
        year: int | None,
    ) -> None:
        version, fact_id, relation_id, value, value_id, had, had_year, since = there
        changed = self.intake.add_source(had, had_year, source, year)
        if changed is None:
            return
        sources, new_year = changed
        if since == self.revision:
            self.sql.execute(
                "UPDATE fact SET source = ?, year = ? WHERE version = ?",
                (sources, new_year, version),
            )
            return
        self.sql.execute("UPDATE fact SET until = ? WHERE version = ?", (self.revision, version))
        self.sql.execute(
            WRITE_FACT,
            (
                fact_id,
                entity_id,
                relation_id,
                value,
                value_id,
                sources,
                new_year,
                self.revision,
                OPEN,
            ),
        )
        self.known.subtract([entity_id] if value_id is None else [entity_id, value_id])

    def _take_alias(self, alias: str, name: str, iri: str) -> None:
        entity_id = self.identified.get(iri) if iri else None
        if entity_id is None and iri and self.any_identifier:
            there = self.writing.now.identified(iri)
            entity_id = there.id if there else None
        entity_id = self._find(name) if entity_id is None else entity_id
        if entity_id is None:
            raise unknown_entity(name, alias)
        self._flush()
        there = self.sql.execute(
            f"SELECT 1 FROM name WHERE entity_id = ? AND text = ? AND until = {OPEN}",  # noqa: S608
            (entity_id, alias),
        ).fetchone()
        if there is None:
            self.sql.execute(WRITE_NAME, self._name_row(entity_id, alias, True))
            self.any_alias = True
            self.absent.discard(alias)
            self.entities.pop(alias, None)  # it may have had one meaning, and now has two
            self.report.aliases += 1

    def _take_relation(self, name: str, kind: str, description: str) -> None:
        relation = self._relation(name)
        self.sql.execute(
            "UPDATE relation SET kind = ?, description = ? WHERE id = ?",
            (kind, description, relation.id),
        )
        self.relations.clear()
        self.report.relations += 1

    def _take_rule(self, edit: AddSynonym | ChangeSetting) -> None:
        for delta in self.intake.plan_rule(edit, self.writing.now):
            write_rule(self.sql, delta, self.revision)

    def finish(self) -> None:
        """Settle what is a link, count, index names and literals, and write the journal entry."""
        self._flush()
        sql = self.sql
        sql.create_function("may_link", 1, lambda text: is_link(None, text) is None)
        sql.execute(
            "UPDATE fact SET value = NULL, value_id = n.entity_id FROM name n"  # noqa: S608
            f" WHERE n.text = fact.value AND n.is_alias = 0 AND n.until = {OPEN}"
            " AND fact.version > ? AND fact.relation_id NOT IN"
            " (SELECT r.id FROM relation r JOIN relation k ON k.key = r.key"
            " WHERE k.kind IS NOT NULL) AND may_link(n.text)",
            (self.first_fact,),
        )
        sql.execute(
            """UPDATE entity SET facts = facts + n.count FROM (
                SELECT id, count(*) AS count FROM (
                    SELECT entity_id AS id FROM fact WHERE version > :first
                    UNION ALL
                    SELECT value_id FROM fact WHERE version > :first AND value_id IS NOT NULL)
                GROUP BY id) n
            WHERE n.id = entity.id""",
            {"first": self.first_fact},
        )
        sql.executemany(
            "UPDATE entity SET facts = facts + ? WHERE id = ?",
            [(count, entity_id) for entity_id, count in self.known.items()],
        )
        index_literals(sql, self.first_fact)
        remember_new_names(sql, self.first_name)
        self.writing.journal.add("import", self.intake.journal_edit(), None)
