"""What the page published is kept while commands use the same file."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from graph.__main__ import main as graph
from graph.opening import open_store
from tests import handles
from tests.app import page_driver
from tests.app.page_driver import Inspect, Server
from tests.graph.helpers import said

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(handles.ROOT), "LAMPLIGHT_ENCODER": "off"}


def by_another_process(*arguments: str) -> None:
    command = [sys.executable, "-m", "graph", *arguments]
    subprocess.run(command, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)


def test_commands_between_two_publishes_of_the_page(
    visit: Callable[..., Inspect], own_server: Server, tmp_path: Path
) -> None:
    """What used to be lost: the second publish went to a log that another process had deleted."""
    path, url = own_server.store.path, own_server.store.url
    page = visit(own_server.url).open()
    page.change("euro", "Kraken crown")
    page.click("#publish")
    expect(page.page.locator("#draft-done")).to_contain_text("Published as revision")
    held = handles.locks(path)
    assert held
    by_another_process("stats", "--store", url)
    assert graph(["backup", str(tmp_path / "one.db"), "--store", url]) == 0
    by_another_process("backup", str(tmp_path / "two.db"), "--store", url)
    assert graph(["export", str(path), "--format", "csv", "--store", url, "--force"]) == 2
    for asked in (path, f"{path}-wal"):  # the page does not serve the store's files
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{own_server.url}/gradio_api/file={asked}", timeout=60)
    assert handles.locks(path) == held
    page.change("Kraken crown", "Kraken shilling")
    page.click("#publish")
    expect(page.page.locator("#draft-done")).to_contain_text("Published as revision")
    visit(own_server.url).open().ask("Tell me about France.")
    assert handles.locks(path) == held
    # Another process reads it from the file, as the page does after a restart.
    by_another_process("check", "--store", url)
    shown = subprocess.run(
        [sys.executable, "-m", "graph", "lookup", "France", "currency", "--store", url],
        check=True,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert shown.stdout.startswith("Kraken shilling")


@pytest.mark.skipif(not page_driver.SHIPPED, reason="there is no shipped checkpoint")
def test_the_page_holds_its_locks_until_it_is_killed(world: Path, tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    path.write_bytes(world.read_bytes())
    url = f"sqlite:///{path}"
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--store", url, "--port", "0"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address is not None
        assert handles.locks(path, process.pid)
        by_another_process("stats", "--store", url)
        assert handles.locks(path, process.pid)
        with urllib.request.urlopen(address[0], timeout=60) as answer:
            assert answer.status == 200
        assert handles.locks(path, process.pid)
        by_another_process("synonyms", "seat of power", "capital", "--store", url)
        assert Path(f"{path}-wal").stat().st_size > 0
    finally:
        process.kill()
    assert process.wait(timeout=30) == -signal.SIGKILL
    with open_store(url) as store:
        assert said(store, "France", "capital") == ["Paris"]
        assert "seat of power" in {rule.name for rule in store.rules()}
