"""Recognise an SQLite database without opening the file ourselves.

A process's POSIX locks on a file end when the process closes any handle on it. Python's `open` on
a database that SQLite has open would therefore unlock it, and the next process to close the file
would think that it is the last one and delete the log. `stat` is safe because it opens nothing, and
a connection of SQLite's is safe because SQLite knows its other connections.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from graph.core.errors import StoreError

COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite adds to a database's name for the files that belong to it."""


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database, or the log, index or journal of one.

    An empty file is neither, and a file that cannot be read counts as neither.
    """
    path = Path(os.path.realpath(path))
    if _begins_as_one(path):
        return True
    for companion in COMPANIONS:
        name = path.name.removesuffix(companion)
        if name not in ("", path.name) and _begins_as_one(path.with_name(name)):
            return True
    return False


def is_open(path: Path) -> bool:
    """Whether any process, this one included, has the database open that a file is or belongs to.

    SQLite is asked for the exclusive lock, which it gives only where nobody else is connected.
    Where it cannot be asked, the answer is yes.
    """
    path = Path(os.path.realpath(path))
    if not _begins_as_one(path):
        for companion in COMPANIONS:
            path = path.with_name(path.name.removesuffix(companion))
    uri = f"file:{quote(os.fsencode(path))}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, timeout=0, isolation_level=None, uri=True)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as problem:
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
        return code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return False


class OpenFiles:
    """The files of a database that is open: notices when somebody deletes or replaces one.

    What SQLite then writes goes to a file without a name, and is gone when the process ends. To be
    made once a connection has read something, because its log exists from then on.
    """

    def __init__(self, path: Path) -> None:
        self._path = os.path.abspath(path)
        self._log = os.path.realpath(path) + "-wal"
        self._found = self._now()

    def are_there(self) -> bool:
        """Whether they are the files that they were. Takes a few microseconds."""
        return self._now() == self._found

    def another_log(self) -> bool:
        """Whether somebody has begun a new log in place of a deleted one."""
        now = _inode(self._log)
        return now is not None and now != self._found[1]

    def _now(self) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        return _inode(self._path), _inode(self._log)


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def is_too_small(path: Path) -> bool:
    """Whether a file holds a single byte, which SQLite would take for none and write over."""
    try:
        return path.stat().st_size == 1
    except OSError:
        return False


def refuse_database(path: Path) -> None:
    """Raise `StoreError` for a database, before it is read as a file of any other kind."""
    if is_database(path):
        raise StoreError(
            f"{path} is a database and not a file of text; copy a store with: "
            "python -m graph copy --from sqlite:///FILE --to URL"
        )


def _begins_as_one(path: Path) -> bool:
    """Let SQLite read the header. `immutable` means no locks, no log and no index for it."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size < 2:
            return False
        uri = f"file:{quote(os.fsencode(path))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
    except (OSError, ValueError):  # gone, or a name that no file can have
        return False
    except sqlite3.Error as problem:
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
        return code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
    return True
