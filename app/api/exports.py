"""The files of a page: `GET /api/exports/text.html?page=…`, and the trace, the graph, the draft.

The cookie opens the session, and `page` says which of its tabs; the id of a page gives no access.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from app.access.middleware import visitor
from app.api.channel import Channel
from app.api.schema import PageId
from app.state.exported_text import (
    ExportedText,
    NothingToExport,
    draft_csv,
    exported_text,
    file_name,
)
from app.state.graph_layout import GraphLayout
from app.state.scene_reading import read_scene
from app.state.session import Session
from app.state.store_sentences import sentence_of
from app.views import graph_figure, graph_svg, text_file
from graph.core.errors import StoreError

NO_PAGE = "This page is not known here any more; open it again, and export from there."
NO_FILE = "There is no such export; choose text.html, trace.json, graph.svg or draft.csv."


@dataclass(frozen=True)
class File:
    """A file for the browser to save."""

    name: str
    kind: str
    content: str

    def response(self) -> Response:
        """As an attachment, which no browser opens in the place of the page."""
        headers = {
            "Content-Disposition": f'attachment; filename="{self.name}"',
            "Cache-Control": "no-store",
        }
        return Response(
            self.content.encode(), media_type=f"{self.kind}; charset=utf-8", headers=headers
        )


def text_file_of(text: ExportedText) -> File:
    """The text with its facts, as one HTML file."""
    return File(text.file_name("html"), "text/html", text_file.render(text))


def trace_file_of(text: ExportedText) -> File:
    """The trace with its marks, hashes and edits."""
    data = json.dumps(text.to_json(), ensure_ascii=False, indent=1)
    return File(text.file_name("json"), "application/json", data)


def _graph(session: Session) -> File:
    text = exported_text(session)
    drawing = session.outbox.drawing
    if drawing is not None:  # what the page shows
        figure = json.loads(drawing.figure)
    else:
        layout = GraphLayout.from_json(session.picture.layout.to_json())
        figure = graph_figure.draw(read_scene(session), layout)
    svg = graph_svg.render(figure, text.trace.prompt, text.citation)
    return File(text.file_name("svg"), "image/svg+xml", svg)


def _draft(session: Session) -> File:
    name = file_name("draft", session.text.trace.id if session.text.trace else "", "csv")
    return File(name, "text/csv", draft_csv(session.deltas()))


FILES: dict[str, Callable[[Session], File]] = {
    "text.html": lambda session: text_file_of(exported_text(session)),
    "trace.json": lambda session: trace_file_of(exported_text(session)),
    "graph.svg": _graph,
    "draft.csv": _draft,
}


def add_exports(app: FastAPI, channel: Channel) -> None:
    """Add the address to an application."""
    router = APIRouter(prefix="/api")

    @router.get("/exports/{name}")
    async def export(request: Request, name: str, page: PageId) -> Response:
        """One file of a page."""
        who, make = visitor(request.scope), FILES.get(name)
        if make is None:
            return _refused(404, NO_FILE)
        try:
            file = await channel.read(who.session_id, page, make) if who.known else None
        except NothingToExport as problem:
            return _refused(409, str(problem))
        except StoreError as problem:
            return _refused(503, sentence_of(problem, channel.service.store))
        return _refused(404, NO_PAGE) if file is None else file.response()

    app.include_router(router)


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)
