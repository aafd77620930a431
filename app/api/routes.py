"""The two addresses of the channel: `POST /api/actions` and `GET /api/events`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.responses import Response

from app.access.middleware import refused, visitor
from app.api.channel import Channel
from app.api.schema import Action, PageId
from app.api.turns import TooMany
from app.state.store_sentences import sentence_of
from graph.core.errors import StoreError

NO_COOKIE = (
    "Your browser did not send the session cookie; allow cookies for this site. A script sends the "
    "one that GET /api/events sets."
)
# A proxy must pass events on at once, and nobody may keep them.
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def add_routes(app: FastAPI, channel: Channel) -> None:
    """Add both to an application."""
    router = APIRouter(prefix="/api")

    @router.get("/events")
    async def events(
        request: Request,
        page: PageId,
        last: Annotated[str, Query(max_length=64)] = "",
        last_event_id: Annotated[str, Header(max_length=64)] = "",
    ) -> Response:
        """The events of a page, from the one after `last` or the header `Last-Event-ID`."""
        session_id = visitor(request.scope).session_id
        try:
            channel.check_streams(session_id)
        except TooMany as problem:
            return _error(429, str(problem))
        return StreamingResponse(
            channel.events(session_id, page, last_event_id or last),
            media_type="text/event-stream",
            headers=UNBUFFERED,
        )

    @router.post("/actions")
    async def act(request: Request, action: Action) -> Response:
        """Do an action; the answer comes when it is done, before the text that it asks for."""
        who = visitor(request.scope)
        if not who.known:
            return _error(401, NO_COOKIE)
        if who.level < action.do.level:
            return refused(action.do.level)
        try:
            reply = await channel.act(who.session_id, action)
        except TooMany as problem:
            return _error(429, str(problem))
        except StoreError as problem:
            return _error(503, sentence_of(problem, channel.service.store))
        return JSONResponse(reply.model_dump())

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, problem: RequestValidationError) -> JSONResponse:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])
        return _error(422, f"The request is not valid at “{place}”: {first['msg']}.")

    app.include_router(router)


def _error(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)
