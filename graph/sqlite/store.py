"""The embedded store: one SQLite file, no server.

One locked connection writes, in a transaction an edit; each thread reads through a connection of
its own and never waits for a lock of the writer's. Several processes may share the file.
"""

from __future__ import annotations

import ctypes
import sqlite3
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from graph.core.database_files import OpenFiles
from graph.core.deltas import Delta
from graph.core.errors import StoreError
from graph.core.import_rows import Row
from graph.core.invariants import MOST, check
from graph.core.names import clean_signature
from graph.core.protocol import LoadReport, Statistics, TripletStore
from graph.core.vectors import Vectors
from graph.core.writer_priority import WriterPriority
from graph.editing.draft_shelf import DraftShelf
from graph.editing.loading import Intake
from graph.editing.shared_store import SharedStoreSteps, Writing, version_deltas
from graph.sqlite.backup import back_up
from graph.sqlite.checks import findings
from graph.sqlite.file import OPEN, SCHEMA, connect, explain, is_new, path_of
from graph.sqlite.load import load
from graph.sqlite.purge import SqliteEraser, rewrite
from graph.sqlite.reads import SqliteReads
from graph.sqlite.vectors import lacking, put
from graph.sqlite.writes import SqliteShelf, SqliteWriting

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


class SqliteStore(SqliteReads, SharedStoreSteps):
    """The store in one SQLite file; `core.protocol.TripletStore` says what each method promises.

    Raises `StoreError` where the file is missing (unless `create`), is not a store, is of another
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
        super().__init__(clock)
        self.url = url
        self.read_only = read_only
        self.path = path_of(url)
        self._lock = threading.RLock()  # of the one writing connection
        self._priority = WriterPriority(READER_PAUSE_SECONDS)
        self._local = threading.local()
        self._readers: weakref.WeakSet[_Connection] = weakref.WeakSet()
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
            return StoreError(f"{self.path} cannot be created: {problem.strerror or problem}.")
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
        reader: _Connection | None = getattr(self._local, "reader", None)
        if reader is not None:
            return reader.connection
        if self._closed:
            raise StoreError(f"The store {self.path} is closed.")
        self.require_files()
        reader = _Connection(connect(self.path, write=False, read_only=self.read_only))
        self._local.reader = reader
        self._readers.add(reader)
        return reader.connection

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

    # Reads that only the whole store has

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

    def _revise(
        self,
        kind: str,
        author: str,
        reason: str,
        work: Callable[[SqliteWriting], None],
        write_id: str | None = None,
        *,
        brief: bool = True,
    ) -> int:
        author, reason = clean_signature(author, reason)
        with self.transaction(brief=brief) as connection:
            if write_id is not None:
                done = connection.execute(
                    "SELECT revision FROM revision WHERE write_id = ?", (write_id,)
                ).fetchone()
                if done:
                    return int(done[0])
            writing = SqliteWriting(connection)
            work(writing)
            writing.finish(kind, author, reason, self._now(), write_id)
            return writing.revision

    def _unlisted_deltas(self, writing: Writing, revision: int) -> list[Delta]:
        return version_deltas(writing.at(revision - 1), writing.at(revision), revision)

    def _load(
        self, rows: Iterable[Row], intake: Intake, kind: str, author: str, reason: str
    ) -> LoadReport:
        return load(partial(self._revise, brief=False), rows, intake, kind, author, reason)

    def unembedded(self, after: int = -1, limit: int = 1000) -> list[tuple[int, str]]:
        return lacking(self._rows, after, limit)

    def embed(self, names: Sequence[tuple[int, str]], vectors_ND: Vectors) -> None:
        with self.transaction(brief=False) as connection:
            put(connection, names, vectors_ND)

    # Upkeep

    purge_notice = ""

    def check(self, most: int = MOST) -> list[str]:
        return check(cast(TripletStore, self), findings(self._rows), most)

    def purge(self, fact_ids: Sequence[int], *, author: str, reason: str = "") -> int:
        revision = super().purge(fact_ids, author=author, reason=reason)
        self.rewrite()
        return revision

    def _eraser(self, writing: Writing) -> SqliteEraser:
        assert isinstance(writing, SqliteWriting)
        return SqliteEraser(writing.sql)

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
                f"The facts are purged, but another process reads {self.path}, so its log "
                "still holds traces; run purge without an id once that process has ended."
            )

    def back_up(self, path: Path, *, force: bool = False) -> int:
        """Copy the store, as it is at this moment, into a new file; returns its revision."""
        return back_up(self._reader(), self.path, path, force=force)

    # Drafts

    def _kept_draft(
        self, draft_id: str, oldest: int
    ) -> tuple[int, int, int, tuple[str, ...]] | None:
        rows = self._rows(
            "SELECT base_revision, first, used FROM draft WHERE id = ? AND used > ?",
            (draft_id, oldest),
        )
        if not rows:
            return None
        steps = self._rows(
            "SELECT data FROM draft_step WHERE draft_id = ? ORDER BY number", (draft_id,)
        )
        base_revision, first, used = rows[0]
        return base_revision, first, used, tuple(data for (data,) in steps)

    def draft_notes(self, draft_id: str) -> dict[str, str]:
        if not self._rows("SELECT 1 FROM sqlite_master WHERE name = 'draft_note'"):
            return {}
        return dict(self._rows("SELECT name, data FROM draft_note WHERE draft_id = ?", (draft_id,)))

    def _has_idle_drafts(self, oldest: int) -> bool:
        return bool(self._rows("SELECT 1 FROM draft WHERE used <= ? LIMIT 1", (oldest,)))

    def _on_shelf(self, work: Callable[[DraftShelf], None]) -> None:
        with self.transaction() as connection:
            work(SqliteShelf(connection))
