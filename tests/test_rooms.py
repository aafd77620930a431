"""The project's shape: who may import whom, and what no file may hold."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("graph", "model", "training", "app")  # a room imports itself and the rooms before it
MEBIBYTE = 1 << 20


def _imports(path: Path) -> set[str]:
    """The top-level packages that a file imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_from_app_to_training_to_model_to_graph(room):
    later = set(ROOMS[ROOMS.index(room) + 1 :]) | {"tests"}
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / room).rglob("*.py")
        if (found := _imports(path) & later)
    }
    assert wrong == {}


def test_the_graph_knows_no_model_and_the_page_no_storage_or_tensors():
    for path in (ROOT / "graph").rglob("*.py"):
        assert not _imports(path) & {"torch", "transformers", "gradio"}, path
    for path in (ROOT / "app").rglob("*.py"):
        assert not _imports(path) & {"sqlite3", "neo4j"}, path


def test_no_pickle_is_loaded_and_nothing_is_evaluated():
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert not _imports(path) & {"pickle", "dill", "joblib", "shelve", "marshal"}, path
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id not in {"eval", "exec"}, (path, node.lineno)


def test_the_tree_stays_small():
    sizes = {path: path.stat().st_size for path in _tracked()}
    assert sum(sizes.values()) < 60 * MEBIBYTE
    weights = [size for path, size in sizes.items() if path.suffix == ".safetensors"]
    assert all(size <= 40 * MEBIBYTE for size in weights)


def test_generated_files_are_not_committed():
    assert [p for p in _tracked() if p.suffix in (".pyi", ".pyc", ".db")] == []
