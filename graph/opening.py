"""Opens stores by their URL: the only module that names both back ends.

What differs between the back ends once a store is open is a method of the store. Here is what has
to know the kind of a store before there is one: to open, make, copy or migrate it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from graph.core.atomic_files import check_output, put
from graph.core.errors import StoreError
from graph.core.import_rows import Row
from graph.core.names import quoted
from graph.core.protocol import SharedStore
from graph.exchange.copying import Progress, Source, Target, copy

_SERVERS = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")

# The back ends are imported where they are used: the driver of Neo4j takes a while to load.


def on_server(url: str) -> bool:
    """Whether a URL names a store on a Neo4j server; only `python -m graph init` makes one."""
    scheme, found, _ = url.partition("://")
    return bool(found) and scheme.lower() in _SERVERS


def open_store(url: str, *, create: bool = False, read_only: bool = False) -> SharedStore:
    """Open the store at a URL.

    Args:
        url: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db`, `neo4j://host:7687` or
            `neo4j://host:7687/database` (see `graph.neo4j.driver`).
        create: make an empty store if there is none.
        read_only: refuse every write.

    Raises:
        StoreError: if there is no store (without `create`), or if it cannot be opened.
    """
    if _is_served(url):
        from graph.neo4j.store import Neo4jStore

        return Neo4jStore(url, create=create, read_only=read_only)
    from graph.sqlite.store import SqliteStore

    return SqliteStore(url, create=create, read_only=read_only)


def _is_served(url: str) -> bool:
    """As `on_server`; raises `StoreError` if the URL does not name a file either."""
    if on_server(url):
        return True
    if url.startswith("sqlite:///"):
        return False
    url = re.sub("//[^/]*@", "//…@", url)  # a message must not show a password
    raise StoreError(
        f"{quoted(url)} is not the URL of a store; write sqlite:///path/to/file.db or "
        "neo4j://host:7687."
    )


def make_store(url: str, fill: Callable[[SharedStore], None]) -> bool:
    """Make the store at `url` with what `fill` writes; nobody can open it before it is whole.

    Returns False, and leaves everything as it is, if there is a store already. Raises `StoreError`
    if something else is there, or the store cannot be created.
    """
    if _is_served(url):
        from graph.neo4j.making import make_store as make_on_server

        return make_on_server(url, fill)
    from graph.sqlite.making import make_store as make_file

    return make_file(url, fill)


def copy_store(
    source_url: str, target_url: str, on_progress: Callable[[str, int], None] | None = None
) -> Progress:
    """Copy one store to another of any kind, or continue a copy that was stopped.

    `on_progress` is called with each table and the number of its rows so far. Raises `StoreError`
    if the target holds anything but an unfinished copy of the same source.
    """
    with closing(_source(source_url)) as source, closing(_target(target_url)) as target:
        return copy(source, target, on_progress)


def _source(url: str) -> Source:
    if _is_served(url):
        from graph.neo4j.copy import Neo4jTables
        from graph.neo4j.store import Neo4jStore

        return Neo4jTables(Neo4jStore(url))
    from graph.sqlite.copy import SqliteTables
    from graph.sqlite.store import SqliteStore

    return SqliteTables(SqliteStore(url))


def _target(url: str) -> Target:
    if _is_served(url):
        from graph.neo4j.copy import Neo4jTarget

        return Neo4jTarget(url)
    from graph.sqlite.copy import SqliteTarget

    return SqliteTarget(url)


def back_up(url: str, path: Path, *, force: bool = False) -> int:
    """Copy the store at `url` into a new file while it is in use; returns the revision copied.

    Raises `StoreError` if there is a file already, or it cannot be written. With `force`, a file is
    replaced unless it is a store in use.
    """
    if _is_served(url):
        return _back_up_server(url, path, force)
    from graph.sqlite.store import SqliteStore

    with SqliteStore(url) as store:
        return store.back_up(path, force=force)


def _back_up_server(url: str, path: Path, force: bool) -> int:
    check_output(path, force=force)
    making = path.with_name(f"{path.name}.replacing") if path.exists() else path
    revision = copy_store(url, f"sqlite:///{making}").at
    if making != path:
        check_output(path, force=force)
        put(making, path, replace=True)
    return revision


def migrate_store(url: str) -> tuple[int, int]:
    """Bring a store up to this program's schema; returns the version before and after.

    If it is stopped, run it again: a file is then as it was, and on a server it starts over. Raises
    `StoreError` if there is no store, or one of a newer version.
    """
    if _is_served(url):
        from graph.neo4j.migrate import migrate as migrate_server
        from graph.neo4j.schema import SCHEMA_VERSION as server_version

        return migrate_server(url), server_version
    from graph.sqlite.file import SCHEMA_VERSION, path_of
    from graph.sqlite.migrate import migrate

    return migrate(path_of(url)), SCHEMA_VERSION


def query_rows(url: str, query: str) -> Iterator[Row]:
    """The rows that a Cypher query gets from any Neo4j database (`graph.neo4j.query_rows`)."""
    from graph.neo4j.query_rows import cypher_rows

    return cypher_rows(url, query)
