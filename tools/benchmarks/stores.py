"""The stores of a team: how fast Neo4j takes in facts, and how readers fare while others write."""

from __future__ import annotations

import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import neo4j

from graph.core.edits import Add, Change
from graph.core.import_rows import FactRow, RelationRow
from graph.core.protocol import SharedStore
from graph.neo4j.store import Neo4jStore
from graph.opening import open_store
from graph.world import make_world, world_rows
from tools.benchmarks.facts import renamed_facts
from tools.benchmarks.runs import Pair, Setting
from tools.neo4j_server.server import Server, missing

FACTS = int(os.environ.get("LAMPLIGHT_BENCH_IMPORT", 100_000))
BATCH = 5000
ROUNDS = 3
SECONDS = float(os.environ.get("LAMPLIGHT_BENCH_SECONDS", 60))  # readers and writers, and readers
WINDOWS = 6  # in which these seconds are spent, with and without writers in turn
READERS, WRITERS = 16, 4
PACE = 0.4  # seconds from one commit of a writer to its next, at the least


@contextmanager
def _server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="lamplight-bench-") as folder:
        server = Server(Path(folder) / "home")
        before = dict(os.environ)
        os.environ.update(NEO4J_USERNAME="neo4j", NEO4J_PASSWORD=server.password)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            os.environ.clear()
            os.environ.update(before)


def _empty(driver: neo4j.Driver) -> None:
    with driver.session(database="neo4j") as session:
        session.run(
            "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"
        ).consume()


def _bare(driver: neo4j.Driver, rows: list[FactRow]) -> float:
    """Seconds that a bare MERGE of the rows takes, as one would write it."""
    begun = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        driver.execute_query(
            "UNWIND $rows AS row MERGE (e:Thing {name: row.entity})"
            " MERGE (v:Thing {name: row.value}) MERGE (e)-[:SAYS {relation: row.relation}]->(v)",
            rows=[
                {"entity": row.entity, "relation": row.relation, "value": row.value}
                for row in rows[start : start + BATCH]
            ],
            database_="neo4j",
        )
    return time.perf_counter() - begun


def neo4j_batch_vs_unwind(setting: Setting | None = None) -> Iterator[Pair]:
    """Facts a second: our import (journalled, versioned, searchable) over a bare UNWIND … MERGE.

    The facts are real ones. Made-up rows of two facts an entity, each with a number in its name,
    were used before: 96 thousand names and as many new words to 100 thousand facts.
    """
    if lacking := missing():
        print(lacking)
        return
    rows = list(renamed_facts(FACTS))
    relations = [row for row in world_rows() if isinstance(row, RelationRow)]
    with (
        _server() as server,
        neo4j.GraphDatabase.driver(server.url, auth=("neo4j", server.password)) as driver,
    ):
        constraint = "CREATE CONSTRAINT thing FOR (n:Thing) REQUIRE n.name IS UNIQUE"
        driver.execute_query(constraint, database_="neo4j")
        for run in range(ROUNDS + 1):
            some = rows if run else rows[: 4 * BATCH]  # the first warms the server up
            bare = _bare(driver, some)
            _empty(driver)
            with Neo4jStore(server.url, create=True) as store:
                store.load(relations, author="bench", kind="init")
                begun = time.perf_counter()
                report = store.load(iter(some), author="bench")
                ours = time.perf_counter() - begun
                assert report.facts == len(some)
            _empty(driver)
            if run:
                yield Pair(len(some) / ours, len(some) / bare)


class _Traffic:
    """Readers and writers on one store; every reader checks that what it sees is whole."""

    def __init__(self, store: SharedStore) -> None:
        self.store = store
        self.facts: list[tuple[int, int]] = []  # of each writer, two that always say the same
        for i in range(WRITERS):
            store.apply(
                [Add(f"Writer {i}", side, "0", value_is_link=False) for side in ("left", "right")],
                author="bench",
            )
            entity = store.find_entities(f"Writer {i}")[0][0]
            left, right = store.facts(entity.id)
            self.facts.append((left.id, right.id))
        self.entities = sorted({fact.entity_id for fact in store.all_facts()})
        self.count = 0

    def run(self, seconds: float, writing: bool) -> float:
        """Reads a second; raises what any thread raised."""
        self.over = threading.Event()
        self.reads = [0] * READERS
        self.commits: list[list[float]] = [[] for _ in range(WRITERS)]
        self.problems: list[BaseException] = []
        threads = [self._thread(self._read, i) for i in range(READERS)]
        if writing:
            threads += [self._thread(self._write, i) for i in range(WRITERS)]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.over.set()
        taken = time.perf_counter() - begun
        for thread in threads:
            thread.join()
        if self.problems:
            raise self.problems[0]
        for moments in self.commits if writing else ():
            gaps = [b - a for a, b in zip([begun, *moments], [*moments, begun + taken])]  # noqa: B905
            assert max(gaps) <= 1.0, f"a writer did not commit for {max(gaps):.2f} s"
        return sum(self.reads) / taken

    def _thread(self, work: Callable[[int], None], number: int) -> threading.Thread:
        def guarded() -> None:
            try:
                while not self.over.is_set():
                    work(number)
            except BaseException as problem:
                self.problems.append(problem)

        return threading.Thread(target=guarded)

    def _read(self, number: int) -> None:
        at = self.store.revision()
        left, right = self.facts[random.randrange(WRITERS)]
        ours, theirs = self.store.fact(left, at), self.store.fact(right, at)
        assert ours is not None, "a fact is missing"
        assert theirs is not None, "a fact is missing"
        assert ours.value == theirs.value, "half a revision was seen"
        self.store.facts(random.choice(self.entities), at=at)
        self.reads[number] += 3

    def _write(self, number: int) -> None:
        begun = time.perf_counter()
        self.count += 1
        value = f"{number}-{self.count}"
        self.store.apply([Change(i, value) for i in self.facts[number]], author="bench")
        now = time.perf_counter()
        self.commits[number].append(now)
        self.over.wait(max(0.0, PACE - (now - begun)))


def _pairs(store: SharedStore) -> list[Pair]:
    traffic = _Traffic(store)
    for writing in (False, True):
        traffic.run(min(2.0, SECONDS), writing)  # the first is slower
    return [
        Pair(
            theirs=traffic.run(SECONDS / WINDOWS, False), ours=traffic.run(SECONDS / WINDOWS, True)
        )
        for _ in range(WINDOWS)
    ]


def reads_under_writes(setting: Setting | None = None) -> Iterator[Pair]:
    """Reads a second of 16 threads while 4 write, over those of the 16 alone: the lower store."""
    found: dict[str, list[Pair]] = {}
    with tempfile.TemporaryDirectory(prefix="lamplight-bench-") as folder:
        url = f"sqlite:///{folder}/world.db"
        make_world(url)
        with open_store(url) as store:
            found["sqlite"] = _pairs(store)
    if lacking := missing():
        print(lacking)
    else:
        with _server() as server:
            make_world(server.url)
            with open_store(server.url) as store:
                found["neo4j"] = _pairs(store)
    ratios: dict[str, Any] = {
        name: sum(pair.ours for pair in pairs) / sum(pair.theirs for pair in pairs)
        for name, pairs in found.items()
    }
    for name, ratio in ratios.items():
        alone = sum(pair.theirs for pair in found[name]) / WINDOWS
        print(f"reads_under_writes, {name}: {ratio:.3f} of {alone:,.0f} reads a second")
    yield from found[min(ratios, key=ratios.__getitem__)]
