"""Reading a SQLite store: every read is one or few statements, filtered by revision."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap
from typing import Any

from graph.core.deltas import Delta
from graph.core.facts import Entity, Fact
from graph.core.ids import is_id
from graph.core.journal import JournalEntry, history_subject, read_entry
from graph.core.names import clean_name, fold, literal_key
from graph.core.neighbourhood import walk
from graph.core.protocol import INCOMING, Relation
from graph.core.rules import Rule
from graph.core.vectors import Vectors
from graph.editing.shared_store import UNDOABLE
from graph.lookup.name_search import Groups, NameSearch, storable
from graph.lookup.ranking import merged_into, rank_by_name, rank_entities
from graph.sqlite.dictionary import (
    entities,
    entities_of,
    holding,
    known,
    matching,
    options,
    quoted,
    with_bags,
)
from graph.sqlite.file import NEWEST, OPEN
from graph.sqlite.vectors import IS_THERE, nearest

_FACT = """
    SELECT f.id, f.entity_id, e.text, r.name, coalesce(v.text, f.value), f.value_id,
           f.source, f.year, f.since
    FROM fact f
    JOIN relation r ON r.id = f.relation_id
    JOIN name e ON e.entity_id = f.entity_id AND e.is_alias = 0 AND e.since <= :at AND e.until > :at
    LEFT JOIN name v
        ON v.entity_id = f.value_id AND v.is_alias = 0 AND v.since <= :at AND v.until > :at
    WHERE f.since <= :at AND f.until > :at"""
_FACTS = _FACT + " AND f.entity_id = :id ORDER BY f.id LIMIT :limit"
# CROSS JOIN keeps SQLite to this order: the relation's ids by key, then the entity's few facts.
_FACTS_OF_RELATION = (
    _FACT.replace("FROM fact f\n    JOIN relation r ON", "FROM relation r CROSS JOIN fact f ON")
    + " AND r.key = :key AND f.entity_id = :id ORDER BY f.id LIMIT :limit"
)
# The same order again: the versions of the literal's facts by its key, then those facts.
_FROM_LITERAL = "FROM literal l CROSS JOIN fact f ON f.version = l.version"
_FACTS_WITH = _FACT.replace("FROM fact f", _FROM_LITERAL) + " AND l.key = :literal"
_BATCH = 5000
_SEARCHED = 5000  # names that a search as one types looks at, at most

# Which journal entries are about a fact or an entity; an import's own rows tell what it wrote.
_ABOUT_FACT = """
    AND (EXISTS (SELECT 1 FROM touched t
                 WHERE t.object_id = :object AND t.revision = j.revision AND t.number = j.number)
         OR j.deltas IS NULL AND j.revision IN (
             SELECT since FROM fact WHERE id = :object
             UNION SELECT until FROM fact WHERE id = :object))"""
_ABOUT_ENTITY = _ABOUT_FACT.replace("FROM fact WHERE id", "FROM name WHERE entity_id")


class SqliteReads(NameSearch):
    """The reading half of a store; `_reader` gives the connection of the calling thread."""

    def _reader(self) -> sqlite3.Connection:
        raise NotImplementedError

    def _rows(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
        return self._reader().execute(sql, values).fetchall()

    def revision(self) -> int:
        (newest,) = self._rows("SELECT max(revision) FROM revision")[0]
        return newest or 0

    def entity(self, entity_id: int, at: int | None = None) -> Entity | None:
        if not is_id(entity_id):
            return None
        rows = self._rows(
            "SELECT text FROM name WHERE entity_id = :id AND since <= :at AND until > :at"
            " ORDER BY is_alias, version",
            {"id": entity_id, "at": NEWEST if at is None else at},
        )
        # A row that is not the name comes last, so without a name there are no rows at all.
        return Entity(entity_id, rows[0][0], tuple(text for (text,) in rows[1:])) if rows else None

    def find_entities(self, name: str, at: int | None = None) -> list[tuple[Entity, str]]:
        try:
            cleaned = clean_name(name)
        except ValueError:
            return []
        at = NEWEST if at is None else at
        entities = self._named([fold(cleaned)], at)
        return rank_entities(cleaned, entities, lambda entity_id: self._count(entity_id, at))

    def _named(self, keys: Sequence[str], at: int) -> list[Entity]:
        """The entities with a name or alias of one of these keys."""
        rows = self._rows(
            "SELECT o.entity_id, o.text FROM name k JOIN name o ON o.entity_id = k.entity_id"
            " WHERE k.key IN (SELECT value FROM json_each(:keys))"
            " AND k.since <= :at AND k.until > :at"
            " AND o.since <= :at AND o.until > :at ORDER BY o.is_alias, o.version",
            {"keys": json.dumps(keys), "at": at},
        )
        return list(entities_of(rows).values())

    def find_names(
        self, names: Sequence[str], at: int | None = None
    ) -> dict[str, list[tuple[Entity, str]]]:
        at = NEWEST if at is None else at
        keys = {name: fold(storable(name)) for name in names}
        entities = self._named(list(dict.fromkeys(keys.values())), at)
        return rank_by_name(names, entities, lambda entity_id: self._count(entity_id, at))

    def identified(self, iri: str, at: int | None = None) -> Entity | None:
        at = NEWEST if at is None else at
        rows = self._rows(
            "SELECT entity_id FROM identifier WHERE iri = :iri AND entity_id IS NOT NULL"
            " AND since <= :at ORDER BY since DESC, rowid DESC",
            {"iri": storable(iri), "at": at},
        )
        for (entity_id,) in rows:
            if entity := self.entity(entity_id, at):
                return entity
        for (entity_id,) in rows:
            names = self._rows(
                "SELECT text FROM name WHERE entity_id = :id AND is_alias = 0 AND since <= :at"
                " ORDER BY since DESC LIMIT 1",
                {"id": entity_id, "at": at},
            )
            for (name,) in names:
                if entity := merged_into(name, self.find_entities(name, at)):
                    return entity
        return None

    def relation_identified(self, iri: str) -> str | None:
        rows = self._rows(
            "SELECT r.name FROM identifier i JOIN relation r ON r.id = i.relation_id"
            " WHERE i.iri = ? ORDER BY i.rowid LIMIT 1",
            (storable(iri),),
        )
        return rows[0][0] if rows else None

    def identifiers(self, entity_id: int) -> list[str]:
        if not is_id(entity_id):
            return []
        rows = self._rows(
            "SELECT DISTINCT iri FROM identifier WHERE entity_id = ? ORDER BY rowid", (entity_id,)
        )
        return [iri for (iri,) in rows]

    def _count(self, entity_id: int, at: int) -> int:
        ((count,),) = self._rows(
            "SELECT count(*) FROM fact WHERE entity_id = :id AND since <= :at AND until > :at",
            {"id": entity_id, "at": at},
        )
        return int(count)

    def fact(self, fact_id: int, at: int | None = None) -> Fact | None:
        if not is_id(fact_id):
            return None
        rows = self._rows(
            _FACT + " AND f.id = :id", {"id": fact_id, "at": NEWEST if at is None else at}
        )
        return Fact(*rows[0]) if rows else None

    def facts(
        self,
        entity_id: int,
        relation: str | None = None,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Fact]:
        if not is_id(entity_id):
            return []
        values = _page(entity_id, at, limit)
        if relation is None:
            return [Fact(*row) for row in self._rows(_FACTS, values)]
        key = fold(storable(relation))
        return [Fact(*row) for row in self._rows(_FACTS_OF_RELATION, {**values, "key": key})]

    def facts_to(
        self,
        entity_id: int,
        at: int | None = None,
        limit: int | None = None,
        relation: str | None = None,
    ) -> list[Fact]:
        if not is_id(entity_id):
            return []
        key = None if relation is None else fold(storable(relation))
        values = {**_page(entity_id, at, limit), "key": key}
        named = "" if relation is None else " AND r.key = :key"
        sql = f"{_FACT} AND f.value_id = :id{named} ORDER BY f.id LIMIT :limit"
        return [Fact(*row) for row in self._rows(sql, values)]

    def count_facts_to(self, entity_id: int, relation: str, at: int | None = None) -> int:
        if not is_id(entity_id):
            return 0
        ((count,),) = self._rows(
            "SELECT count(*) FROM fact f JOIN relation r ON r.id = f.relation_id"
            " WHERE f.value_id = :id AND r.key = :key AND f.since <= :at AND f.until > :at",
            {
                "id": entity_id,
                "key": fold(storable(relation)),
                "at": NEWEST if at is None else at,
            },
        )
        return int(count)

    def facts_with(
        self,
        literal: str,
        at: int | None = None,
        limit: int | None = None,
        relation: str | None = None,
    ) -> list[Fact]:
        values = {
            **_page(0, at, limit),
            "literal": literal_key(storable(literal)),
            "key": None if relation is None else fold(storable(relation)),
        }
        named = "" if relation is None else " AND r.key = :key"
        sql = f"{_FACTS_WITH}{named} ORDER BY f.id LIMIT :limit"
        return [Fact(*row) for row in self._rows(sql, values)]

    def count_facts_with(self, literal: str, relation: str, at: int | None = None) -> int:
        ((count,),) = self._rows(
            f"SELECT count(*) {_FROM_LITERAL} JOIN relation r ON r.id = f.relation_id"
            " WHERE l.key = :literal AND r.key = :key AND f.since <= :at AND f.until > :at",
            {
                "literal": literal_key(storable(literal)),
                "key": fold(storable(relation)),
                "at": NEWEST if at is None else at,
            },
        )
        return int(count)

    def find_literals(self, texts: Sequence[str], at: int | None = None) -> dict[str, str]:
        keys = {text: literal_key(storable(text)) for text in texts}
        rows = self._rows(
            f"SELECT k.value, (SELECT f.value {_FROM_LITERAL} WHERE l.key = k.value"  # noqa: S608
            " AND f.since <= :at AND f.until > :at LIMIT 1) AS spelt"
            " FROM json_each(:keys) k WHERE spelt IS NOT NULL",
            {
                "keys": json.dumps(list(dict.fromkeys(keys.values()))),
                "at": NEWEST if at is None else at,
            },
        )
        spelt = dict(rows)
        return {text: spelt[key] for text, key in keys.items() if key in spelt}

    def facts_of(
        self, relation: str, at: int | None = None, limit: int | None = None
    ) -> list[Fact]:
        values = {
            "key": fold(storable(relation)),
            "at": NEWEST if at is None else at,
            "limit": -1 if limit is None else max(0, limit),
        }
        sql = f"{_FACT} AND r.key = :key ORDER BY f.id LIMIT :limit"
        return [Fact(*row) for row in self._rows(sql, values)]

    def neighbourhood(
        self, entity_ids: Iterable[int], hops: int = 1, limit: int = 100, at: int | None = None
    ) -> list[Fact]:
        at = self.revision() if at is None else at
        return walk(self, entity_ids, hops, limit, at)

    def all_facts(self, at: int | None = None) -> Iterator[Fact]:
        at = self.revision() if at is None else at
        last = 0
        while True:
            rows = self._rows(
                _FACT + " AND f.id > :last ORDER BY f.id LIMIT :limit",
                {"at": at, "last": last, "limit": _BATCH},
            )
            yield from starmap(Fact, rows)
            if len(rows) < _BATCH:
                return
            last = rows[-1][0]

    def _pin(self, at: int | None) -> int:
        return NEWEST if at is None else at

    def _listed(self, ids: Sequence[int], at: int) -> list[Entity]:
        return entities(self._rows, list(ids), at)

    def _known_words(self, words: Iterable[str]) -> set[str]:
        return known(self._rows, words)

    def _options(self, words: Sequence[str]) -> dict[str, list[str]]:
        return {word: options(self._rows, word) for word in words}

    def _holding(self, words: Sequence[str]) -> dict[str, list[str]]:
        return {word: holding(self._rows, word) for word in words}

    def _beginning(self, words: Sequence[str]) -> str:
        return " ".join(quoted(word) + "*" for word in words)

    def _all_of(self, groups: Groups) -> str:
        return " AND ".join("(" + " OR ".join(map(quoted, words)) + ")" for words in groups)

    def _best_known(self, query: str, limit: int, at: int) -> list[int]:
        rows = self._rows(
            "SELECT n.entity_id FROM"
            " (SELECT rowid AS version FROM name_words WHERE name_words MATCH :query"
            "  LIMIT :most) w JOIN name n ON n.version = w.version"
            " JOIN entity e ON e.id = n.entity_id"
            " WHERE n.since <= :at AND n.until > :at GROUP BY n.entity_id"
            " ORDER BY max(e.facts) DESC, min(length(n.text)), n.entity_id LIMIT :limit",
            {"query": query, "most": _SEARCHED, "at": at, "limit": limit},
        )
        return [entity_id for (entity_id,) in rows]

    def _matching(self, query: str, limit: int, at: int) -> list[int]:
        return matching(self._rows, query, limit, at)

    def _with_bags(self, bags: Sequence[str], limit: int, at: int) -> list[int]:
        return with_bags(self._rows, bags, limit, at)

    def has_vectors(self) -> bool:
        return bool(self._rows(IS_THERE))

    def near_names(
        self, vector_D: Vectors, limit: int = 10, at: int | None = None
    ) -> list[tuple[Entity, float]]:
        if not self.has_vectors():
            return []
        found = []
        for entity_id, name, cosine in nearest(self._rows, vector_D, 2 * limit):
            entity = self.entity(entity_id, at)
            if entity is not None and entity.name == name:
                found.append((entity, cosine))
        return found[:limit]

    def relation(self, name: str) -> Relation | None:
        rows = self._rows(
            "SELECT name, kind, description FROM relation WHERE key = ?"
            " ORDER BY kind IS NULL, name <> ?, id LIMIT 1",
            (fold(storable(name)), storable(name)),
        )
        return Relation(*rows[0]) if rows else None

    def relations(self) -> list[Relation]:
        rows = self._rows("SELECT name, kind, description FROM relation ORDER BY id")
        return [Relation(*row) for row in rows]

    def former_relations(self, entity_id: int, at: int | None = None) -> list[str]:
        if not is_id(entity_id):
            return []
        at = self.revision() if at is None or at == NEWEST else at
        rows = self._rows(
            "SELECT r.key, r.name, f.until > :at FROM fact f JOIN relation r ON r.id ="
            " f.relation_id WHERE f.entity_id = :id AND f.since <= :at ORDER BY f.id",
            {"id": entity_id, "at": at},
        )
        standing = {key for key, _, stands in rows if stands}
        return list({key: name for key, name, _ in rows if key not in standing}.values())

    def rules(
        self, kind: str | None = None, name: str | None = None, at: int | None = None
    ) -> list[Rule]:
        rows = self._rows(
            "SELECT id, kind, name, value FROM rule WHERE since <= :at AND until > :at"
            " AND (:kind IS NULL OR kind = :kind) AND (:key IS NULL OR key = :key) ORDER BY id",
            {
                "at": NEWEST if at is None else at,
                "kind": kind,
                "key": None if name is None else fold(storable(name)),
            },
        )
        return [Rule(*row) for row in rows]

    def relation_names(self, entity_id: int, at: int | None = None) -> list[str]:
        if not is_id(entity_id):
            return []
        rows = self._rows(
            "SELECT r.key, r.name FROM fact f JOIN relation r ON r.id = f.relation_id"
            " WHERE f.entity_id = :id AND f.since <= :at AND f.until > :at ORDER BY f.id",
            {"id": entity_id, "at": NEWEST if at is None else at},
        )
        return _distinct(rows)

    def relation_names_to(self, entity_id: int, at: int | None = None) -> list[str]:
        if not is_id(entity_id):
            return []
        rows = self._rows(
            "SELECT r.key, r.name FROM fact f JOIN relation r ON r.id = f.relation_id"
            " WHERE f.value_id = :id AND f.since <= :at AND f.until > :at ORDER BY f.id"
            " LIMIT :most",
            {"id": entity_id, "at": NEWEST if at is None else at, "most": INCOMING},
        )
        return _distinct(rows)

    def relation_names_with(self, literal: str, at: int | None = None) -> list[str]:
        rows = self._rows(
            f"SELECT r.key, r.name {_FROM_LITERAL} JOIN relation r ON r.id = f.relation_id"
            " WHERE l.key = :literal AND f.since <= :at AND f.until > :at ORDER BY f.id"
            " LIMIT :most",
            {
                "literal": literal_key(storable(literal)),
                "at": NEWEST if at is None else at,
                "most": INCOMING,
            },
        )
        return _distinct(rows)

    def history(
        self,
        *,
        entity_id: int | None = None,
        fact_id: int | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[JournalEntry]:
        subject = history_subject(entity_id, fact_id)
        about = ""
        if subject is not None:
            about = _ABOUT_FACT if fact_id is not None else _ABOUT_ENTITY
        found = f"FROM journal j WHERE j.revision < :before{about}"
        newest = "ORDER BY j.revision DESC, j.number DESC"
        rows = self._rows(
            "SELECT j.revision, j.kind, r.author, r.time, r.reason, j.edit, j.deltas, r.kind"  # noqa: S608
            " FROM journal j JOIN revision r ON r.revision = j.revision"
            f" WHERE j.revision < :before{about} AND j.revision >="
            f" (SELECT min(revision) FROM (SELECT j.revision AS revision {found} {newest}"
            f" LIMIT :limit)) {newest}",
            {
                "object": subject,
                "before": OPEN if before is None else before,
                "limit": max(0, limit),
            },
        )
        return list(starmap(read_entry, rows))


def _distinct(rows: Iterable[tuple[str, str]]) -> list[str]:
    """The first name of each key."""
    names: dict[str, str] = {}
    for key, name in rows:
        names.setdefault(key, name)
    return list(names.values())


def _page(entity_id: int, at: int | None, limit: int | None) -> dict[str, int]:
    """The parameters of a statement that reads at most `limit` facts of an entity."""
    return {
        "id": entity_id,
        "at": NEWEST if at is None else at,
        "limit": -1 if limit is None else max(0, limit),
    }


class SqliteView(SqliteReads):
    """The reads of a transaction at one revision, or what it sees itself if none is named.

    See `graph.editing.shared_store.StoredView`.
    """

    def __init__(self, connection: sqlite3.Connection, revision: int = NEWEST) -> None:
        self._own = connection
        self._revision = revision

    def _reader(self) -> sqlite3.Connection:
        return self._own

    def _rows(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
        if isinstance(values, dict) and values.get("at") == NEWEST:
            values = {**values, "at": self._revision}
        return super()._rows(sql, values)

    def prefetch(self, deltas: Iterable[Delta]) -> None:
        """Nothing: reads one by one are as fast."""

    def newest_edit(self, *, standing: bool) -> int | None:
        which = "undone = 0 AND " if standing else ""
        kinds = ", ".join(f"'{kind}'" for kind in UNDOABLE)
        ((newest,),) = self._rows(
            f"SELECT max(revision) FROM revision WHERE {which}kind IN ({kinds})"  # noqa: S608
        )
        return None if newest is None else int(newest)

    def undos_after(self, revision: int) -> list[str]:
        rows = self._rows(
            "SELECT edit FROM journal WHERE kind = 'undo' AND revision > ?", (revision,)
        )
        return [edit for (edit,) in rows]

    def first_undone(self, revisions: Sequence[int]) -> int | None:
        for revision in sorted(set(revisions)):
            if self._rows("SELECT 1 FROM revision WHERE revision = ? AND undone = 1", (revision,)):
                return revision
        return None

    def revision_kind(self, revision: int) -> str | None:
        rows = self._rows("SELECT kind FROM revision WHERE revision = ?", (revision,))
        return rows[0][0] if rows else None

    def journalled_deltas(self, revision: int) -> list[str | None]:
        rows = self._rows(
            "SELECT deltas FROM journal WHERE revision = ? ORDER BY number", (revision,)
        )
        return [deltas for (deltas,) in rows]

    def changed_entities(self, revision: int) -> Iterator[list[int]]:
        return _pages(self._changed("name", "entity_id", revision))

    def changed_facts(self, revision: int) -> Iterator[list[int]]:
        return _pages(self._changed("fact", "id", revision))

    def changed_rules(self, revision: int) -> list[int]:
        return self._changed("rule", "id", revision)

    def _changed(self, table: str, column: str, revision: int) -> list[int]:
        rows = self._rows(
            f"SELECT DISTINCT {column} FROM {table} WHERE since = :r OR until = :r"  # noqa: S608
            f" ORDER BY {column}",
            {"r": revision},
        )
        return [number for (number,) in rows]

    def entities(self, ids: Sequence[int]) -> dict[int, Entity]:
        return {entity.id: entity for entity in entities(self._rows, list(ids), self._revision)}

    def facts_by_id(self, ids: Sequence[int]) -> dict[int, Fact]:
        found = (self.fact(fact_id) for fact_id in ids)
        return {fact.id: fact for fact in found if fact is not None}


def _pages(ids: list[int]) -> Iterator[list[int]]:
    return (ids[begin : begin + _BATCH] for begin in range(0, len(ids), _BATCH))
