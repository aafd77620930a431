"""Purging facts from a SQLite file: nothing of them is left in its rows, its indexes or its log."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from graph.core.errors import StoreError
from graph.core.ids import is_id
from graph.core.journal import NOTHING, without
from graph.sqlite.file import OPEN
from graph.sqlite.vectors import forget

_TAKEN_BACK = 2  # `undone` of a revision of which a purge left nothing


def erase(connection: sqlite3.Connection, fact_ids: Sequence[int]) -> None:
    """Erase facts, their history and their traces, in the transaction that is open.

    Gone are every version of the facts and of earlier ones that said the same, what the journal
    and drafts hold of them, the reasons of revisions that touched them, entities and relations
    that only they used, and their words in the search index. Drafts that edited one
    are emptied. Raises `StoreError` for an id that never was one.
    """
    connection.execute("PRAGMA secure_delete = ON")
    for fact_id in fact_ids:
        known = (
            is_id(fact_id)
            and connection.execute("SELECT 1 FROM fact WHERE id = ?", (fact_id,)).fetchone()
        )
        if not known:
            raise StoreError(f"There is and was no fact {fact_id}; nothing was purged.")
    eraser = _Eraser(connection)
    for fact_id in fact_ids:
        eraser.erase_fact(fact_id)
    eraser.finish()


def rewrite(writer: sqlite3.Connection) -> bool:
    """Write the file anew and cut the log, so that nothing deleted is left in either.

    Returns False where another process keeps reading, so that the log could not be cut.
    """
    writer.execute("INSERT INTO name_words (name_words) VALUES ('rebuild')")
    writer.execute("VACUUM")
    (busy, _, _) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


class _Eraser:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.sql = connection
        self.entities: set[int] = set()
        self.relations: set[int] = set()
        self.words: set[str] = set()

    def erase_fact(self, fact_id: int) -> None:
        """Erase a fact, and what earlier facts said of the same: one deleted and added again."""
        twins = self.sql.execute(
            "SELECT DISTINCT g.id, EXISTS (SELECT 1 FROM fact h WHERE h.id = g.id AND"
            " h.until = :open) FROM fact f JOIN fact g ON g.entity_id = f.entity_id AND"
            " g.relation_id = f.relation_id AND (g.value = f.value OR g.value_id = f.value_id)"
            " WHERE f.id = :id AND g.id <> f.id AND g.until < :open",
            {"id": fact_id, "open": OPEN},
        ).fetchall()
        self._erase_versions(fact_id)
        for twin, stands in twins:
            self._erase_versions(twin, but_standing=bool(stands))

    def _erase_versions(self, fact_id: int, but_standing: bool = False) -> None:
        """Erase all versions of a fact, or those of the past."""
        most = OPEN - 1 if but_standing else OPEN
        for entity_id, value_id, relation_id, until in self.sql.execute(
            "SELECT entity_id, value_id, relation_id, until FROM fact WHERE id = ? AND until <= ?",
            (fact_id, most),
        ).fetchall():
            ends = [end for end in (entity_id, value_id) if end is not None]
            self.entities.update(ends)
            self.relations.add(relation_id)
            if until == OPEN:
                self.sql.executemany(
                    "UPDATE entity SET facts = facts - 1 WHERE id = ?", [(end,) for end in ends]
                )
        self.sql.execute("DELETE FROM fact WHERE id = ? AND until <= ?", (fact_id, most))
        self._scrub(fact_id)

    def finish(self) -> None:
        """Erase what nothing else uses."""
        for entity_id in self.entities:
            used = self.sql.execute(
                "SELECT 1 FROM fact WHERE entity_id = :id OR value_id = :id LIMIT 1",
                {"id": entity_id},
            ).fetchone()
            if not used:
                self._erase_entity(entity_id)
        for relation_id in self.relations:
            self.sql.execute(
                "DELETE FROM relation WHERE id = ? AND kind IS NULL AND NOT EXISTS"
                " (SELECT 1 FROM fact WHERE relation_id = relation.id)",
                (relation_id,),
            )
        for word in self.words:
            if self.sql.execute("SELECT 1 FROM name_vocabulary WHERE term = ?", (word,)).fetchone():
                continue
            for (word_id,) in self.sql.execute(
                "SELECT id FROM word WHERE text = ?", (word,)
            ).fetchall():
                self.sql.execute("DELETE FROM word_gram WHERE word_id = ?", (word_id,))
                self.sql.execute("DELETE FROM word WHERE id = ?", (word_id,))

    def _erase_entity(self, entity_id: int) -> None:
        for version, bag in self.sql.execute(
            "SELECT version, bag FROM name WHERE entity_id = ?", (entity_id,)
        ).fetchall():
            self.words.update(bag.split())
            self.sql.execute(
                "INSERT INTO name_words (name_words, rowid, bag) VALUES ('delete', ?, ?)",
                (version, bag),
            )
        self.sql.execute("DELETE FROM name WHERE entity_id = ?", (entity_id,))
        self.sql.execute("DELETE FROM entity WHERE id = ?", (entity_id,))
        forget(self.sql, entity_id)
        self._scrub(entity_id)

    def _scrub(self, object_id: int) -> None:
        """Take a fact or entity out of the journal's entries, and empty drafts that edited it."""
        for revision, number, kind, edit, deltas in self.sql.execute(
            "SELECT j.revision, j.number, j.kind, j.edit, j.deltas FROM touched t JOIN journal j"
            " ON j.revision = t.revision AND j.number = t.number WHERE t.object_id = ?",
            (object_id,),
        ).fetchall():
            edit, deltas = without(object_id, kind, edit, deltas)
            self.sql.execute(
                "UPDATE journal SET edit = ?, deltas = ? WHERE revision = ? AND number = ?",
                (edit, deltas, revision, number),
            )
            # A reason is anybody's words, and may name what is erased.
            self.sql.execute("UPDATE revision SET reason = '' WHERE revision = ?", (revision,))
            self.sql.execute(
                "UPDATE revision SET undone = ? WHERE revision = ? AND NOT EXISTS"
                " (SELECT 1 FROM journal WHERE revision = ? AND deltas IS NOT ?)",
                (_TAKEN_BACK, revision, revision, NOTHING),
            )
        self.sql.execute("DELETE FROM touched WHERE object_id = ?", (object_id,))
        self.sql.execute(
            "DELETE FROM draft_step WHERE draft_id IN"
            " (SELECT draft_id FROM draft_step WHERE instr(data, ?))",
            (f'"{object_id}"',),
        )
