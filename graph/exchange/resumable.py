"""Importing a file in parts, so that a stopped import can continue.

Each part is one revision. Its reason says which rows of which file it holds, and names the file by
the first digits of its SHA-256. A new run reads these reasons and continues after the last part in
sequence; a part that was undone is imported again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

from graph.core.database_files import refuse_database
from graph.core.errors import StoreError
from graph.core.import_rows import Row
from graph.core.protocol import LoadReport, SharedStore
from graph.editing.loading import NothingImported
from graph.exchange.formats import format_of, read_rows
from graph.exchange.read_options import DEFAULTS, ReadOptions

PART = 100_000  # rows


def load_in_parts(
    store: SharedStore,
    path: Path,
    format_: str | None = None,
    *,
    author: str,
    reason: str = "",
    how: ReadOptions = DEFAULTS,
    part: int = PART,
    on_part: Callable[[int], None] | None = None,
    watch: Callable[[Iterable[Row]], Iterable[Row]] = iter,
    **options: Any,
) -> tuple[LoadReport, int]:
    """Import the rows of a file that are still missing.

    Args:
        store: the store to import into.
        path: the file.
        format_: the format of the file; None for the one that its name ends in.
        author, reason: who imports, and why, for the history.
        how: how to read the file.
        part: rows in each part.
        on_part: called after each part with the number of rows imported so far.
        watch: gets the rows that are still missing, and gives them back.
        options: those of `SharedStore.load`. Without `skip_bad`, an invalid line stops the import
            before its part.

    Raises:
        NothingImported: if all rows that were still missing are invalid.

    Returns:
        What was imported, and how many rows were skipped because an earlier run imported them.
    """
    if format_of(path, format_).is_whole:
        raise StoreError(
            f"{path.name} has a format without an order of rows, so that a stopped import could "
            "not continue; import it without --resumable, or convert it to N-Triples or CSV."
        )
    mark = f"of file {_digest(path)}"
    done = rows_done(store, mark)
    before = store.revision()
    total = LoadReport(revision=before)
    rows = read_rows(path, format_, how)
    if sum(1 for _ in islice(rows, done)) < done:
        raise StoreError(
            f"{path} has fewer rows than were imported from it; restore the file as it was."
        )
    rows = iter(watch(rows))
    skipped = first = done
    nothing: NothingImported | None = None
    while True:
        batch = list(islice(rows, part))
        if not batch:
            if nothing is not None and total.revision == before:
                raise nothing
            return total, skipped
        held = f"rows {first + 1} to {done + len(batch)} {mark}"
        done += len(batch)
        try:
            report = store.load(
                batch, author=author, reason=f"{reason}, {held}" if reason else held, **options
            )
        except NothingImported as problem:
            # Such a part makes no revision; the next one stands for its rows too.
            nothing = problem
            total.bad += len(batch)
            continue
        first = done
        for field in fields(LoadReport):
            had, new = getattr(total, field.name), getattr(report, field.name)
            setattr(total, field.name, new if field.name == "revision" else had + new)
        if on_part is not None:
            on_part(done)


def rows_done(store: SharedStore, mark: str) -> int:
    """How many rows of a file, from its beginning, the journal has as imported."""
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
    refuse_database(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:12]
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}.") from problem
