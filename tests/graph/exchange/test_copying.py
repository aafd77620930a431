"""A copy of a store, to every kind from every kind, has everything that the store has."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from graph.__main__ import main
from graph.core.edits import Add, AddAlias, AddSynonym, Change, ChangeSetting, Delete, Merge, Rename
from graph.core.errors import StoreError
from graph.core.import_rows import AliasRow, FactRow
from graph.core.protocol import SharedStore
from graph.exchange.copying import TABLES
from graph.opening import copy_store, open_store
from graph.sqlite.store import SqliteStore
from tests.graph.conftest import EDITS, KINDS, declared
from tests.graph.helpers import fact_of, id_of, said


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest) -> SharedStore:
    """A store with a history: imports, edits of every kind, undos, a publish and open drafts."""
    name = "neo4j_store" if request.param == "neo4j" else "sqlite"
    store = declared(request.getfixturevalue(name))
    store.apply(EDITS, author="Ada", reason="to begin with")
    rows = [FactRow(i, f"Town {i}", "country", "France", "atlas", str(i)) for i in range(30)]
    iris = ("http://a.org/Oz", "http://a.org/in", "http://a.org/Town_1")
    identified = FactRow(32, "Oz", "in", "Town 1", entity_iri=iris[0], relation_iri=iris[1],
                         value_iri=iris[2])  # fmt: skip
    store.load([*rows, AliasRow(31, "Villetown", "Town 3"), identified], author="Bob")
    capital = fact_of(store, "France", "capital")
    store.apply([Change(capital.id, "Lyon", source="me"), AddAlias(capital.entity_id, "Gaul")],
                author="Ada")  # fmt: skip
    store.apply([Rename(id_of(store, "Spain"), "España")], author="Ada", write_id="w")
    store.apply([Merge(id_of(store, "Italy"), id_of(store, "España"))], author="Ada")
    store.undo(author="Ada")
    store.apply([Delete(fact_of(store, "France", "population").id)], author="Ada")
    store.undo(author="Ada")
    store.apply(
        [AddSynonym("seat", "capital"), ChangeSetting("refuse-lacking", "on")], author="Ada"
    )
    draft = store.draft("one")
    draft.apply([Add("Oz", "capital", "Emerald City")], author="Eve")
    draft.publish(author="Eve", reason="as agreed")
    draft.apply([Add("Oz", "ruler", "the Wizard")], author="Eve")
    draft.undo(author="Eve")
    store.undo(author="Ada")  # so that there is something to redo
    return store


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path, source: SharedStore) -> str:
    """Where a copy can go. There is one server with one database: it cannot be both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/copy.db"
    if source.url.startswith("neo4j"):
        file = f"sqlite:///{tmp_path}/between.db"
        copy_store(source.url, file)
        request.getfixturevalue("emptied_server")()
        return f"{source.url} from {file}"
    return str(request.getfixturevalue("emptied_server")())


def everything(store: Any) -> dict[str, Any]:
    """All that can be asked of a store, at every revision."""
    names = ["France", "Spain", "España", "Italy", "Oz", "Town 3", "Villetown", "Gaul", "Lyon"]
    found: dict[str, Any] = {
        "statistics": store.statistics(),
        "history": [e.to_json() for e in store.history(limit=1000)],
        "relations": store.relations(),
    }
    for at in range(store.revision() + 1):
        found[f"facts at {at}"] = list(store.all_facts(at))
        found[f"rules at {at}"] = store.rules(at=at)
        for name in names:
            found[f"{name} at {at}"] = store.find_entities(name, at)
    for name in names:
        found[f"search {name}"] = store.search(name)
        for entity, _ in store.find_entities(name):
            found[f"history of {name}"] = [
                (e.revision, e.kind) for e in store.history(entity_id=entity.id, limit=1000)
            ]
    draft = store.draft("one")
    found["draft"] = draft.revision(), draft.base_revision, draft.can_redo(), draft.edits()
    return found


