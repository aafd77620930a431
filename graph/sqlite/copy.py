"""The rows of a SQLite store, read and written for a copy (exchange/copying.py)."""

from __future__ import annotations

from typing import Any

from graph.core.atomic_files import put
from graph.core.errors import StoreError
from graph.core.names import fold, literal_key
from graph.exchange.copying import BATCH, Row
from graph.exchange.store_tables import StoreTables, standing_counts, touched_by
from graph.lookup.spelling import bag_of, words_of
from graph.sqlite.dictionary import remember
from graph.sqlite.file import path_of
from graph.sqlite.store import SqliteStore
from graph.sqlite.writes import WRITE_FACT, WRITE_LITERAL, WRITE_NAME

# Each begins with the cursor, which is not part of the row.
_SELECT = {
    "relation": "SELECT id, id, name, kind, description FROM relation WHERE id > :cursor",
    "name": "SELECT version, entity_id, since, until, is_alias, text FROM name"
    " WHERE version > :cursor AND since <= :at AND since < until",
    "fact": "SELECT f.version, f.id, f.since, f.until, f.entity_id, r.name, f.value, f.value_id,"
    " f.source, f.year FROM fact f JOIN relation r ON r.id = f.relation_id"
    " WHERE f.version > :cursor AND f.since <= :at AND f.since < f.until",
    "rule": "SELECT version, id, since, until, kind, name, value FROM rule"
    " WHERE version > :cursor AND since <= :at AND since < until",
    "identifier": "SELECT i.iri || ' ' || printf('%019d', i.rowid), i.iri, i.since, i.entity_id,"
    " r.name FROM identifier i LEFT JOIN relation r ON r.id = i.relation_id"
    " WHERE i.iri || ' ' || printf('%019d', i.rowid) > :cursor AND i.since <= :at",
    "revision": "SELECT revision, revision, kind, author, reason, time, write_id FROM revision"
    " WHERE revision > :cursor AND revision <= :at",
    "entry": "SELECT rowid, revision, number, kind, edit, deltas FROM journal"
    " WHERE rowid > :cursor AND revision <= :at",
    "draft": "SELECT id, id, base_revision, first, used FROM draft"
    " WHERE id > :cursor AND base_revision <= :at",
    "draft_step": "SELECT s.draft_id || ' ' || printf('%019d', s.number), s.draft_id, s.number,"
    " s.data FROM draft_step s JOIN draft d ON d.id = s.draft_id"
    " WHERE s.draft_id || ' ' || printf('%019d', s.number) > :cursor AND d.base_revision <= :at",
}


