"""Importing a file in parts that stand by themselves, so that it can be stopped and taken up again.

Each part is one revision, whose reason says which rows of which file it took in (by the first
digits of the file's SHA-256). Starting again reads on behind the last such part; a part that was
undone is taken in again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

from graph.core.errors import StoreError
from graph.core.protocol import LoadReport, SharedStore
from graph.exchange.formats import format_of, read_rows

PART = 100_000  # rows


def load_in_parts(
    store: SharedStore,
    path: Path,
    format_: str | None = None,
    *,
    author: str,
    reason: str = "",
    part: int = PART,
    on_part: Callable[[int], None] | None = None,
    **options: Any,
) -> tuple[LoadReport, int]:
    """Import what is still missing of a file; returns what was done and the rows passed over.

    `on_part` is told the number of rows that are in for good. The options are those of
    `SharedStore.load`; without `skip_bad` a bad line stops before its part.
    """
    if format_of(path, format_).is_whole:
        raise StoreError(
            f"{path.name} is read whole and in no order, so it cannot be taken up again in the "
            "middle; import it without --resumable, or as N-Triples or CSV."
        )
    mark = f"of file {_digest(path)}"
    done = rows_done(store, mark)
    total = LoadReport(revision=store.revision())
    rows = read_rows(path, format_)
    if sum(1 for _ in islice(rows, done)) < done:
        raise StoreError(f"{path} is shorter than what was taken in of it; was it changed?")
    passed = done
    while True:
        taken = list(islice(rows, part))
        if not taken:
            return total, passed
        said = f"rows {done + 1} to {done + len(taken)} {mark}"
        report = store.load(
            taken, author=author, reason=f"{reason}, {said}" if reason else said, **options
        )
        done += len(taken)
        for field in fields(LoadReport):
            had, new = getattr(total, field.name), getattr(report, field.name)
            setattr(total, field.name, new if field.name == "revision" else had + new)
        if on_part is not None:
            on_part(done)


def rows_done(store: SharedStore, mark: str) -> int:
    """The rows up to which a file was taken in, by the journal; 0 if it never was."""
    pattern = re.compile(rf"rows (\d+) to (\d+) {re.escape(mark)}$")
    parts: dict[int, int] = {}
    undone: set[int] = set()
    for entry in _entries(store):
        target = int(entry.edit.get("revision", 0))
        if entry.kind in ("undo", "revert") and entry.revision not in undone:
            undone.add(target)
        elif entry.kind == "import" and entry.revision not in undone:
            found = pattern.search(entry.reason)
            if found:
                parts[int(found[1])] = int(found[2])
        if entry.kind == "redo" and entry.revision not in undone:
            undone.discard(target)
    done = 0
    while done + 1 in parts:
        done = parts[done + 1]
    return done


def _entries(store: SharedStore) -> Iterator[Any]:
    before = None
    while page := store.history(limit=500, before=before):
        yield from page
        before = page[-1].revision


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:12]
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}.") from problem