def test_a_copy_has_everything(source: SharedStore, target: str) -> None:
    url, _, between = target.partition(" from ")
    if between:  # the one server was emptied to be the target
        with open_store(between) as moved:
            before = everything(moved)
    else:
        before = everything(source)
    done = copy_store(between or source.url, url)
    assert done.at == before["statistics"].revision
    assert list(done.counts) == list(TABLES)
    assert all(done.counts.values())
    with open_store(url) as store:
        assert everything(store) == before
        store.redo(author="Ada")  # and it goes on as the source would
        assert said(store, "Oz", "capital") == ["Emerald City"]
        assert store.apply([Rename(1, "x")], author="Ada", write_id="w") < store.revision()
        draft = store.draft("one")
        draft.redo(author="Eve")
        assert said(draft, "Oz", "ruler") == ["the Wizard"]


@pytest.mark.parametrize("table", TABLES)
def test_a_copy_that_was_stopped_goes_on(
    source: SharedStore, target: str, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("exchange.copying", "sqlite.copy", "neo4j.copy"):
        monkeypatch.setattr(f"graph.{module}.BATCH", 4)
    url, _, between = target.partition(" from ")
    wrote: list[str] = []

    def stop(name: str, rows: int) -> None:
        wrote.append(name)
        if name == table:
            raise KeyboardInterrupt

    with open_store(between) if between else nullcontext(source) as whole:
        before = everything(whole)
        with pytest.raises(KeyboardInterrupt):
            copy_store(whole.url, url, stop)
        with pytest.raises(StoreError, match=r"no store at|A copy into the store .* was stopped"):
            open_store(url)  # nobody sees half a copy
        whole.apply([Add("France", "borders", "Andorra")], author="Ada")  # the source is in use
        again: list[str] = []
        copy_store(whole.url, url, lambda name, rows: again.append(name))
    assert TABLES.index(table) <= min(map(TABLES.index, again), default=len(TABLES))
    with open_store(url) as store:
        assert everything(store) == before


def test_a_target_that_holds_something_is_refused(source: SharedStore, tmp_path: Path) -> None:
    with SqliteStore(f"sqlite:///{tmp_path}/other.db", create=True) as other:
        other.apply([Add("Oz", "motto", "x")], author="Ada")
    for url in (other.url, source.url):
        with pytest.raises(StoreError, match=r"is there already|holds facts"):
            copy_store(other.url, url)
    with open_store(other.url) as store:
        assert said(store, "Oz") == ["x"]
    with pytest.raises(KeyboardInterrupt):
        copy_store(other.url, f"sqlite:///{tmp_path}/copy.db", interrupted)
    with pytest.raises(StoreError, match="an unfinished copy of another store"):
        copy_store(source.url, f"sqlite:///{tmp_path}/copy.db")


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_copy_that_differs_is_found_out(sqlite: SqliteStore, tmp_path: Path) -> None:
    declared(sqlite).apply(EDITS, author="Ada")
    url = f"sqlite:///{tmp_path}/copy.db"

    def spoil(name: str, rows: int) -> None:
        if name == "draft_step":  # the last table
            with SqliteStore(f"{url}.copying") as making, making.transaction() as sql:
                sql.execute("UPDATE fact SET value = '68,400,001' WHERE value = '68,400,000'")

    with pytest.raises(StoreError, match="the table fact has 7 rows, 7 were read"):
        copy_store(sqlite.url, url, spoil)
    assert not (tmp_path / "copy.db").exists()


def test_the_command(
    sqlite: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declared(sqlite).apply(EDITS, author="Ada")
    url = f"sqlite:///{tmp_path}/copy.db"
    assert main(["copy", "--from", sqlite.url, "--to", url]) == 0
    assert "holds revision 2 of" in capsys.readouterr().out
    assert main(["copy", "--from", sqlite.url, "--to", url]) == 2
    assert "is there already" in capsys.readouterr().err
