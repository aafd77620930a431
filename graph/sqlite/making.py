"""Making a store in a new file, so that a file that is only half made is never found.

The file is built next to its place under another name and put there whole.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from graph.core.atomic_files import put
from graph.core.errors import StoreError
from graph.core.protocol import SharedStore
from graph.sqlite.file import path_of
from graph.sqlite.store import SqliteStore


def make_store(url: str, fill: Callable[[SharedStore], None]) -> bool:
    """Make a file with what `fill` writes; False, and nothing is changed, if a store is there.

    Raises `StoreError` if the file there is something else, or it cannot be created.
    """
    path = path_of(url)
    if path.exists():
        SqliteStore(url, read_only=True).close()  # raises if it is not our store
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
    except OSError as problem:
        raise StoreError(f"{path} cannot be created: {problem.strerror}.") from problem
    making = path.with_name(f"{path.name}.making-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        with SqliteStore(f"sqlite:///{making}", create=True) as store:
            fill(store)
        try:
            put(making, path)
        except FileExistsError:  # another process was first: its store stays
            return False
        return True
    finally:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.remove(f"{making}{suffix}")


def _sweep(path: Path) -> None:
    """Remove what builders that were killed left behind."""
    for left in path.parent.glob(f"{path.name}.making-*"):
        found = re.fullmatch(r".*\.making-(\d+)-\w+(?:-wal|-shm)?", left.name)
        if found and not _runs(int(found[1])):
            with suppress(OSError):
                left.unlink()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
