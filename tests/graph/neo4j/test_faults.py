"""A Neo4j server that is away, slow, read-only or restarted: no edit is lost or doubled."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from graph.core.edits import Add, Change
from graph.core.errors import StoreError
from graph.core.import_rows import FactRow
from graph.neo4j.store import Neo4jStore
from tests.graph.conftest import EDITS, SETTINGS, declared, emptied
from tests.graph.helpers import fact_of, said
from tests.graph.neo4j.proxy import Proxy
from tests.patience import PATIENCE
from tools.neo4j_server.server import Server

# Restarts of the server, half of them kills. The long form:
# LAMPLIGHT_RESTARTS=10 make test ARGS=tests/graph/neo4j/test_faults.py
ROUNDS = int(os.environ.get("LAMPLIGHT_RESTARTS", "4"))


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def store(server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Neo4jStore]:
    """A store behind the proxy, with little patience; more on a machine that is busy."""
    monkeypatch.setattr("graph.neo4j.driver.PATIENCE_SECONDS", 3.0 * min(2.0, PATIENCE))
    emptied(server).close()
    with Neo4jStore(proxy.url) as store:
        declared(store).apply(EDITS, author="Ada")
        yield store


def is_a_sentence(problem: StoreError) -> bool:
    told = str(problem)
    return told[0].isupper() and told.endswith(".") and "\n" not in told and len(told) < 300


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_restarts_lose_and_double_no_edit(server: Server) -> None:
    """Three writers edit, and try again by the same write id, while the server is restarted."""
    acknowledged: dict[str, list[int]] = {"A": [], "B": [], "C": []}
    troubles: list[StoreError] = []
    over = threading.Event()

    def write(name: str) -> None:
        for number in itertools.count():
            while not over.is_set():
                try:
                    revision = store.apply(
                        [Add(name, "number", str(number))], author=name, write_id=f"{name}{number}"
                    )
                except StoreError as problem:
                    troubles.append(problem)
                    time.sleep(0.05)
                    continue
                acknowledged[name].append(revision)
                break
            if over.is_set():
                return

    def wait_for(more: int) -> None:
        goal = sum(map(len, acknowledged.values())) + more
        while sum(map(len, acknowledged.values())) < goal:
            time.sleep(0.01)

    with emptied(server) as store:
        writers = [threading.Thread(target=write, args=(name,)) for name in acknowledged]
        for writer in writers:
            writer.start()
        try:
            for number in range(ROUNDS):
                wait_for(more=4)
                server.kill() if number % 2 else server.stop()
                server.start(SETTINGS)
            wait_for(more=4)
        finally:
            over.set()
            for writer in writers:
                writer.join()
        assert all(map(is_a_sentence, troubles)), troubles
        for name, revisions in acknowledged.items():
            values = said(store, name, "number")
            assert values[: len(revisions)] == [str(i) for i in range(len(revisions))]
            assert len(values) <= len(revisions) + 1  # one may have been done and not acknowledged
            assert sorted(set(revisions)) == revisions
        journal = store.history(limit=100_000)
        assert [e.revision for e in journal] == list(range(store.revision(), 0, -1))


def test_lost_replies_to_commits_lose_and_double_nothing(proxy: Proxy, store: Neo4jStore) -> None:
    begun = store.revision()
    for number in range(ROUNDS):
        proxy.losing = 1 + number % 2  # of the revision, and of its announcement
        assert store.apply([Add("Oz", "number", str(number))], author="Ada") == begun + number + 1
    assert proxy.lost == ROUNDS + ROUNDS // 2
    assert said(store, "Oz", "number") == [str(number) for number in range(ROUNDS)]
    proxy.losing_reads = 1  # a read is read again
    assert said(store, "Oz", "number")[0] == "0"
    assert proxy.losing_reads == 0
    proxy.losing = 1
    store.undo(author="Ada")
    assert said(store, "Oz", "number") == [str(number) for number in range(ROUNDS - 1)]
    draft = store.draft("session")
    for value in ("Ada", "Bob"):
        proxy.losing = 1
        draft.apply([Add("Oz", "ruler", value)], author="Ada")
    proxy.losing = 2
    revision = draft.publish(author="Ada")
    assert revision == store.revision() == begun + ROUNDS + 2
    assert said(store, "Oz", "ruler") == ["Ada", "Bob"]
    assert draft.edits() == []
    proxy.losing = 3
    rows = [FactRow(1, "Oz", "road", "yellow"), FactRow(2, "Oz", "road", "brick")]
    assert store.load(rows, author="Ada").facts == 2
    assert said(store, "Oz", "road") == ["yellow", "brick"]
    assert store.revision() == revision + 1
    assert proxy.losing == 0


def test_a_server_that_is_away_is_told_and_comes_back(
    server: Server, proxy: Proxy, store: Neo4jStore
) -> None:
    france = store.find_entities("France")[0][0]
    draft = store.draft("session")
    draft.apply([Add("France", "motto", "x")], author="Ada")
    port, proxy.target = proxy.target, 1  # nobody listens there
    proxy.cut()
    attempts: list[Any] = [
        lambda: store.facts(france.id),
        lambda: store.apply([Add("France", "motto", "y")], author="Ada"),
        lambda: draft.apply([Add("France", "motto", "z")], author="Ada"),
        lambda: Neo4jStore(proxy.url),
    ]
    for attempt in attempts:
        begun = time.monotonic()
        with pytest.raises(StoreError, match=r"^The Neo4j server at .* does not answer;") as caught:
            attempt()
        assert is_a_sentence(caught.value)
        assert time.monotonic() - begun < 30
    proxy.target = port
    assert said(store, "France", "capital") == ["Paris"]
    assert said(draft, "France", "motto") == ["x"]
    store.apply([Add("France", "motto", "y")], author="Ada")
    draft.apply([Add("France", "motto", "z")], author="Ada")
    assert said(store, "France", "motto") == ["y"]
    assert said(draft, "France", "motto") == ["x", "z"]


def test_a_slow_server_is_waited_for_up_to_a_limit(
    proxy: Proxy, store: Neo4jStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.delay = 0.2
    store.apply([Change(fact_of(store, "France", "capital").id, "Lyon")], author="Ada")
    assert said(store, "France", "capital") == ["Lyon"]
    proxy.delay = 0.0
    monkeypatch.setattr("graph.neo4j.driver.READ_SECONDS", 0.5)
    with pytest.raises(StoreError, match="took too long for this, and it was not done") as caught:
        store.connection.read("UNWIND range(1, 100000000000) AS n RETURN count(n)")
    assert is_a_sentence(caught.value)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_read_only_server_is_read(server: Server) -> None:
    with emptied(server) as store:
        declared(store).apply(EDITS, author="Ada")
    server.stop()
    server.start({**SETTINGS, "server.databases.default_to_read_only": "true"})
    try:
        with Neo4jStore(server.url) as store:
            assert said(store, "France", "capital") == ["Paris"]
            draft = store.draft("session")
            for writable in (store, draft):
                with pytest.raises(StoreError, match="is read-only, so nothing was saved"):
                    writable.apply([Add("France", "motto", "x")], author="Ada")
            assert said(draft, "France", "motto") == []
    finally:
        server.stop()
        server.start(SETTINGS)
