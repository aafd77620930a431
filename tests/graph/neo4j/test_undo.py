"""Undo and redo of an import on a server: in batches, whole or not at all, seen at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from graph.core.edits import Add, AddAlias, Change
from graph.core.errors import Conflict, StoreError
from graph.core.facts import Fact
from graph.core.import_rows import AliasRow, FactRow, RelationRow, Row, SettingRow, SynonymRow
from graph.neo4j.lease import Lease
from graph.neo4j.store import Neo4jStore
from tests.graph.conftest import EDITS, declared
from tests.graph.helpers import fact_of, id_of, said

FILE: list[Row] = [
    *(FactRow(i, f"Town {i}", "country", "France", "atlas") for i in range(12)),
    *(FactRow(i, f"Town {i}", "twin", f"Town {i + 1}") for i in range(12)),
    FactRow(30, "France", "capital", "Paris", "one source more"),
    AliasRow(31, "Hexagon", "France"),
    AliasRow(32, "Villetown", "Town 3"),
    RelationRow(33, "twin", "link", ""),
    SynonymRow(34, "sister city", "twin"),
    SettingRow(35, "refuse-lacking", "on"),
]


@pytest.fixture
def store(neo4j_store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> Neo4jStore:
    """A store with a few facts and an import, whose undo takes many batches."""
    monkeypatch.setattr("graph.neo4j.writes._CHUNK", 5)
    declared(neo4j_store).apply(EDITS, author="Ada")
    neo4j_store.load(FILE, author="Bob")
    return neo4j_store


def content(store: Neo4jStore) -> list[Any]:
    """All that the store says at its newest revision."""

    def fact(f: Fact) -> tuple[Any, ...]:
        return f.id, f.entity, f.relation, f.value, f.is_link, f.source, f.year

    counts = store.rows("MATCH (e:Entity) WHERE e.name IS NOT NULL RETURN e.name, e.facts")
    names = ("France", "Hexagon", "Villetown", "Town 3", "Town 12")
    return [
        [fact(f) for f in store.all_facts()],
        [[(e.id, e.name, e.aliases) for e, _ in store.find_entities(name)] for name in names],
        [[e.name for e in store.search(name)] for name in names],
        [(rule.kind, rule.name, rule.value) for rule in store.rules()],
        sorted(counts),
    ]


def failing_at(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a write of many batches fail when it comes to this one."""
    write, left = Lease.write, iter(range(batch))

    def once(self: Lease, work: Any) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write(self, work)

    monkeypatch.setattr(Lease, "write", once)


def test_an_import_is_undone_and_redone_whole(store: Neo4jStore) -> None:
    imported = content(store)
    undone = store.undo(author="Ada")
    assert [f.entity for f in store.all_facts()] == [edit.entity for edit in EDITS]
    assert said(store, "France", "capital") == ["Paris"]
    assert fact_of(store, "France", "capital", "Paris").source == "factbook"
    assert store.find_entities("Hexagon") == store.search("town") == store.rules() == []
    before = content(store)
    store.redo(author="Ada")
    assert content(store) == imported
    store.undo(author="Ada")
    assert content(store) == before
    assert [f.id for f in store.all_facts(undone - 1)] == [row[0] for row in imported[0]]
    kinds = [(entry.kind, entry.author) for entry in store.history(limit=3)]
    assert kinds == [("undo", "Ada"), ("redo", "Ada"), ("undo", "Ada")]


@pytest.mark.parametrize("redo", [False, True], ids=["undo", "redo"])
def test_one_that_fails_at_any_batch_leaves_all_as_it_was(store: Neo4jStore, redo: bool) -> None:
    """So that also what is closed comes back, with its name, aliases and rules."""
    if redo:
        store.undo(author="Ada")
    before, revision = content(store), store.revision()
    failed = 0
    for batch in range(1, 100):
        with pytest.MonkeyPatch.context() as patch:
            failing_at(batch, patch)
            try:
                (store.redo if redo else store.undo)(author="Ada")
            except KeyboardInterrupt:
                failed += 1
                assert content(store) == before, f"after batch {batch}"
                assert store.revision() == revision
                continue
        break
    assert failed > 5
    assert content(store) != before
    (store.undo if redo else store.redo)(author="Ada")  # and it is whole
    assert content(store) == before


def test_nobody_sees_half_of_it(store: Neo4jStore, monkeypatch: pytest.MonkeyPatch) -> None:
    write, seen = Lease.write, []
    before = content(store)

    def looking(self: Lease, work: Any) -> None:
        write(self, work)
        with Neo4jStore(store.url) as other:
            seen.append(content(other)[:4])

    monkeypatch.setattr(Lease, "write", looking)
    store.undo(author="Ada")
    assert len(seen) > 5
    assert all(state == before[:4] for state in seen)
    assert content(store)[:4] != before[:4]


def test_what_was_built_upon_is_not_undone(store: Neo4jStore) -> None:
    town = fact_of(store, "Town 3", "twin", "Town 4")
    store.apply([Change(town.id, "Town 9")], author="Eve")
    imported = store.revision() - 1
    before = content(store)
    with pytest.raises(Conflict, match=r"Nothing was reverted: twin of Town 3 was .Town 4"):
        store.revert(imported, author="Ada")
    assert content(store) == before
    store.undo(author="Eve")
    store.apply([AddAlias(id_of(store, "Town 5"), "Quint")], author="Eve")
    with pytest.raises(Conflict, match="Nothing was reverted"):
        store.revert(imported, author="Ada")
    store.apply([Add("Oz", "motto", "x")], author="Eve")  # others may write again


def test_a_lease_is_kept_while_its_process_lives(
    store: Neo4jStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import is not taken for dead because its rows come slowly."""
    monkeypatch.setattr("graph.neo4j.turns.LEASE_SECONDS", 3)
    monkeypatch.setattr("graph.neo4j.turns.PATIENCE_SECONDS", 6.0)
    go = threading.Event()

    def slowly() -> Iterator[Row]:
        yield FactRow(1, "Oz", "motto", "Home")
        assert go.wait(60)

    imported = threading.Thread(target=lambda: store.load(slowly(), author="Bob"))
    imported.start()
    time.sleep(1)
    with Neo4jStore(store.url) as other, pytest.raises(StoreError, match="is under way at"):
        other.apply([Add("Oz", "ruler", "the Wizard")], author="Eve")
    go.set()
    imported.join()
    assert said(store, "Oz") == ["Home"]
