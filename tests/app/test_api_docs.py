"""docs/api.md: its examples run, in their order, against a real server over the shipped world."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.api.public import limits
from app.api.public.routes import PREFIX, public_router
from app.api.turns import MOST_WAITING
from graph.core.draft_record import IDLE_DAYS
from graph.core.names import MAX_NAME, MAX_VALUE
from model.prompts import MAX_PROMPT_CHARACTERS
from tests.app.page_driver import Server
from tests.graph.helpers import said
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.M | re.S)
ADDRESS = "http://127.0.0.1:7860"


def commands() -> list[str]:
    """Each curl command, its lines joined."""
    joined = "".join(block for kind, block in BLOCKS if kind == "sh").replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip()]


@pytest.mark.parametrize("command", commands())
def test_each_curl_example_works(server: Server, command: str) -> None:
    here = command.replace("curl ", "curl --fail-with-body --silent --show-error ", 1)
    assert ADDRESS in here
    done = subprocess.run(
        ["bash", "-c", here.replace(ADDRESS, server.url)],
        capture_output=True,
        text=True,
        timeout=120 * PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if "stream" in command:
        kinds = re.findall(r"^event: (\w+)$", done.stdout, re.M)
        assert kinds[-2:] == ["marks", "end"]
        named = set(re.findall(r"^\| `(\w+)` \| ", TEXT, re.M))
        assert set(kinds) <= named
    else:
        answer: dict[str, Any] = json.loads(done.stdout)
        assert answer
        assert "error" not in answer


def test_the_python_examples_edit_and_publish(own_server: Server) -> None:
    code = "".join(block for kind, block in BLOCKS if kind == "python")
    done = subprocess.run(
        [sys.executable, "-c", code.replace(ADDRESS, own_server.url)],
        capture_output=True,
        text=True,
        timeout=240 * PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    text, changes, revision, capital = done.stdout.splitlines()
    assert capital == "Tokyo"
    assert "Lyon" in text
    assert changes == "2 changes"
    assert int(revision) == own_server.store.revision()
    assert said(own_server.store, "France", "capital") == ["Lyon"]
    assert said(own_server.store, "France", "motto") == ["Liberté"]


def test_every_route_and_limit_is_on_the_page() -> None:
    for route in public_router(None).routes:  # type: ignore[arg-type]
        last = route.path.removeprefix(PREFIX).replace("/{id}", "").rpartition("}")[2]  # type: ignore[attr-defined]
        assert last in TEXT, route
    for number in (
        MAX_PROMPT_CHARACTERS,
        limits.MOST_TOKENS,
        MAX_NAME,
        MAX_VALUE,
        MOST_WAITING,
        limits.MOST_EDITS,
        limits.MOST_FACTS,
        limits.FURTHEST,
        limits.MOST_FOUND,
        limits.MOST_ENTRIES,
    ):
        assert re.search(rf"\b{number:,}\b", TEXT.partition("## Limits")[2]), number
    assert IDLE_DAYS == 7