class SqliteTables(StoreTables):
    """A SQLite store as a source."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self.store = store

    def _read_rows(self, table: str, cursor: Any, at: int) -> tuple[list[Row], Any]:
        found = self.store._rows(
            f"{_SELECT[table]} ORDER BY 1 LIMIT :limit",
            {"cursor": cursor, "at": at, "limit": BATCH},
        )
        rows = [row[1:] for row in found]
        if table == "name":
            rows = [(*row[:3], bool(row[3]), row[4]) for row in rows]
        return rows, found[-1][0] if len(found) == BATCH else None

    def _undos(self, at: int) -> list[tuple[Any, ...]]:
        return self.store._rows(
            "SELECT kind, edit FROM journal WHERE kind IN ('undo', 'redo') AND revision <= ?"
            " ORDER BY revision",
            (at,),
        )


class SqliteTarget(SqliteTables):
    """A file in the making, next to its final place."""

    def __init__(self, url: str) -> None:
        self.path = path_of(url)
        if self.path.exists():
            raise StoreError(f"{self.path} is there already; give the path of a new file.")
        self.making = self.path.with_name(f"{self.path.name}.copying")
        super().__init__(SqliteStore(f"sqlite:///{self.making}", create=True))
        self.url = url
        if self.progress() is None and self.revision() > 0:
            self.close()
            raise StoreError(
                f"{self.making} is a store and not an unfinished copy; give another target."
            )
        self._relations: dict[str, int] = {}

    def progress(self) -> str | None:
        rows = self.store._rows("SELECT value FROM meta WHERE name = 'copying'")
        return str(rows[0][0]) if rows else None

    def write(self, table: str, rows: list[Row], progress: str) -> None:
        with self.store.transaction(brief=False) as sql:
            getattr(self, f"_write_{table}")(sql, rows)
            sql.execute("INSERT OR REPLACE INTO meta VALUES ('copying', ?)", (progress,))

    def _write_relation(self, sql: Any, rows: list[Row]) -> None:
        sql.executemany(
            "INSERT INTO relation (id, name, key, kind, description) VALUES (?, ?, ?, ?, ?)",
            [(number, name, fold(name), *rest) for number, name, *rest in rows],
        )

    def _write_name(self, sql: Any, rows: list[Row]) -> None:
        for entity_id, since, until, is_alias, text in rows:
            sql.execute("INSERT OR IGNORE INTO entity (id) VALUES (?)", (entity_id,))
            words = words_of(text)
            version = sql.execute(
                WRITE_NAME,
                (entity_id, is_alias, text, fold(text), bag_of(words), since, until),
            ).lastrowid
            sql.execute(
                "INSERT INTO name_words (rowid, bag) VALUES (?, ?)", (version, bag_of(words))
            )
            remember(sql, words)

    def _write_fact(self, sql: Any, rows: list[Row]) -> None:
        if not self._relations:
            self._relations = dict(sql.execute("SELECT name, id FROM relation").fetchall())
        for fact_id, since, until, entity_id, relation, value, value_id, source, year in rows:
            written = sql.execute(
                WRITE_FACT,
                (
                    fact_id,
                    entity_id,
                    self._relations[relation],
                    value,
                    value_id,
                    source,
                    year,
                    since,
                    until,
                ),
            )
            if value is not None:
                sql.execute(WRITE_LITERAL, (literal_key(value), written.lastrowid))
        sql.executemany(
            "UPDATE entity SET facts = facts + ? WHERE id = ?",
            [(count, entity_id) for entity_id, count in standing_counts(rows).items()],
        )

    def _write_rule(self, sql: Any, rows: list[Row]) -> None:
        sql.executemany(
            "INSERT INTO rule (id, since, until, kind, name, key, value)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*row[:5], fold(row[4]), row[5]) for row in rows],
        )

    def _write_identifier(self, sql: Any, rows: list[Row]) -> None:
        sql.executemany(
            "INSERT INTO identifier (iri, since, entity_id, relation_id)"
            " VALUES (?, ?, ?, (SELECT id FROM relation WHERE name = ?))",
            rows,
        )

    def _write_revision(self, sql: Any, rows: list[Row]) -> None:
        sql.executemany(
            "INSERT INTO revision (revision, kind, author, reason, time, write_id, undone)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def _write_entry(self, sql: Any, rows: list[Row]) -> None:
        sql.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", rows)
        sql.executemany("INSERT INTO touched VALUES (?, ?, ?)", touched_by(rows))

    def _write_draft(self, sql: Any, rows: list[Row]) -> None:
        sql.executemany("INSERT INTO draft VALUES (?, ?, ?, ?)", rows)

    def _write_draft_step(self, sql: Any, rows: list[Row]) -> None:
        sql.executemany("INSERT INTO draft_step VALUES (?, ?, ?)", rows)

    def finish(self, at: int) -> None:
        with self.store.transaction(brief=False) as sql:
            sql.execute("DELETE FROM meta WHERE name = 'copying'")
        self.store.close()  # which leaves one file, without its log
        try:
            put(self.making, self.path)
        except FileExistsError:
            raise StoreError(
                f"{self.path} is there already; give the path of a new file."
            ) from None
