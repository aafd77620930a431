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
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from neo4j import ManagedTransaction

from graph.core.errors import StoreError
from graph.core.names import clean_note
from graph.neo4j.driver import Connection, run
from graph.neo4j.schema import OPEN
from graph.neo4j.writes import Journal, Turn, take_turn, write_revision

if TYPE_CHECKING:
    from graph.neo4j.store import Neo4jStore

LEASE_SECONDS = 60  # a lease that was not renewed for so long is of a dead process
_MOST = 20_000  # rows that are taken out in one transaction

Batch = Callable[[ManagedTransaction, int], None]
"""Writes a part, given the transaction and the revision."""


class Lease:
    """The right to write the next revision in parts, given back at the end of the `with`.

    Raises `StoreError` where others write for long, and where the lease was lost: a process that
    slept for a minute is taken for dead.
    """

    def __init__(self, store: Neo4jStore) -> None:
        self.store = store
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
                give_up(self.store.connection, self.id)

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

        self.revision = self.store.take_turns(self.id, attempt)
        self._batches = number

    def end(
        self,
        kind: str,
        author: str,
        reason: str,
        last: Callable[[ManagedTransaction, int], Journal],
    ) -> int:
        """Write the last part and the journal that it gives, and announce the revision."""
        author, reason = clean_note(author, "author"), clean_note(reason, "reason")

        def attempt(tx: ManagedTransaction, turn: Turn) -> int:
            if turn.done is not None:
                return turn.done
            revision = self._next(turn)
            journal = last(tx, revision)
            now = int(self.store.clock() * 1000)
            write_revision(tx, revision, kind, author, reason, now, self.id, journal)
            _release(tx)
            return revision

        revision = self.store.take_turns(self.id, attempt)
        self.store.announce(revision)
        return revision

    def _next(self, turn: Turn) -> int:
        if self._batches >= 0 and turn.lease != self.id:
            raise StoreError(
                "This write stood still for so long that it was taken for dead, and what it had "
                "written was taken out; start it again."
            )
        return turn.written + 1

    def _renew(self) -> None:
        while not self._over.wait(max(LEASE_SECONDS / 4, 1)):
            with suppress(StoreError):
                self.store.connection.write(self._renew_once)

    def _renew_once(self, tx: ManagedTransaction) -> None:
        # A statement's timestamp is when it began, so first comes one that waits for the lock.
        for change in ("s.turn = $lease", "s.lease_time = timestamp()"):
            run(
                tx,
                f"MATCH (s:Lamplight {{name: 'store'}}) WHERE s.lease = $lease SET {change}",
                lease=self.id,
            )


def _release(tx: ManagedTransaction) -> None:
    run(
        tx,
        "MATCH (s:Lamplight {name: 'store'})"
        " SET s.lease = null, s.lease_revision = null, s.lease_batch = null, s.lease_time = null",
    )


def give_up(connection: Connection, lease: str) -> None:
    """Take out what a write that failed or died had written, and end its lease."""
    place: int | None = 0  # in `_TAKE_OUT`; what comes before is done
    while place is not None:
        place = connection.write(partial(_give_up, lease=lease, place=place))


def _give_up(tx: ManagedTransaction, lease: str, place: int) -> int | None:
    """One transaction of it; the place to go on from, or None at the end."""
    turn = take_turn(tx, uuid.uuid4().hex)
    if turn.lease != lease:
        return None  # it came to its end, or somebody else has done this
    assert turn.lease_revision is not None
    wrote = turn.lease_batch != 0  # batch 0 is the lease alone
    for statement in _TAKE_OUT[place:] if wrote else ():
        parameters = {"revision": turn.lease_revision, "most": _MOST, "open": OPEN}
        ((count,),) = run(tx, statement, **parameters)
        if count:
            return place
        place += 1
    _release(tx)
    return None


# In this order, each until nothing of it is left: a name has to be free before it is given back.
_TAKE_OUT = (
    "MATCH (e:Entity)-[f:FACT]->(v) WHERE f.since = $revision WITH e, f, v LIMIT $most"
    " SET e.facts = e.facts - 1"
    " FOREACH (_ IN CASE WHEN f.value_id IS NULL THEN [] ELSE [1] END |"
    "   SET v.facts = v.facts - 1)"
    " FOREACH (_ IN CASE WHEN f.value_id IS NULL THEN [1] ELSE [] END | DETACH DELETE v)"
    " DELETE f RETURN count(*)",
    "MATCH (e:Entity)-[f:FACT]->(v) WHERE f.until = $revision WITH e, f, v LIMIT $most"
    " SET f.until = $open, e.facts = e.facts + 1"
    " FOREACH (_ IN CASE WHEN f.value_id IS NULL THEN [] ELSE [1] END |"
    "   SET v.facts = v.facts + 1) RETURN count(*)",
    "MATCH (n:Name) WHERE n.since = $revision WITH n LIMIT $most DETACH DELETE n RETURN count(*)",
    "MATCH (e:Entity) WHERE e.made = $revision WITH e LIMIT $most DETACH DELETE e RETURN count(*)",
    "MATCH (e:Entity) WHERE e.named = $revision WITH e LIMIT $most"
    " SET e.name = null, e.bag = null, e.named = null RETURN count(*)",
    "MATCH (e:Entity)-[:NAMED]->(n:Name) WHERE n.until = $revision AND NOT n.is_alias"
    " WITH e, n LIMIT $most SET e.name = n.name, e.bag = n.bag, e.named = n.since"
    " DETACH DELETE n RETURN count(*)",
    "MATCH (n:Name) WHERE n.until = $revision WITH n LIMIT $most"
    " SET n.until = $open RETURN count(*)",
    "MATCH (r:Rule) WHERE r.since = $revision WITH r LIMIT $most DELETE r RETURN count(*)",
    "MATCH (r:Rule) WHERE r.until = $revision WITH r LIMIT $most"
    " SET r.until = $open RETURN count(*)",
    "MATCH (r:Relation) WHERE r.made = $revision WITH r LIMIT $most DELETE r RETURN count(*)",
)
