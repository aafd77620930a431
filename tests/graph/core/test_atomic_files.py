"""Outputs: complete or not at all, and never over a store, an input or somebody else's file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graph.__main__ import main
from graph.core.atomic_files import (
    OutputRefused,
    check_folder,
    check_output,
    put,
    whole_file,
    whole_folder,
)
from graph.core.edits import Add
from graph.opening import open_store
from graph.sqlite.store import SqliteStore
from tests import handles
from tests.graph.helpers import said

FORMATS = ("csv", "jsonl", "lmlm", "ntriples", "turtle", "graphml")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_an_export_never_replaces_an_open_store(
    filled: SqliteStore,
    tmp_path: Path,
    format_: str,
    force: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "linked.csv").symlink_to(filled.path)
    (tmp_path / "same.csv").hardlink_to(filled.path)
    monkeypatch.chdir(tmp_path)
    held = handles.locks(filled.path)
    names = [filled.path, "test.db", "linked.csv", "same.csv"]
    names += [f"{filled.path}{suffix}" for suffix in ("-wal", "-shm", "-journal")]
    for name in names:
        for store in (filled.url, "sqlite:///test.db"):
            given = ["export", str(name), "--format", format_, "--store", store, *force]
            assert main(given) == 2
        command = [sys.executable, "-m", "graph", "export", str(tmp_path / name)]
        if format_ == "csv":  # by another process
            there = {**os.environ, "PYTHONPATH": str(handles.ROOT)}
            done = subprocess.run(
                [*command, "--format", format_, "--store", filled.url, *force], env=there
            )
            assert done.returncode == 2
    assert said(filled, "France", "capital") == ["Paris"]
    filled.apply([Add("Italy", "capital", "Rome")], author="Ada")
    assert handles.locks(filled.path) == held
    revision = filled.revision()
    filled.close()
    with open_store(filled.url) as store:
        assert store.revision() == revision


def test_an_export_replaces_a_closed_store_with_force_only(
    filled: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SqliteStore(f"sqlite:///{tmp_path}/other.db", create=True) as other:
        other.apply([Add("Oz", "motto", "x")], author="Ada")
    before = other.path.read_bytes()
    given = ["export", str(other.path), "--format", "csv", "--store", filled.url]
    assert main(given) == 2
    assert "replace it with --force" in capsys.readouterr().err
    assert other.path.read_bytes() == before
    assert main([*given, "--force"]) == 0
    assert other.path.read_text().startswith("entity,relation,value")


def test_an_export_replaces_nothing_without_force(
    filled: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "facts.csv"
    given = ["export", str(path), "--store", filled.url]
    assert main(given) == 0
    path.write_text(path.read_text() + "Oz,motto,written by hand,,\n")
    assert main(given) == 2
    told = capsys.readouterr().err
    assert "is there already" in told
    assert "--force" in told
    assert "written by hand" in path.read_text()
    assert main([*given, "--force"]) == 0
    assert "written by hand" not in path.read_text()
    assert sorted(p.name for p in tmp_path.iterdir() if "test.db" not in p.name) == ["facts.csv"]


def test_a_backup_replaces_a_backup_with_force_and_a_store_in_use_never(
    filled: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = ["backup", str(tmp_path / "backup.db"), "--store", filled.url]
    assert main(backup) == 0
    filled.apply([Add("Italy", "capital", "Rome")], author="Ada")
    assert main(backup) == 2
    assert "is there already" in capsys.readouterr().err
    assert main([*backup, "--force"]) == 0
    with open_store(f"sqlite:///{tmp_path}/backup.db") as copy:
        assert said(copy, "Italy", "capital") == ["Rome"]
        assert main([*backup, "--force"]) == 2
    assert "is in use" in capsys.readouterr().err
    assert main(["backup", str(filled.path), "--store", filled.url, "--force"]) == 2
    assert handles.locks(filled.path)


def test_a_store_is_no_unfinished_copy(filled: SqliteStore, tmp_path: Path) -> None:
    with SqliteStore(f"sqlite:///{tmp_path}/new.db.copying", create=True) as other:
        other.apply([Add("Oz", "motto", "x")], author="Ada")
    assert main(["copy", "--from", filled.url, "--to", f"sqlite:///{tmp_path}/new.db"]) == 2
    with open_store(other.url) as store:
        assert said(store, "Oz", "motto") == ["x"]
        assert store.statistics().facts == 1


def test_inputs_and_other_files_stay(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    (tmp_path / "link").symlink_to(path)
    for place in (path, tmp_path / "link"):
        with pytest.raises(OutputRefused, match="is what the command reads"):
            check_output(place, inputs=[None, "hub/name", path], made=lambda _: True)
        with pytest.raises(OutputRefused, match="is there already"):
            check_output(place)
        check_output(place, made=lambda _: True)
        check_output(place, force=True, inputs=[path])
    with pytest.raises(OutputRefused, match="is a folder"):
        check_output(tmp_path, force=True)
    check_output(Path(os.devnull))


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"

    def stop() -> None:
        with whole_file(path) as file:
            file.write("half")
            file.flush()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert list(tmp_path.iterdir()) == []
    with whole_file(path) as file:
        file.write("whole")
    with pytest.raises(OutputRefused), whole_file(path) as file:
        file.write("other")
    with pytest.raises(ZeroDivisionError), whole_file(path, force=True) as file:
        file.write(str(1 // 0))
    (tmp_path / "link").symlink_to("out.txt")
    with whole_file(tmp_path / "link", force=True) as file:
        file.write("through the link")
    assert path.read_text() == "through the link"
    assert sorted(os.listdir(tmp_path)) == ["link", "out.txt"]


def test_whoever_comes_first_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"

    def come_late() -> None:
        with whole_file(path) as file:
            file.write("late")
            path.write_text("early")

    with pytest.raises(OutputRefused, match="at the same time"):
        come_late()
    assert path.read_text() == "early"
    (tmp_path / "making").write_text("late")
    with pytest.raises(FileExistsError):
        put(tmp_path / "making", path)
    assert path.read_text() == "early"


def test_a_pipe_is_written_to_directly(tmp_path: Path, filled: SqliteStore) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    assert main(["export", str(pipe), "--format", "csv", "--store", filled.url]) == 0
    text, _ = reader.communicate(timeout=10)
    assert len(text.splitlines()) == 8
    assert pipe.is_fifo()


def test_a_folder_is_exchanged_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def ours(folder: Path) -> bool:
        return (folder / "manifest").exists()

    for word in ("first", "second"):
        with whole_folder(out, made=ours) as folder:
            (folder / "manifest").write_text(word)
    (out / "notes").write_text("mine")
    with pytest.raises(ZeroDivisionError), whole_folder(out, made=ours) as folder:
        (folder / "manifest").write_text(str(1 // 0))
    assert (out / "manifest").read_text() == "second"
    with whole_folder(out, ["manifest"], made=ours) as folder:
        (folder / "manifest").write_text("third")
    assert (out / "notes").read_text() == "mine"
    (out / "manifest").unlink()
    with pytest.raises(OutputRefused, match="holds files that this command did not write"):
        check_folder(out, made=ours)
    check_folder(out, ["manifest"], made=ours)
    with whole_folder(out, made=ours, force=True) as folder:
        (folder / "manifest").write_text("fourth")
    assert os.listdir(out) == ["manifest"]
    assert os.listdir(tmp_path) == ["out"]


def test_a_folder_with_a_store_in_it_is_not_replaced(filled: SqliteStore, tmp_path: Path) -> None:
    for names in (None, ["manifest"]):
        for force in (False, True):
            with pytest.raises(OutputRefused, match="belongs to, a store"):
                check_folder(tmp_path, names, made=lambda _: True, force=force)
    filled.close()
    check_folder(tmp_path, force=True)
