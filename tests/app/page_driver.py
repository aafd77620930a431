"""The page as a person uses it, for tests and screenshots: servers, and what is done and seen."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import BrowserContext, Page, expect

import app  # noqa: F401  (settles Gradio's environment before it is imported)
from app.server.application import make_app
from app.state.service import Service
from app.state.training_session import TrainingFolders
from graph.opening import open_store
from model.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from model.engine.decoder import Decoder
from tests.patience import PATIENCE

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions"]
MOST_LOADS = 3  # of a page for a visitor who was never here
SHIPPED = (DEFAULT_CHECKPOINT / "config.json").exists() and (
    os.environ.get("LAMPLIGHT_TEST_MODEL") != "scripted"
)
expect.set_options(timeout=15_000 * PATIENCE)

ENDED = """before => { const words = document.querySelector('#status-words');
  return !!words && Number(words.dataset.run) > before && words.dataset.writing === 'no' }"""


NEXT_FRAME = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"


@dataclass
class Server:
    """A running server and what it stands on."""

    url: str
    store: Any
    end: Callable[[], None]
    channel: Any = None


def serve(world: Path, folder: Path, checkpoint: Checkpoint) -> Server:
    """A server of its own, on a copy of the world and a free port."""
    path = folder / "world.db"
    if not path.exists():
        shutil.copy(world, path)
    store = open_store(f"sqlite:///{path}")
    server = serve_on(store, Decoder(checkpoint))

    def end() -> None:
        server.end()
        store.close()

    return Server(server.url, store, end, server.channel)


def serve_on(
    store: Any,
    decoder: Decoder,
    folders: TrainingFolders | None = None,
    cases: Path | None = None,
    **options: Any,
) -> Server:
    """A server on an open store, which stays open, and a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    application = make_app(Service(store, decoder, cases), folders, **options)
    server = uvicorn.Server(
        uvicorn.Config(application, port=port, log_config=None, log_level="critical")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)

    def end() -> None:
        server.should_exit = server.force_exit = True
        thread.join(10)

    return Server(f"http://127.0.0.1:{port}", store, end, application.state.channel)


class Inspect:
    """The page as a person uses it."""

    def __init__(self, context: BrowserContext, url: str, shared: bool = False) -> None:
        self.context = context
        self.shared = shared  # the context serves other tests too
        self.url = url
        self.page: Page = context.new_page()
        self.page.set_default_timeout(30_000 * PATIENCE)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))

    def open(self) -> Inspect:
        """Load the page and wait for the first text."""
        self.page.goto(self.url)
        self.wait_for_run(0)
        self.page.locator("#trace-toolbar").wait_for()  # its script may come after the status
        return self

    # -- waiting

    def run(self) -> int:
        """The number of the generation that the page shows."""
        status = self.page.locator("#status-words")
        return int(status.get_attribute("data-run") or 0) if status.count() else 0

    def ended(self, before: int) -> bool:
        """Whether a later generation has ended."""
        return bool(self.page.evaluate(ENDED, before))

    def wait_for_run(self, before: int) -> None:
        """Wait until a later generation has ended."""
        self.page.wait_for_function(ENDED, arg=before, timeout=30_000 * PATIENCE)
        self.page.evaluate(NEXT_FRAME)  # in which the graph is drawn

    def after(self, act: Callable[[], object]) -> Inspect:
        """Do something that makes the model write, and wait for its end."""
        before = self.run()
        act()
        self.wait_for_run(before)
        return self

    # -- doing

    def ask(self, prompt: str) -> Inspect:
        """Type a prompt and ask."""
        self.page.locator("#prompt textarea").fill(prompt)
        return self.after(lambda: self.page.locator("#ask").click())

    def mark(self, words: str) -> Any:
        """The mark with these words."""
        return self.page.locator("#reading .mark:not(.gone)").filter(
            has_text=re.compile(f"^{re.escape(words)}$")
        )

    def open_fact(self, words: str) -> Inspect:
        """Click a mark and wait for its card."""
        self.mark(words).first.click()
        expect(self.page.locator("#card-value")).to_have_value(words)
        return self

    def change(self, words: str, value: str) -> Inspect:
        """Open the fact of a mark, give it another value and save."""
        self.open_fact(words)
        self.page.locator("#card-value").fill(value)
        return self.after(lambda: self.page.locator("#save").click())

    def click(self, selector: str) -> None:
        """Click an element."""
        self.page.locator(selector).first.click()

    def tab_to(self, selector: str, key: str = "Tab") -> None:
        """Press the tab key, or another, until the focus is there, as one without a mouse does."""
        for _ in range(80):
            if self.page.evaluate("want => document.activeElement.matches(want)", selector):
                return
            self.page.keyboard.press(key)
        raise AssertionError(f"the focus never came to {selector}")

    def close(self) -> None:
        """Leave; nothing may have been fetched from outside, and no script have failed."""
        (self.page if self.shared else self.context).close()
        assert self.outside() == []
        assert self.errors == []

    # -- seeing

    def text(self) -> str:
        """The text as a reader sees it, chips left out."""
        return str(
            self.page.evaluate(
                """() => { const copy = document.querySelector('#reading').cloneNode(true);
                copy.querySelectorAll('.chip,.says,.unseen,.caret,.stale').forEach(e => e.remove());
                return copy.textContent }"""
            )
        )

    def marks(self) -> list[str]:
        """The words of all marks."""
        return self.page.locator("#reading .mark:not(.gone)").all_text_contents()

    def tab(self, name: str) -> Inspect:
        """Choose Before, Changes or After."""
        self.click(f"#tab-{name}")
        expect(self.page.locator(f"#tab-{name}")).to_have_attribute("aria-pressed", "true")
        return self

    def outside(self) -> list[str]:
        """Requests that went to anything but this server."""
        own = (self.url, "data:", "blob:")
        return [url for url in self.requests if not url.startswith(own)]


def fresh(context: BrowserContext, url: str) -> Inspect:
    """The page of a visitor who was never here, in a browser that keeps compiled scripts.

    A message that the page before sent while it closed may be answered late, with the cookie of the
    visitor before; then their draft shows, and the page is loaded once more.
    """
    for _ in range(MOST_LOADS):
        context.clear_cookies()
        page = Inspect(context, url, shared=True)
        page.page.goto(f"{url}/health")
        page.page.evaluate("localStorage.clear()")
        page.open()
        if not page.page.locator("#draft-bar", has_text="in your draft").count():
            return page
        page.close()
    raise AssertionError("The draft of the visitor before is on the page of a new one.")
