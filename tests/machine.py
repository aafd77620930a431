"""What this machine has for the tests: a browser and what runs a Neo4j server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Container

from tools.neo4j_server import server

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


def missing(needs: Container[str]) -> str | None:
    """What this machine lacks for these needs, as one sentence; None if nothing."""
    lacks = []
    if "browser" in needs and not os.access(CHROMIUM, os.X_OK):
        lacks.append(f"Chromium (there is none at {CHROMIUM})")
    if "neo4j" in needs and (found := server.lacks()):
        lacks.append(found)
    if not lacks:
        return None
    return (
        f"No test was run, because this machine lacks {' and '.join(lacks)}: `make test` installs "
        "it, and `make test ARGS='-m unit'` runs the tests that need neither Chromium nor Java."
    )
