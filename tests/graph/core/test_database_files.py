"""No handle of ours on a database that SQLite has open; other files stay whole."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from graph.__main__ import main
from graph.core.database_files import is_database
from graph.core.edits import Add
from graph.core.errors import StoreError
from graph.exchange.resumable import load_in_parts
from graph.opening import open_store
from graph.sqlite.store import SqliteStore
from tests import handles

TEXTS = (b"these are notes\n", b"SQLite format 3\0", b"\0")


@pytest.mark.parametrize("text", TEXTS)
def test_any_other_file_is_refused_and_left_alone(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "notes.txt"
    for size in [*range(1, 601), 1023, 1024, 4096, 65_536]:
        content = (text * (size // len(text) + 1))[:size]
        path.write_bytes(content)
        for create in (False, True):
            with pytest.raises(StoreError) as refused:
                open_store(f"sqlite:///{path}", create=create)
            assert str(refused.value) == (
                f"{path} is not a database; give the path of another file."
            )
        assert path.read_bytes() == content
        assert not is_database(path)
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_what_is_a_database(filled: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "linked.csv").symlink_to(filled.path)
    (tmp_path / "same.csv").hardlink_to(filled.path)
    companions = [Path(f"{filled.path}{suffix}") for suffix in ("-wal", "-shm")]
    assert all(path.exists() for path in companions)
    for path in (filled.path, tmp_path / "linked.csv", tmp_path / "same.csv", *companions):
        assert is_database(path)
    (tmp_path / "own-wal").write_text("not a log")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "own-wal", tmp_path / "pipe", tmp_path, tmp_path / "none"):
        assert not is_database(path)
    assert handles.locks(filled.path)


def test_a_store_that_is_open_keeps_its_locks(filled: SqliteStore) -> None:
    held = handles.locks(filled.path)
    assert held
    for _ in range(3):
        with open_store(filled.url) as second:
            second.apply([Add("Italy", "capital", "Rome")], author="Ada")
            second.undo(author="Ada")
        assert handles.locks(filled.path) == held
    with open_store(filled.url, read_only=True):
        pass
    assert handles.locks(filled.path) == held
    assert is_database(filled.path)
    assert handles.locks(filled.path) == held


def test_another_process_does_not_take_the_log_away(filled: SqliteStore) -> None:
    """It used to: 30 edits were acknowledged and one of them kept."""
    for number in range(30):
        filled.apply([Add("Ada", "knows", f"Friend {number}")], author="Ada")
        if number in (0, 10, 20):
            open_store(filled.url).close()
            command = [sys.executable, "-m", "graph", "stats", "--store", filled.url]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            assert Path(f"{filled.path}-wal").exists()
    revision = filled.revision()
    assert filled.statistics().facts >= 30
    filled.close()
    with open_store(filled.url) as store:
        assert store.revision() == revision


def test_a_database_is_not_read_as_a_file(filled: SqliteStore) -> None:
    for path in (filled.path, Path(f"{filled.path}-shm")):
        arguments = ["import", str(path), "--format", "csv", "--store", filled.url]
        for more in ([], ["--resumable"]):
            assert main([*arguments, *more]) == 2
    with pytest.raises(StoreError, match="is a database and not a file of text"):
        load_in_parts(filled, filled.path, "csv", author="Ada")
    assert handles.locks(filled.path)


def test_the_watch_sees_a_handle(filled: SqliteStore) -> None:
    """What the rest of the tests rely on: a handle of our code is found, a test's own is not."""
    code = compile(f"open({str(filled.path)!r}, 'rb').close()", "/elsewhere/graph/file.py", "exec")
    filled.path.read_bytes()
    assert handles.found() == []
    exec(code)
    assert handles.found() == [
        f"/elsewhere/graph/file.py:1 opens {filled.path}, which SQLite has open."
    ]
    filled.close()
    exec(code)
    assert handles.found() == []


def test_somebody_elses_open_database_is_refused_with_its_locks(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    theirs = sqlite3.connect(path)
    theirs.execute("PRAGMA journal_mode = WAL")
    theirs.execute("CREATE TABLE note (text)")
    held = handles.locks(path)
    assert held
    with pytest.raises(StoreError, match="not a Lamplight store"):
        open_store(f"sqlite:///{path}")
    assert handles.locks(path) == held
    theirs.close()
