"""The page over a Neo4j server: read, edit, publish; and the server goes away and comes back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from graph.opening import open_store
from graph.world import make_world
from model.checkpoint import Checkpoint
from model.engine.decoder import Decoder
from tests.app.page_driver import Inspect, Server, serve_on
from tests.graph.neo4j.proxy import Proxy
from tools.neo4j_server import server as neo4j


@pytest.fixture(scope="module")
def team_server() -> Iterator[neo4j.Server]:
    """A Neo4j server with the shipped world in it; its credentials are in the environment."""
    with tempfile.TemporaryDirectory(prefix="lamplight-neo4j-") as folder:
        server = neo4j.Server(Path(folder) / "home")
        server.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(os.environ, "NEO4J_USERNAME", "neo4j")
            patch.setitem(os.environ, "NEO4J_PASSWORD", server.password)
            patch.setattr("graph.neo4j.driver.PATIENCE_SECONDS", 3.0)
            try:
                make_world(server.url)
                yield server
            finally:
                server.stop()


@pytest.fixture
def team_page(
    team_server: neo4j.Server, checkpoint: Checkpoint, visit: Callable[..., Inspect]
) -> Iterator[tuple[Inspect, Server]]:
    """A page over that server."""
    with open_store(team_server.url) as store:
        server = serve_on(store, Decoder(checkpoint))
        try:
            yield visit(server.url).open(), server
        finally:
            server.end()


def test_a_fact_is_read_changed_and_published(
    team_page: tuple[Inspect, Server], visit: Callable[..., Inspect]
) -> None:
    page, server = team_page
    assert "Paris" in page.marks()
    page.change("euro", "Kraken crown")
    assert "Kraken crown" in page.marks()
    other = visit(server.url).open()
    assert "Kraken crown" not in other.text()
    page.page.locator("#publish").click()
    expect(page.page.locator("#draft-done")).to_contain_text("Published as revision")
    other.ask("Tell me about France.")
    assert "Kraken crown" in other.marks()


def test_a_server_that_is_away_is_told_and_waited_for(
    team_page: tuple[Inspect, Server], team_server: neo4j.Server
) -> None:
    page, _ = team_page
    page.change("Paris", "Ghent")
    team_server.stop()
    try:
        page.page.locator("#prompt textarea").fill("Tell me about Japan.")
        page.page.locator("#ask").click()
        note = page.page.locator("#prompt-note, #trace-note")
        expect(note.first).to_contain_text("Neo4j", timeout=60_000)
        assert "Traceback" not in page.page.content()
    finally:
        team_server.start()
    page.ask("Tell me about France.")
    assert "Ghent" in page.marks()  # the draft that was acknowledged is there
    page.after(lambda: page.page.locator("#undo").click())
    assert "Ghent" not in page.marks()


def test_a_server_that_only_reads_is_told_and_the_text_stays(
    team_page: tuple[Inspect, Server], team_server: neo4j.Server
) -> None:
    page, _ = team_page
    before = page.text()
    team_server.stop()
    team_server.start({"server.databases.default_to_read_only": "true"})
    try:
        page.open_fact("Paris")
        page.page.locator("#card-value").fill("Ghent")
        page.page.locator("#save").click()
        expect(page.page.locator("#card")).to_contain_text("is read-only", timeout=60_000)
        assert page.text() == before
        page.ask("Tell me about Japan.")  # it is read as before
        assert "Tokyo" in page.marks()
    finally:
        team_server.stop()
        team_server.start()
    page.ask("Tell me about France.")
    page.change("Paris", "Ghent")
    assert "Ghent" in page.marks()


def test_over_a_slow_server_the_page_takes_longer_and_loses_nothing(
    team_server: neo4j.Server, checkpoint: Checkpoint, visit: Callable[..., Inspect]
) -> None:
    proxy = Proxy(team_server.port)
    try:
        with open_store(proxy.url) as store:
            server = serve_on(store, Decoder(checkpoint))
            try:
                page = visit(server.url).open()
                proxy.delay = 0.15
                page.ask("Tell me about Kenya.")
                page.change("Nairobi", "Ghent")
                assert "Ghent" in page.marks()
                proxy.delay = 0.0
                page.after(lambda: page.page.locator("#undo").click())
                assert "Nairobi" in page.marks()
            finally:
                proxy.delay = 0.0
                server.end()
    finally:
        proxy.close()
