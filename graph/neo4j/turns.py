"""Writers of a Neo4j store take turns, over all processes, by the lock of the node `store`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from neo4j import ManagedTransaction

from graph.core.errors import StoreError
from graph.neo4j.driver import PATIENCE_SECONDS, Connection, run
from graph.neo4j.schema import OPEN

LEASE_SECONDS = 60  # a lease that was not renewed for so long is of a dead process
_MOST = 20_000  # rows that are taken out in one transaction

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Turn:
    """What a writer finds when it is its turn."""

    written: int
    """The last revision that is written."""
    done: int | None
    """The revision that this write made, if it was done before."""
    lease: str | None
    """Whose import is under way, if one is."""
    lease_revision: int | None
    lease_batch: int | None
    """The last batch of it that is written."""
    idle: int
    """Milliseconds since that import last wrote."""


def take_turn(tx: ManagedTransaction, write_id: str) -> Turn:
    """Wait for the lock that writers take turns by; held until the transaction ends."""
    run(tx, "MATCH (s:Lamplight {name: 'store'}) SET s.turn = $write_id", write_id=write_id)
    rows = run(
        tx,
        "MATCH (s:Lamplight {name: 'store'}) OPTIONAL MATCH (r:Revision {write_id: $write_id})"
        " RETURN s.written, r.revision, s.lease, s.lease_revision, s.lease_batch,"
        " timestamp() - coalesce(s.lease_time, 0)",
        write_id=write_id,
    )
    if not rows:
        raise StoreError(
            "The store was taken out of its Neo4j database; make it again with: "
            "python -m graph init --store URL"
        )
    return Turn(*rows[0])


class _Busy(Exception):
    """A large write is under way: whose, and for how many milliseconds it was not heard of."""

    def __init__(self, lease: str, idle: int) -> None:
        super().__init__()
        self.lease, self.idle = lease, idle


class Turns:
    """The turns of one store's writers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def take(self, write_id: str, work: Callable[[ManagedTransaction, Turn], Outcome]) -> Outcome:
        """Do `work` in a transaction when it is our turn, and no large write is under way."""

        def attempt(tx: ManagedTransaction) -> Outcome:
            turn = take_turn(tx, write_id)
            if turn.lease is not None and turn.lease != write_id:
                raise _Busy(turn.lease, turn.idle)
            return work(tx, turn)

        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.connection.write(attempt)
            except _Busy as busy:
                if busy.idle > LEASE_SECONDS * 1000:
                    give_up(self.connection, busy.lease)
                elif time.monotonic() > until:
                    url = self.connection.address.url
                    raise StoreError(
                        f"An import or its undo is under way at {url}; try again in a moment."
                    ) from None
                else:
                    time.sleep(0.25)

    def announce(self, revision: int) -> None:
        """Let a revision that is written whole be the newest."""

        def attempt(tx: ManagedTransaction) -> None:
            run(
                tx,
                "MATCH (n:Lamplight {name: 'newest'}) SET n.turn = $revision"  # takes its lock
                " WITH n WHERE n.revision < $revision SET n.revision = $revision",
                revision=revision,
            )

        self.connection.write(attempt)

    def recover(self) -> None:
        """Announce a revision whose writer was killed between writing and announcing it."""
        rows = self.connection.read(
            "MATCH (s:Lamplight {name: 'store'}), (n:Lamplight {name: 'newest'})"
            " WHERE n.revision < s.written RETURN 1"
        )
        if rows:

            def last(tx: ManagedTransaction) -> int:  # its turn is over once we have ours
                return take_turn(tx, uuid.uuid4().hex).written

            self.announce(self.connection.write(last))


def release(tx: ManagedTransaction) -> None:
    """End the lease that is there."""
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
    """Run one transaction; returns the place to continue from, or None at the end."""
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
    release(tx)
    return None


# In this order, each until nothing of it is left: a name has to be free before it is given back.
_TAKE_OUT = (
    "MATCH (i:Identifier) WHERE i.since = $revision WITH i LIMIT $most DELETE i RETURN count(*)",
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
