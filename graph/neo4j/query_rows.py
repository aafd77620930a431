"""Facts out of a team's own Neo4j database, by a query of theirs."""

from __future__ import annotations

from collections.abc import Iterator

import neo4j

from graph.core.errors import StoreError
from graph.core.import_rows import Row
from graph.exchange.value_texts import COLUMNS, fact_rows
from graph.neo4j.driver import Connection, address_of

_NEEDED = COLUMNS[:3]
QUERY_SECONDS = 3600.0  # that the server works at a query, streaming its rows included


def cypher_rows(url: str, query: str) -> Iterator[Row]:
    """The rows of a query that returns `entity`, `relation`, `value` (and `source`, `year`).

    They are streamed from a transaction that may only read. User and password come from the
    environment (`graph.neo4j.driver`). Raises `StoreError` for another shape, or what the server
    says.
    """
    address = address_of(url)
    connection = Connection(address)
    try:
        with connection.driver.session(
            database=address.database, default_access_mode=neo4j.READ_ACCESS
        ) as session:
            result = session.run(neo4j.Query(query, timeout=QUERY_SECONDS))
            columns = result.keys()
            if missing := [column for column in _NEEDED if column not in columns]:
                raise StoreError(
                    f"The query returns no {missing[0]}; let it RETURN … AS entity, … AS relation,"
                    " … AS value."
                )
            for number, record in enumerate(result, start=1):
                yield from fact_rows(number, [record.get(column) for column in COLUMNS])
    except (neo4j.exceptions.Neo4jError, neo4j.exceptions.DriverError, OSError) as problem:
        raise connection.explain(problem) from problem
    finally:
        connection.close()
