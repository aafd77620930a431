"""The store that is measured: a copy, so that an evaluation leaves the original alone."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from graph.opening import open_store
from graph.world import DEFAULT_STORE, make_world


@contextmanager
def working_store(url: str) -> Iterator[Any]:
    """The store to measure on: a copy of a file, so that drafts leave the original alone."""
    if not url.startswith("sqlite:///"):
        with closing(open_store(url)) as store:
            yield store
        return
    path = Path(url.removeprefix("sqlite:///"))
    if url == DEFAULT_STORE and not path.exists():
        print("Making the shipped world (once) ...", file=sys.stderr, flush=True)
        make_world(url)
    open_store(url).close()  # says in a sentence what is wrong with the file
    folder = Path(tempfile.mkdtemp(prefix="lamplight-evaluation-"))
    try:
        copy = folder / "copy.db"
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        with closing(open_store(f"sqlite:///{copy}")) as store:
            yield store
    finally:
        shutil.rmtree(folder, ignore_errors=True)
