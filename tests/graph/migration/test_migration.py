"""A filled store of schema version 2 is refused, migrated, and answers as before and more."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graph.__main__ import main
from graph.core.edits import Add
from graph.core.errors import StoreError
from graph.core.protocol import SharedStore
from graph.lookup.retriever import Retriever
from graph.neo4j.store import Neo4jStore
from graph.opening import migrate_store, open_store
from graph.sqlite.store import SqliteStore
from tests.graph.conftest import emptied
from tests.graph.migration import version2
from tools.neo4j_server.server import Server

MANY = 20_000  # facts of the store during whose migration the process is killed
KILLS = 6


def clock() -> float:
    return 1_800_000_000.0  # when the drafts in the old stores were used


def old_file(folder: Path) -> str:
    path = folder / "old.db"
    path.write_bytes(gzip.decompress(version2.SQLITE.read_bytes()))
    return f"sqlite:///{path}"


def old_database(server: Server) -> str:
    """The server with the nodes of the old store and nothing else."""
    with emptied(server) as store:
        store.connection.run("MATCH (n) DETACH DELETE n")
        store.connection.run("DROP INDEX literal_key")
        with gzip.open(version2.NEO4J, "rt", encoding="utf-8") as file:
            dump = json.load(file)
        store.connection.run(
            "UNWIND $rows AS row CREATE (n:$(row[0])) SET n = row[1], n.at = row[2]",
            rows=[(*row, place) for place, row in enumerate(dump["nodes"])],
        )
        store.connection.run(
            "UNWIND $rows AS row MATCH (a {at: row[0]}), (b {at: row[3]})"
            " CREATE (a)-[r:$(row[1])]->(b) SET r = row[2]",
            rows=dump["relationships"],
        )
        store.connection.run("MATCH (n) REMOVE n.at")
    return server.url


@pytest.fixture(params=["sqlite", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The kind and the URL of a store of version 2."""
    if request.param == "sqlite":
        return "sqlite", old_file(tmp_path)
    return "neo4j", old_database(request.getfixturevalue("server"))


def opened(kind: str, url: str) -> SharedStore:
    return (SqliteStore if kind == "sqlite" else Neo4jStore)(url, clock=clock)


