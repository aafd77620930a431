"""Opens a store by its URL: the only module that names both back ends."""

from __future__ import annotations

import re

from graph.core.errors import StoreError
from graph.core.names import quoted
from graph.core.protocol import SharedStore

_SERVERS = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")


def on_server(url: str) -> bool:
    """Whether a URL is of a store on a Neo4j server, which only `python -m graph init` makes."""
    scheme, found, _ = url.partition("://")
    return bool(found) and scheme.lower() in _SERVERS


def open_store(url: str, *, create: bool = False, read_only: bool = False) -> SharedStore:
    """The store at `url`: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db`, or one on a
    Neo4j server, `neo4j://host:7687` or `neo4j://host:7687/database` (see `graph.neo4j.driver`).

    With `create`, an empty store is made where there is none. With `read_only`, every write is
    refused. Raises `StoreError`.
    """
    if url.startswith("sqlite:///"):
        from graph.sqlite.store import SqliteStore

        return SqliteStore(url, create=create, read_only=read_only)
    if on_server(url):
        from graph.neo4j.store import Neo4jStore

        return Neo4jStore(url, create=create, read_only=read_only)
    url = re.sub("//[^/]*@", "//…@", url)  # a password is not for others to read
    raise StoreError(
        f"{quoted(url)} names no store; write sqlite:///path/to/file.db or neo4j://host:7687."
    )
