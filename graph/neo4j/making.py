"""Making a store in a Neo4j database, so that nobody else opens one that is only half made."""

from __future__ import annotations

from collections.abc import Callable

from graph.core.protocol import SharedStore
from graph.neo4j.driver import Connection, address_of
from graph.neo4j.schema import make_schema
from graph.neo4j.store import Neo4jStore


def make_store(url: str, fill: Callable[[SharedStore], None]) -> bool:
    """Make the schema and let `fill` write the first facts; False if a whole store is there.

    One that was stopped half-way is finished. Raises `StoreError` if the server cannot be reached,
    if the store has another schema version, or if the database holds somebody else's nodes.
    """
    connection = Connection(address_of(url))
    try:
        if make_schema(connection):
            return False
    finally:
        connection.close()
    with Neo4jStore(url, half_made=True) as store:
        store.refuse_half_copied()
        if store.revision() == 0:
            fill(store)
        store.finish_making()
    return True
