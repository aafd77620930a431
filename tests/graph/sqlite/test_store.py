"""The embedded store as a file: settings, damage, a full disk, threads, processes, kill -9."""

from __future__ import annotations

import itertools
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

import graph.sqlite.load as sqlite_load
from graph.core.edits import Add, Change, Delete
from graph.core.errors import AlreadyThere, StoreError
from graph.core.import_rows import FactRow
from graph.opening import open_store
from graph.sqlite.file import SCHEMA_VERSION
from graph.sqlite.store import SqliteStore
from tests.graph.helpers import fact_of, id_of, said

ROOT = Path(__file__).parents[3]


def test_every_writing_connection_is_durable(shared: SqliteStore) -> None:
    def setting(connection: sqlite3.Connection, name: str) -> object:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    with shared.transaction() as connection:
        assert setting(connection, "journal_mode") == "wal"
        assert setting(connection, "foreign_keys") == 1
        assert setting(connection, "synchronous") == 2  # FULL
    reader = shared._reader()
    assert setting(reader, "query_only") == 1  # every other connection cannot write
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM fact")


def test_no_fact_without_its_entity(filled: SqliteStore) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY"), filled.transaction() as connection:
        connection.execute("DELETE FROM entity")
    assert said(filled, "France", "capital") == ["Paris"]


def test_a_url_names_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"There is no store at .*python -m graph init"):
        open_store(f"sqlite:///{tmp_path}/none.db")
    assert not list(tmp_path.iterdir())
    for url in ("", "world.db", "postgres://x", "sqlite:///", "sqlite:///a\0b"):
        with pytest.raises(StoreError, match=r"names no|is not the URL of a store"):
            open_store(url)
    store = open_store(f"sqlite:///{tmp_path}/deep/er/new.db", create=True)
    assert store.revision() == 0
    store.close()


def test_a_closed_store_says_so(filled: SqliteStore) -> None:
    filled.close()
    for do in (
        filled.revision,
        lambda: filled.apply([Add("a", "b", "c")], author="Ada"),
        lambda: filled.draft("one"),
    ):
        with pytest.raises(StoreError, match="is closed"):
            do()


@pytest.mark.parametrize("content", [b"entity,relation,value\n" * 99, b"\0" * 8192, b"x"])
def test_a_file_that_is_not_a_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "facts.csv"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"is not a database|not a Lamplight store"):
        open_store(f"sqlite:///{path}", create=True)
    assert path.read_bytes() == content


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE fact (x)")
    theirs.close()
    for create in (False, True):
        with pytest.raises(StoreError, match="not a Lamplight store"):
            open_store(f"sqlite:///{path}", create=create)
    with sqlite3.connect(path) as theirs:
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("fact",)]
        assert theirs.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    theirs.close()


def test_another_schema_version_is_refused(filled: SqliteStore) -> None:
    filled.close()
    with sqlite3.connect(filled.path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match=f"schema version {SCHEMA_VERSION + 1} .* reads"):
        open_store(filled.url)


def test_a_folder_that_cannot_be_written() -> None:
    for create in (False, True):  # /proc takes no files, whoever asks
        with pytest.raises(StoreError, match=r"/proc/lamp/world\.db"):
            open_store("sqlite:////proc/lamp/world.db", create=create)


