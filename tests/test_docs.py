"""The documents: their commands work, in their order, at a small size; their links lead somewhere.

Every line of a fenced block is a command that a test runs, or one that `NOT_RUN` lists with the
reason. A diagram has a block of its own kind (`mermaid`, `text`).
"""

from __future__ import annotations

import fnmatch
import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from graph.__main__ import main as graph_main
from graph.opening import open_store
from model.__main__ import main as model_main
from model.settings import DecodingSettings
from tests.test_rooms import ORDER
from tests.training.annotation.test_articles import examples
from tests.training.released import write_released
from training.__main__ import COMMANDS as KNOWN
from training.__main__ import main as training_main
from training.evaluation import cases, suite_context
from training.evaluation.runner import SUITES
from training.fit.command import main as fit

ROOT = Path(__file__).parent.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        ROOT / "SECURITY.md",
        *sorted((ROOT / "docs").glob("*.md")),
        ROOT / "graph" / "data" / "README.md",
        ROOT / "training" / "evaluation" / "foreign" / "SOURCES.md",
        ROOT / "model" / "checkpoints" / "world" / "README.md",
    )
}
WORDS = 700  # of the README at most: five minutes
MAINS: dict[str, Callable[[list[str]], int]] = {
    "graph": graph_main,
    "model": model_main,
    "training": training_main,
}

SMALLER = {  # what a page says: what is run here
    "--tokens 200000": "--tokens 3000 --tokenizer-documents 300 --vocabulary 700",
    "--config training/configs/world.yaml": "--config training/configs/world.yaml "
    "--data.batch_tokens 2048 --model.hidden_size 32 --model.intermediate_size 64 "
    "--model.layers 1 --model.heads 2 --trainer.max_steps 2 --trainer.enable_progress_bar false",
    "--config training/configs/debug.yaml": "--config training/configs/debug.yaml "
    "--trainer.max_steps 2 --trainer.enable_progress_bar false",
    "--entities 100": "--entities 1",
    "--limit 100": "--limit 2",
    "evaluate all --json": "evaluate completion --json --entities 1",
    "--out build/corpus/wiki": "--out build/corpus/wiki --vocabulary 400",
    "Qwen/Qwen2.5-7B-Instruct": "annotator",
    "purge 3765345365958657743": "purge ID",
}
MADE = {  # files that the commands of a page leave
    "docs/training.md": (
        "build/model/model.safetensors",
        "by-graph.jsonl",
        "by-model.jsonl",
        "wiki.db",
    ),
    "docs/importing.md": ("own.db", "facts.jsonl", "first.jsonl", "whole.zip"),
    "docs/graph-commands.md": ("world.db", "copy.db", "second.db"),
    "docs/deployment.md": ("copy.db", "lmlm.db"),
    "docs/evaluation.md": ("build/evaluation.json", "build/evaluation.run.json"),
}

_MAKE = "a dry run shows that the target exists; the target itself installs, or takes minutes"
_SERVER = "needs a Neo4j server; tests/graph runs the same commands on one"
_PAGE = "serves until it is stopped; tests/app/test_start.py starts it"
_DOCKER = "needs Docker"
_DOWNLOAD = "downloads a package"
NOT_RUN = {  # how a command begins: why it is not run
    "make ": _MAKE,
    "python -m app": _PAGE,
    "docker compose": _DOCKER,
    "NEO4J_PASSWORD=… docker compose": _DOCKER,
    ".venv/bin/pip install": _DOWNLOAD,
    "export NEO4J_URI": _SERVER,
    "python -m graph import --from neo4j:": _SERVER,
    "python -m graph init --empty --store neo4j:": _SERVER,
    "python -m graph copy --from sqlite:///world.db --to neo4j:": _SERVER,
    "python -m graph copy --from neo4j:": _SERVER,
    'python -m model generate "Tell me about France." --model kilian-group/': "needs the Hub",
    "python -m graph embed": "needs the embeddings; tests/graph/lookup/test_encoder.py runs it",
    "python -m tools.benchmarks.table": "writes into the checkout; tests/tools/test_measured.py",
}
LONGEST = DecodingSettings(max_tokens=16)  # of a text in the evaluation; an untrained model rambles


