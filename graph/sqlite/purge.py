"""Purging facts from a SQLite file: nothing of them is left in its rows, its indexes or its log."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable

from graph.core.journal import NO_DELTAS
from graph.core.names import literal_key
from graph.editing.purging import Entry, ErasedVersion, Eraser
from graph.sqlite.file import OPEN
from graph.sqlite.vectors import forget

_LEFT_EMPTY = 2  # `undone` of a revision of which a purge left nothing


def rewrite(writer: sqlite3.Connection) -> bool:
    """Write the file again and cut the log, so that nothing deleted is left in either.

    Returns False where another process keeps reading, so that the log could not be cut.
    """
    writer.execute("INSERT INTO name_words (name_words) VALUES ('rebuild')")
    writer.execute("VACUUM")
    (busy, _, _) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


class SqliteEraser(Eraser):
    """The steps of a purge on tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self.sql = connection
        connection.execute("PRAGMA secure_delete = ON")

    def _twins(self, fact_id: int) -> list[tuple[int, bool]]:
        rows = self.sql.execute(
            "SELECT DISTINCT g.id, EXISTS (SELECT 1 FROM fact h WHERE h.id = g.id AND"
            " h.until = :open) FROM fact f JOIN fact g ON g.entity_id = f.entity_id AND"
            " g.relation_id = f.relation_id AND (g.value = f.value OR g.value_id = f.value_id)"
            " WHERE f.id = :id AND g.id <> f.id AND g.until < :open",
            {"id": fact_id, "open": OPEN},
        )
        return [(twin, bool(stands)) for twin, stands in rows]

    def _versions(self, fact_id: int, past_only: bool) -> list[ErasedVersion]:
        rows = self.sql.execute(
            "SELECT entity_id, value_id, relation_id, until = ? FROM fact"
            " WHERE id = ? AND until <= ?",
            (OPEN, fact_id, _last(past_only)),
        )
        return [ErasedVersion(row[0], row[1], row[2], bool(row[3])) for row in rows]

    def _delete_versions(self, fact_id: int, past_only: bool) -> None:
        which = "FROM fact WHERE id = ? AND until <= ?"
        meant = (fact_id, _last(past_only))
        rows = self.sql.execute(f"SELECT value, version {which} AND value IS NOT NULL", meant)
        self.sql.executemany(
            "DELETE FROM literal WHERE key = ? AND version = ?",
            [(literal_key(value), version) for value, version in rows.fetchall()],
        )
        self.sql.execute(f"DELETE {which}", meant)

    def _count(self, counts: Counter[int]) -> None:
        self.sql.executemany(
            "UPDATE entity SET facts = facts + ? WHERE id = ?",
            [(count, entity_id) for entity_id, count in counts.items()],
        )

    def _entries_about(self, object_id: int) -> list[Entry]:
        return self.sql.execute(
            "SELECT j.revision, j.number, j.kind, j.edit, j.deltas FROM touched t JOIN journal j"
            " ON j.revision = t.revision AND j.number = t.number WHERE t.object_id = ?",
            (object_id,),
        ).fetchall()

    def _rewrite_entry(self, revision: int, number: int, edit: str, deltas: str | None) -> None:
        self.sql.execute(
            "UPDATE journal SET edit = ?, deltas = ? WHERE revision = ? AND number = ?",
            (edit, deltas, revision, number),
        )

    def _scrub_revision(self, revision: int) -> None:
        self.sql.execute("UPDATE revision SET reason = '' WHERE revision = ?", (revision,))
        self.sql.execute(
            "UPDATE revision SET undone = ? WHERE revision = ? AND NOT EXISTS"
            " (SELECT 1 FROM journal WHERE revision = ? AND deltas IS NOT ?)",
            (_LEFT_EMPTY, revision, revision, NO_DELTAS),
        )

    def _forget_touched(self, object_id: int) -> None:
        self.sql.execute("DELETE FROM touched WHERE object_id = ?", (object_id,))

    def _empty_drafts_with(self, text: str) -> None:
        self.sql.execute(
            "DELETE FROM draft_step WHERE draft_id IN"
            " (SELECT draft_id FROM draft_step WHERE instr(data, ?))",
            (text,),
        )
        if self.sql.execute("SELECT 1 FROM sqlite_master WHERE name = 'draft_note'").fetchone():
            self.sql.execute("DELETE FROM draft_note")

    def _words_of_unused(self, entity_id: int) -> Iterable[str] | None:
        used = self.sql.execute(
            "SELECT 1 FROM fact WHERE entity_id = :id OR value_id = :id LIMIT 1",
            {"id": entity_id},
        ).fetchone()
        if used:
            return None
        bags = self.sql.execute("SELECT bag FROM name WHERE entity_id = ?", (entity_id,))
        return [word for (bag,) in bags for word in bag.split()]

    def _delete_entity(self, entity_id: int) -> None:
        self.sql.execute(
            "INSERT INTO name_words (name_words, rowid, bag)"
            " SELECT 'delete', version, bag FROM name WHERE entity_id = ?",
            (entity_id,),
        )
        self.sql.execute("DELETE FROM identifier WHERE entity_id = ?", (entity_id,))
        self.sql.execute("DELETE FROM name WHERE entity_id = ?", (entity_id,))
        self.sql.execute("DELETE FROM entity WHERE id = ?", (entity_id,))
        forget(self.sql, entity_id)

    def _delete_unused_relations(self, relations: list[int | str]) -> None:
        unused = (
            "id = ? AND kind IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM fact WHERE relation_id = relation.id)"
        )
        meant = [(relation_id,) for relation_id in relations]
        self.sql.executemany(
            "DELETE FROM identifier WHERE relation_id IN"  # noqa: S608
            f" (SELECT id FROM relation WHERE {unused})",
            meant,
        )
        self.sql.executemany(f"DELETE FROM relation WHERE {unused}", meant)  # noqa: S608

    def _delete_unused_word(self, word: str) -> None:
        if self.sql.execute("SELECT 1 FROM name_vocabulary WHERE term = ?", (word,)).fetchone():
            return
        self.sql.execute(
            "DELETE FROM word_gram WHERE word_id IN (SELECT id FROM word WHERE text = ?)", (word,)
        )
        self.sql.execute("DELETE FROM word WHERE text = ?", (word,))


def _last(past_only: bool) -> int:
    """The last `until` of the versions that are meant."""
    return OPEN - 1 if past_only else OPEN
