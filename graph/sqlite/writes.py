"""Writing to a SQLite store, inside a transaction: deltas, revisions, the journal and drafts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from graph.core.deltas import Delta, fact_counts, name_changes
from graph.core.draft_record import DraftRecord, Step
from graph.core.facts import Fact
from graph.core.journal import Journal
from graph.core.names import fold, literal_key
from graph.core.rules import Rule
from graph.lookup.spelling import bag_of, words_of
from graph.sqlite.dictionary import remember
from graph.sqlite.file import DRAFT_NOTES, OPEN
from graph.sqlite.reads import SqliteView

WRITE_NAME = """INSERT INTO name (entity_id, is_alias, text, key, bag, since, until)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
WRITE_FACT = """INSERT INTO fact (id, entity_id, relation_id, value, value_id, source, year,
    since, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
WRITE_LITERAL = "INSERT INTO literal (key, version) VALUES (?, ?)"


class SqliteWriting:
    """A write in progress; see `graph.editing.shared_store.Writing`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.sql = connection
        (newest,) = connection.execute("SELECT max(revision) FROM revision").fetchone()
        self.revision: int = (newest or 0) + 1
        self.journal = Journal()
        self.now = SqliteView(connection)
        self.drafts = SqliteShelf(connection)

    def at(self, revision: int) -> SqliteView:
        return SqliteView(self.sql, revision)

    def write(self, deltas: Sequence[Delta]) -> None:
        write_deltas(self.sql, deltas, self.revision)

    def mark_undone(self, revision: int, undone: bool) -> None:
        self.sql.execute("UPDATE revision SET undone = ? WHERE revision = ?", (undone, revision))

    def finish(self, kind: str, author: str, reason: str, now: int, write_id: str | None) -> None:
        """Write the revision with its journal."""
        self.sql.execute(
            "INSERT INTO revision (revision, kind, author, reason, time, write_id)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (self.revision, kind, author, reason, now, write_id),
        )
        self.sql.executemany(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?)",
            [(self.revision, *entry) for entry in self.journal.entries],
        )
        self.sql.executemany(
            "INSERT INTO touched VALUES (?, ?, ?)",
            [(object_id, self.revision, number) for object_id, number in self.journal.touched],
        )


