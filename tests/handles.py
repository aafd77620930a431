"""Watches for handles on databases: a test fails if our code opens a file that SQLite has open.

Python reports every `open`, and every connection of SQLite's, to an audit hook. A hook cannot be
removed, so there is one for the run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SUFFIXES = ("", "-wal", "-shm", "-journal")
_TESTS = str(ROOT / "tests") + os.sep
_STANDARD = os.path.dirname(os.__file__) + os.sep
_THIRD = os.path.join(_STANDARD, "site-packages") + os.sep

_watched: set[str] = set()  # all files that a connection was ever made to, and what SQLite adds
_found: list[str] = []
_names: set[str] = set()  # of these files without their folders: a quick first look


def watch() -> None:
    """Begin to watch; once is enough."""
    if not getattr(sys, "_lamplight_watch", False):
        sys._lamplight_watch = True  # type: ignore[attr-defined]
        sys.addaudithook(_hook)


def found() -> list[str]:
    """The handles found since this was asked last, a sentence each."""
    taken = list(_found)
    _found.clear()
    return taken


def locks(path: Path, process: int | None = None) -> list[str]:
    """The locks that a process (this one) holds on a file, as /proc/locks lists them."""
    status = os.stat(path)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    wanted = str(os.getpid() if process is None else process)
    lines = (line.split()[1:] for line in Path("/proc/locks").read_text().splitlines())
    return [" ".join(line) for line in lines if device in line and wanted in line]


def _hook(event: str, given: tuple[Any, ...]) -> None:
    if event == "sqlite3.connect":
        path = _path_of(given[0])
        if path:
            for suffix in SUFFIXES:
                _watched.add(path + suffix)
                _names.add(os.path.basename(path) + suffix)
    elif event == "open":
        name = given[0]
        if not isinstance(name, (str, bytes, os.PathLike)):
            return
        name = os.fsdecode(name)
        if os.path.basename(name) not in _names:
            return
        path = os.path.realpath(name)
        if path in _watched and _is_open(path) and (who := _who()):
            _found.append(f"{who} opens {path}, which SQLite has open.")


def _path_of(database: Any) -> str:
    name = os.fsdecode(database)
    if name.endswith("immutable=1"):  # holds no locks, so it has none to lose
        return ""
    if name.startswith("file:"):
        from urllib.parse import unquote

        name = unquote(name.removeprefix("file:").partition("?")[0])
    return "" if name in ("", ":memory:") else os.path.realpath(name)


def _is_open(path: str) -> bool:
    """Whether this process has the file open; if so, SQLite has: nobody else may."""
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{descriptor}") == path:
                return True
        except OSError:
            continue
    return False


def _who() -> str:
    """The line that opens it, "" if it is a test's own."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        standard = name.startswith(_STANDARD) and not name.startswith(_THIRD)
        if not standard and not name.startswith("<"):
            return "" if name.startswith(_TESTS) else f"{name}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "somebody"
