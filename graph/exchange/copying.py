"""A store copied to another, of whatever kind: facts, ids, names, rules, journal and drafts.

    python -m graph copy --from sqlite:///world.db --to neo4j://localhost:7687

The source may be in use: what it held at one revision is copied. Rows go over in batches, each
noted in the target in the same transaction, so that a copy that was stopped goes on where it was.
At the end the target is read back, and has to have the same rows as were read, by number and
checksum; only then it can be opened. It is a store of its own, of the same revision.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from graph.core.errors import StoreError

BATCH = 5000  # rows that are written in one transaction
TABLES = ("relation", "name", "fact", "rule", "revision", "entry", "draft", "draft_step")
"""What is copied, in this order; each row begins as follows, and is the same in every store:

    relation    number, name, kind, description
    name        entity's id, since, until, whether it is an alias, text
    fact        id, since, until, entity's id, relation, value, value's id, source, year
    rule        id, since, until, kind, name, value
    revision    revision, kind, author, reason, time, write id, whether it is undone
    entry       revision, number, kind, edit, deltas
    draft       id, base revision, first, used
    draft_step  draft's id, number, data
"""
Row = tuple[Any, ...]


class Source(Protocol):
    """A store whose rows are read, in a stable order."""

    url: str
    store_id: str

    def revision(self) -> int:
        """The newest revision."""

    def read(self, table: str, cursor: Any, at: int) -> tuple[list[Row], Any]:
        """Rows after the cursor (None: the first ones) as they stood at a revision.

        With the cursor after them, plain data; None when there are no more.
        """

    def close(self) -> None:
        """Give back files and connections."""


class Target(Source, Protocol):
    """A store in the making, that nobody else can open yet."""

    def progress(self) -> str | None:
        """What was noted with the last batch."""

    def write(self, table: str, rows: list[Row], progress: str) -> None:
        """Write a batch and note the progress, in one transaction; never twice."""

    def finish(self, at: int) -> None:
        """Let it be opened, at that revision."""


@dataclass
class Progress:
    """How far a copy has come."""

    store_id: str
    """The source's."""
    at: int
    """The revision that is copied."""
    table: int = 0
    cursor: Any = None
    counts: dict[str, int] = field(default_factory=dict)
    """Rows read so far, by table."""
    sums: dict[str, str] = field(default_factory=dict)
    """Their checksums: the sum of the rows' digests, which no order changes."""

    def add(self, rows: Iterable[Row]) -> None:
        """Count rows of the present table."""
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
    """Copy a store, or go on with it; tells `on_progress` the table and its rows so far.

    Raises `StoreError` if the target holds an unfinished copy of another source, or if it does not
    read back as what was read.
    """
    noted = target.progress()
    done = Progress(**json.loads(noted)) if noted else Progress(source.store_id, source.revision())
    if done.store_id != source.store_id:
        raise StoreError(
            f"{target.url} holds the unfinished copy of another store; finish that one, or make "
            "the target anew."
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
    """Raise `StoreError` unless the target holds just the rows that were read."""
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
                f"The copy at {target.url} is not what was read: of {table} it has "
                f"{found.counts[table]:,} rows for {done.counts[table]:,}, or others; make the "
                "target anew and copy again."
            )