def _blocks(text: str) -> list[str]:
    """The fenced blocks of a page that hold commands."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S)
    return [block for language, block in fences if not language]


def _commands(text: str) -> list[str]:
    """The commands of a page, without their comments."""
    lines = [line for block in _blocks(text) for line in block.splitlines()]
    return [command for line in lines if (command := line.partition("  #")[0].strip())]


def _inline(text: str) -> list[str]:
    """The spans of code in a page's sentences, each on one line."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


def _why_not_run(command: str) -> str | None:
    return next((why for start, why in NOT_RUN.items() if command.startswith(start)), None)


COMMANDS = {page: _commands(text) for page, text in PAGES.items()}
RUN = {
    page: runnable
    for page, commands in COMMANDS.items()
    if (runnable := [command for command in commands if not _why_not_run(command)])
}
SPANS = [(page, span) for page, text in PAGES.items() for span in _inline(text)]
OPTIONS = [span for page, span in SPANS if re.match(r"--(\w+\.|ckpt_path)", span)]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A checkout as the pages have it, with the files that their commands read."""
    for room in ("graph", "training"):
        (tmp_path / room).symlink_to(ROOT / room)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAMPLIGHT_STORE", raising=False)
    monkeypatch.delenv("NEO4J_URI", raising=False)
    (tmp_path / "articles.json").write_text(json.dumps({"examples": examples()}), "utf-8")
    packed = gzip.compress((tmp_path / "articles.json").read_bytes())
    (tmp_path / "articles.json.gz").write_bytes(packed)
    (tmp_path / "texts.jsonl").write_text('{"text": "France is a country in Europe."}\n', "utf-8")
    (tmp_path / "facts.csv").write_text("entity,relation,value\nUlm,river,Danube\n", "utf-8")
    triple = "<http://a.example/Ulm> <http://a.example/river> <http://a.example/Danube> .\n"
    (tmp_path / "large.nt").write_text(triple, "utf-8")
    return tmp_path


def _write_annotator(folder: Path) -> None:
    """A causal language model in place of one that would be downloaded."""
    write_released(folder)
    config = folder / "config.json"
    config.write_text(config.read_text("utf-8").replace(": 256,", ": 2048,"), "utf-8")


def _write_lmlm_database(path: Path) -> None:
    """A database as the released checkpoints come with."""
    assert graph_main(["init", "--empty", "--store", "sqlite:///facts.db"]) == 0
    assert graph_main(["import", "facts.csv", "--store", "sqlite:///facts.db"]) == 0
    arguments = ["export", str(path), "--format", "lmlm", "--store", "sqlite:///facts.db"]
    assert graph_main(arguments) == 0


def _smaller(command: str) -> str:
    for words, smaller in SMALLER.items():
        command = command.replace(words, smaller)
    if "purge ID" in command:
        with open_store("sqlite:///world.db") as store:
            command = command.replace("ID", str(next(iter(store.all_facts())).id))
    return command


@pytest.mark.slow
@pytest.mark.timeout(900)  # half a minute each on a quiet machine
@pytest.mark.parametrize("page", RUN)
def test_every_command_runs(page, folder, capsys, monkeypatch):
    for module in (cases, suite_context):
        monkeypatch.setattr(module, "SETTINGS", LONGEST)
    if page == "docs/training.md":
        _write_annotator(folder / "annotator")
    if page == "docs/deployment.md":
        _write_lmlm_database(folder / "database.json")
    for command in RUN[page]:
        python, dash, package, *arguments = shlex.split(_smaller(command))
        assert (python, dash) == ("python", "-m"), command
        assert MAINS[package](arguments) == 0, f"{command}\n{capsys.readouterr().err}"
    for made in MADE.get(page, ()):
        assert (folder / made).is_file(), made
    if page == "docs/training.md":
        assert "France" in (folder / "by-graph.jsonl").read_text("utf-8")


def test_the_lists_of_commands_are_those_of_the_pages():
    everything = [command for commands in COMMANDS.values() for command in commands]
    unused = [start for start in NOT_RUN if not any(c.startswith(start) for c in everything)]
    assert not unused, "no page has these by now"
    left = [words for words in SMALLER if not any(words in command for command in everything)]
    assert not left, "the pages say something else by now"
    assert set(MADE) <= set(RUN)
    assert len(RUN["docs/training.md"]) > 9
    assert len(everything) > 50


@pytest.mark.parametrize(
    "line", sorted({c for cs in COMMANDS.values() for c in cs if "make " in c})
)
def test_every_target_of_make_exists(line):
    arguments = shlex.split(line)
    result = subprocess.run(
        ["make", "--dry-run", *arguments[1:]], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "line", sorted({c for cs in COMMANDS.values() for c in cs if c.startswith("python -m app")})
)
def test_every_option_of_the_page_is_one(line):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    arguments = shlex.split(line)[1:]
    # --help ends the run only if all options before it are known.
    result = subprocess.run(
        [sys.executable, *arguments, "--help"], capture_output=True, text=True, env=environment
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("options", OPTIONS)
def test_every_option_named_in_passing_is_one(options, capsys):
    """Placeholders are taken as they are: the options are read, and nothing is trained."""
    with pytest.raises(SystemExit) as ended:
        fit(["fit", *shlex.split(options), "--print_config"])
    printed = capsys.readouterr()
    assert ended.value.code in (0, None), printed.err


def test_every_file_and_command_named_in_passing_is_there():
    for page, span in SPANS:
        words = span.split()
        if words[:3] == ["python", "-m", "training"]:
            assert words[3] in (*KNOWN, "COMMAND"), (page, span)
        elif words[:2] == ["python", "-m"]:
            module = ROOT / words[2].replace(".", "/")
            assert module.with_suffix(".py").is_file() or module.is_dir(), (page, span)
        elif words[0] == "make" and len(words) > 1:
            makefile = (ROOT / "Makefile").read_text("utf-8")
            assert re.search(rf"^{re.escape(words[1])}:", makefile, re.M), (page, span)
        elif re.match(r"(app|graph|model|training|tools|tests|docs)/[\w/.-]+$", words[0]):
            assert (ROOT / words[0]).exists(), (page, span)
    assert len(OPTIONS) >= 5


def test_every_suite_is_in_the_page_of_the_evaluation():
    rows = re.findall(r"^\| `([\w*-]+)` \|", PAGES["docs/evaluation.md"], re.M)
    named = [name for row in rows for name in fnmatch.filter(SUITES, row) or [row]]
    assert named == [*SUITES, "all"]


@pytest.mark.parametrize("package", ORDER)
def test_the_architecture_page_has_the_order_of_the_imports(package):
    text = PAGES["docs/architecture.md"]
    listed = re.search(rf"<!-- order: {package} -->\n(.*?)<!-- end -->", text, re.S)
    steps = [tuple(re.findall(r"`(\w+)`", line)) for line in listed[1].splitlines() if line.strip()]
    assert steps == list(ORDER[package])


def _anchor(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_somewhere(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists():
            broken.append(target)
        elif anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.M)
            if anchor not in map(_anchor, headings):
                broken.append(target)
    assert not broken


def test_the_readme_is_read_in_five_minutes():
    assert len(PAGES["README.md"].split()) <= WORDS


def test_every_page_of_the_docs_is_linked_from_the_readme():
    for page in PAGES:
        if page.startswith("docs/"):
            assert f"]({page})" in PAGES["README.md"], page
