"""A server of the scripted model over two facts, for tests of what a script can do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graph.core.edits import Add
from graph.opening import open_store
from model.engine.decoder import Decoder
from tests.app import scripted
from tests.app.page_driver import Server, serve_on


@contextmanager
def serve_small(folder: Path) -> Iterator[Server]:
    """A server over a store of its own, which a test may change."""
    with open_store(f"sqlite:///{folder / 'small.db'}", create=True) as store:
        for relation, value in (("capital", "Paris"), ("currency", "euro")):
            store.apply([Add("France", relation, value)], author="test")
        made = serve_on(store, Decoder(scripted.checkpoint()))
        yield made
        made.end()
