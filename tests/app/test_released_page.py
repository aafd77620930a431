"""The page over a checkpoint in the released layout, and an LMLM database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from graph.opening import open_store
from model.checkpoint import load_checkpoint
from model.engine.decoder import Decoder
from tests.app.page_driver import Inspect, serve_on
from tests.training.released import PROMPT, imported_database, write_taught


@pytest.fixture(scope="module")
def released_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("released")
    decoder = Decoder(load_checkpoint(write_taught(folder / "LMLM-llama2-small")))
    with open_store(imported_database(folder)) as store:
        server = serve_on(store, decoder)
        try:
            yield server.url
        finally:
            server.end()


def test_its_lookup_is_marked_linked_and_edited(
    released_server: str, visit: Callable[..., Inspect]
) -> None:
    page = visit(released_server).open()
    page.ask(PROMPT)
    assert "Spice Girls, of course." in page.text()
    page.open_fact("Spice Girls")
    expect(page.page.locator("#card")).to_contain_text("Geri Halliwell")
    expect(page.page.locator("#card")).to_contain_text("Famous For")
    page.change("Spice Girls", "Union Jack")
    # It goes on saying the old name by heart, and the page says so.
    assert "Spice Girls" not in page.marks()
    shown = page.page.locator("body")
    expect(shown).to_contain_text("“Spice Girls” still appears, but no looked-up fact gives it")
    expect(page.page.locator("#reading")).to_contain_text("graph says Union Jack")
