"""Which tests a worker of pytest-xdist runs together, and what workers share.

A worker takes one group of tests after the other, in the order that tests/conftest.py gives.

xdist has `--dist=loadgroup` for this, which does nothing under pytest 9.2 (pytest-xdist#1386).
Here a worker writes the groups of its tests into a file, which the controller reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tools.neo4j_server.server import locked


class GroupScheduling(LoadScopeScheduling):
    """Gives a worker that has nothing left to do the next group."""

    def __init__(self, config: pytest.Config, log: Any, file: Path) -> None:
        super().__init__(config, log)
        self.file = file

    @cached_property
    def groups(self) -> dict[str, str]:
        """The group of each test by its id, once a worker has collected the tests."""
        return dict(json.loads(self.file.read_text("utf-8")))

    def _split_scope(self, nodeid: str) -> str:
        return self.groups[nodeid]


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A file for tests to read, which the first worker to want it makes for all of them."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path = folder / name
    with locked(folder / f"{name}.lock"):
        if not path.exists():
            part = folder / f"making-{name}"
            make(part)
            part.replace(path)
    return path


def write_groups(file: Path, groups: dict[str, str]) -> None:
    """Written whole by each worker; all write the same."""
    part = file.with_name(f"{file.name}-{os.getpid()}")
    part.write_text(json.dumps(groups), encoding="utf-8")
    part.replace(file)
