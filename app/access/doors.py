"""The ways into the server that the pages use, each with its level. All others are closed.

Gradio brings many more: uploads, a proxy, functions of components, its own API, profiling, login.
"""

from __future__ import annotations

import re

from app.access.levels import Level

# A path by a pattern, the methods, and the level. `tests/app/test_access_rules.py` compares them
# with what a browser asks for.
DOORS: tuple[tuple[str, tuple[str, ...], Level], ...] = (
    (r"/((training|verify)/?)?", ("GET", "HEAD"), Level.VIEWER),
    # For whoever watches the server.
    (r"/(health|ready|metrics)", ("GET", "HEAD"), Level.VIEWER),
    # The channel; what an action takes is in `app.api.schema`.
    (r"/api/events", ("GET",), Level.VIEWER),
    (r"/api/actions", ("POST",), Level.VIEWER),
    (r"/api/exports/[^/]+", ("GET",), Level.VIEWER),  # the files of a page, its own draft included
    # The published API; `app.api.public.routes` has what is behind each.
    (r"/api/v1/(generate|audit|audit-text)", ("POST",), Level.VIEWER),
    (r"/api/v1/(lookup|search|history|facts|facts/[^/]+|drafts/[^/]+)", ("GET",), Level.VIEWER),
    (r"/api/v1/drafts(/[^/]+/(edits|undo|redo|discard))?", ("POST",), Level.EDITOR),
    (r"/api/v1/drafts/[^/]+/publish", ("POST",), Level.PUBLISHER),
    # The same for MCP clients; each tool names the level that it takes.
    (r"/mcp", ("POST", "GET", "DELETE"), Level.VIEWER),
    (r"/api(/openapi\.json)?", ("GET", "HEAD"), Level.VIEWER),
    (r"/lamplight/[^/]+", ("GET", "HEAD"), Level.VIEWER),
    # What Gradio's own page loads.
    (r"/(theme\.css|favicon\.ico|robots\.txt)", ("GET", "HEAD"), Level.VIEWER),
    (r"/(assets|static)/.+", ("GET", "HEAD"), Level.VIEWER),
    # Gradio's queue, over which *Training* gets what it shows, and `gradio_client` its answers.
    (r"/gradio_api/queue/join", ("POST",), Level.VIEWER),
    (r"/gradio_api/queue/data", ("GET",), Level.VIEWER),
    (r"/gradio_api/heartbeat/[^/]+", ("GET",), Level.VIEWER),
    (r"/gradio_api/app_id/?", ("GET",), Level.VIEWER),
    # What `gradio_client` reads first; `app.api.public.gradio_functions` has what it can call.
    (r"/config", ("GET",), Level.VIEWER),
    (r"/gradio_api/info", ("GET",), Level.VIEWER),
)
_COMPILED = tuple((re.compile(pattern), methods, level) for pattern, methods, level in DOORS)

_PUBLISHED = re.compile(r"/api/v1/.*|/mcp")  # it needs no cookie and sets none


def is_published(path: str) -> bool:
    """Whether an address belongs to the published API."""
    return _PUBLISHED.fullmatch(path) is not None


def door(method: str, path: str) -> Level | None:
    """The level that a request takes; None if there is no such way in."""
    for pattern, methods, level in _COMPILED:
        if method in methods and pattern.fullmatch(path):
            return level
    return None


# Parts of a path that differ from request to request.
_PARTS = (
    (re.compile(r"(/api/v1/(?:drafts|facts))/[^/]+"), r"\1/{id}"),
    (re.compile(r"(/api/exports)/[^/]+"), r"\1/{name}"),
    (re.compile(r"(/lamplight|/assets|/static)/.+"), r"\1/{name}"),
    (re.compile(r"(/gradio_api/heartbeat)/[^/]+"), r"\1/{session}"),
)
CLOSED = "closed"


def route(method: str, path: str) -> str:
    """The way in that a request takes, for counts and logs: nothing that a client made up.

    >>> route("GET", "/api/v1/facts/17"), route("GET", "/made-up")
    ('/api/v1/facts/{id}', 'closed')
    """
    if door(method, path) is None:
        return CLOSED
    for pattern, shown in _PARTS:
        path = pattern.sub(shown, path)
    return path.rstrip("/") or "/"
