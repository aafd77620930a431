"""The embedded store: one SQLite file, no server.

One locked connection writes, in a transaction an edit; each thread reads through a connection of
its own and never waits for a lock of the writer's. Several processes may share the file.
"""

from __future__ import annotations

import ctypes
import json
import sqlite3
import threading
import time
import uuid
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from graph.core.database_files import OpenFiles
from graph.core.deltas import Delta, net, touched_ids
from graph.core.draft_record import IDLE_DAYS, DraftRecord, Step, check_draft_id
from graph.core.edits import Edit, edit_kind, edit_to_json
from graph.core.errors import StoreError
from graph.core.facts import Entity, Fact
from graph.core.import_rows import Row
from graph.core.invariants import MOST, check
from graph.core.journal import read_deltas
from graph.core.names import clean_note, fold
from graph.core.protocol import LoadReport, Statistics
from graph.core.rules import Rule
from graph.core.vectors import Vectors
from graph.core.writer_priority import WriterPriority
from graph.editing.draft import StoredDraft
from graph.editing.planning import conflict, inverse, plan, require_unchanged, slot_differences
from graph.lookup.spelling import bag_of, words_of
from graph.sqlite.backup import back_up
from graph.sqlite.checks import findings
from graph.sqlite.dictionary import remember
from graph.sqlite.file import NEWEST, OPEN, SCHEMA, connect, explain, is_new, path_of
from graph.sqlite.load import load
from graph.sqlite.purge import erase, rewrite
from graph.sqlite.reads import SqliteReads, view
from graph.sqlite.vectors import lacking, put

_EDITS = "('edit', 'publish', 'revert', 'import')"  # what undo takes back


_MOST_DELTAS = 10_000  # what one journal entry lists
READER_PAUSE_SECONDS = 0.02


class _Connection:
    """A reader's connection, closed with the thread that it belongs to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        with suppress(sqlite3.Error):
            self.connection.close()


def _never_close(connection: sqlite3.Connection) -> None:
    """Leave a connection open until the process ends.

    Closing the last one writes its log into the file: a deleted log, over what another process has
    written since.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


