"""The page over each shipped checkpoint, by name, whichever of them is the default."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from model.checkpoint import load_checkpoint
from tests.app.page_driver import Inspect, serve


@pytest.mark.parametrize(("name", "guided"), [("world", False), ("questions", True)])
def test_each_shipped_checkpoint_has_its_page(
    visit: Callable[..., Inspect], world: Path, tmp_path: Path, name: str, guided: bool
) -> None:
    server = serve(world, tmp_path, load_checkpoint(name))
    try:
        page = visit(server.url).open()
        assert {"country", "Paris", "euro"} <= set(page.marks())
        page.click("#decoding > button")
        box = page.page.get_by_label("Guided lookups")
        expect(box).to_be_checked(checked=guided)
        page.ask("What is the capital of France?")
        assert page.marks() == ["Paris"]
        page.change("Paris", "Lyon").tab("after")
        assert page.marks() == ["Lyon"]
        if not guided:
            return
        # The text spells the name as the graph does, and its second word is not the value "river".
        page.ask("Tell me about the Danube.")
        assert "Danube River" in page.text()
        assert "river" in page.marks()
        assert "River" not in page.marks()
        page.ask("how long is the nile?")
        assert "6,650 kilometres" in page.marks()
        expect(page.page.locator("#reading .chip")).to_have_count(0)
    finally:
        server.end()
