"""A revision too large for one transaction of a server, written in many: an import, or its undo.

What is written bears the number of the revision that it will make, so nobody sees it until that is
announced. A lease keeps other writers waiting meanwhile, and is renewed for as long as its process
lives; of one that failed or died, what it wrote is taken out again.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from neo4j import ManagedTransaction

from graph.core.errors import StoreError
from graph.core.names import clean_signature
from graph.neo4j import turns
from graph.neo4j.driver import run
from graph.neo4j.turns import Turn, Turns, give_up, release
from graph.neo4j.writes import Neo4jWriting

Batch = Callable[[ManagedTransaction, int], None]
"""Writes a part, given the transaction and the revision."""


class Lease:
    """The right to write the next revision in parts, given back at the end of the `with`.

    Raises `StoreError` where others write for long, and where the lease was lost: a process that
    slept for a minute is taken for dead.
    """

    def __init__(self, turns: Turns, clock: Callable[[], float]) -> None:
        self.connection = turns.connection
        self.clock = clock
        self._turns = turns
        self.id = uuid.uuid4().hex  # also the write id of the revision
        self.revision = 0  # known once the lease is taken
        self._batches = -1  # the number of the last that is written; 0 is the lease alone
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self.write(lambda tx, revision: None)
        self._renewing.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._renewing.join()
        if kind is not None:
            with suppress(StoreError):  # if the server is gone, the lease runs out by itself
                give_up(self.connection, self.id)

    def write(self, batch: Batch) -> None:
        """Write one part in a transaction of its own; once, even where its reply is lost."""
        number = self._batches + 1

        def attempt(tx: ManagedTransaction, turn: Turn) -> int:
            revision = self._next(turn)
            if turn.lease is None or (turn.lease_batch or 0) < number:
                batch(tx, revision)
            run(
                tx,
                "MATCH (s:Lamplight {name: 'store'}) SET s.lease = $lease,"
                " s.lease_revision = $revision, s.lease_batch = $number,"
                " s.lease_time = timestamp()",
                lease=self.id,
                revision=revision,
                number=number,
            )
            return revision

        self.revision = self._turns.take(self.id, attempt)
        self._batches = number

    def end(
        self,
        kind: str,
        author: str,
        reason: str,
        last: Callable[[Neo4jWriting], None],
    ) -> int:
        """Write the last part and the journal with it, and announce the revision."""
        author, reason = clean_signature(author, reason)

        def attempt(tx: ManagedTransaction, turn: Turn) -> int:
            if turn.done is not None:
                return turn.done
            revision = self._next(turn)
            writing = Neo4jWriting(tx, revision - 1)
            last(writing)
            writing.finish(kind, author, reason, int(self.clock() * 1000), self.id)
            release(tx)
            return revision

        revision = self._turns.take(self.id, attempt)
        self._turns.announce(revision)
        return revision

    def _next(self, turn: Turn) -> int:
        if self._batches >= 0 and turn.lease != self.id:
            raise StoreError(
                "This write stood still for so long that it was taken for dead, and what it had "
                "written was taken out; start it again."
            )
        return turn.written + 1

    def _renew(self) -> None:
        while not self._over.wait(max(turns.LEASE_SECONDS / 4, 1)):
            with suppress(StoreError):
                self.connection.write(self._renew_once)

    def _renew_once(self, tx: ManagedTransaction) -> None:
        # A statement's timestamp is when it began, so first comes one that waits for the lock.
        for change in ("s.turn = $lease", "s.lease_time = timestamp()"):
            run(
                tx,
                f"MATCH (s:Lamplight {{name: 'store'}}) WHERE s.lease = $lease SET {change}",
                lease=self.id,
            )
