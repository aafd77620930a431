"""The outputs of the training commands replace no store, no input and no file of somebody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graph.core.edits import Add
from graph.opening import open_store
from tests import handles
from training.__main__ import main
from training.data.tokenizer import load_tokenizer
from training.evaluation.outputs import write_found
from training.evaluation.working_store import working_store

TEXT = "Ada Lovelace was born in London."


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    record = {"text": TEXT, "annotated_text": TEXT}
    path.write_text((json.dumps(record) + "\n") * 9)
    return path


def commands(texts: Path, out: Path, store: str) -> dict[str, list[str]]:
    """Commands that write to `out`, each as it is given."""
    return {
        "annotate": ["annotate", str(texts), "--out", str(out), "--align", store],
        "shards": ["shards", str(texts), "--out", str(out), "--vocabulary", "400"],
        "tokenizer": ["tokenizer", str(texts), "--out", str(out), "--vocabulary", "400"],
        "corpus": ["corpus", "--out", str(out), "--tokens", "1000"],
        "export": ["export", "--run", str(texts), "--out", str(out)],
        "ablate": ["ablate", "full", "--out", str(out)],
        "evaluate": ["evaluate", "lookup", "--out", str(out), "--store", store],
        "failures": ["evaluate", "lookup", "--failures", str(out), "--store", store],
    }


@pytest.mark.parametrize("name", commands(Path(), Path(), ""))
def test_no_command_replaces_an_open_store(name: str, texts: Path, tmp_path: Path, capsys) -> None:
    path = tmp_path / "stores" / "world.db"
    url = f"sqlite:///{path}"
    with open_store(url, create=True) as store:
        store.apply([Add("Ada Lovelace", "birthplace", "London")], author="Ada")
        held = handles.locks(path)
        (tmp_path / "link").symlink_to(path)
        for out in (path, tmp_path / "link", Path(f"{path}-wal"), path.parent):
            for force in ([], ["--force"]):
                assert main([*commands(texts, out, url)[name], *force]) == 1
                assert len(capsys.readouterr().err.strip().splitlines()) == 1
        store.apply([Add("Ada Lovelace", "occupation", "writer")], author="Ada")
        assert handles.locks(path) == held
        assert sorted(p.name for p in path.parent.iterdir()) == [
            "world.db",
            "world.db-shm",
            "world.db-wal",
        ]
    with open_store(url) as store:
        assert store.statistics().facts == 2


@pytest.mark.parametrize("name", commands(Path(), Path(), ""))
def test_what_somebody_else_wrote_stays(name: str, texts: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for part in ("notes.txt", "tokenizer.json", "config.json"):
        (folder / part).write_text("{}\n")
    out = folder / "notes.txt" if name in ("annotate", "evaluate", "failures") else folder
    if out != folder:
        out.write_text("notes\n")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    url = f"sqlite:///{tmp_path}/world.db"
    open_store(url, create=True).close()
    assert main(commands(texts, out, url)[name]) == 1
    assert "--force" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_command_writes_its_own_output_again(texts: Path, tmp_path: Path) -> None:
    for name in ("shards", "tokenizer"):
        out = tmp_path / name
        for _ in range(2):
            assert main(commands(texts, out, "")[name]) == 0
    assert load_tokenizer(tmp_path / "tokenizer")
    (tmp_path / "shards" / "notes.txt").write_text("mine")
    command = commands(texts, tmp_path / "shards", "")["shards"]
    assert main(command) == 1
    assert main([*command, "--force"]) == 0
    assert not (tmp_path / "shards" / "notes.txt").exists()
    measures = {"validity": {"value": 1.0, "low": 0.9, "high": 1.0, "n": 9}}
    for _ in range(2):
        write_found(measures, tmp_path / "found.json", "none", {"seed": 0})


def test_training_commands_between_two_edits(texts: Path, tmp_path: Path) -> None:
    """They leave a store its locks and its log, and every edit in it."""
    path, url = tmp_path / "world.db", f"sqlite:///{tmp_path}/world.db"
    annotated = tmp_path / "annotated.jsonl"
    with open_store(url, create=True) as store:
        store.apply([Add("Ada Lovelace", "birthplace", "London")], author="Ada")
        held = handles.locks(path)

        def extract() -> None:
            assert main(["extract", str(annotated), "--store", url]) == 0

        def annotate() -> None:
            assert main(["annotate", str(texts), "--out", str(annotated), "--align", url]) == 0

        def measure() -> None:
            with working_store(url) as copy:
                copy.apply([Add("Ada Lovelace", "motto", "none")], author="Eve")

        def read_as_text() -> None:
            for command in ("extract", "shards", "annotate"):
                given = [command, str(path), "--store", url]
                if command != "extract":
                    given = [*given[:2], "--out", str(tmp_path / "none")]
                if command == "annotate":
                    given += ["--align", url]
                assert main(given) == 1

        for number, use in enumerate((annotate, extract, measure, read_as_text)):
            use()
            assert handles.locks(path) == held
            store.apply([Add("Ada Lovelace", "friend", f"Friend {number}")], author="Ada")
    with open_store(url) as store:
        friends = store.facts(store.find_entities("Ada Lovelace")[0][0].id, "friend")
        assert [fact.value for fact in friends] == [f"Friend {number}" for number in range(4)]


def test_an_evaluation_does_not_replace_what_it_reads(texts: Path, tmp_path: Path) -> None:
    for option in ("--annotated", "--graph"):
        command = ["evaluate", "perplexity", option, str(texts), "--out", str(texts)]
        assert main(command) == 1
    assert TEXT in texts.read_text()
