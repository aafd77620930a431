"""One browser for each worker, and servers on free ports.

The model is the shipped checkpoint where there is one, else a scripted one; tests of states that a
good model does not reach take the scripted one always. LAMPLIGHT_TEST_MODEL=scripted forces it,
LAMPLIGHT_TEST_PATIENCE=4 waits four times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from graph.world import make_world
from model.checkpoint import Checkpoint, load_checkpoint
from tests.app import page_driver, scripted
from tests.app.page_driver import Inspect, Server, fresh, serve
from tests.machine import CHROMIUM
from tests.workers import made_once


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped world, made once; servers get copies."""
    return made_once(tmp_path_factory, "world.db", lambda path: make_world(f"sqlite:///{path}"))


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    """The shipped checkpoint, or the scripted one while there is none."""
    torch.set_num_threads(1)
    return load_checkpoint() if page_driver.SHIPPED else scripted.checkpoint()


@pytest.fixture(scope="session")
def server(
    world: Path, checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server that tests share which leave the store as it is."""
    made = serve(world, tmp_path_factory.mktemp("server"), checkpoint)
    yield made
    made.end()


@pytest.fixture
def own_server(world: Path, checkpoint: Checkpoint, tmp_path: Path) -> Iterator[Server]:
    """A server for a test that publishes."""
    made = serve(world, tmp_path, checkpoint)
    yield made
    made.end()


@pytest.fixture(scope="session")
def scripted_server(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of the scripted model."""
    made = serve(world, tmp_path_factory.mktemp("scripted"), scripted.checkpoint())
    yield made
    made.end()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this worker."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=page_driver.FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Inspect]]:
    """Opens pages, each for a visitor of its own; at the end none may have gone wrong."""
    pages: list[Inspect] = []

    def new(url: str, **options: Any) -> Inspect:
        options.setdefault("viewport", {"width": 1440, "height": 900})
        page = Inspect(browser.new_context(**options), url)
        pages.append(page)
        return page

    yield new
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def one_visitor(browser: Browser) -> Iterator[BrowserContext]:
    """A visitor whose browser keeps compiled scripts from test to test, and nothing else."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def inspect(one_visitor: BrowserContext, server: Server) -> Iterator[Inspect]:
    """A page over the shipped model, or the scripted one while there is none."""
    page = fresh(one_visitor, server.url)
    yield page
    page.close()


@pytest.fixture
def scripted_page(one_visitor: BrowserContext, scripted_server: Server) -> Iterator[Inspect]:
    """A page over the scripted model."""
    page = fresh(one_visitor, scripted_server.url)
    yield page
    page.close()
