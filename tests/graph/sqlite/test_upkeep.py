"""Check, backup, purge and reading only."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph.__main__ import main
from graph.core.edits import Add, AddSynonym, Change, Delete, Merge, Rename
from graph.core.errors import StoreError
from graph.core.import_rows import FactRow
from graph.core.invariants import check
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from graph.sqlite.store import SqliteStore
from tests.graph.conftest import EDITS, declared
from tests.graph.helpers import fact_of, id_of, said


def test_a_sound_store_has_no_findings(store: Any) -> None:
    store.apply([Rename(id_of(store, "Spain"), "España")], author="Ada")
    store.apply([Merge(id_of(store, "Italy"), id_of(store, "España"))], author="Ada")
    store.apply([AddSynonym("seat", "capital")], author="Ada")
    store.apply([Delete(fact_of(store, "France", "capital").id)], author="Ada")
    store.undo(author="Ada")
    assert check(store) == []
    if not hasattr(store, "draft_id"):
        assert store.check() == []


DAMAGE = {
    "UPDATE name SET key = 'x' WHERE text = 'France'": "stored under the wrong key",
    "UPDATE entity SET facts = 99": "facts but its count says 99",
    "DELETE FROM journal": "is not in the journal",
    "DELETE FROM word": "is not in the dictionary",
    "UPDATE fact SET since = 77": "starts at a revision that does not exist",
    "DELETE FROM name_words_docsize WHERE id = 1": "can be searched",
    "INSERT INTO fact SELECT version + 100, id + 1, entity_id, relation_id, value, value_id,"
    " source, year, since, until FROM fact WHERE value IS NOT NULL": "is a duplicate of",
    "DELETE FROM entity": "refers to a row of entity that does not exist",
    "UPDATE fact SET value = 'a' || char(7) WHERE value IS NOT NULL": "control character",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_broken_invariant_is_found(
    filled: SqliteStore, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(filled.path) as connection:
        connection.execute(damage)
    connection.close()
    assert_told(filled, DAMAGE[damage], capsys)


def assert_told(store: Any, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The method `check` and the command `check` both find what is broken."""
    assert any(sentence in found for found in store.check())
    assert main(["check", "--store", store.url]) == 1
    assert sentence in capsys.readouterr().out


SERVER_DAMAGE = {
    "MATCH (e:Entity {name: 'France'}) SET e.bag = 'x'": "stored under the wrong key",
    "MATCH (e:Entity) SET e.facts = 99": "facts but its count says 99",
    "MATCH (j:Entry) DELETE j": "is not in the journal",
    "MATCH (w:Word) DELETE w": "is not in the dictionary",
    "MATCH ()-[f:FACT]->() SET f.since = 77": "starts at a revision that does not exist",
    "MATCH (e)-[f:FACT]->(v) WITH e, f, v LIMIT 1 CREATE (e)-[:FACT {id: f.id, since: 1,"
    " until: f.until, relation: f.relation, source: ''}]->(v)": "two current versions",
    "CREATE (:Literal {value: 'lost'})": "The value lost belongs to no fact",
    "CREATE (:Name {name: 'lost', bag: 'lost', since: 1, until: 2})": "lost belongs to no entity",
    "MATCH (l:Literal) SET l.value = 'a\u0007'": "control character",
}


