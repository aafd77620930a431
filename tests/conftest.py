"""Marks each test by what it needs, and spreads the tests over the workers of pytest-xdist.

A test has one of three markers: `neo4j` (a Neo4j server; those of the page a browser too),
`browser` (a real Chromium) or `unit` (neither). They follow from the test's fixtures. A fixture
that starts a server for some of its parameters only marks these parameters.

The tests of Neo4j go to one worker and those of the browser to another, so that the server, the
browser and the pages that the tests share are made once. All other tests stay together by file.
A run without workers keeps the same order.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import handles
from tests.machine import missing
from tests.workers import GroupScheduling, write_groups
from tools.neo4j_server.server import FetchError, fetch

# Two workers share two cores, so each computes on one thread. Commands that tests start do too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

TESTS = Path(__file__).parent
KINDS = ("neo4j", "browser", "unit")
GROUPS = pytest.StashKey[Path]()


def kinds(item: pytest.Item) -> list[str]:
    """The markers that a test has of the three."""
    return [kind for kind in KINDS if item.get_closest_marker(kind)]


def _needs(item: pytest.Item) -> list[str]:
    """What a test needs of "neo4j" and "browser": by its fixtures, and its parameters' markers."""
    fixtures = set(getattr(item, "fixturenames", ()))
    in_graph = item.path.relative_to(TESTS).parts[0] == "graph"  # where `server` is Neo4j's
    server = "team_server" in fixtures or (in_graph and "server" in fixtures)
    needs = ["neo4j"] if server or item.get_closest_marker("neo4j") else []
    return [*needs, "browser"] if "browser" in fixtures else needs


def group(item: pytest.Item) -> str:
    """What a test shares a worker with: all of the same needs, or its file."""
    return "+".join(_needs(item)) or item.path.relative_to(TESTS).as_posix()


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests, and put the groups first that take longest."""
    slow = {group(item) for item in items if item.get_closest_marker("slow")}
    order: dict[pytest.Item, tuple[int, bool, str]] = {}
    for item in items:
        kind = [*_needs(item), "unit"][0]
        if kind not in kinds(item):
            item.add_marker(kind)
        order[item] = KINDS.index(kind), group(item) not in slow, group(item)
    items.sort(key=order.__getitem__)


@pytest.hookimpl(tryfirst=True)  # before a worker reports its tests
def pytest_collection_finish(session: pytest.Session) -> None:
    """Check the machine before the first test; the controller does so for its workers."""
    worker = getattr(session.config, "workerinput", None)
    if worker:
        write_groups(Path(worker["groups"]), {item.nodeid: group(item) for item in session.items})
    elif not session.config.option.collectonly:
        _prepare({need for item in session.items for need in _needs(item)})


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Name the file of the groups to a new worker."""
    node.workerinput["groups"] = str(node.config.stash[GROUPS])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Spread groups of tests over the workers."""
    return GroupScheduling(config, log, config.stash[GROUPS])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any) -> None:
    """The controller learns what its workers' tests need by the names of their groups."""
    groups = json.loads(node.config.stash[GROUPS].read_text("utf-8"))
    _prepare({need for name in groups.values() for need in name.split("+")})


def pytest_configure(config: pytest.Config) -> None:
    """A place for the file of the groups."""
    folder = tempfile.TemporaryDirectory(prefix="lamplight-tests-")
    config.add_cleanup(folder.cleanup)
    config.stash[GROUPS] = Path(folder.name) / "groups.json"


def _prepare(needs: set[str]) -> None:
    """Stop where the machine lacks something; fetch the server's jars before a test's time runs."""
    if lacks := missing(needs):
        pytest.exit(lacks, returncode=pytest.ExitCode.USAGE_ERROR)
    if "neo4j" in needs:
        try:
            fetch()
        except FetchError as problem:
            pytest.exit(str(problem), returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.fixture(autouse=True)
def _no_handle_on_a_database() -> Iterator[None]:
    """No code of ours opens a file that SQLite has open: that would drop the process's locks."""
    handles.watch()
    handles.found()
    yield
    assert handles.found() == []
