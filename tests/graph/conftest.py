"""Stores for the tests: each test of the contract runs on every kind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from graph.edits import Add
from graph.formats import RelationRow
from graph.sqlite import SqliteStore
from graph.sqlite_load import load

# A busy machine makes single examples slow; that is no failure.
settings.register_profile("lamplight", deadline=None)
settings.load_profile("lamplight")

EDITS = [
    Add("France", "capital", "Paris", source="factbook"),
    Add("France", "population", "68,400,000", source="factbook", year=2024),
    Add("France", "borders", "Spain", source="geonames"),
    Add("France", "borders", "Italy", source="geonames"),
    Add("Paris", "country", "France", source="geonames"),
    Add("Spain", "capital", "Madrid", source="factbook"),
    Add("Spain", "borders", "France", source="geonames"),
]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory where there is one: the tests commit thousands of times.

    What a killed process wrote stays there as it does on a disk.
    """
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    with tempfile.TemporaryDirectory(
        prefix="lamplight-", dir=memory if usable else None, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shared(tmp_path: Path, clock: Clock) -> Iterator[SqliteStore]:
    """An embedded store with declared relations and no facts."""
    with SqliteStore(f"sqlite:///{tmp_path}/test.db", create=True, clock=clock) as store:
        rows = [
            RelationRow(1, "capital", "link", ""),
            RelationRow(2, "borders", "link", ""),
            RelationRow(3, "country", "link", ""),
            RelationRow(4, "population", "literal", "people who live there"),
        ]
        load(store, rows, author="test", kind="init")
        yield store


@pytest.fixture(params=["sqlite", "draft"])
def empty(request: pytest.FixtureRequest, shared: SqliteStore) -> Any:
    """A store of each kind, without facts."""
    return shared if request.param == "sqlite" else shared.draft("session-1")


@pytest.fixture
def store(empty: Any) -> Any:
    """A store of each kind, with a few facts."""
    empty.apply(EDITS, author="Ada", reason="to begin with")
    return empty


@pytest.fixture
def filled(shared: SqliteStore) -> SqliteStore:
    """The embedded store with a few facts."""
    shared.apply(EDITS, author="Ada", reason="to begin with")
    return shared
