"""Undo, redo and revert of a revision too large for one transaction: an import, on a Neo4j server.

The journal of an import lists nothing, because the versions themselves show what changed. They may
be millions, so they are taken back in batches under a lease, and compared as a whole before the
first is written. That whole is held in memory here: a million facts need some two gigabytes.
"""

from __future__ import annotations

from functools import partial

from neo4j import ManagedTransaction

from graph.core.deltas import Delta
from graph.editing.shared_store import (
    FindRevision,
    listed_deltas,
    note_taken_back,
    taken_back,
    version_deltas,
)
from graph.neo4j.lease import Lease
from graph.neo4j.writes import Neo4jWriting, View, chunks, write_deltas


def take_back_bulk(lease: Lease, find: FindRevision, kind: str, author: str, reason: str) -> int:
    """Take back what `find` finds, in many transactions that are seen all at once.

    Returns the revision made. Raises `Conflict` where what it changed was changed since.
    """
    with lease:
        read = lease.connection.read
        view = View(read, lease.revision - 1)
        target = find(view)
        deltas = listed_deltas(view, target)
        if deltas is None:
            deltas = version_deltas(View(read, target - 1), View(read, target), target)
        changes = taken_back(view, kind, deltas)
        # All closings before all openings: a name has to be free before another entity has it.
        closing = [Delta(delta.before, None) for delta in changes if delta.before is not None]
        opening = [Delta(None, delta.after) for delta in changes if delta.after is not None]
        for half in (closing, opening):
            for some in chunks(half):
                lease.write(partial(_write, some))

        def last(writing: Neo4jWriting) -> None:
            note_taken_back(writing, kind, target, changes)

        return lease.end(kind, author, reason, last)


def _write(deltas: list[Delta], tx: ManagedTransaction, revision: int) -> None:
    write_deltas(tx, deltas, revision)
