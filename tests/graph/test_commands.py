"""The command line, and how the shipped world's store comes to be."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from graph.__main__ import main
from graph.core.edits import Add
from graph.core.errors import StoreError
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from graph.version import VERSION
from graph.world import DATA, make_world, store_url

ROOT = Path(__file__).parents[2]
SMALL = {
    "relations.csv": "relation,kind,description\ncapital,link,seat of government\n",
    "world.csv": "entity,relation,value,source,year\nFrance,capital,Paris,factbook,\n",
    "aliases.csv": "alias,entity\nHexagon,France\n",
    "synonyms.csv": "phrase,relation\nseat of government,capital\n",
    "settings.csv": "setting,value\nrefuse-lacking,on\n",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A world of one fact."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, text in SMALL.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: Path) -> str:
    """A store of the small world, which is the default one."""
    url = f"sqlite:///{tmp_path}/world.db"
    monkeypatch.setenv("LAMPLIGHT_STORE", url)
    make_world(url, data=small)
    return url


def test_the_shipped_world_is_made_whole_and_fast(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/build/world.db"
    begin = time.process_time()
    assert make_world(url)
    assert time.process_time() - begin < 6
    with open_store(url) as store:
        lines = (DATA / "world.csv").read_text(encoding="utf-8").splitlines()
        statistics = store.statistics()
        assert len(lines) - 30 < statistics.facts <= len(lines) - 1
        assert statistics.revision == 1
        assert store._rows("PRAGMA integrity_check") == [("ok",)]
        retriever = Retriever(store)
        assert retriever.lookup("France", "capital").value == "Paris"
        relations = retriever.lookup("France", "relations").value.split("; ")
        assert "capital" in relations
        assert store.search("franc")[0].name == "France"
        with pytest.raises(StoreError, match="nothing to undo"):  # nobody undoes the world
            store.undo(author="Ada")


def test_init_is_idempotent(url: str, small: Path) -> None:
    from graph.core.edits import Add

    with open_store(url) as store:
        store.apply([Add("France", "motto", "Liberté")], author="Ada")
    assert not make_world(url, data=small)
    with open_store(url) as store:
        assert store.statistics().facts == 2


@pytest.mark.parametrize("name", ["world.csv", "relations.csv", "aliases.csv"])
def test_bad_data_leaves_no_file(small: Path, tmp_path: Path, name: str) -> None:
    path = small / name
    for damage in (path.read_text() + "a,b\x07,c,d,e\n", None):
        if damage is None:
            path.unlink()
        else:
            path.write_text(damage)
        with pytest.raises(StoreError):
            make_world(f"sqlite:///{tmp_path}/new/world.db", data=small)
        assert list((tmp_path / "new").iterdir()) == []


def test_a_killed_init_leaves_no_half_made_store(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/world.db"
    script = f"from graph.world import make_world; print('go', flush=True); make_world('{url}')"
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    while not list(tmp_path.glob("world.db.making-*")):
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert not (tmp_path / "world.db").exists()
    assert list(tmp_path.iterdir())  # what the killed one left
    assert make_world(url, empty=True)
    assert [path.name for path in tmp_path.iterdir()] == ["world.db"]


def test_two_inits_at_once_make_one_store(tmp_path: Path, small: Path) -> None:
    url = f"sqlite:///{tmp_path}/world.db"
    script = f"""
        from pathlib import Path
        from graph.world import make_world
        print(make_world('{url}', data=Path('{small}')))
    """
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    printed = [process.communicate()[0].decode().strip() for process in processes]
    assert sorted(printed) == ["False", "False", "True"]
    with open_store(url) as store:
        assert store.statistics().facts == 1


def test_threads_of_one_process_may_init_at_once(tmp_path: Path, small: Path) -> None:
    url = f"sqlite:///{tmp_path}/world.db"
    made: list[bool] = []
    threads = [
        threading.Thread(target=lambda: made.append(make_world(url, data=small))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False, False, True]


def test_store_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAMPLIGHT_STORE", raising=False)
    assert store_url() == "sqlite:///world.db"
    monkeypatch.setenv("LAMPLIGHT_STORE", "sqlite:///x.db")
    assert store_url() == "sqlite:///x.db"
    assert store_url("sqlite:///y.db") == "sqlite:///y.db"


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    whole = capsys.readouterr().out
    assert main([]) == 0
    assert capsys.readouterr().out == whole
    assert len(whole.splitlines()) < 75
    commands = re.findall(r"^    (\w+) ", whole, re.MULTILINE)
    assert len(commands) == 17
    for command in commands:
        assert f"python -m graph {command}" in whole
        with pytest.raises(SystemExit, match="0"):
            main([command, "--help"])
        assert f"python -m graph {command}" in capsys.readouterr().out


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"Lamplight {VERSION}\n"


def test_a_session(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    assert "already exists" in run("init")
    facts = tmp_path / "own.csv"
    facts.write_text("entity,relation,value\nFrance,motto,Liberté\nBelgium,capital,Brussels\n")
    assert "2 new facts" in run("import", str(facts), "--author", "Ada", "--source", "mine")
    assert run("lookup", "hexagon", "CAPITAL").startswith("Paris\n  (alias: France, capital;")
    assert run("lookup", "Oz", "capital").startswith("unknown\n  (miss: no such entity;")
    shown = run("show", "France")
    assert "also called Hexagon" in shown
    assert "France | motto | Liberté  [mine]" in shown
    assert "motto" not in run("show", "France", "--at", "1")
    assert "import facts 2" in run("history")
    assert "import of own.csv" in run("history", "Belgium")
    exported = tmp_path / "out.jsonl"
    assert "3 facts" in run("export", str(exported))
    lines = exported.read_text().splitlines()
    assert len([line for line in lines if '"value_id"' in line]) == 3
    assert len(lines) == 7  # a declared relation, an alias, a synonym and a setting as well
    assert run("export", "-", "--at", "1").splitlines()[1:] == ["France,capital,Paris,factbook,"]
    assert "takes back revision 2" in run("undo", "--author", "Ada", "--reason", "a typo")
    assert run("lookup", "France", "motto").startswith("unknown")
    assert "facts                1" in run("stats")
    assert run("init", "--empty", "--store", f"sqlite:///{tmp_path}/own.db").startswith(
        "Made sqlite"
    )


def test_long_listings_are_paged(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with open_store(url) as store:
        store.apply([Add("Oz", "town", f"Town {n}") for n in range(7)], author="Ada")
    pages = []
    for page in ("1", "2", "3"):
        assert main(["show", "Oz", "--limit", "3", "--page", page]) == 0
        pages.append(capsys.readouterr().out)
    towns = [re.findall(r"Town (\d)", page) for page in pages]
    assert towns == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert [f"--page {n + 2}" in page for n, page in enumerate(pages)] == [True, True, False]


def test_what_is_read_in_no_order_is_not_taken_up_again(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "facts.ttl"
    assert main(["export", str(path)]) == 0
    capsys.readouterr()
    assert main(["import", str(path), "--resumable"]) == 2
    assert "import it without --resumable" in capsys.readouterr().err


def test_synonyms_and_settings(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    assert run("synonyms") == "seat of government = capital\n"
    assert run("lookup", "France", "seat of government").startswith("Paris\n  (alias: France")
    assert "Revision 2: main town = capital" in run("synonyms", "main town", "capital")
    assert run("lookup", "France", "main town").startswith("Paris\n")
    assert "add synonym phrase main town" in run("history")
    run("undo")
    assert run("lookup", "France", "main town").startswith("unknown\n")
    run("synonyms", "seat of government", "capital", "--remove")
    assert run("synonyms") == ""
    assert run("settings").startswith("refuse-lacking = on ")
    assert run("settings", "refuse-lacking", "off").startswith("refuse-lacking = off ")
    for wrong in (["settings", "x", "on"], ["settings", "on-miss"], ["synonyms", "x"]):
        assert main(wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_import_reports_bad_lines(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("entity,relation,value\na,b,c\n,b,c\na,b,d\na,,c\n")
    assert main(["import", str(path)]) == 2
    errors = capsys.readouterr().err
    assert f"{path}, line 3: The entity is empty" in errors
    assert f"{path}, line 5: The relation is empty" in errors
    assert "Nothing was imported: 2 invalid lines" in errors
    assert main(["import", str(path), "--skip-bad", "--most", "1"]) == 0
    captured = capsys.readouterr()
    assert "2 invalid lines skipped" in captured.out
    assert "and more" in captured.err


def test_import_names_likely_duplicates(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "names.csv"
    path.write_text("entity,relation,value\nSão Paulo,in,Brazil\nSao-Paulo,in,x\nFRANCE,in,x\n")
    assert main(["import", str(path)]) == 0
    errors = capsys.readouterr().err
    assert "2 pairs of names may mean the same" in errors
    assert "“São Paulo” and “Sao-Paulo”" in errors
    assert "“France” and “FRANCE”" in errors


@pytest.mark.parametrize("how", [(), ("--resumable",)])
def test_likely_duplicates_of_the_store_differ_by_accents_or_signs(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], how: tuple[str, ...]
) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("entity,relation,value\nSão Paulo,in,Brazil\nO'Shea,in,x\nOslo,in,Norway\n")
    second.write_text("entity,relation,value\nSao-Paulo,is,big\nO’Shea,is,old\nOsla,is,other\n")
    assert main(["import", str(first)]) == 0
    assert "may mean the same" not in capsys.readouterr().err
    assert main(["import", str(second), *how]) == 0
    errors = capsys.readouterr().err
    assert "2 pairs of names may mean the same" in errors
    assert "“São Paulo” and “Sao-Paulo”" in errors
    assert "“O'Shea” and “O’Shea”" in errors


def test_a_dry_run_writes_nothing(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("entity;relation;value\nOz;ruler;Wizard\n;b;c\n")
    assert main(["import", str(path), "--dry-run"]) == 0
    captured = capsys.readouterr()
    assert "line 2: Oz | ruler | Wizard\n" in captured.out
    assert "1 valid row, 1 invalid line" in captured.out
    assert "line 3: The entity is empty" in captured.err
    with open_store(url) as store:
        assert store.revision() == 1


def test_import_of_invalid_lines_alone_is_code_1_and_no_revision(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("entity,relation,value\n,b,c\na,,c\n")
    for more in ([], ["--resumable"]):
        assert main(["import", str(path), "--skip-bad", *more]) == 1
        assert "Nothing was imported: all 2 lines are invalid" in capsys.readouterr().err
    with open_store(url) as store:
        assert store.revision() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["stats", "--store", "sqlite:///none/at/all.db"],
        ["stats", "--store", "mysql://x"],
        ["show", "Frnce"],
        ["show", "\x1b[31m"],
        ["show", "France", "--at", "99"],
        ["lookup", "France", "capital", "--at", "99"],
        ["export", "facts.xml"],
        ["export", "/proc/none/facts.csv"],
        ["import", "none.csv"],
        ["import", "/"],
        ["undo"],
        ["undo", "99"],
        ["init", "--store", "sqlite:////proc/none/world.db"],
        ["init", "--store", "mysql://x"],
        ["migrate", "--store", "mysql://x"],
        ["backup", "backup.db", "--store", "mysql://x"],
        ["copy", "--from", "mysql://x", "--to", "sqlite:///copy.db"],
        ["copy", "--from", "sqlite:///none/at/all.db", "--to", "mysql://x"],
        ["purge", "77"],
        ["import"],
        ["closure", "France", "motto"],
    ],
    ids=" ".join,
)
def test_an_error_is_one_sentence_and_code_2(
    url: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.strip().isprintable()
    assert captured.err.endswith(".\n") or "python -m graph" in captured.err


@pytest.mark.parametrize(
    "arguments", [["dance"], ["show", "France", "--at", "-1"], ["show", "x", "--limit", "no"]]
)
def test_wrong_usage_is_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


def test_a_closed_pipe_is_no_error(url: str) -> None:
    environment = {**os.environ, "LAMPLIGHT_STORE": url}
    done = subprocess.run(
        f"{sys.executable} -m graph export - | true",
        shell=True,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
