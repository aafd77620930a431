"""What needs a Neo4j server is left out where none can be had, and the run's last line says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests import handles
from tools.neo4j_server.server import fetch, missing

NEO4J_LACKS = missing()


def _needs_neo4j(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return "team_server" in fixtures or ("server" in fixtures and item.path.parent.name == "graph")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs a server where none can be had."""
    if NEO4J_LACKS and os.environ.get("LAMPLIGHT_REQUIRE_NEO4J"):
        raise pytest.UsageError(NEO4J_LACKS)
    if NEO4J_LACKS:
        items[:] = [item for item in items if not _needs_neo4j(item)]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch the server's jars before any test's time is counted."""
    if not NEO4J_LACKS and any(_needs_neo4j(item) for item in session.items):
        fetch()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if NEO4J_LACKS:
        terminalreporter.write_line(NEO4J_LACKS)


@pytest.fixture(autouse=True)
def _no_handle_on_a_database() -> Iterator[None]:
    """No code of ours opens a file that SQLite has open: that would drop the process's locks."""
    handles.watch()
    handles.found()
    yield
    assert handles.found() == []
