"""What only a store on a Neo4j server has: addresses, credentials, init, leases, large imports."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest

from graph.__main__ import main
from graph.core.edits import Add, AddAlias, Change, Rename
from graph.core.errors import StoreError
from graph.core.ids import LARGEST_ID
from graph.core.import_rows import AliasRow, BadLine, FactRow, RelationRow
from graph.core.protocol import SharedStore
from graph.neo4j.dictionary import lucene
from graph.neo4j.driver import _drivers, address_of, credentials
from graph.neo4j.store import Neo4jStore
from graph.opening import copy_store, open_store
from graph.sqlite.store import SqliteStore
from graph.world import make_world, store_url
from tests.graph.conftest import EDITS, declared
from tests.graph.helpers import fact_of, id_of, said
from tools.neo4j_server.server import Server

ROOT = Path(__file__).parents[3]


@pytest.fixture
def filled(neo4j_store: Neo4jStore) -> SharedStore:
    declared(neo4j_store).apply(EDITS, author="Ada")
    return neo4j_store


@pytest.fixture
def cypher(server: Server) -> Iterator[Any]:
    """Run a statement on the server, past the store."""
    with neo4j.GraphDatabase.driver(server.url, auth=("neo4j", server.password)) as driver:
        yield lambda text, **values: driver.execute_query(
            text, values, database_="neo4j", result_transformer_=neo4j.Result.values
        )


# Addresses and credentials


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("neo4j://db.example", "neo4j://db.example:7687/neo4j"),
        ("neo4j+s://db.example:7000/", "neo4j+s://db.example:7000/neo4j"),
        ("bolt://127.0.0.1:7687/facts", "bolt://127.0.0.1:7687/facts"),
        ("bolt+ssc://[::1]:7687", "bolt+ssc://[::1]:7687/neo4j"),
    ],
)
def test_an_address_is_taken_apart(url: str, full: str) -> None:
    assert address_of(url).url == full


@pytest.mark.parametrize(
    "url", ["neo4j://", "neo4j://:7687", "bolt://h:port", "bolt://h/../x", "neo4j://h?a=1"]
)
def test_a_bad_address_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match=r"names? no Neo4j server|not a valid database name"):
        open_store(url)


@pytest.mark.parametrize("url", ["neo4j://ada:hunter2@db", "bolt://:hunter2@h", "x://a:hunter2@h"])
def test_a_password_in_an_address_is_refused_and_not_repeated(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", "--store", url]) == 2
    told = capsys.readouterr()
    assert told.err.endswith(".\n")
    assert "hunter2" not in told.err + told.out


def test_credentials_come_from_the_environment_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NEO4J_USERNAME", "NEO4J_PASSWORD", "NEO4J_AUTH_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert credentials() is None
    monkeypatch.setenv("NEO4J_PASSWORD", "secret")
    assert credentials() == ("neo4j", "secret")
    file = tmp_path / "auth"
    monkeypatch.setenv("NEO4J_AUTH_FILE", str(file))
    with pytest.raises(StoreError, match="cannot be read: No such file"):
        credentials()
    file.write_text("ada/sec/ret\n")
    assert credentials() == ("ada", "sec/ret")
    file.write_text("ada secret")
    with pytest.raises(StoreError, match="one line, user/password") as caught:
        credentials()
    assert "secret" not in str(caught.value)
    file.write_text("db.example:7687 bob/two words\n\nada/secret\n")
    assert credentials("db.example:7687") == ("bob", "two words")
    assert credentials("other.example:7687") == credentials() == ("ada", "secret")
    file.write_text("db.example:7687 bob/secret\n")
    with pytest.raises(StoreError, match="no line for other") as caught:
        credentials("other.example:7687")
    assert "secret" not in str(caught.value)


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAMPLIGHT_STORE", raising=False)
    monkeypatch.setenv("NEO4J_URI", "neo4j://db")
    assert store_url() == "neo4j://db"
    monkeypatch.setenv("LAMPLIGHT_STORE", "sqlite:///x.db")
    assert store_url() == "sqlite:///x.db"
    assert store_url("neo4j://other") == "neo4j://other"


def test_a_wrong_or_missing_password_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "wrong-one")
    with pytest.raises(StoreError, match="does not accept the user and password") as caught:
        Neo4jStore(server.url)
    assert "wrong-one" not in str(caught.value)
    monkeypatch.delenv("NEO4J_PASSWORD")
    with pytest.raises(StoreError, match="asks for a password; set NEO4J_USERNAME"):
        Neo4jStore(server.url)


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+ssc"])
def test_a_server_that_speaks_no_tls_is_told(
    server: Server, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.neo4j.driver.PATIENCE_SECONDS", 2.0)
    with pytest.raises(StoreError, match="cannot be reached over TLS; check its certificate"):
        Neo4jStore(f"{scheme}://127.0.0.1:{server.port}")


def test_stores_of_one_server_share_a_pool_and_see_each_others_writes(filled: SharedStore) -> None:
    """One driver for the process; what one store wrote is a bookmark of what the next one reads."""
    assert isinstance(filled, Neo4jStore)
    with Neo4jStore(filled.url) as other:
        assert other.connection.driver is filled.connection.driver
        bookmarks = filled.connection.driver.execute_query_bookmark_manager
        seen = [set(bookmarks.get_bookmarks())]
        for value in ("Liberté", "Égalité"):
            filled.apply([Add("France", "motto", value)], author="Ada")
            assert value in said(other, "France", "motto")
            seen.append(set(bookmarks.get_bookmarks()))
        assert all(seen[1:])
        assert len({frozenset(each) for each in seen}) == 3  # each write moves them on
    assert said(filled, "France", "motto") == ["Liberté", "Égalité"]  # the pool is still open
    key = filled.connection._key
    filled.close()
    assert key not in _drivers
    with pytest.raises(StoreError, match="is closed"):
        filled.revision()


def test_a_database_that_is_not_there(server: Server) -> None:
    with pytest.raises(StoreError, match="has no database “elsewhere”"):
        Neo4jStore(f"{server.url}/elsewhere")


# Making a store


def test_init_alone_makes_a_store_and_again_leaves_it(
    server: Server, cypher: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cypher("MATCH (n) DETACH DELETE n")
    with pytest.raises(StoreError, match=r"no store at .*make one with: python -m graph init"):
        open_store(server.url)
    assert cypher("MATCH (n) RETURN count(n)") == [[0]]
    assert main(["init", "--empty", "--store", server.url]) == 0
    with open_store(server.url) as store:
        store.apply([Add("France", "motto", "Liberté")], author="Ada")
        revision = store.revision()
    cypher("DROP INDEX entity_bag")
    assert main(["init", "--store", server.url]) == 0  # mends the schema, and leaves the rest
    assert "stays as it is" in capsys.readouterr().out
    assert cypher("SHOW INDEXES YIELD name, state WHERE name = 'entity_bag' RETURN state") == [
        ["ONLINE"]
    ]
    with open_store(server.url) as store:
        assert store.revision() == revision
        assert store.url == f"{server.url}/neo4j"


def test_somebody_elses_nodes_are_refused(server: Server, cypher: Any) -> None:
    cypher("MATCH (n) DETACH DELETE n")
    cypher("CREATE (:Person {name: 'Ann'})-[:KNOWS]->(:Entity {name: 'Bob'})")
    for open_it in (open_store, make_world):
        with pytest.raises(StoreError, match="holds 2 nodes that are not Lamplight's"):
            open_it(server.url)
    assert cypher("MATCH (n) RETURN count(n)") == [[2]]
    cypher("MATCH (n) DETACH DELETE n")
    Neo4jStore(server.url, create=True).close()
    cypher("CREATE (:Person {name: 'Ann'})")
    with pytest.raises(StoreError, match="holds 1 nodes"):
        open_store(server.url)
    cypher("MATCH (n:Person) DELETE n")
    open_store(server.url).close()


def test_another_schema_version_and_a_half_made_store_are_refused(
    neo4j_store: Neo4jStore, cypher: Any
) -> None:
    cypher("MATCH (s:Lamplight {name: 'store'}) SET s.schema_version = 99")
    with pytest.raises(StoreError, match="schema version 99 and this program reads 3; open it"):
        open_store(neo4j_store.url)
    cypher("MATCH (s:Lamplight {name: 'store'}) SET s.schema_version = 3, s.filled = false")
    with pytest.raises(StoreError, match="is incomplete; finish it with: python -m graph init"):
        open_store(neo4j_store.url)
    assert make_world(neo4j_store.url, empty=True)
    open_store(neo4j_store.url).close()


def test_a_store_of_the_first_schema_version_is_migrated(
    neo4j_store: Neo4jStore, cypher: Any
) -> None:
    neo4j_store.apply(
        [Add("New York", "motto", "Excelsior"), Add("\N{SNOWMAN}", "made of", "snow")], author="Ada"
    )
    neo4j_store.apply([AddAlias(id_of(neo4j_store, "New York"), "Big Apple")], author="Ada")
    revision = neo4j_store.revision()
    # As that version had it: a folded key next to the bag, and no bag for a name without words.
    cypher("MATCH (n:Entity|Name) SET n.key = toLower(n.name)")
    cypher("MATCH (n:Entity {name: '\N{SNOWMAN}'}) SET n.bag = ''")
    cypher("CREATE INDEX name_key FOR (n:Name) ON (n.key)")
    cypher("MATCH (s:Lamplight {name: 'store'}) SET s.schema_version = 1")
    with pytest.raises(
        StoreError, match=r"upgrade it with: python -m graph migrate --store neo4j:"
    ):
        open_store(neo4j_store.url)
    assert main(["migrate", "--store", neo4j_store.url]) == 0
    with open_store(neo4j_store.url) as store:
        assert store.revision() == revision
        for name, found in (
            ("new_york", "New York"),
            ("big apple", "New York"),
            ("\N{SNOWMAN}", "\N{SNOWMAN}"),
        ):
            assert [entity.name for entity, _ in store.find_entities(name)] == [found]
    assert cypher("MATCH (n:Entity|Name) WHERE n.key IS NOT NULL RETURN count(n)") == [[0]]
    assert cypher("SHOW INDEXES YIELD name WHERE name IN ['entity_key', 'name_key']") == []


def test_the_commands_work_on_a_server(
    filled: SharedStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "more.csv"
    file.write_text("entity,relation,value\nSpain,motto,Plus ultra\n")
    for command in (
        ["import", str(file), "--author", "Ada"],
        ["lookup", "Spain", "motto"],
        ["show", "France"],
        ["history"],
        ["export", "-"],
        ["stats"],
        ["undo", "--author", "Ada"],
    ):
        assert main([*command, "--store", filled.url]) == 0
    told = capsys.readouterr().out
    assert "Plus ultra" in told
    assert "Revision 4 takes back revision 3." in told


# Text


def test_rows_of_somebody_elses_database_are_imported(
    server: Server, sqlite: SqliteStore, cypher: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cypher("MATCH (n) WHERE NOT n:Lamplight DETACH DELETE n")
    cypher(
        "CREATE (:Person {name: 'Ada', born: 1815})-[:KNOWS]->(:Person {name: 'Charles'}),"
        " (:Person {name: 'Mary', born: [1]})"
    )
    start = ["import", "--from", server.url, "--store", sqlite.url, "--author", "Bo", "--cypher"]
    born = "MATCH (p:Person) RETURN p.name AS entity, 'born' AS relation, p.born AS value"
    try:
        knows = "MATCH (a)-[r]->(b) RETURN a.name AS entity, type(r) AS relation, b.name AS value"
        assert main([*start, f"{knows}, 'ours' AS source, 1833 AS year"]) == 0
        assert "1 new fact, 1 new entity" in capsys.readouterr().out
        (fact,) = sqlite.all_facts()
        assert (fact.entity, fact.relation, fact.value) == ("Ada", "KNOWS", "Charles")
        assert (fact.source, fact.year) == ("ours", 1833)
        assert main([*start, born]) == 2  # nothing of it, because one is not a value
        told = capsys.readouterr().err
        assert "Its value is" in told
        assert "Nothing was imported: 1 invalid line" in told
        assert main([*start, born, "--skip-bad"]) == 0
        assert said(sqlite, "Ada") == ["Charles", "1815"]
        assert said(sqlite, "Mary") == ["1"]  # from a list
        assert main([*start, "MATCH (n) RETURN n.name AS entity"]) == 2
        assert "The query returns no relation" in capsys.readouterr().err
        assert main([*start, "MATCH (n:Person) DELETE n RETURN '' AS entity"]) == 2
        assert main([*start, "MATCH (n"]) == 2
        assert capsys.readouterr().err.count("\n") == 2
        assert cypher("MATCH (p:Person) RETURN count(p)") == [[3]]
    finally:
        cypher("MATCH (p:Person) DETACH DELETE p")


def test_a_copy_that_was_stopped_is_not_finished_by_init(
    emptied_server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = emptied_server()
    with SqliteStore(f"sqlite:///{tmp_path}/own.db", create=True) as own:
        declared(own).apply(EDITS, author="Ada")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_store(own.url, url, stop)
    with pytest.raises(StoreError, match="resume it with: python -m graph copy"):
        open_store(url)
    for command in (["init"], ["init", "--empty"]):
        assert main([*command, "--store", url]) == 2
        assert "resume it with: python -m graph copy" in capsys.readouterr().err
    copy_store(own.url, url)
    with open_store(url) as store:
        assert said(store, "France", "capital") == ["Paris"]


def test_a_fact_is_purged_and_a_backup_is_a_copy(
    filled: SharedStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fact = fact_of(filled, "France", "population")
    assert main(["purge", str(fact.id), "--store", filled.url, "--author", "Ada"]) == 0
    out = capsys.readouterr().out
    assert "erased 1 fact." in out
    assert "transaction logs hold it until they are rotated" in out
    assert filled.fact(fact.id, at=1) is None
    assert main(["purge", "--store", filled.url]) == 2
    assert f"python -m graph copy --from {filled.url} --to sqlite:///" in capsys.readouterr().err
    backup = ["backup", str(tmp_path / "backup.db"), "--store", filled.url]
    assert main(backup) == 0
    assert f"as it was at revision {filled.revision()}" in capsys.readouterr().out
    with open_store(f"sqlite:///{tmp_path / 'backup.db'}") as kept:
        assert list(kept.all_facts()) == list(filled.all_facts())
        assert kept.history(limit=99) == filled.history(limit=99)
    assert main(backup) == 2
    assert "is there already" in capsys.readouterr().err


def test_what_lucene_would_read_as_syntax_is_text(filled: SharedStore) -> None:
    assert lucene("/.*/") == r"\/.\*\/"
    names = ["AC/DC", "OR", "C++", "a AND b", "[x TO y]", "~1"]
    filled.apply([Add(name, "note", "x", value_is_link=False) for name in names], author="Ada")
    for name in names:
        assert filled.search(name)[0].name == name
        assert [entity.name for entity in filled.candidates(name)][:1] in ([name], [])
    for odd in ("/.*/", "*", "fr* OR", "name:x", "a~2 b^4", "\\"):
        assert filled.search(odd) == []


def test_names_whose_keys_are_longer_than_an_index_takes(filled: SharedStore) -> None:
    long = "\ufdfa" * 500  # each folds to eighteen letters: eighteen kilobytes
    for name in (long, long + "a"):
        filled.apply([Add(name, name, name, value_is_link=False)], author="Ada")
    for name in (long, long + "a"):
        assert [(e.name, how) for e, how in filled.find_entities(name)] == [(name, "exact")]
        assert [f.value for f in filled.facts(id_of(filled, name), name)] == [name]


# Imports


def rows(count: int) -> Iterator[FactRow]:
    for i in range(count):
        yield FactRow(i + 2, f"Town {i}", "country", "France", "atlas")
        yield FactRow(i + 2, f"Town {i}", "twin", f"Town {i + 1}")


def test_an_import_of_many_batches_equals_one_of_sqlite(
    filled: SharedStore, sqlite: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values that become entities only later, aliases, doubles and sources over batches."""
    monkeypatch.setattr("graph.neo4j.load.BATCH", 7)
    declared(sqlite).apply(EDITS, author="Ada")
    file = [
        *rows(20),
        RelationRow(50, "mayor", "link", "who governs"),
        FactRow(51, "Town 3", "mayor", "Ann"),
        FactRow(52, "Town 3", "Twin", "Town 4", "atlas", "1999"),
        FactRow(53, "Town 3", "twin", "Town 4", "atlas"),
        FactRow(54, "France", "capital", "Paris", "atlas"),
        FactRow(55, "France", "visited", "2012"),
        FactRow(56, "2012", "instance of", "film"),
        AliasRow(57, "Hexagon", "France"),
        AliasRow(58, "Sixfold", "Hexagon"),
        FactRow(59, "Hexagon", "motto", "Liberté"),
        FactRow(60, "Spain", "borders", "Hexagon"),
        FactRow(61, "Spain", "borders", "Portugal"),
        BadLine(62, "no good"),
        FactRow(63, "Oz", "note", "bad\x07"),
        FactRow(64, "film", "made of", "celluloid"),
    ]
    told: dict[str, list[str]] = {"neo4j": [], "sqlite": []}
    reports = []
    for name, store in (("neo4j", filled), ("sqlite", sqlite)):
        on_bad = told[name].append
        report = store.load(
            file,
            author="Ada",
            source="file",
            skip_bad=True,
            on_bad=lambda line: on_bad(str(line)),  # noqa: B023
        )
        reports.append(report)
    assert reports[0] == reports[1]
    assert told["neo4j"] == told["sqlite"]

    def content(store: Any) -> list[Any]:
        return [
            (f.entity, f.relation, f.value, f.is_link, f.source, f.year, f.since)
            for f in store.all_facts()
        ]

    assert content(filled) == content(sqlite)
    assert filled.statistics() == sqlite.statistics()
    assert said(filled, "Town 19", "twin") == ["Town 20"]
    for name in ("Hexagon", "Sixfold", "France", "Town 3"):
        ours, theirs = (store.find_entities(name)[0][0] for store in (filled, sqlite))
        assert (ours.name, ours.aliases) == (theirs.name, theirs.aliases)
        assert [e.name for e in filled.search(name, 5)] == [e.name for e in sqlite.search(name, 5)]
    for store in (filled, sqlite):
        before = content(store)
        store.undo(author="Ada")
        assert len(content(store)) == 7
        store.redo(author="Ada")
        assert [row[:6] for row in content(store)] == [row[:6] for row in before]
    assert filled.statistics() == sqlite.statistics()


