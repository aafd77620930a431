"""The pages' own scripts and style: read once, compressed once, kept by browsers for a year.

The address of a script has the hash of its content, so a browser asks again only where it changed.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from app.pages.scripts import SCRIPTS, content_hash

FOREVER = "public, max-age=31536000, immutable"
CHECK = "no-cache"  # kept, but asked for again each time
LEVEL = 6  # of gzip: the largest script takes a third of a second, once


class ServedFile:
    """A file as it is sent."""

    def __init__(self, path: Path) -> None:
        self.content, self.hash = path.read_bytes(), content_hash(path)
        self.kind = "text/css" if path.suffix == ".css" else "text/javascript"

    @cached_property
    def compressed(self) -> bytes:
        """The same, compressed when somebody first asks for it."""
        return gzip.compress(self.content, LEVEL, mtime=0)

    def answer(self, request: Request) -> Response:
        """The answer to a request for it: whole, compressed, or "you have it"."""
        tag = f'"{self.hash}"'
        headers = {
            "Cache-Control": FOREVER if request.url.query == self.hash else CHECK,
            "ETag": tag,
            "Vary": "Accept-Encoding",
        }
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.content, media_type=self.kind, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return Response(self.compressed, media_type=self.kind, headers=headers)


def served_files() -> Mapping[str, ServedFile]:
    """All of them, by name."""
    return {name: ServedFile(path) for name, path in SCRIPTS.items()}
