"""A visitor reads what is wrong with the store, and not where it lies."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.state.store_sentences import UNAVAILABLE, sentence_of
from graph.core.errors import StoreError

pytestmark = pytest.mark.unit


def shown(url: str, sentence: str) -> str:
    store: Any = SimpleNamespace(url=url)
    return sentence_of(StoreError(sentence), store)


@pytest.mark.parametrize(
    "url", ["neo4j://db.lan:7687/neo4j", "bolt+s://ada@db.lan", "neo4j://db.lan"]
)
def test_the_address_of_a_server_is_left_out(url: str) -> None:
    away = "The Neo4j server{} does not answer; check that it runs."
    assert shown(url, away.format(" at db.lan:7687")) == away.format("")
    stopped = "The database 'neo4j'{} is stopped; start it."
    assert shown(url, stopped.format(" of db.lan:7687")) == stopped.format("")
    assert shown(url, "Two edits clash.") == "Two edits clash."
    assert shown(url, "db.lan refused.") == UNAVAILABLE  # in words that nobody foresaw


def test_a_file_is_named_without_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    full = f"The file {path} is read-only."
    assert shown(f"sqlite:///{path}", full) == "The file world.db is read-only."
    relative = "sqlite:///world.db"
    absolute = f"The file {Path('world.db').absolute()} is read-only."
    assert shown(relative, absolute) == "The file world.db is read-only."
