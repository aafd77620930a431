"""Upgrades a store on a Neo4j server from an earlier schema version.

A server cannot hold a large upgrade in one transaction, so it is made in batches, and the version
is written last. Until then, this program refuses the store. An upgrade that was stopped starts
over: each step leaves as it is what was done already.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from graph.core.errors import StoreError
from graph.core.names import literal_key
from graph.lookup.spelling import words_of
from graph.neo4j.driver import Connection, address_of, run
from graph.neo4j.schema import SCHEMA_VERSION, bag_key, kept_key, key_of, make_indexes
from graph.neo4j.writes import remember, run_rows, words_in

_BATCH = 5000  # facts, entities or words of one transaction
_VERSION = "MATCH (s:Lamplight {name: 'store'}) RETURN s.schema_version"


def migrate(url: str) -> int:
    """Bring the store at `url` up to this program's version; returns the version that it had.

    Nothing changes if that is the same. No other program may write to the store meanwhile. Raises
    `StoreError` if there is no store, or one of a newer version.
    """
    connection = Connection(address_of(url))
    try:
        return upgrade(connection)
    finally:
        connection.close()


def upgrade(connection: Connection) -> int:
    """As `migrate`, through a connection."""
    rows, url = connection.read(_VERSION), connection.address.url
    if not rows:
        raise StoreError(f"There is no store at {url}.")
    had = rows[0][0]
    if had > SCHEMA_VERSION:
        raise StoreError(
            f"{url} has the schema version {had} and this program knows up to {SCHEMA_VERSION}; "
            "open it with a newer version of this program."
        )
    for version in range(had, SCHEMA_VERSION):
        _STEPS[version](connection)
        connection.run(
            "MATCH (s:Lamplight {name: 'store'}) SET s.schema_version = $version",
            version=version + 1,
        )
    return int(had)


def _from_1(connection: Connection) -> None:
    """Version 2: names are found by their bags and no longer have keys."""
    for label, index in (("Entity", "entity_key"), ("Name", "name_key")):
        connection.run(f"CREATE INDEX {index} IF NOT EXISTS FOR (n:{label}) ON (n.key)")
        connection.run("CALL db.awaitIndexes(120)")
        some = (
            f"MATCH (n:{label}) WHERE n.key IS NOT NULL WITH n LIMIT 10000"
            " SET n.bag = CASE n.bag WHEN '' THEN n.key ELSE n.bag END"
            " REMOVE n.key RETURN count(*)"
        )
        while connection.write(partial(run, cypher=some)) != [[0]]:
            pass
        connection.run(f"DROP INDEX {index}")


def _from_2(connection: Connection) -> None:
    """Version 3: literals and identifiers are indexed, and keys have no invisible characters.

    Words are in plain letters. The vectors of embedded names stay, because they belong to the names
    as they are spelt.
    """
    make_indexes(connection)
    _key_literals(connection)
    _fold_names(connection)
    _drop_words(connection)
    _fold_relations(connection)


def _key_literals(connection: Connection) -> None:
    last = -1
    while ids := connection.read(
        "MATCH ()-[f:FACT]->() USING INDEX f:FACT(id, since)"
        " WHERE f.id > $last AND f.since > 0"
        " RETURN DISTINCT f.id AS id ORDER BY id LIMIT $most",
        last=last,
        most=_BATCH,
    ):
        last = ids[-1][0]
        rows = connection.read(
            "UNWIND $ids AS id MATCH ()-[f:FACT {id: id}]->(v:Literal) WHERE f.since > 0"
            " AND v.value_key IS NULL RETURN f.id, f.since, v.value",
            ids=[fact_id for (fact_id,) in ids],
        )
        _write(
            connection,
            "UNWIND $rows AS row MATCH ()-[f:FACT {id: row[0], since: row[1]}]->(v:Literal)"
            " SET v.value_key = row[2]",
            [(fact_id, since, literal_key(value)) for fact_id, since, value in rows],
        )


def _fold_names(connection: Connection) -> None:
    last = -1
    while entities := connection.read(
        "MATCH (e:Entity) WHERE e.id > $last WITH e ORDER BY e.id LIMIT $most"
        " RETURN e.id, e.name, e.bag, [(e)-[:NAMED]->(n:Name) | [n.name, n.bag]] ORDER BY e.id",
        last=last,
        most=_BATCH,
    ):
        last = entities[-1][0]
        names = [
            (entity_id, name, bag_key(name))
            for entity_id, name, bag, _ in entities
            if name is not None and bag != bag_key(name)
        ]
        others = [
            (entity_id, name, bag, bag_key(name))
            for entity_id, _, _, rest in entities
            for name, bag in rest
            if bag != bag_key(name)
        ]
        connection.write(partial(remember, words=words_in(row[1] for row in (*names, *others))))
        _write(
            connection,
            "UNWIND $rows AS row MATCH (e:Entity {id: row[0]}) WHERE e.name = row[1]"
            " SET e.bag = row[2]",
            names,
        )
        _write(
            connection,
            "UNWIND $rows AS row MATCH (:Entity {id: row[0]})-[:NAMED]->(n:Name {name: row[1]})"
            " WHERE n.bag = row[2] SET n.bag = row[3]",
            others,
        )


def _drop_words(connection: Connection) -> None:
    """Drop the words that are written in plain letters now."""
    last = ""
    while words := connection.read(
        "MATCH (w:Word) WHERE w.text > $last RETURN w.text ORDER BY w.text LIMIT $most",
        last=last,
        most=_BATCH,
    ):
        last = words[-1][0]
        _write(
            connection,
            "UNWIND $rows AS word MATCH (w:Word {text: word}) DELETE w",
            [word for (word,) in words if words_of(word) != (word,)],
        )


def _fold_relations(connection: Connection) -> None:
    for label in ("Relation", "Rule"):
        rows = connection.read(f"MATCH (n:{label}) RETURN DISTINCT n.name, n.key")
        changed = [(name, key, key_of(name)) for name, key in rows if key != key_of(name)]
        if label == "Relation" and changed:
            connection.run(
                "UNWIND $rows AS row MATCH ()-[f:FACT]->() WHERE f.relation = row[0]"
                " CALL (f, row) { SET f.relation_key = row[1] } IN TRANSACTIONS",
                rows=[(name, kept_key(name)) for name, _, _ in changed],
            )
        _write(
            connection,
            f"UNWIND $rows AS row MATCH (n:{label}) WHERE n.name = row[0] AND n.key = row[1]"
            " SET n.key = row[2]",
            changed,
        )


def _write(connection: Connection, cypher: str, rows: list[Any]) -> None:
    if rows:
        connection.write(partial(run_rows, cypher=cypher, rows=rows))


_STEPS: dict[int, Callable[[Connection], None]] = {1: _from_1, 2: _from_2}
