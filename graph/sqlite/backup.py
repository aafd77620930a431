"""Copying a SQLite store into a new file while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from graph.core.atomic_files import check_output, put
from graph.core.errors import StoreError
from graph.sqlite.file import explain


def back_up(reader: sqlite3.Connection, source: Path, path: Path, *, force: bool = False) -> int:
    """Copy the store that `reader` has open at `source` into a new file; returns its revision.

    Readers and writers go on meanwhile. Raises `StoreError` where the file is there already (with
    `force`, only where it is a store in use) or cannot be written; a file half written is removed.
    """
    check_output(path, force=force)
    making = path.with_name(f"{path.name}.making-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(making)) as copy:
            reader.backup(copy)
            (revision,) = copy.execute("SELECT max(revision) FROM revision").fetchone()
            if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise StoreError(f"The backup of {source} is damaged; check the store.")
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