def test_a_damaged_file_says_so(filled: SqliteStore) -> None:
    filled.load(
        (FactRow(i, f"e{i}", "r", f"v{i}" * 9) for i in range(2000)),
        author="Ada",
    )
    filled.close()
    content = bytearray(filled.path.read_bytes())
    noise = random.Random(1)
    for page in range(8, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = noise.randbytes(64)
    filled.path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"), open_store(filled.url) as store:
        list(store.all_facts())


def test_a_full_disk_loses_nothing_acknowledged(filled: SqliteStore) -> None:
    draft = filled.draft("one")
    with filled.transaction() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    filled._writer.execute(f"PRAGMA max_page_count = {pages + 20}")
    acknowledged: list[str] = []
    value = ""
    with pytest.raises(StoreError, match=r"disk .* is full: nothing of this was saved"):  # noqa: PT012
        for number in range(1000):
            value = f"{number} " + "x" * 2000
            filled.apply([Add("France", "note", value)], author="Ada")
            acknowledged.append(value)
    assert acknowledged
    revision = filled.revision()
    assert said(filled, "France", "note") == acknowledged
    with pytest.raises(StoreError, match="is full"):
        draft.apply([Add("France", "note", "y" * 4000 + str(i)) for i in range(50)], author="A")
    assert draft.edits() == []
    with pytest.raises(StoreError, match="is full"):
        filled.load((FactRow(i, f"e{i}", "r", "v" * 999) for i in range(999)), author="Ada")
    assert filled.revision() == revision
    # When there is room again, the same connection goes on.
    filled._writer.execute("PRAGMA max_page_count = 1000000")
    filled.apply([Add("France", "note", value)], author="Ada")
    assert said(filled, "France", "note") == [*acknowledged, value]
    filled.close()
    with open_store(filled.url) as store:
        assert said(store, "France", "note") == [*acknowledged, value]
        assert store._rows("PRAGMA integrity_check") == [("ok",)]


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    if not shutil.which("mount"):
        pytest.skip("no mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk can be mounted only by root")
    try:
        store = open_store(f"sqlite:///{disk}/world.db", create=True)
        acknowledged = []
        with pytest.raises(StoreError, match="is full"):  # noqa: PT012
            for number in range(5000):
                value = f"{number} " + "x" * 4000
                store.apply([Add("France", "note", value)], author="Ada")
                acknowledged.append(value)
        assert said(store, "France", "note") == acknowledged
        store.close()
        with open_store(f"sqlite:///{disk}/world.db") as again:
            assert said(again, "France", "note") == acknowledged
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_an_import_is_one_entry_and_can_be_undone(filled: SqliteStore) -> None:
    before, facts = filled.statistics(), list(filled.all_facts())
    rows = [
        FactRow(1, "France", "capital", "Paris", "atlas"),
        FactRow(2, "Belgium", "capital", "Brussels", "atlas", "2020"),
        FactRow(3, "Belgium", "capital", "Brussels", "atlas", "2020"),
        FactRow(4, "Belgium", "near", "Spain"),
        FactRow(5, "Belgium", "founded", "1830"),
        FactRow(6, "1830", "instance of", "year"),
    ]
    report = filled.load(rows, author="Ada", reason="more")
    assert (report.facts, report.sources, report.doubles, report.entities) == (4, 1, 1, 3)
    assert fact_of(filled, "France", "capital").source == "factbook; atlas"
    assert fact_of(filled, "Belgium", "near").is_link
    assert not fact_of(filled, "Belgium", "founded").is_link
    assert fact_of(filled, "Belgium", "capital").year == 2020
    assert [e.name for e in filled.search("belg")] == ["Belgium"]
    entry = filled.history(limit=1)[0]
    assert (entry.kind, entry.edit["facts"], entry.deltas) == ("import", 4, ())
    belgium = fact_of(filled, "Belgium", "capital")
    assert [e.kind for e in filled.history(fact_id=belgium.id)] == ["import"]
    assert [e.kind for e in filled.history(entity_id=belgium.entity_id)] == ["import"]
    filled.undo(author="Ada")
    after = filled.statistics()
    assert (after.facts, after.entities) == (before.facts, before.entities)
    assert [(f.id, f.value, f.source) for f in filled.all_facts()] == [
        (f.id, f.value, f.source) for f in facts
    ]
    filled.redo(author="Ada")
    assert filled.fact(belgium.id).value == "Brussels"  # type: ignore[union-attr]


@pytest.mark.parametrize("kept", [2, 200_000])
def test_an_import_means_what_edits_mean(
    filled: SqliteStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: int
) -> None:
    """However little is kept in memory, and in any order of the rows."""
    for name in ("_CACHED", "_MANY", "_TOGETHER"):
        monkeypatch.setattr(sqlite_load, name, min(kept, getattr(sqlite_load, name)))
    names = ["France", "Spain", "Paris", "Oslo", "Rome", "Bern"]
    relations = ["capital", "borders", "Borders", "population", "twin", "Twin"]
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    filled.apply([Add(name, "instance of", "place") for name in names], author="Ada")
    rows = [
        (rng.choice(names), rng.choice(relations), rng.choice([*names, "1", "2012"]), f"s{i % 3}")
        for i in range(300)
    ]
    told = []
    for way in ("edits", "one import", "two imports"):
        path = tmp_path / f"{way}.db"
        filled.back_up(path)
        with SqliteStore(f"sqlite:///{path}") as store:
            if way == "edits":
                for row in rows:
                    with suppress(AlreadyThere):
                        store.apply([Add(*row)], author="Ada")
            else:
                cut = len(rows) // 2 if way == "two imports" else len(rows)
                for some in (rows[:cut], rows[cut:]):
                    store.load((FactRow(0, *row) for row in some), author="Ada")
            told.append(
                sorted(
                    (f.entity, f.relation, f.value, f.is_link, f.source) for f in store.all_facts()
                )
            )
            assert store.check() == []
    assert told[0] == told[1] == told[2]


def test_how_well_known_an_entity_is_stays_right(filled: SqliteStore) -> None:
    rows = [FactRow(1, "France", "capital", "Paris", "atlas"), FactRow(2, "a", "capital", "Paris")]
    filled.load(rows, author="Ada")
    filled.apply([Change(fact_of(filled, "France", "capital").id, "Lyon")], author="Ada")
    filled.apply([Delete(fact_of(filled, "France", "borders").id)], author="Ada")
    filled.undo(author="Ada")
    counts = filled._rows(
        "SELECT e.facts, (SELECT count(*) FROM fact f WHERE f.entity_id = e.id AND f.until ="
        " 9223372036854775807) + (SELECT count(*) FROM fact f WHERE f.value_id = e.id AND f.until"
        " = 9223372036854775807) FROM entity e"
    )
    assert all(kept == counted for kept, counted in counts)


def test_readers_see_whole_revisions_while_writers_write(filled: SqliteStore) -> None:
    """Each edit moves two facts together; no reader may ever see one without the other."""
    france = id_of(filled, "France")
    facts = [Add("France", "left", "0"), Add("France", "right", "0")]
    filled.apply(facts, author="Ada")
    left, right = fact_of(filled, "France", "left").id, fact_of(filled, "France", "right").id
    stop = threading.Event()
    problems: list[object] = []
    reads, writes = [0] * 6, [0] * 2

    def read(place: int) -> None:
        try:
            while not stop.is_set():
                at = filled.revision()
                one = filled.facts(france, "left", at=at)[0].value
                other = filled.facts(france, "right", at=at)[0].value
                now = [f.value for f in filled.facts(france) if f.relation in ("left", "right")]
                if one != other or now[0] != now[1]:
                    problems.append((at, one, other, now))
                filled.search("fra")
                reads[place] += 1
        except Exception as problem:
            problems.append(problem)

    def write(place: int) -> None:
        try:
            while not stop.is_set():
                value = f"{place} {writes[place]}"
                filled.apply([Change(left, value), Change(right, value)], author=str(place))
                writes[place] += 1
        except Exception as problem:
            problems.append(problem)

    before = filled.revision()
    threads = [threading.Thread(target=read, args=(i,)) for i in range(6)]
    threads += [threading.Thread(target=write, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert min(reads) > 0
    assert min(writes) > 0
    assert filled.revision() == before + sum(writes)
    assert len(filled._readers) == 1  # a thread's connection goes with the thread


def test_drafts_of_one_session_from_many_threads(filled: SqliteStore) -> None:
    problems = []

    def edit(place: int) -> None:
        try:
            draft = filled.draft("one")
            for number in range(5):
                draft.apply([Add("France", "note", f"{place} {number}")], author="Ada")
        except Exception as problem:
            problems.append(problem)

    keep = filled.draft("one")
    threads = [threading.Thread(target=edit, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(said(keep, "France", "note")) == 20


def test_two_processes_write_one_file(filled: SqliteStore) -> None:
    script = """
        import sys
        from graph.core.edits import Add
        from graph.opening import open_store
        store = open_store(sys.argv[1])
        for number in range(20):
            store.apply([Add("France", "note", f"{sys.argv[2]} {number}")], author="x")
    """
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), filled.url, name],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        for name in "ab"
    ]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()
    assert len(said(filled, "France", "note")) == 40
    assert len({e.revision for e in filled.history(limit=40)}) == 40


def test_kill_9_loses_and_doubles_nothing(filled: SqliteStore) -> None:
    """A child acknowledges each edit on its output; each of those has to be there."""
    script = """
        import itertools, sys
        from graph.core.edits import Add
        from graph.opening import open_store
        store = open_store(sys.argv[1])
        draft = store.draft("session")
        for number in itertools.count():
            value = f"{sys.argv[2]} {number}"
            store.apply([Add("France", "note", value)], author="x", write_id=value)
            draft.apply([Add("Spain", "note", value)], author="x", write_id=value)
            print(number, flush=True)
    """
    seed = random.randrange(10**6)
    waits = random.Random(seed)
    print("seed", seed)
    expected: list[str] = []
    for place in itertools.count():
        if place >= 20 and len(expected) >= 1000:
            break
        assert place < 80, f"{len(expected)} edits in {place} rounds"
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), filled.url, str(place)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(waits.uniform(0.02, 0.2))
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        # The output's last line may be cut; what it says was acknowledged is 0..last.
        last = int(rest[-1]) if rest else 0
        expected += [f"{place} {number}" for number in range(last + 1)]
        with open_store(filled.url) as store:
            assert store._rows("PRAGMA integrity_check") == [("ok",)]
            for values in (
                said(store, "France", "note"),
                said(store.draft("session"), "Spain", "note"),
            ):
                assert set(expected) <= set(values)
                assert len(values) == len(set(values))
                # At most the edit under way when the child was killed is there unacknowledged.
                assert len(values) <= len(expected) + place + 1


def test_speed_of_what_a_person_waits_for(filled: SqliteStore) -> None:
    """Generous bounds that catch a lost index, not a busy machine."""
    filled.load(
        (FactRow(i, f"entity {i // 5}", f"relation {i % 5}", f"v{i}") for i in range(20_000)),
        author="Ada",
    )
    entity = id_of(filled, "entity 3000")
    filled.facts(entity, "relation 3")
    begin = time.process_time()
    for _ in range(1000):
        filled.facts(entity, "relation 3")
    each = (time.process_time() - begin) / 1000
    assert each < 0.001
    plan = filled._rows(
        "EXPLAIN QUERY PLAN SELECT 1 FROM fact WHERE id = 1 AND since <= 5 AND until > 5"
    )
    assert "fact_by_id" in str(plan)
