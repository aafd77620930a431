"""The real process, ended by a signal while pages are open and texts are written."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.access import cookie
from graph.core.edits import Add
from graph.opening import open_store
from tests.app.page_driver import SHIPPED
from tests.app.page_process import ENVIRONMENT, free_port
from tests.patience import PATIENCE

PAGES = 4
TEXT = "Tell me about France."
pytestmark = pytest.mark.skipif(not SHIPPED, reason="there is no shipped checkpoint")


class Process:
    """`python -m app` over a store of two facts, and clients of it without a browser."""

    def __init__(self, folder: Path) -> None:
        self.store = f"sqlite:///{folder / 'small.db'}"
        with open_store(self.store, create=True) as store:
            for relation, value in (("capital", "Paris"), ("currency", "euro")):
                store.apply([Add("France", relation, value)], author="test")
        self.url = f"http://127.0.0.1:{free_port()}"
        port = self.url.rpartition(":")[2]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "--store", self.store, "--port", port, "--cases", ""],
            env={
                **ENVIRONMENT,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.http = httpx.Client(base_url=self.url, timeout=60 * PATIENCE)

    def start(self) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + 60 * PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                self.http.get("/health")
                return
            except httpx.HTTPError:
                time.sleep(0.1)
        self.process.kill()
        raise AssertionError(f"the server did not start: {self.process.communicate()[0]}")

    def act(self, page: str, **do: object) -> None:
        """One action of a page."""
        request = {"id": secrets.token_hex(16), "page": page, "do": do}
        answer = self.http.post("/api/actions", json=request)
        assert answer.status_code == 200, answer.text
        assert answer.json()["refused"] == ""

    def watch(self, page: str, came: threading.Event) -> threading.Thread:
        """Hold the events of a page as long as the server does; `came` is set by the first."""

        def read() -> None:
            try:
                with self.http.stream("GET", "/api/events", params={"page": page}) as answer:
                    for _ in answer.iter_lines():
                        came.set()
            except httpx.HTTPError:
                pass

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def write(self, came: threading.Event) -> None:
        """Have texts written one after the other for as long as the server does."""

        def read() -> None:
            request = {"prompt": TEXT, "stream": True}
            try:
                while True:
                    with self.http.stream("POST", "/api/v1/generate", json=request) as answer:
                        for line in answer.iter_lines():
                            if line == "event: text":
                                came.set()
            except httpx.HTTPError:
                pass

        threading.Thread(target=read, daemon=True).start()

    def end(self, sent: signal.Signals) -> tuple[int, float, str]:
        """Send a signal; the exit status, the seconds until then, and all that was printed."""
        begun = time.monotonic()
        self.process.send_signal(sent)
        printed, _ = self.process.communicate(timeout=60)
        return self.process.returncode, time.monotonic() - begun, printed


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    try:
        made.start()
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()
        made.http.close()


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_one_signal_ends_the_process_and_loses_no_edit(
    running: Process, sent: signal.Signals, status: int
) -> None:
    pages = [secrets.token_hex(8) for _ in range(PAGES)]
    opened = [threading.Event() for _ in pages]
    streams = [running.watch(*each) for each in zip(pages, opened, strict=True)]
    assert all(came.wait(60 * PATIENCE) for came in opened)
    fields = {"entity": "France", "relation": "motto", "value": "Liberty"}
    running.act(pages[0], action="add", fields=fields)
    writes = threading.Event()
    running.write(writes)
    running.act(pages[1], action="ask", prompt=TEXT)
    assert writes.wait(60 * PATIENCE)

    code, seconds, printed = running.end(sent)

    assert code == status
    assert seconds < 5 * PATIENCE
    assert printed.strip().splitlines() == [
        f"Lamplight is running at {running.url.replace('127.0.0.1', 'localhost')} "
        "(press Ctrl+C to stop it)"
    ]
    for stream in streams:
        stream.join(5)
        assert not stream.is_alive()
    secret = running.http.cookies[cookie.NAME]
    with open_store(running.store) as store:
        draft = store.draft(cookie.session_id(secret))
        (edit,) = draft.edits()
        assert "Liberty" in str(edit)
