"""Copying a store to another of any kind: facts, ids, names, rules, journal and drafts.

    python -m graph copy --from sqlite:///world.db --to neo4j://localhost:7687

The source may be in use: the copy holds what it held at one revision. The target receives rows in
batches and stores the progress in the same transaction as each batch, so that a stopped copy can
continue. At the end the target is read back. Only if its rows equal those of the source, by number
and checksum, can it be opened. It is then an independent store at the same revision.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from graph.core.errors import StoreError

BATCH = 5000  # rows written in one transaction
TABLES = (
    "relation",
    "name",
    "fact",
    "rule",
    "identifier",
    "revision",
    "entry",
    "draft",
    "draft_step",
)
"""The tables, in the order in which they are copied. Their rows are the same for every store:

    relation    number, name, kind, description
    name        entity's id, since, until, whether it is an alias, text
    fact        id, since, until, entity's id, relation, value, value's id, source, year
    rule        id, since, until, kind, name, value
    identifier  IRI, since, entity's id, relation
    revision    revision, kind, author, reason, time, write id, whether it is undone
    entry       revision, number, kind, edit, deltas
    draft       id, base revision, first, used
    draft_step  draft's id, number, data
"""
Row = tuple[Any, ...]


class Source(Protocol):
    """A store whose rows can be read in a stable order."""

    url: str
    store_id: str

    def revision(self) -> int:
        """The newest revision."""

    def read(self, table: str, cursor: Any, at: int) -> tuple[list[Row], Any]:
        """Read the rows after a cursor, as they were at a revision.

        Args:
            table: one of `TABLES`.
            cursor: where the last call ended; None for the first rows.
            at: the revision.

        Returns:
            The rows, and the cursor after them: plain data, or None if there are no more rows.
        """

    def close(self) -> None:
        """Close files and connections."""


class Target(Source, Protocol):
    """A store that is being made and that nobody else can open yet."""

    def progress(self) -> str | None:
        """The progress stored with the last batch; None before the first."""

    def write(self, table: str, rows: list[Row], progress: str) -> None:
        """Write a batch and store the progress in one transaction; never writes a batch twice."""

    def finish(self, at: int) -> None:
        """Allow everybody to open the store, at that revision."""


@dataclass
class Progress:
    """How far a copy is."""

    store_id: str
    """The id of the source."""
    at: int
    """The revision of the source that is copied."""
    table: int = 0
    cursor: Any = None
    counts: dict[str, int] = field(default_factory=dict)
    """Rows read so far, by table."""
    sums: dict[str, str] = field(default_factory=dict)
    """Checksums of the rows by table: the sum of their digests, which no order changes."""

    def add(self, rows: Iterable[Row]) -> None:
        """Count rows of the current table."""
        name = TABLES[self.table]
        count, total = self.counts.get(name, 0), int(self.sums.get(name, "0"), 16)
        for row in rows:
            text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            total = (total + int.from_bytes(digest, "big")) % (1 << 128)
            count += 1
        self.counts[name], self.sums[name] = count, f"{total:x}"


def copy(
    source: Source, target: Target, on_progress: Callable[[str, int], None] | None = None
) -> Progress:
    """Copy a store, or continue a copy that was stopped.

    Args:
        source: the store to copy.
        target: the store that is being made.
        on_progress: called after each batch with the table and the number of its rows so far.

    Raises:
        StoreError: if the target holds an unfinished copy of another store, or if its rows differ
            from those of the source at the end.
    """
    noted = target.progress()
    done = Progress(**json.loads(noted)) if noted else Progress(source.store_id, source.revision())
    if done.store_id != source.store_id:
        raise StoreError(
            f"{target.url} holds an unfinished copy of another store; finish that copy, or delete "
            "it and start again."
        )
    while done.table < len(TABLES):
        table = TABLES[done.table]
        rows, cursor = source.read(table, done.cursor, done.at)
        done.add(rows)
        done.cursor = cursor
        if cursor is None:
            done.table += 1
        target.write(table, rows, json.dumps(asdict(done)))
        if on_progress is not None:
            on_progress(table, done.counts[table])
    _verify(target, done)
    target.finish(done.at)
    return done


def _verify(target: Target, done: Progress) -> None:
    """Raise `StoreError` unless the target holds exactly the rows that were read."""
    found = Progress(done.store_id, done.at)
    for found.table, table in enumerate(TABLES):
        found.add([])
        cursor = None
        while True:
            rows, cursor = target.read(table, cursor, done.at)
            found.add(rows)
            if cursor is None:
                break
        if (found.counts[table], found.sums[table]) != (done.counts[table], done.sums[table]):
            raise StoreError(
                f"The copy at {target.url} differs from its source: the table {table} has "
                f"{found.counts[table]:,} rows, {done.counts[table]:,} were read, or their content "
                "differs; delete the copy and start again."
            )