class SqliteShelf:
    """The drafts; see `graph.editing.draft_shelf.DraftShelf`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.sql = connection

    def keep(self, record: DraftRecord, now: int) -> None:
        self.sql.execute(
            "INSERT INTO draft VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " base_revision = excluded.base_revision, first = excluded.first, used = excluded.used",
            (record.draft_id, record.base_revision, record.first, now),
        )

    def empty(self, draft_id: str) -> None:
        self.sql.execute("DELETE FROM draft_step WHERE draft_id = ?", (draft_id,))

    def last_step(self, draft_id: str) -> int | None:
        row = self.sql.execute(
            "SELECT max(number) FROM draft_step WHERE draft_id = ?", (draft_id,)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def holds(self, draft_id: str, step: Step) -> bool:
        row = self.sql.execute(
            "SELECT data FROM draft_step WHERE draft_id = ? AND number = ?",
            (draft_id, step.number),
        ).fetchone()
        return row is not None and int(json.loads(row[0])["id"]) == step.id

    def add(self, draft_id: str, step: Step) -> None:
        self.sql.execute(
            "INSERT INTO draft_step VALUES (?, ?, ?)",
            (draft_id, step.number, json.dumps(step.to_json(), ensure_ascii=False)),
        )

    def touch(self, draft_id: str, now: int) -> None:
        self.sql.execute("UPDATE draft SET used = ? WHERE id = ?", (now, draft_id))

    def keep_notes(self, record: DraftRecord, notes: Mapping[str, str | None], now: int) -> None:
        self.sql.execute(DRAFT_NOTES)  # stores of this schema version that are older have none
        self.sql.execute(
            "INSERT INTO draft VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET used = ?4",
            (record.draft_id, record.base_revision, record.first, now),
        )
        for name, text in notes.items():
            if text is None:
                self.sql.execute(
                    "DELETE FROM draft_note WHERE draft_id = ? AND name = ?",
                    (record.draft_id, name),
                )
            else:
                self.sql.execute(
                    "INSERT INTO draft_note VALUES (?1, ?2, ?3)"
                    " ON CONFLICT (draft_id, name) DO UPDATE SET data = ?3",
                    (record.draft_id, name, text),
                )

    def drop_idle(self, oldest: int) -> None:
        self.sql.execute("DELETE FROM draft WHERE used <= ?", (oldest,))


def write_deltas(sql: sqlite3.Connection, deltas: Sequence[Delta], revision: int) -> None:
    """Close the rows of every `before` and open those of every `after`; deltas are net."""
    sql.executemany(
        "UPDATE fact SET until = ? WHERE id = ? AND until = ?",
        [(revision, delta.id, OPEN) for delta in deltas if isinstance(delta.before, Fact)],
    )
    _write_names(sql, deltas, revision)
    for delta in deltas:
        if isinstance(delta.before, Rule) or isinstance(delta.after, Rule):
            write_rule(sql, delta, revision)
    for delta in deltas:
        if isinstance(delta.after, Fact):
            fact = delta.after
            written = sql.execute(
                WRITE_FACT,
                (
                    fact.id,
                    fact.entity_id,
                    find_or_make_relation(sql, fact.relation),
                    fact.value if fact.value_id is None else None,
                    fact.value_id,
                    fact.source,
                    fact.year,
                    revision,
                    OPEN,
                ),
            )
            if fact.value_id is None:
                sql.execute(WRITE_LITERAL, (literal_key(fact.value), written.lastrowid))
    sql.executemany(
        "UPDATE entity SET facts = facts + ? WHERE id = ?",
        [(count, entity_id) for entity_id, count in fact_counts(deltas).items() if count],
    )


def index_literals(sql: sqlite3.Connection, last: int) -> None:
    """Index the literals of all facts after version `last`; a bulk load leaves that to its end.

    In the order of the index, so that each of its pages is written only once.
    """
    sql.create_function("literal_key", 1, literal_key, deterministic=True)
    sql.execute(
        "INSERT INTO literal (key, version) SELECT literal_key(value), version FROM fact"
        " WHERE version > ? AND value IS NOT NULL ORDER BY 1, 2",
        (last,),
    )


def _write_names(sql: sqlite3.Connection, deltas: Sequence[Delta], revision: int) -> None:
    changes = name_changes(deltas)
    closed = [
        *((entity_id, name, False) for entity_id, name in changes.closed_names),
        *((entity_id, alias, True) for entity_id, alias in changes.closed_aliases),
    ]
    sql.executemany(
        "UPDATE name SET until = ? WHERE entity_id = ? AND text = ? AND is_alias = ? AND until = ?",
        [(revision, *row, OPEN) for row in closed],
    )
    sql.executemany(
        "INSERT OR IGNORE INTO entity (id) VALUES (?)", [(number,) for number, _ in changes.names]
    )
    for entity_id, name in changes.names:
        _write_name(sql, entity_id, name, False, revision)
    for entity_id, alias, _ in changes.aliases:
        _write_name(sql, entity_id, alias, True, revision)


def _write_name(
    sql: sqlite3.Connection, entity_id: int, text: str, is_alias: bool, revision: int
) -> None:
    """Open a row for a name or alias, and make it searchable."""
    words = words_of(text)
    bag = bag_of(words)
    version = sql.execute(
        WRITE_NAME, (entity_id, is_alias, text, fold(text), bag, revision, OPEN)
    ).lastrowid
    sql.execute("INSERT INTO name_words (rowid, bag) VALUES (?, ?)", (version, bag))
    remember(sql, words)


def write_rule(sql: sqlite3.Connection, delta: Delta, revision: int) -> None:
    """Close the row of a rule's `before` and open that of its `after`."""
    sql.execute("UPDATE rule SET until = ? WHERE id = ? AND until = ?", (revision, delta.id, OPEN))
    if isinstance(delta.after, Rule):
        rule = delta.after
        sql.execute(
            "INSERT INTO rule (id, kind, name, key, value, since, until)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (rule.id, rule.kind, rule.name, rule.key, rule.value, revision, OPEN),
        )


def find_or_make_relation(sql: sqlite3.Connection, name: str) -> int:
    """The row of a relation, which is made where there is none."""
    row = sql.execute("SELECT id FROM relation WHERE name = ?", (name,)).fetchone()
    if row is None:
        row = sql.execute(
            "INSERT INTO relation (name, key) VALUES (?, ?) RETURNING id", (name, fold(name))
        ).fetchall()[0]
    return int(row[0])