@pytest.mark.parametrize("damage", SERVER_DAMAGE)
def test_a_broken_invariant_is_found_on_a_server(
    neo4j_store: Any, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    declared(neo4j_store).apply(EDITS, author="Ada")
    assert neo4j_store.check() == []
    neo4j_store.connection.run(damage)
    assert_told(neo4j_store, SERVER_DAMAGE[damage], capsys)


def test_check_on_the_command_line(filled: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--store", filled.url]) == 0
    assert "sound" in capsys.readouterr().out


def test_a_backup_while_in_use_is_a_whole_revision(filled: SqliteStore, tmp_path: Path) -> None:
    filled.load((FactRow(i, f"e{i}", "r", f"v{i}" * 9) for i in range(3000)), author="Ada")
    france = id_of(filled, "France")
    filled.apply([Add("France", "left", "0"), Add("France", "right", "0")], author="Ada")
    left, right = fact_of(filled, "France", "left").id, fact_of(filled, "France", "right").id
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            filled.apply([Change(left, str(number)), Change(right, str(number))], author="Bob")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        backups = [tmp_path / "backups" / f"{number}.db" for number in range(3)]
        revisions = [filled.back_up(path) for path in backups]
    finally:
        stop.set()
        thread.join()
    for path, revision in zip(backups, revisions, strict=True):
        with open_store(f"sqlite:///{path}") as copy:
            assert copy.revision() == revision
            assert copy.facts(france, "left")[0].value == copy.facts(france, "right")[0].value
            assert copy.check() == []
    with pytest.raises(StoreError, match="is there already"):
        filled.back_up(backups[0])
    with pytest.raises(StoreError, match="cannot be written"):
        filled.back_up(Path("/proc/none/x.db"))
    assert sorted(path.name for path in (tmp_path / "backups").iterdir()) == [
        "0.db",
        "1.db",
        "2.db",
    ]


SECRET = "Xylophontius"


def traces(store: Any) -> bytes:
    """All that is kept, of a file its bytes and of a server every property, in small letters."""
    if isinstance(store, SqliteStore):
        return b"".join(
            path.read_bytes().lower() for path in store.path.parent.glob(f"{store.path.name}*")
        )
    rows = store.rows(
        "MATCH (n) RETURN properties(n) AS kept"
        " UNION ALL MATCH ()-[f]->() RETURN properties(f) AS kept"
    )
    return str(rows).lower().encode()


def test_nothing_is_left_of_a_purged_fact(public: Any) -> None:
    public.apply([Add("France", "lover", "Bob", value_is_link=False)], author="Ada")
    fact = fact_of(public, "France", "lover")
    public.apply([Change(fact.id, f"{SECRET} the First")], author="Ada")
    public.apply([Change(fact.id, f"{SECRET} the Second", source=SECRET)], author="Ada")
    public.apply([Add(f"Castle {SECRET}", "secret ruler", SECRET, value_is_link=True)], author="A")
    castle = fact_of(public, f"Castle {SECRET}", "secret ruler")
    public.apply([Rename(castle.entity_id, f"{SECRET} Castle")], author="Ada")
    public.apply([Delete(castle.id)], author="Ada")
    public.load([FactRow(1, "France", "envoy", SECRET)], author="Ada")
    envoy = fact_of(public, "France", "envoy")
    public.draft("one").apply([Change(fact.id, f"{SECRET} the Third")], author="Ada")
    names = public.unembedded()
    public.embed(names, np.eye(len(names), 384, dtype=np.float32))
    before, others = public.revision(), [f for f in public.all_facts() if SECRET not in f.value]
    # Said before by another fact, and named in a reason.
    public.apply([Add("France", "heir", SECRET, value_is_link=False)], author="Ada")
    public.apply([Delete(fact_of(public, "France", "heir").id)], author="Ada", reason=SECRET)
    public.apply([Add("France", "heir", SECRET, value_is_link=False)], author="Ada")
    heir = fact_of(public, "France", "heir")
    others = [f for f in others if f.relation != "heir"]
    before = public.revision()
    assert SECRET.lower().encode() in traces(public)
    revision = public.purge(
        [fact.id, castle.id, envoy.id, heir.id], author="Ada", reason="asked to"
    )
    assert revision == before + 1 == public.revision()
    assert SECRET.lower().encode() not in traces(public)
    assert b"xylophon" not in traces(public)
    assert b"secret ruler" not in traces(public)
    assert list(public.all_facts()) == others
    for at in range(1, revision + 1):
        assert said(public, "France", "lover", at=at) == []
    assert public.find_entities(SECRET) == public.search(SECRET[:5]) == []
    assert Retriever(public).lookup(f"{SECRET[:-1]}", "relations").is_miss
    castles = [place for place, (_, name) in enumerate(names) if SECRET in name]
    for place in castles:
        near = public.near_names(np.eye(1, 384, place, dtype=np.float32)[0])
        assert all(SECRET not in entity.name for entity, _ in near)
    assert castles
    assert SECRET not in str([entry.to_json() for entry in public.history(limit=1000)])
    entry = public.history(limit=1)[0]
    assert (entry.kind, entry.author, entry.reason) == ("purge", "Ada", "asked to")
    assert entry.edit == {"kind": "purge", "facts": 4}
    assert public.check() == []
    # Undo passes over what was emptied, and takes back what stands.
    public.undo(author="Ada")
    assert said(public, "France") in ([], [f.value for f in others if f.entity == "France"])
    with pytest.raises(StoreError, match="never existed; nothing was purged"):
        public.purge([fact.id], author="Ada")


def test_a_purge_leaves_what_others_use(public: Any) -> None:
    capital = fact_of(public, "France", "capital")
    public.purge([capital.id], author="Ada")
    assert said(public, "France", "capital") == []
    assert said(public, "Paris", "country") == ["France"]
    assert public.relation("capital") is not None
    assert public.check() == []


def test_a_purge_takes_only_the_past_from_a_fact_that_says_something_else_now(public: Any) -> None:
    public.apply([Add("France", "motto", SECRET)], author="Ada")
    other = fact_of(public, "France", "motto")
    public.apply([Change(other.id, "Liberté")], author="Ada")
    public.apply([Add("France", "motto", SECRET)], author="Ada")
    secret = next(f for f in public.facts(other.entity_id, "motto") if f.value == SECRET)
    public.purge([secret.id], author="Ada")
    assert said(public, "France", "motto") == ["Liberté"]
    assert SECRET.lower().encode() not in traces(public)
    assert public.check() == []


def test_purge_on_the_command_line(filled: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
    fact = fact_of(filled, "France", "population")
    assert main(["purge", str(fact.id), "--store", filled.url, "--author", "Ada"]) == 0
    assert "erased 1 fact." in capsys.readouterr().out
    assert main(["purge", "77", "--store", filled.url]) == 2
    assert "nothing was purged" in capsys.readouterr().err


def test_reading_only(filled: SqliteStore, tmp_path: Path) -> None:
    content = filled.path.read_bytes()
    with open_store(filled.url, read_only=True) as store:
        assert said(store, "France", "capital") == ["Paris"]
        draft = store.draft("one")
        assert said(draft, "France", "capital") == ["Paris"]
        for do in (
            lambda: store.apply([Add("a", "b", "c")], author="Ada"),
            lambda: store.undo(author="Ada"),
            lambda: store.load([FactRow(1, "a", "b", "c")], author="Ada"),
            lambda: draft.apply([Add("a", "b", "c")], author="Ada"),
            lambda: store.purge([fact_of(store, "France", "capital").id], author="Ada"),
        ):
            with pytest.raises(StoreError, match="is open for reading only"):
                do()
        filled.apply([Add("France", "motto", "Liberté")], author="Bob")  # others may write
        assert said(store, "France", "motto") == ["Liberté"]
    assert len(content) <= filled.path.stat().st_size
    with pytest.raises(StoreError, match="There is no store"):
        open_store(f"sqlite:///{tmp_path}/none.db", read_only=True)


def test_a_store_of_schema_1_is_refused_and_migrated(
    filled: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = list(filled.all_facts())
    filled.close()
    old = sqlite3.connect(filled.path)
    old.executescript(
        """
        DROP TABLE literal; DROP TABLE identifier;
        DROP TABLE name_vocabulary; DROP TABLE name_words; DROP TABLE word_gram; DROP TABLE word;
        DROP TABLE rule; DROP INDEX name_by_bag; ALTER TABLE name DROP COLUMN bag;
        CREATE VIRTUAL TABLE name_words USING fts5 (text, content='name',
            content_rowid='version', tokenize='unicode61 remove_diacritics 2', prefix='1 2 3');
        CREATE VIRTUAL TABLE name_parts USING fts5 (text, content='name',
            content_rowid='version', tokenize='trigram');
        INSERT INTO name_words (rowid, text) SELECT version, text FROM name;
        INSERT INTO name_parts (rowid, text) SELECT version, text FROM name;
        PRAGMA user_version = 1;
        """
    )
    old.close()
    with pytest.raises(StoreError, match=r"schema version 1 .* python -m graph migrate --store"):
        open_store(filled.url)
    assert main(["migrate", "--store", filled.url]) == 0
    assert "from schema version 1 to 3" in capsys.readouterr().out
    with SqliteStore(filled.url) as store:
        assert list(store.all_facts()) == facts
        assert store.check() == []
        assert Retriever(store).lookup("Farnce", "capital").value == "Paris"
        store.apply([Add("Portugal", "capital", "Lisbon")], author="Ada")
    assert main(["migrate", "--store", filled.url]) == 0
    assert "already" in capsys.readouterr().out
    migrated = sqlite3.connect(filled.path)
    names = {name for (name,) in migrated.execute("SELECT name FROM sqlite_master")}
    migrated.close()
    assert {"word", "word_gram", "rule", "name_by_bag", "literal"} <= names
    (tmp_path / "other.db").write_bytes(b"")
    for path in (tmp_path / "none.db", tmp_path / "other.db"):
        assert main(["migrate", "--store", f"sqlite:///{path}"]) == 2
