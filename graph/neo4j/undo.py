"""Undo, redo and revert on a Neo4j server: what a revision changed is done the other way round.

What the journal lists is taken back in one transaction. Of an import it lists nothing, for the
versions themselves tell; that may be millions of them, and goes in batches under a lease, compared
as a whole before the first is written. That whole is held in memory here: a million facts need some
two gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from neo4j import ManagedTransaction

from graph.core.deltas import Delta, net
from graph.core.journal import read_deltas
from graph.core.protocol import TripletStore
from graph.editing.planning import inverse, require_unchanged
from graph.neo4j.driver import run
from graph.neo4j.lease import Lease
from graph.neo4j.writes import Journal, View, chunks, write_deltas

if TYPE_CHECKING:
    from graph.neo4j.store import Neo4jStore

_DONE = {"undo": "undone", "redo": "redone", "revert": "reverted"}


def take_back(
    tx: ManagedTransaction, view: View, revision: int, kind: str, target: int, deltas: list[Delta]
) -> Journal:
    """Take back what the revision `target` changed, or for a redo do it again.

    Raises `Conflict` where that was changed since.
    """
    deltas = _compared(view, kind, deltas)
    write_deltas(tx, deltas, revision)
    return _noted(tx, kind, target, deltas)


def take_back_bulk(
    store: Neo4jStore, find: Callable[[View], int], kind: str, author: str, reason: str
) -> int:
    """The same in many transactions that are seen all at once: the revision made."""
    with Lease(store) as lease:
        read = store.connection.read
        view = View(read, lease.revision - 1)
        target = find(view)
        deltas = listed_deltas(view, target)
        if deltas is None:
            deltas = _written_deltas(View(read, target - 1), View(read, target))
        deltas = _compared(view, kind, deltas)
        # All closings before all openings: a name has to be free before another entity has it.
        closing = [Delta(delta.before, None) for delta in deltas if delta.before is not None]
        opening = [Delta(None, delta.after) for delta in deltas if delta.after is not None]
        for half in (closing, opening):
            for some in chunks(half):
                lease.write(partial(_write, some))
        return lease.end(kind, author, reason, lambda tx, _: _noted(tx, kind, target, deltas))


def _write(deltas: list[Delta], tx: ManagedTransaction, revision: int) -> None:
    write_deltas(tx, deltas, revision)


def _compared(view: View, kind: str, deltas: list[Delta]) -> list[Delta]:
    if kind != "redo":
        deltas = inverse(deltas)
    view.foresee(deltas)
    require_unchanged(deltas, cast(TripletStore, view), _DONE[kind])  # which asks only reads of it
    return deltas


def _noted(tx: ManagedTransaction, kind: str, target: int, deltas: list[Delta]) -> Journal:
    if kind != "revert":
        run(
            tx,
            "MATCH (r:Revision {revision: $target}) SET r.undone = $undone",
            target=target,
            undone=kind == "undo",
        )
    journal = Journal()
    journal.add(kind, {"kind": kind, "revision": target}, deltas)
    return journal


def listed_deltas(view: View, revision: int) -> list[Delta] | None:
    """What a revision changed, net, as the journal lists it; None where it does not."""
    rows = view.rows(
        "MATCH (j:Entry) WHERE j.revision = $revision AND j.number > -1"
        " RETURN j.deltas ORDER BY j.number",
        revision=revision,
    )
    if any(deltas is None for (deltas,) in rows):
        return None
    return net(delta for (deltas,) in rows for delta in read_deltas(deltas))


def _written_deltas(before: View, after: View) -> list[Delta]:
    """What differs between a revision and the one before, by the versions that bear its number."""
    revision = after.revision()
    deltas: list[Delta] = []
    for chunk in _paged(after, _ENTITIES, revision):
        had, has = before.entities(chunk), after.entities(chunk)
        deltas += [Delta(had.get(number), has.get(number)) for number in chunk]
    for chunk in _paged(after, _FACTS, revision):
        said, says = before.facts_by_id(chunk), after.facts_by_id(chunk)
        deltas += [Delta(said.get(number), says.get(number)) for number in chunk]
    rules = after.rows(
        "MATCH (f:Rule) WHERE f.since = $revision OR f.until = $revision"
        " RETURN DISTINCT f.id AS id ORDER BY id",
        revision=revision,
    )
    if rules:
        were = {rule.id: rule for rule in before.rules()}
        are = {rule.id: rule for rule in after.rules()}
        deltas += [Delta(were.get(number), are.get(number)) for (number,) in rules]
    return deltas


# Ids of what has versions that begin or end with a revision, rising, from an index.
_FACTS = """
    MATCH ()-[f:FACT]->() USING INDEX f:FACT(id, since)
    WHERE f.id > $last AND f.since > 0 AND (f.since = $revision OR f.until = $revision)
    RETURN DISTINCT f.id AS id ORDER BY id LIMIT $most"""
_ENTITIES = """
    MATCH (e:Entity) USING INDEX e:Entity(id)
    WHERE e.id > $last AND (e.named = $revision OR EXISTS {
        MATCH (e)-[:NAMED]->(n:Name) WHERE n.since = $revision OR n.until = $revision })
    RETURN e.id AS id ORDER BY id LIMIT $most"""
_PAGE = 5000  # ids of one statement: a server answers each within a time limit


def _paged(view: View, ids: str, revision: int) -> Iterator[list[int]]:
    last = -1
    while rows := view.rows(ids, last=last, revision=revision, most=_PAGE):
        yield [number for (number,) in rows]
        last = rows[-1][0]