def test_it_is_refused_migrated_and_answers_as_before(
    old: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    kind, url = old
    with pytest.raises(
        StoreError, match=r"schema version 2 .* upgrade it with: python -m graph migrate --store"
    ):
        open_store(url)
    assert main(["migrate", "--store", url]) == 0
    assert "from schema version 2 to 3" in capsys.readouterr().out
    with opened(kind, url) as store:
        found, recorded = version2.answers(store), version2.recorded(kind)
        for what, answers in recorded.items():
            assert json.loads(json.dumps(found[what])) == answers, what
        assert store.check() == []
        retriever = Retriever(store, embeddings=False)
        for entity, relation, value in (
            ("Na", "symbol of", "Sodium"),
            ("1879-03-14", "birth date of", "Albert Einstein"),
            ("French", "official language of", "France"),
            ("79", "atomic number of", "Gold"),
            ("2012", "release year of", "Ann"),
            (version2.LONG, "note of", "Gold"),
            ("ZeroWidth", "symbol", "ZW"),
            ("Lodz", "country", "Poland"),
            ("Koege", "country", "Denmark"),
            ("Muenchen", "country", "Germany"),
            ("Danang", "country", "Vietnam"),
        ):
            assert retriever.lookup(entity, relation).value == value, entity
        # Earlier revisions and drafts answer too.
        assert Retriever(store, 1).lookup("French", "official language of").value == (
            "France; Monaco"
        )
        assert Retriever(store.draft("kept")).lookup("Ar", "symbol of").value == "Argon"
        store.draft("kept").publish(author="Eve")
        store.apply([Add("Iron", "symbol", "Fe")], author="Ada")
        assert Retriever(store).lookup("Fe", "symbol of").value == "Iron"
        assert store.check() == []
    assert main(["migrate", "--store", url]) == 0
    assert "already has the schema version 3" in capsys.readouterr().out


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    url = old_file(tmp_path)
    changed = sqlite3.connect(tmp_path / "old.db")
    changed.execute("PRAGMA user_version = 99")
    changed.close()
    with pytest.raises(StoreError, match=r"schema version 99 .* newer version of this program"):
        migrate_store(url)


def _many(url: str) -> None:
    """Add facts to an old file in the old way: the tables that they need are the same."""
    file = sqlite3.connect(url.removeprefix("sqlite:///"))
    file.execute("INSERT INTO relation (id, name, key) VALUES (900, 'code', 'code')")
    file.executemany("INSERT INTO entity (id, facts) VALUES (?, 1)", ((i,) for i in range(1, MANY)))
    file.executemany(
        "INSERT INTO name (version, entity_id, is_alias, text, key, bag, since, until)"
        " VALUES (?, ?, 0, ?, ?, ?, 1, 9223372036854775807)",
        ((1000 + i, i, f"Łódź {i}", f"łódź {i}", f"{i} łodz") for i in range(1, MANY)),
    )
    file.execute(
        "INSERT INTO name_words (rowid, bag) SELECT version, bag FROM name WHERE version > 1000"
    )
    file.executemany(
        "INSERT INTO fact (id, entity_id, relation_id, value, source, since, until)"
        " VALUES (?, ?, 900, ?, '', 1, 9223372036854775807)",
        ((i, i, f"C{i}") for i in range(1, MANY)),
    )
    file.commit()
    file.close()


def killed(url: str, seconds: float, environment: dict[str, str]) -> bool:
    """Whether a migration was killed with SIGKILL before its end."""
    child = subprocess.Popen(
        [sys.executable, "-m", "graph", "migrate", "--store", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    time.sleep(seconds)
    if child.poll() is None:
        child.send_signal(signal.SIGKILL)
    return child.wait() == -signal.SIGKILL


@pytest.mark.timeout(600)  # seven migrations; 220 s on a slow machine that runs another test
def test_a_file_outlives_kill_9(tmp_path: Path) -> None:
    url = old_file(tmp_path)
    _many(url)
    begun = time.monotonic()
    whole = tmp_path / "whole.db"
    whole.write_bytes((tmp_path / "old.db").read_bytes())
    command = [sys.executable, "-m", "graph", "migrate", "--store", f"sqlite:///{whole}"]
    subprocess.run(command, check=True, capture_output=True)
    taken = time.monotonic() - begun
    rng = random.Random(7)
    kills = sum(killed(url, taken * rng.uniform(0.2, 0.95), dict(os.environ)) for _ in range(KILLS))
    assert kills > 0
    migrate_store(url)
    with opened("sqlite", url) as store, opened("sqlite", f"sqlite:///{whole}") as other:
        assert store.check() == [] == other.check()
        assert list(store.all_facts()) == list(other.all_facts())
        assert Retriever(store).lookup("C77", "code of").value == "Łódź 77"
        assert Retriever(store).lookup("Lodz 78", "code").value == "C78"


@pytest.mark.neo4j
def test_a_server_outlives_a_stop_after_any_step(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graph.neo4j import migrate as migration

    steps: list[str] = ["_key_literals", "_fold_names", "_drop_words", "_fold_relations"]
    url = old_database(server)

    def dies(what: Callable[..., None]) -> Callable[..., None]:
        def half(*arguments: Any) -> None:
            what(*arguments)
            raise KeyboardInterrupt

        return half

    for step in steps:
        with monkeypatch.context() as patched:
            patched.setattr(migration, step, dies(getattr(migration, step)))
            with pytest.raises(KeyboardInterrupt):
                migrate_store(url)
        with pytest.raises(StoreError, match="schema version 2"):
            open_store(url)
    assert migrate_store(url) == (2, 3)
    with opened("neo4j", url) as store:
        assert store.check() == []
        found, recorded = version2.answers(store), version2.recorded("neo4j")
        assert json.loads(json.dumps(found["lookups"])) == recorded["lookups"]
