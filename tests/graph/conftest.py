"""Stores for the tests: each test of the contract runs on every kind.

Neo4j is a real server (tools/neo4j_server), started once for a worker and emptied for each test.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest
from hypothesis import settings

from graph.core.edits import Add
from graph.core.import_rows import RelationRow
from graph.core.protocol import SharedStore
from graph.neo4j.schema import SCHEMA_VERSION
from graph.neo4j.store import Neo4jStore
from graph.sqlite.store import SqliteStore
from tools.neo4j_server.server import Server

# A busy machine makes single examples slow; that is not a failure.
settings.register_profile("lamplight", deadline=None)
settings.load_profile("lamplight")

EDITS = [
    Add("France", "capital", "Paris", source="factbook"),
    Add("France", "population", "68,400,000", source="factbook", year=2024),
    Add("France", "borders", "Spain", source="geonames"),
    Add("France", "borders", "Italy", source="geonames"),
    Add("Paris", "country", "France", source="geonames"),
    Add("Spain", "capital", "Madrid", source="factbook"),
    Add("Spain", "borders", "France", source="geonames"),
]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory where there is one: the tests commit thousands of times.

    What a killed process wrote stays there as it does on a disk.
    """
    with tempfile.TemporaryDirectory(
        prefix="lamplight-", dir=_memory(), ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _memory() -> Path | None:
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else None


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Plans are kept although the tests empty the database again and again.
SETTINGS = {"dbms.cypher.min_replan_interval": "1h"}
NEO4J = pytest.mark.neo4j
KINDS = ["sqlite", pytest.param("neo4j", marks=NEO4J)]
DRAFTS = ["draft over sqlite", pytest.param("draft over neo4j", marks=NEO4J)]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A Neo4j server with an empty store in it; its credentials are in the environment."""
    with tempfile.TemporaryDirectory(prefix="lamplight-neo4j-", dir=_memory()) as folder:
        server = Server(Path(folder) / "home")
        server.start(SETTINGS)
        os.environ.update(NEO4J_USERNAME="neo4j", NEO4J_PASSWORD=server.password)
        try:
            Neo4jStore(server.url, create=True).close()
            yield server
        finally:
            server.stop()


def emptied(server: Server, clock: Any = time.time) -> Neo4jStore:
    """The server's store, as if it had just been made."""
    with neo4j.GraphDatabase.driver(server.url, auth=("neo4j", server.password)) as driver:
        driver.execute_query("MATCH (n) WHERE NOT n:Lamplight DETACH DELETE n", database_="neo4j")
        driver.execute_query(
            "MERGE (s:Lamplight {name: 'store'}) MERGE (n:Lamplight {name: 'newest'})"
            " SET s = {name: s.name, schema_version: $version, store_id: randomUUID(),"
            " written: 0, filled: true}, n.revision = 0",
            version=SCHEMA_VERSION,
            database_="neo4j",
        )
    return Neo4jStore(server.url, clock=clock)


@pytest.fixture
def sqlite(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    with SqliteStore(f"sqlite:///{tmp_path}/test.db", create=True, clock=clock) as store:
        yield store


@pytest.fixture
def neo4j_store(server: Server, clock: Clock) -> Iterator[Neo4jStore]:
    with emptied(server, clock) as store:
        yield store


@pytest.fixture
def emptied_server(server: Server) -> Callable[[], str]:
    """Empty the server's store; its URL."""

    def empty() -> str:
        emptied(server).close()
        return server.url

    return empty


def declared(store: SharedStore) -> SharedStore:
    """The store with relations declared."""
    rows = [
        RelationRow(1, "capital", "link", ""),
        RelationRow(2, "borders", "link", ""),
        RelationRow(3, "country", "link", ""),
        RelationRow(4, "population", "literal", "people who live there"),
    ]
    store.load(rows, author="test", kind="init")
    return store


@pytest.fixture
def shared(sqlite: SqliteStore) -> SharedStore:
    """An embedded store with declared relations and no facts."""
    return declared(sqlite)


@pytest.fixture(params=[*KINDS, *DRAFTS])
def empty(request: pytest.FixtureRequest) -> Any:
    """A store of each kind, without facts."""
    kind = request.param.removeprefix("draft over ")
    store = declared(request.getfixturevalue("neo4j_store" if kind == "neo4j" else "sqlite"))
    return store.draft("session-1") if request.param.startswith("draft") else store


@pytest.fixture
def store(empty: Any) -> Any:
    """A store of each kind, with a few facts."""
    empty.apply(EDITS, author="Ada", reason="to begin with")
    return empty


@pytest.fixture(params=KINDS)
def public(request: pytest.FixtureRequest) -> SharedStore:
    """A store of each kind but a draft, with a few facts."""
    store = declared(
        request.getfixturevalue("neo4j_store" if request.param == "neo4j" else "sqlite")
    )
    store.apply(EDITS, author="Ada", reason="to begin with")
    return store


@pytest.fixture
def filled(shared: SharedStore) -> SharedStore:
    """The embedded store with a few facts."""
    shared.apply(EDITS, author="Ada", reason="to begin with")
    return shared
