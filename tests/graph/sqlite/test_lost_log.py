"""A store whose files another program takes away refuses to save instead of acknowledging."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from graph.core.edits import Add
from graph.core.errors import StoreError
from graph.opening import open_store
from graph.sqlite.store import SqliteStore
from tests import handles
from tests.graph.helpers import fact_of, said

LOST = "was deleted or replaced while it was open, so nothing can be saved"


OTHER = """
import sys
from graph.core.edits import Add
from graph.opening import open_store

with open_store(sys.argv[1]) as store:
    store.apply([Add("Italy", "capital", "Rome")], author="Eve")
"""

LOSES_ITS_LOG = """
import os, subprocess, sys
from graph.core.edits import Add
from graph.core.errors import StoreError
from graph.opening import open_store

url, other = sys.argv[1:]
with open_store(url) as store:
    store.apply([Add("Spain", "capital", "Madrid")], author="Ada")
    for suffix in ("-wal", "-shm"):
        os.unlink(f"{store.path}{suffix}")
    subprocess.run([sys.executable, "-c", other, url], check=True)
    try:
        store.apply([Add("Oz", "capital", "Emerald City")], author="Ada")
    except StoreError:
        print("refused")
"""


def log_of(store: SqliteStore) -> Path:
    return Path(f"{store.path}-wal")


def delete_log(store: SqliteStore) -> None:
    log_of(store).unlink()


def delete_log_and_index(store: SqliteStore) -> None:
    log_of(store).unlink()
    Path(f"{store.path}-shm").unlink()


def replace_log(store: SqliteStore) -> None:
    log_of(store).unlink()
    log_of(store).touch()


def delete_file(store: SqliteStore) -> None:
    store.path.unlink()


def replace_file(store: SqliteStore) -> None:
    other = store.path.with_name("other.db")
    shutil.copy(store.path, other)
    other.replace(store.path)


def move_folder(store: SqliteStore) -> None:
    store.path.parent.rename(store.path.parent.with_name("moved"))


WAYS = (delete_log, delete_log_and_index, replace_log, delete_file, replace_file, move_folder)


@pytest.fixture
def inner(tmp_path: Path) -> SqliteStore:
    """A store in a folder of its own, with edits in its log."""
    store = SqliteStore(f"sqlite:///{tmp_path}/inner/test.db", create=True)
    store.apply([Add("France", "capital", "Paris")], author="Ada")
    return store


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_acknowledged_once_a_file_is_gone(inner: SqliteStore, way) -> None:
    draft = inner.draft("one")
    fact = fact_of(inner, "France", "capital")
    way(inner)
    writes = (
        lambda: inner.apply([Add("Italy", "capital", "Rome")], author="Ada"),
        lambda: draft.apply([Add("Italy", "capital", "Rome")], author="Ada"),
        lambda: inner.undo(author="Ada"),
        lambda: inner.load([], author="Ada"),
        lambda: inner.purge([fact.id], author="Ada"),
        lambda: inner.rewrite(),
    )
    for write in writes:
        with pytest.raises(StoreError, match=LOST):
            write()
    assert said(inner, "France", "capital") == ["Paris"]  # a reader from before reads on
    told: list[str] = []

    def read() -> None:
        try:
            inner.revision()
        except StoreError as problem:
            told.append(str(problem))

    thread = threading.Thread(target=read)  # has a connection of its own
    thread.start()
    thread.join()
    assert len(told) == 1
    assert LOST in told[0]
    inner.close()


def test_a_log_that_goes_while_an_edit_is_written(inner: SqliteStore) -> None:
    def write() -> None:
        with inner.transaction() as connection:
            connection.execute("INSERT INTO meta VALUES ('a', 'b')")
            delete_log(inner)

    with pytest.raises(StoreError, match=LOST):
        write()
    inner.close()


def test_what_was_acknowledged_before_is_saved_at_the_end(inner: SqliteStore) -> None:
    delete_log_and_index(inner)
    with pytest.raises(StoreError, match=LOST):
        inner.apply([Add("Italy", "capital", "Rome")], author="Ada")
    inner.close()
    with open_store(inner.url) as again:
        assert said(again, "France", "capital") == ["Paris"]
        assert said(again, "Italy", "capital") == []


def test_the_work_of_another_process_is_not_written_over(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    with open_store(url, create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="Ada")
    there = {**os.environ, "PYTHONPATH": str(handles.ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LOSES_ITS_LOG, url, OTHER],
        env=there,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "refused\n"
    with open_store(url) as store:
        assert said(store, "Italy", "capital") == ["Rome"]
        assert said(store, "Oz", "capital") == []


def test_a_relative_path_outlives_a_change_of_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store("sqlite:///test.db", create=True) as store:
        monkeypatch.chdir("/")
        store.apply([Add("France", "capital", "Paris")], author="Ada")
