"""The project's shape: who may import whom, and what no file may hold.

`docs/architecture.md` has the same order in words. Imports count wherever they stand: at the top of
a file, inside a function, under TYPE_CHECKING, relative, or as a string given to `import_module`.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MEBIBYTE = 1 << 20

ROOMS = ("graph", "model", "training", "app", "tools")
"""The top-level packages; each imports itself and those before it."""

ORDER: dict[str, tuple[tuple[str, ...], ...]] = {
    "graph": (
        ("version",),
        ("core",),
        ("lookup",),
        ("editing",),
        ("exchange",),
        ("sqlite", "neo4j"),
        ("opening",),
        ("data",),
        ("world",),
        ("commands",),
        ("__main__",),
    ),
    "model": (
        ("roles", "prompts", "settings", "judgement"),
        ("base",),
        ("weight_hashes",),
        ("checkpoint",),
        ("trace",),
        ("exported_trace", "grounding"),
        ("guided",),
        ("engine",),
        ("audit", "replay", "serving"),
        ("__main__",),
    ),
    "training": (
        ("errors",),
        ("case_file", "table_questions"),
        ("data",),
        ("corpus",),
        ("annotation",),
        ("fit",),
        ("evaluation",),
        ("report",),
        ("__main__",),
    ),
    "app": (("state",), ("access",), ("views",), ("pages", "api"), ("server",), ("__main__",)),
}
"""Inside a room: each step imports itself and earlier steps; parts of one step stay apart."""

Graph = Mapping[str, Iterable[str]]


def _modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the rooms by its dotted name; a package goes by the name of its folder."""
    found = {}
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def _imports(path: Path, module: str = "") -> set[str]:
    """The dotted names that a file imports; `module` is its own name, for relative imports."""
    names: set[str] = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            names.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            names.add(node.value)  # a module that `import_module` may be given
    return names


def _import_graph(root: Path = ROOT) -> dict[str, set[str]]:
    """For each module, the modules of the rooms that it imports."""
    modules = _modules(root)
    graph = {}
    for name, path in modules.items():
        found = _imports(path, name) & modules.keys()
        # `from graph import world` names the package too, which says nothing of its modules.
        packages = {n for n in found if any(other.startswith(f"{n}.") for other in found)}
        graph[name] = found - packages - {name}
    return graph


def _cycles(graph: Graph) -> list[list[str]]:
    """One shortest cycle of each knot of nodes that reach each other, as a closed path."""

    def path_back(start: str) -> list[str] | None:
        paths, seen = [[start]], {start}
        while paths:
            path = paths.pop(0)
            for after in sorted(graph.get(path[-1], ())):
                if after == start:
                    return [*path, start]
                if after not in seen:
                    seen.add(after)
                    paths.append([*path, after])
        return None

    found: list[list[str]] = []
    known: set[str] = set()
    for node in sorted(graph):
        if node not in known and (cycle := path_back(node)):
            found.append(cycle)
            known.update(cycle)
    return found


def _part(module: str) -> str:
    """The part of its room that a module lies in: `graph.core`, `graph.world`, `app.state`."""
    return ".".join(module.split(".")[:2])


def _step(module: str) -> int | None:
    room, _, rest = module.partition(".")
    part = rest.split(".")[0]
    for number, parts in enumerate(ORDER.get(room, ())):
        if part in parts:
            return number
    return None


def _upward(graph: Graph) -> list[str]:
    """Imports against the order of the rooms, or of the parts of one room."""
    wrong = []
    for module, imported in sorted(graph.items()):
        for other in sorted(imported):
            rooms = [ROOMS.index(name.split(".")[0]) for name in (module, other)]
            steps = [_step(name) for name in (module, other)]
            if rooms[0] < rooms[1] or (
                rooms[0] == rooms[1]
                and None not in steps
                and _part(module) != _part(other)
                and steps[0] <= steps[1]  # type: ignore[operator]
            ):
                wrong.append(f"{module} imports {other}")
    return wrong


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_two_modules_import_each_other():
    cycles = _cycles(_import_graph())
    assert not cycles, "\n".join(" -> ".join(cycle) for cycle in cycles)


def test_no_two_packages_import_each_other():
    graph: dict[str, set[str]] = {}
    for module, imported in _import_graph().items():
        graph.setdefault(_part(module), set()).update(
            _part(other) for other in imported if _part(other) != _part(module)
        )
    cycles = _cycles(graph)
    assert not cycles, "\n".join(" -> ".join(cycle) for cycle in cycles)


def test_imports_run_one_way():
    wrong = _upward(_import_graph())
    assert not wrong, "\n".join(wrong)


def test_every_module_has_a_place_in_the_order():
    known = _modules()
    lost = [
        name
        for name in known
        if name.count(".") and name.split(".")[0] in ORDER and _step(name) is None
    ]
    assert lost == []


def test_nothing_that_ships_imports_the_tests():
    wrong = {
        module: found
        for module, path in _modules().items()
        if not module.startswith("tools")
        and (found := {name for name in _imports(path, module) if name.startswith("tests.")})
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "line",
    [
        "from graph.b import x",
        "from . import b",
        "from .b import x",
        "import graph.b",
        "if TYPE_CHECKING:\n    from graph.b import x",
        "def f():\n    from graph.b import x",
        "import importlib\nimportlib.import_module('graph.b')",
    ],
)
def test_a_planted_cycle_is_found(tmp_path: Path, line: str) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / "graph" / "a.py").write_text(line, encoding="utf-8")
    (tmp_path / "graph" / "b.py").write_text("from graph.c import y", encoding="utf-8")
    (tmp_path / "graph" / "c.py").write_text("from graph.a import z", encoding="utf-8")
    assert _cycles(_import_graph(tmp_path)) == [["graph.a", "graph.b", "graph.c", "graph.a"]]


def test_a_planted_upward_import_is_found() -> None:
    graph = {
        "graph.core.facts": {"graph.lookup.spelling"},
        "graph.sqlite.store": {"graph.neo4j.driver", "graph.core.facts"},
        "model.trace": {"training.errors"},
    }
    assert _upward(graph) == [
        "graph.core.facts imports graph.lookup.spelling",
        "graph.sqlite.store imports graph.neo4j.driver",
        "model.trace imports training.errors",
    ]


def test_the_graph_knows_no_model_and_the_page_no_storage_or_tensors():
    def top(module: str, path: Path) -> set[str]:
        return {name.split(".")[0] for name in _imports(path, module) if re.match(r"\w", name)}

    for module, path in _modules().items():
        if module.startswith("graph"):
            assert not top(module, path) & {"torch", "transformers", "gradio"}, path
        if module.startswith("app"):
            assert not _imports(path, module) & {"sqlite3", "neo4j"}, path


def test_no_pickle_is_loaded_and_nothing_is_evaluated():
    for module, path in _modules().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not _imports(path, module) & {"pickle", "dill", "joblib", "shelve", "marshal"}, path
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec"}, (path, node.lineno)


def test_the_tree_stays_small():
    """Weights take 48 MiB in total at most, everything else 14 MiB."""
    sizes = {path: path.stat().st_size for path in _tracked()}
    weights = sum(size for path, size in sizes.items() if path.suffix == ".safetensors")
    assert weights <= 48 * MEBIBYTE
    assert sum(sizes.values()) - weights <= 14 * MEBIBYTE


def test_generated_files_are_not_committed():
    assert [p for p in _tracked() if p.suffix in (".pyi", ".pyc", ".db")] == []