def test_nobody_sees_half_an_import_and_others_wait_for_it(
    filled: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.neo4j.load.BATCH", 10)
    before = list(filled.all_facts())
    halfway, go = threading.Event(), threading.Event()

    def slowly() -> Iterator[FactRow]:
        for i, row in enumerate(rows(30)):
            if i == 50:
                halfway.set()
                assert go.wait(60)
            yield row

    imported = threading.Thread(target=lambda: filled.load(slowly(), author="Bob"))
    imported.start()
    assert halfway.wait(120)
    with Neo4jStore(filled.url) as other:
        assert list(other.all_facts()) == before
        assert other.find_entities("Town 1") == other.search("town") == []
        wrote: list[int] = []
        writer = threading.Thread(
            target=lambda: wrote.append(other.apply([Add("Oz", "motto", "x")], author="Eve"))
        )
        writer.start()
        assert not wrote
        go.set()
        imported.join()
        writer.join()
        assert wrote == [4]
        assert len(list(other.all_facts())) == 7 + 60 + 1


def test_what_is_on_its_way_to_the_server_is_known_to_the_next_batch(
    filled: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same facts in each batch, with one source more: of the batch before, and of the store."""
    monkeypatch.setattr("graph.neo4j.load.BATCH", 4)

    def again(source: str) -> list[FactRow]:
        return [
            FactRow(1, "France", "capital", "Paris", source),  # stood before
            FactRow(2, "Oz", "capital", "Emerald City", source),
            FactRow(3, "Oz", "motto", "Home", source),
            FactRow(4, "Emerald City", "country", "Oz", source),
        ]

    before = len(list(filled.all_facts()))
    letters = [row for letter in "abcdef" for row in again(letter)]
    report = filled.load(iter(letters), author="Bob")
    assert (report.facts, report.entities, report.sources, report.doubles) == (3, 2, 21, 0)
    facts = list(filled.all_facts())
    assert len(facts) == before + 3
    new = {fact.source for fact in facts if fact.entity in ("Oz", "Emerald City")}
    assert new == {"a; b; c; d; e; f"}
    (old,) = [fact for fact in facts if (fact.entity, fact.value) == ("France", "Paris")]
    assert old.source.endswith("a; b; c; d; e; f")
    assert filled.undo(author="Bob") is not None
    assert len(list(filled.all_facts())) == before


def test_an_import_that_fails_or_dies_leaves_nothing(
    filled: SharedStore, cypher: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.neo4j.load.BATCH", 10)
    census = "MATCH (n) WITH labels(n) AS l, count(*) AS c RETURN l, c ORDER BY l"
    facts, counts = list(filled.all_facts()), cypher(census)
    known = cypher("MATCH (e:Entity) RETURN e.name, e.facts ORDER BY e.name")

    def failing(problem: BaseException) -> Iterator[FactRow]:
        yield FactRow(1, "France", "capital", "Paris", "a new source")
        yield from rows(20)
        raise problem

    with pytest.raises(KeyboardInterrupt):
        filled.load(failing(KeyboardInterrupt()), author="Bob")
    words = ["Word"]  # the dictionary only grows
    assert [c for c in cypher(census) if c[0] != words] == [c for c in counts if c[0] != words]
    assert cypher("MATCH (e:Entity) RETURN e.name, e.facts ORDER BY e.name") == known
    # One that is killed cannot take anything back; the next writer does, once it is thought dead.
    script = (
        "import os\n"
        "from graph.opening import open_store\n"
        "from graph.core.import_rows import FactRow\n"
        "import graph.neo4j.load; graph.neo4j.load.BATCH = 10\n"
        "def rows():\n"
        "    for i in range(40): yield FactRow(i, f'City {i}', 'country', 'France')\n"
        "    os._exit(9)\n"
        f"open_store('{filled.url}').load(rows(), author='Bob')\n"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 9
    cities = "MATCH (e:Entity) WHERE e.name STARTS WITH 'City' RETURN count(e)"
    ((left,),) = cypher(cities)
    assert left in (10, 20, 30)  # the last batch was on its way
    assert list(filled.all_facts()) == facts
    monkeypatch.setattr("graph.neo4j.turns.LEASE_SECONDS", 0)
    filled.apply([Add("France", "motto", "Liberté")], author="Ada")
    assert cypher(cities) == [[0]]
    assert list(filled.all_facts())[:7] == facts


def test_a_store_that_is_open_for_reading_only(filled: SharedStore) -> None:
    with open_store(filled.url, read_only=True) as store:
        assert said(store, "France", "capital") == ["Paris"]
        attempts: list[Any] = [
            lambda: store.apply([Add("Oz", "motto", "x")], author="Ada"),
            lambda: store.undo(author="Ada"),
            lambda: store.load([FactRow(1, "Oz", "motto", "x")], author="Ada"),
            lambda: store.draft("one").apply([Add("Oz", "motto", "x")], author="Ada"),
        ]
        for attempt in attempts:
            with pytest.raises(StoreError, match="is open for reading only"):
                attempt()
    assert filled.revision() == 2


# Revisions


def test_a_revision_whose_writer_was_killed_before_it_was_announced(
    filled: SharedStore, cypher: Any
) -> None:
    newest = filled.revision()
    filled.apply([Add("France", "motto", "Liberté")], author="Ada", write_id="w")
    cypher("MATCH (n:Lamplight {name: 'newest'}) SET n.revision = $r", r=newest)
    assert said(filled, "France", "motto") == []
    assert {entry.revision for entry in filled.history(limit=1)} == {newest}
    with Neo4jStore(filled.url) as other:
        assert said(other, "France", "motto") == ["Liberté"]
    assert filled.apply([Add("France", "motto", "Liberté")], author="Ada", write_id="w") == (
        newest + 1
    )


def test_many_writers_take_turns(filled: SharedStore) -> None:
    """Each edit is there once, its revision its own, over two stores and six threads."""
    revisions: list[int] = []
    with Neo4jStore(filled.url) as other:

        def write(name: str, store: SharedStore) -> None:
            for i in range(5):
                revisions.append(store.apply([Add(name, "number", str(i))], author=name))

        threads = [
            threading.Thread(target=write, args=(f"Writer {i}", (filled, other)[i % 2]))
            for i in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(revisions) == list(range(3, 33))
    for i in range(6):
        assert said(filled, f"Writer {i}", "number") == list("01234")


def test_a_version_is_never_written_twice(filled: SharedStore, cypher: Any) -> None:
    """The server itself refuses a second version of a fact at one revision, or a second name."""
    paris = fact_of(filled, "France", "capital")
    filled.apply([Change(paris.id, "Lyon"), Change(paris.id, "Nice")], author="Ada")
    filled.apply([Rename(paris.entity_id, "Gaul"), AddAlias(paris.entity_id, "x")], author="Ada")
    assert cypher("MATCH ()-[f:FACT {id: $id}]->() RETURN count(f)", id=paris.id) == [[2]]
    for wrong in (
        "MATCH (e:Entity {name: 'Gaul'})-[f:FACT {id: $id}]->(v) WHERE f.until = $open"
        " CREATE (e)-[g:FACT]->(v) SET g = f",
        "CREATE (:Entity {id: 1, name: 'Gaul'})",
    ):
        with pytest.raises(neo4j.exceptions.ConstraintError):
            cypher(wrong, id=paris.id, open=LARGEST_ID)