class SqliteStore(SqliteReads):
    """The store in one SQLite file; `core.protocol.TripletStore` says what each method promises.

    Raises `StoreError` where the file is missing (unless `create`), is no store, is of another
    version, or cannot be written.
    """

    def __init__(
        self,
        url: str,
        *,
        create: bool = False,
        read_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = url
        self.read_only = read_only
        self.path = path_of(url)
        self.clock = clock
        self._lock = threading.RLock()  # of the one writing connection
        self._priority = WriterPriority(READER_PAUSE_SECONDS)
        self._local = threading.local()
        self._readers: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._drafts: weakref.WeakValueDictionary[str, StoredDraft] = weakref.WeakValueDictionary()
        self._drafts_lock = threading.Lock()
        self._closed = False
        self._files: OpenFiles | None = None
        if not create and not self.path.is_file():
            raise StoreError(
                f"There is no store at {self.path}; make one with: "
                f"python -m graph init --store {url}"
            )
        try:
            if create:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = connect(self.path, write=True, read_only=read_only)
        except (sqlite3.Error, OSError) as problem:
            raise self._explain(problem) from problem
        try:
            if is_new(self._writer):
                if not create:
                    raise StoreError(
                        f"{self.path} is empty; delete it and make a store with: "
                        f"python -m graph init --store {url}"
                    )
                self._make()
            ((self.store_id,),) = self._writer.execute(
                "SELECT value FROM meta WHERE name = 'store_id'"
            ).fetchall()
            self._files = OpenFiles(self.path)
            self._expire_drafts()
        except (sqlite3.Error, StoreError) as problem:
            self._writer.close()
            raise self._explain(problem) from problem

    def require_files(self) -> None:
        """Raise `StoreError` if somebody deleted or replaced the file, or its log."""
        if self._files is not None and not self._files.are_there():
            raise StoreError(
                f"{self.path} or its log was deleted or replaced while it was open, so nothing can "
                "be saved in it; stop this program, look whether the file is the right one, and "
                "start it again."
            )

    def _explain(self, problem: Exception) -> StoreError:
        if isinstance(problem, StoreError):
            return problem
        try:
            self.require_files()
        except StoreError as lost:
            return lost
        if isinstance(problem, OSError):
            return StoreError(f"{self.path} cannot be made: {problem.strerror or problem}.")
        assert isinstance(problem, sqlite3.Error)
        return explain(problem, self.path)

    def _make(self) -> None:
        try:
            self._writer.executescript(f"BEGIN IMMEDIATE; {SCHEMA}")
            self._writer.execute("INSERT INTO meta VALUES ('store_id', ?)", (uuid.uuid4().hex,))
            self._writer.execute("COMMIT")
        except sqlite3.OperationalError:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            if is_new(self._writer):
                raise  # otherwise another process made it in the same moment

    # Connections and transactions

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._local.reader.connection
        except AttributeError:
            pass
        if self._closed:
            raise StoreError(f"The store {self.path} is closed.")
        self.require_files()
        self._local.reader = _Connection(connect(self.path, write=False, read_only=self.read_only))
        self._readers.add(self._local.reader)
        return self._local.reader.connection

    def _rows(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
        self._priority.wait_for_writers()
        try:
            return self._reader().execute(sql, values).fetchall()
        except sqlite3.Error as problem:
            if self._closed:
                raise StoreError(f"The store {self.path} is closed.") from problem
            raise self._explain(problem) from problem

    @contextmanager
    def transaction(self, *, brief: bool = True) -> Iterator[sqlite3.Connection]:
        """The writing connection inside a transaction: committed at the end, or nothing done.

        Readers pause while a `brief` one is open.
        """
        with self._lock, self._priority.writing() if brief else nullcontext():
            if self._closed:
                raise StoreError(f"The store {self.path} is closed.")
            if self.read_only:
                raise StoreError(f"The store {self.path} is open for reading only.")
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                self.require_files()
                yield self._writer
                self._writer.execute("COMMIT")
                self.require_files()  # before the caller hears that it was saved
            except BaseException as problem:
                if self._writer.in_transaction:
                    with suppress(sqlite3.Error):
                        self._writer.execute("ROLLBACK")
                if isinstance(problem, sqlite3.Error):
                    raise self._explain(problem) from problem
                raise

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._files is not None and self._files.another_log():
                _never_close(self._writer)
                return
            for reader in list(self._readers):
                with suppress(sqlite3.Error):
                    reader.connection.close()
            with suppress(sqlite3.Error):
                if not self.read_only and (self._files is None or self._files.are_there()):
                    self._writer.execute("PRAGMA optimize")
            self._writer.close()

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Reads that only the whole store has

    def state(self, at: int | None = None) -> str:
        return f"{self.store_id}@{self.revision() if at is None else at}"

    def statistics(self) -> Statistics:
        row = self._rows(
            f"""SELECT
                (SELECT count(*) FROM name WHERE is_alias = 0 AND until = {OPEN}),
                (SELECT count(*) FROM name WHERE is_alias = 1 AND until = {OPEN}),
                count(*), count(value_id), count(DISTINCT relation_id),
                (SELECT coalesce(max(revision), 0) FROM revision),
                (SELECT count(DISTINCT draft_id) FROM draft_step)
            FROM fact WHERE until = {OPEN}"""  # noqa: S608
        )[0]
        return Statistics(*row)

    # Writes

    def apply(
        self, edits: Sequence[Edit], *, author: str, reason: str = "", write_id: str | None = None
    ) -> int:
        if not edits:
            raise StoreError("There is no edit to make; give at least one.")
        with self.transaction() as connection:
            done = self._written(write_id)
            if done is not None:
                return done
            revision = self.begin_revision("edit", author, reason, write_id)
            reads = view(connection)
            for number, edit in enumerate(edits):
                deltas = plan(edit, reads)
                self._write(deltas, revision)
                self._record(revision, number, edit_kind(edit), edit_to_json(edit), deltas)
            return revision

    def load(self, rows: Iterable[Row], **options: Any) -> LoadReport:
        return load(self, rows, **options)

    def unembedded(self, after: int = -1, limit: int = 1000) -> list[tuple[int, str]]:
        return lacking(self._rows, after, limit)

    def embed(self, names: Sequence[tuple[int, str]], vectors_ND: Vectors) -> None:
        with self.transaction(brief=False) as connection:
            put(connection, names, vectors_ND)

    def undo(self, *, author: str, reason: str = "") -> int:
        with self.transaction():
            row = self._writer.execute(
                f"SELECT max(revision) FROM revision WHERE undone = 0 AND kind IN {_EDITS}"  # noqa: S608
            ).fetchone()
            if row[0] is None:
                raise StoreError("There is nothing to undo.")
            return self._take_back(row[0], "undo", author, reason)

    def redo(self, *, author: str, reason: str = "") -> int:
        with self.transaction():
            # What was undone since the last edit, the oldest first.
            undos = self._writer.execute(
                "SELECT edit FROM journal WHERE kind = 'undo' AND revision >"  # noqa: S608
                f" (SELECT coalesce(max(revision), 0) FROM revision WHERE kind IN {_EDITS})"
            ).fetchall()
            for target in sorted({json.loads(edit).get("revision", 0) for (edit,) in undos}):
                if self._writer.execute(
                    "SELECT 1 FROM revision WHERE revision = ? AND undone = 1", (target,)
                ).fetchone():
                    return self._take_back(target, "redo", author, reason)
            raise StoreError("There is nothing to redo.")

    def revert(self, revision: int, *, author: str, reason: str = "") -> int:
        with self.transaction():
            row = None
            if type(revision) is int and 0 < revision < NEWEST:
                row = self._writer.execute(
                    "SELECT kind FROM revision WHERE revision = ?", (revision,)
                ).fetchone()
            if row is None or row[0] == "init":
                raise StoreError(
                    f"There is no revision {revision} to revert; the history shows which there are."
                )
            return self._take_back(revision, "revert", author, reason)

    def _take_back(self, target: int, kind: str, author: str, reason: str) -> int:
        deltas = self._deltas_of(target)
        if kind != "redo":
            deltas = inverse(deltas)
        word = {"undo": "undone", "redo": "redone", "revert": "reverted"}[kind]
        require_unchanged(deltas, view(self._writer), word)
        revision = self.begin_revision(kind, author, reason, None)
        self._write(deltas, revision)
        if kind != "revert":
            self._writer.execute(
                "UPDATE revision SET undone = ? WHERE revision = ?", (kind == "undo", target)
            )
        edit = {"kind": kind, "revision": target}
        self._record(revision, 0, kind, edit, deltas)
        return revision

    def publish_draft(
        self,
        record: DraftRecord,
        steps: Sequence[Step],
        *,
        author: str,
        reason: str,
        write_id: str | None,
    ) -> int:
        with self.transaction() as connection:
            done = self._written(write_id)
            if done is not None:
                return done
            deltas = net(delta for step in steps for delta in step.deltas())
            if not deltas:
                raise StoreError("There is nothing to publish: the draft changes nothing.")
            now, base = view(connection), view(connection, record.base_revision)
            differences = slot_differences(deltas, base, now)
            if differences:
                raise conflict(differences, "published")
            require_unchanged(deltas, now, "published")
            revision = self.begin_revision("publish", author, reason, write_id)
            self._write(deltas, revision)
            edits = [pair for step in steps for pair in step.edits]
            for number, (edit, own) in enumerate(edits):
                self._record(revision, number, edit_kind(edit), edit_to_json(edit), own)
            self._keep_draft(replace(record, base_revision=revision), empty=True)
            return revision

    def _written(self, write_id: str | None) -> int | None:
        """The revision that a write of this id made, if it was written before."""
        if write_id is None:
            return None
        row = self._writer.execute(
            "SELECT revision FROM revision WHERE write_id = ?", (write_id,)
        ).fetchone()
        return row[0] if row else None

    def begin_revision(self, kind: str, author: str, reason: str, write_id: str | None) -> int:
        """A new row in the list of revisions; to be called inside a transaction."""
        return self._writer.execute(
            "INSERT INTO revision (revision, kind, author, reason, time, write_id)"
            " VALUES ((SELECT coalesce(max(revision), 0) + 1 FROM revision), ?, ?, ?, ?, ?)"
            " RETURNING revision",
            (
                kind,
                clean_note(author, "author"),
                clean_note(reason, "reason"),
                int(self.clock() * 1000),
                write_id,
            ),
        ).fetchall()[0][0]

    def _record(
        self, revision: int, number: int, kind: str, edit: dict[str, Any], deltas: Sequence[Delta]
    ) -> None:
        if len(deltas) > _MOST_DELTAS:
            self.record_bulk(revision, number, kind, edit)
            return
        self._writer.execute(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?)",
            (
                revision,
                number,
                kind,
                json.dumps(edit, ensure_ascii=False),
                json.dumps([delta.to_json() for delta in deltas], ensure_ascii=False),
            ),
        )
        self._writer.executemany(
            "INSERT INTO touched VALUES (?, ?, ?)",
            [(object_id, revision, number) for object_id in touched_ids(deltas)],
        )

    def record_bulk(self, revision: int, number: int, kind: str, edit: dict[str, Any]) -> None:
        """Journal a write too large to list: the rows themselves tell what changed."""
        self._writer.execute(
            "INSERT INTO journal VALUES (?, ?, ?, ?, NULL)",
            (revision, number, kind, json.dumps(edit, ensure_ascii=False)),
        )

    def _deltas_of(self, revision: int) -> list[Delta]:
        """What a revision changed, net."""
        rows = self._writer.execute(
            "SELECT deltas FROM journal WHERE revision = ? ORDER BY number", (revision,)
        ).fetchall()
        if all(deltas is not None for (deltas,) in rows):
            return net(delta for (deltas,) in rows for delta in read_deltas(deltas))
        before, after = view(self._writer, revision - 1), view(self._writer, revision)
        facts = self._writer.execute(
            "SELECT DISTINCT id FROM fact WHERE since = :r OR until = :r ORDER BY id",
            {"r": revision},
        ).fetchall()
        entities = self._writer.execute(
            "SELECT DISTINCT entity_id FROM name WHERE since = :r OR until = :r ORDER BY entity_id",
            {"r": revision},
        ).fetchall()
        rules = self._writer.execute(
            "SELECT DISTINCT id FROM rule WHERE since = :r OR until = :r ORDER BY id",
            {"r": revision},
        ).fetchall()
        were = {rule.id: rule for rule in before.rules()} if rules else {}
        are = {rule.id: rule for rule in after.rules()} if rules else {}
        return [
            *(Delta(were.get(i), are.get(i)) for (i,) in rules),
            *(Delta(before.entity(i), after.entity(i)) for (i,) in entities),
            *(Delta(before.fact(i), after.fact(i)) for (i,) in facts),
        ]

    def _write(self, deltas: Sequence[Delta], revision: int) -> None:
        """Close the rows of every `before` and open those of every `after`."""
        writer = self._writer
        known: Counter[int] = Counter()
        for delta in deltas:
            if isinstance(delta.before, Rule) or isinstance(delta.after, Rule):
                self.write_rule(delta, revision)
            elif isinstance(delta.before, Fact):
                writer.execute(
                    "UPDATE fact SET until = ? WHERE id = ? AND until = ?",
                    (revision, delta.id, OPEN),
                )
                known.subtract(_ends(delta.before))
            elif isinstance(delta.before, Entity):
                gone = _names(delta.before) - _names(delta.after)
                writer.executemany(
                    "UPDATE name SET until = ? WHERE entity_id = ? AND text = ? AND is_alias = ?"
                    " AND until = ?",
                    [(revision, delta.id, text, is_alias, OPEN) for text, is_alias in gone],
                )
        for delta in deltas:
            if isinstance(delta.after, Entity):
                writer.execute("INSERT OR IGNORE INTO entity (id) VALUES (?)", (delta.id,))
                had = _names(delta.before)
                for name in sorted(_names(delta.after) - had, key=_order_of(delta.after)):
                    self.write_name(delta.id, *name, revision)
        for delta in deltas:
            if isinstance(delta.after, Fact):
                fact = delta.after
                writer.execute(
                    "INSERT INTO fact (id, entity_id, relation_id, value, value_id, source, year,"
                    " since, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        fact.id,
                        fact.entity_id,
                        self.relation_id(fact.relation),
                        fact.value if fact.value_id is None else None,
                        fact.value_id,
                        fact.source,
                        fact.year,
                        revision,
                        OPEN,
                    ),
                )
                known.update(_ends(fact))
        writer.executemany(
            "UPDATE entity SET facts = facts + ? WHERE id = ?",
            [(count, entity_id) for entity_id, count in known.items() if count],
        )

    def write_name(self, entity_id: int, text: str, is_alias: bool, revision: int) -> None:
        """Open a row for a name or alias, and make it searchable."""
        words = words_of(text)
        bag = bag_of(words)
        version = self._writer.execute(
            "INSERT INTO name (entity_id, is_alias, text, key, bag, since, until)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entity_id, is_alias, text, fold(text), bag, revision, OPEN),
        ).lastrowid
        self._writer.execute("INSERT INTO name_words (rowid, bag) VALUES (?, ?)", (version, bag))
        remember(self._writer, words)

    def write_rule(self, delta: Delta, revision: int) -> None:
        """Close the row of a rule's `before` and open that of its `after`."""
        self._writer.execute(
            "UPDATE rule SET until = ? WHERE id = ? AND until = ?", (revision, delta.id, OPEN)
        )
        if isinstance(delta.after, Rule):
            rule = delta.after
            self._writer.execute(
                "INSERT INTO rule (id, kind, name, key, value, since, until)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (rule.id, rule.kind, rule.name, rule.key, rule.value, revision, OPEN),
            )

    def relation_id(self, name: str) -> int:
        """The row of a relation, made if need be; to be called inside a transaction."""
        row = self._writer.execute("SELECT id FROM relation WHERE name = ?", (name,)).fetchone()
        if row is None:
            row = self._writer.execute(
                "INSERT INTO relation (name, key) VALUES (?, ?) RETURNING id", (name, fold(name))
            ).fetchall()[0]
        return row[0]

    # Upkeep

    purge_notice = ""

    def check(self, most: int = MOST) -> list[str]:
        return check(self, findings(self._rows), most)

    def purge(self, fact_ids: Sequence[int], *, author: str, reason: str = "") -> int:
        with self.transaction(brief=False) as connection:
            revision = self.begin_revision("purge", author, reason, None)
            erase(connection, fact_ids)
            purged = len(set(fact_ids))
            self.record_bulk(revision, 0, "purge", {"kind": "purge", "facts": purged})
        self.rewrite()
        return revision

    def rewrite(self) -> None:
        with self._lock:
            self.require_files()
            try:
                is_cut = rewrite(self._writer)
            except sqlite3.Error as problem:
                raise self._explain(problem) from problem
            self.require_files()
        if not is_cut:
            raise StoreError(
                f"The facts are purged, but another process reads {self.path}, so traces are in "
                "its log; run purge again without an id when that has ended."
            )

    def back_up(self, path: Path, *, force: bool = False) -> int:
        """Copy the store, as it is at this moment, into a new file; returns its revision."""
        return back_up(self._reader(), self.path, path, force=force)

    # Drafts

    def draft(self, draft_id: str) -> StoredDraft:
        """The session's draft; made at the newest revision if there is none."""
        check_draft_id(draft_id)
        with self._drafts_lock:
            draft = self._drafts.get(draft_id)
            if draft is None:
                self._expire_drafts()
                draft = self._drafts[draft_id] = StoredDraft(self, draft_id)
                return draft
        draft.reload()
        return draft

    def load_draft(self, draft_id: str) -> DraftRecord | None:
        now = int(self.clock() * 1000)
        rows = self._rows(
            "SELECT base_revision, first, used FROM draft WHERE id = ? AND used > ?",
            (draft_id, now - _IDLE),
        )
        if not rows:
            return None
        base_revision, first, used = rows[0]
        if now - used > _IDLE // 100 and not self.read_only:  # so that reading alone seldom writes
            # On a full disk the draft is read all the same.
            with suppress(StoreError), self.transaction() as connection:
                connection.execute("UPDATE draft SET used = ? WHERE id = ?", (now, draft_id))
        steps = self._rows(
            "SELECT data FROM draft_step WHERE draft_id = ? ORDER BY number", (draft_id,)
        )
        return DraftRecord(
            draft_id,
            base_revision,
            first,
            tuple(Step.from_json(json.loads(data)) for (data,) in steps),
        )

    def save_step(self, record: DraftRecord, step: Step) -> None:
        with self.transaction() as connection:
            last = connection.execute(
                "SELECT max(number) FROM draft_step WHERE draft_id = ?", (record.draft_id,)
            ).fetchone()[0]
            if last != (record.steps[-1].number if record.steps else None):
                raise StoreError(
                    f"The draft {record.draft_id} was edited elsewhere meanwhile; reload and "
                    "make this edit again."
                )
            self._keep_draft(record, empty=False)
            connection.execute(
                "INSERT INTO draft_step VALUES (?, ?, ?)",
                (record.draft_id, step.number, json.dumps(step.to_json(), ensure_ascii=False)),
            )

    def empty_draft(self, record: DraftRecord) -> None:
        with self.transaction():
            self._keep_draft(record, empty=True)

    def _keep_draft(self, record: DraftRecord, *, empty: bool) -> None:
        if empty:
            self._writer.execute("DELETE FROM draft_step WHERE draft_id = ?", (record.draft_id,))
        self._writer.execute(
            "INSERT INTO draft VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " base_revision = excluded.base_revision, first = excluded.first, used = excluded.used",
            (record.draft_id, record.base_revision, record.first, int(self.clock() * 1000)),
        )

    def _expire_drafts(self) -> None:
        oldest = int(self.clock() * 1000) - _IDLE
        if not self.read_only and self._rows(
            "SELECT 1 FROM draft WHERE used <= ? LIMIT 1", (oldest,)
        ):
            with suppress(StoreError), self.transaction() as connection:
                connection.execute("DELETE FROM draft WHERE used <= ?", (oldest,))


_IDLE = IDLE_DAYS * 24 * 3600 * 1000  # milliseconds


def _names(entity: Fact | Entity | Rule | None) -> set[tuple[str, bool]]:
    """An entity's names, each with whether it is an alias."""
    if not isinstance(entity, Entity):
        return set()
    return {(entity.name, False), *((alias, True) for alias in entity.aliases)}


def _order_of(entity: Entity) -> Callable[[tuple[str, bool]], int]:
    order = {text: place for place, text in enumerate((entity.name, *entity.aliases))}
    return lambda name: order[name[0]]


def _ends(fact: Fact) -> list[int]:
    """The entities that a fact is from and to."""
    return [fact.entity_id] if fact.value_id is None else [fact.entity_id, fact.value_id]
