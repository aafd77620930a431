"""Keeping a SQLite store in order: checking the file, backing it up in use, purging facts."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import chain, islice
from pathlib import Path

from graph.core.atomic_files import check_output, put
from graph.core.errors import StoreError
from graph.core.ids import is_id
from graph.core.invariants import MOST, check
from graph.core.journal import NOTHING, without
from graph.core.names import fold
from graph.core.protocol import SharedStore
from graph.lookup.spelling import bag_of, words_of
from graph.sqlite.file import OPEN, explain
from graph.sqlite.store import SqliteStore
from graph.sqlite.vectors import forget

_TAKEN_BACK = 2  # `undone` of a revision of which a purge left nothing


def on_file(store: SharedStore, verb: str) -> SqliteStore:
    """The store itself if it is a file; else a `StoreError` that says what to do on a server."""
    if not isinstance(store, SqliteStore):
        raise StoreError(
            f"{verb} is for a store in a file; copy this one into a file with: "
            f"python -m graph copy --from {store.url} --to sqlite:///copy.db, "
            "or use the server's own tools."
        )
    return store


def check_file(store: SqliteStore, most: int = MOST) -> list[str]:
    """What is broken in the store or its file, a sentence each; [] if nothing is."""
    try:
        return list(islice(chain(_findings(store), check(store, most)), most))
    except sqlite3.Error as problem:
        return [str(explain(problem, store.path))]
    except StoreError as problem:  # a file too damaged to be read through
        return [str(problem)]


def _findings(store: SqliteStore) -> Iterator[str]:
    rows = store._rows
    for (told,) in rows("PRAGMA integrity_check(20)"):
        if told != "ok":
            yield f"SQLite says of the file: {told}."
    for table, rowid, parent, _ in rows("PRAGMA foreign_key_check"):
        yield f"Row {rowid} of {table} hangs on a row of {parent} that is not there."
    for table in ("fact", "rule", "name"):
        what = "entity_id, text" if table == "name" else "id"
        for found in rows(
            f"SELECT {what} FROM {table} WHERE until = {OPEN} GROUP BY {what}"  # noqa: S608
            " HAVING count(*) > 1"
        ):
            yield f"The {table} {found[-1]} has two versions that both stand."
        for (version,) in rows(
            f"SELECT version FROM {table} WHERE since > until OR NOT EXISTS"  # noqa: S608
            f" (SELECT 1 FROM revision r WHERE r.revision = {table}.since)"
        ):
            yield f"Version {version} of {table} stands from a revision that was never made."
    for (entity_id,) in rows(
        "SELECT DISTINCT entity_id FROM name n WHERE until = ? AND NOT EXISTS (SELECT 1 FROM name m"
        " WHERE m.entity_id = n.entity_id AND m.is_alias = 0 AND m.until = n.until)",
        (OPEN,),
    ):
        yield f"The entity {entity_id} has aliases and no name."
    for version, text, key, bag in rows("SELECT version, text, key, bag FROM name"):
        if key != fold(text) or bag != bag_of(words_of(text)):
            yield f"The name {text} (version {version}) is kept under another's key."
    for entity_id, kept, counted in rows(
        "SELECT e.id, e.facts, (SELECT count(*) FROM fact WHERE entity_id = e.id AND until = :open)"
        " + (SELECT count(*) FROM fact WHERE value_id = e.id AND until = :open) AS n FROM entity e"
        " WHERE e.facts <> n",
        {"open": OPEN},
    ):
        yield f"The entity {entity_id} is counted at {kept} facts and has {counted}."
    for (revision,) in rows(
        "SELECT revision FROM revision r WHERE NOT EXISTS"
        " (SELECT 1 FROM journal j WHERE j.revision = r.revision)"
    ):
        yield f"Revision {revision} is not in the journal."
    (names,), (indexed,) = (
        rows(f"SELECT count(*) FROM {table}")[0]  # noqa: S608
        for table in ("name", "name_words_docsize")
    )
    if names != indexed:
        yield f"{names} names are kept and {indexed} can be searched."
    for (term,) in rows(
        "SELECT term FROM name_vocabulary WHERE term NOT IN (SELECT text FROM word)"
    ):
        yield f"The word {term} of a name is not in the dictionary."


def back_up(store: SqliteStore, path: Path, *, force: bool = False) -> int:
    """Copy the store, as it is at this moment, into a new file; returns its revision.

    Readers and writers go on meanwhile. Raises `StoreError` where the file is there already (with
    `force`, only where it is a store in use) or cannot be written; a file half written is removed.
    """
    check_output(path, force=force)
    making = path.with_name(f"{path.name}.making-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(making)) as copy:
            store._reader().backup(copy)
            (revision,) = copy.execute("SELECT max(revision) FROM revision").fetchone()
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise StoreError(f"The backup of {store.path} is damaged; check the store.")
        check_output(path, force=force)
        put(making, path, replace=force)
        return int(revision or 0)
    except FileExistsError as problem:
        raise StoreError(f"{path} is there already; give the path of a new file.") from problem
    except sqlite3.Error as problem:
        raise explain(problem, path) from problem
    except OSError as problem:
        raise StoreError(f"{path} cannot be written: {problem.strerror or problem}.") from problem
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                os.remove(f"{making}{suffix}")


def purge(store: SqliteStore, fact_ids: Sequence[int], *, author: str, reason: str = "") -> int:
    """Erase facts, their history and their traces from the file; returns the revision.

    Gone are every version of the facts and of earlier ones that said the same, what the journal
    and drafts hold of them, the reasons of revisions that touched them, entities and relations
    that only they used, and their words in the search index. Drafts that edited one
    are emptied. What remains is a journal entry that says how many were purged, by whom and why.
    Then the file is written anew and the log cut, so that no byte of them is left there; backups
    and exports are others. Raises `StoreError` for an id that never was one, or while another
    process keeps reading, whose end the last step has to wait for.
    """
    with store.transaction(brief=False) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        for fact_id in fact_ids:
            known = (
                is_id(fact_id)
                and connection.execute("SELECT 1 FROM fact WHERE id = ?", (fact_id,)).fetchone()
            )
            if not known:
                raise StoreError(f"There is and was no fact {fact_id}; nothing was purged.")
        eraser = _Eraser(connection)
        revision = store.begin_revision("purge", author, reason, None)
        for fact_id in fact_ids:
            eraser.erase_fact(fact_id)
        eraser.finish()
        store.record_bulk(revision, 0, "purge", {"kind": "purge", "facts": len(set(fact_ids))})
    rewrite(store)
    return revision


def rewrite(store: SqliteStore) -> None:
    """Write the file anew and cut the log, so that nothing deleted is left in either."""
    with store._lock:
        writer = store._writer
        store.require_files()
        try:
            writer.execute("INSERT INTO name_words (name_words) VALUES ('rebuild')")
            writer.execute("VACUUM")
            (busy, _, _) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as problem:
            raise explain(problem, store.path) from problem
        store.require_files()
    if busy:
        raise StoreError(
            f"The facts are purged, but another process reads {store.path}, so traces are in its "
            "log; run purge again without an id when that has ended."
        )


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
