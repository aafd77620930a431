"""The published API over HTTP: `/api/v1/...`, described at `/api/openapi.json`.

The middleware `app.access` has checked the level of each request before it comes here.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing, suppress
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.access.middleware import client_of
from app.api.public import audits, drafts, facts, history, schema, texts
from app.api.public.desk import Desk
from app.api.public.problems import BUSY, DEFECT, Problem

log = logging.getLogger("lamplight")
T = TypeVar("T")
FAILED = "This failed because of a defect of the server; its log says more."
PREFIX = "/api/v1"
LEFT = 499  # the client closed the connection; nobody reads this status
LOOK_EVERY = 0.5  # seconds between two looks whether a client is still there
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

_REASONS = {
    403: "You may not do this, the server is read-only, or the request came from another site.",
    404: "There is no such fact, entity, draft or revision.",
    409: "Somebody else changed the same facts, or the draft moved on.",
    413: "The request is larger than 2 MiB.",
    422: "The request is not valid, or the graph refuses it.",
    429: "Too many of your requests wait already; `Retry-After` says when to try again.",
    503: "The store cannot be read or written now.",
}


STREAMED: dict[str, Any] = {"content": {"text/event-stream": {"schema": {"type": "string"}}}}


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route, for the schema."""
    every = sorted({*statuses, 403, 413, 422, 429, 503})
    return {status: {"model": schema.Error, "description": _REASONS[status]} for status in every}


OfDraft = Annotated[
    schema.DraftId, Path(description="The id of a draft.", examples=[schema.EXAMPLE_DRAFT])
]


def public_router(desk: Desk) -> APIRouter:
    """The routes of the published API."""
    router = APIRouter(prefix=PREFIX, generate_unique_id_function=lambda route: route.name)

    @router.post(
        "/generate",
        tags=["Texts"],
        summary="Write a text",
        response_model=schema.Text,
        response_description="The finished text. With `stream`, server-sent events: `waiting`, "
        "`text`, `lookup`, `marks`, and at last `end` or `error`.",
        responses={200: STREAMED, **_errors(404)},
    )
    async def generate(request: Request, body: schema.Generate) -> Any:
        """The model answers a prompt and looks facts up while it writes.

        A client writes one text at a time; 16 more may wait. A client that leaves stops its text.
        """
        client = client_of(request.scope)
        if body.stream:
            asked = await texts.asked_for(desk, client, body)
            return StreamingResponse(
                _events(desk, client, asked), media_type="text/event-stream", headers=UNBUFFERED
            )
        return await _while_there(request, texts.whole(desk, client, body))

    @router.get("/lookup", tags=["Graph"], summary="Look a fact up", responses=_errors(404))
    async def lookup(asked: Annotated[schema.LookupQuery, Query()]) -> schema.LookupAnswer:
        """Answer a lookup as the model gets it, with what it hit and how it was found.

        The relation `relations` lists what the graph holds about the entity.
        """
        return await desk.quickly(facts.lookup, asked)

    @router.get("/search", tags=["Graph"], summary="Find names", responses=_errors(404))
    async def search(asked: Annotated[schema.SearchQuery, Query()]) -> schema.Found:
        """Find entities by the beginning of a word, a part of it, or a misspelling."""
        return await desk.quickly(facts.search, asked)

    @router.get("/facts", tags=["Graph"], summary="List facts", responses=_errors(404))
    async def list_facts(asked: Annotated[schema.FactsQuery, Query()]) -> schema.Facts:
        """The facts of an entity, of a relation, or of both, page by page."""
        return await desk.quickly(facts.facts, asked)

    @router.get("/facts/{id}", tags=["Graph"], summary="Read a fact", responses=_errors(404))
    async def one_fact(
        id: Annotated[schema.Id, Path(examples=[schema.EXAMPLE_FACT])],
        asked: Annotated[schema.GraphQuery, Query()],
    ) -> schema.Fact:
        """One fact by its id, as it is now or was at a revision."""
        return await desk.quickly(facts.fact, id, asked)

    @router.get("/history", tags=["Graph"], summary="Read the history", responses=_errors(404))
    async def read_history(asked: Annotated[schema.HistoryQuery, Query()]) -> schema.History:
        """The revisions of the shared graph with author, reason and time, newest first."""
        return await desk.quickly(history.history, asked)

    @router.post(
        "/audit",
        tags=["Texts"],
        summary="Verify a fact",
        response_model=schema.AuditAnswer,
        responses=_errors(404),
    )
    async def audit(request: Request, body: schema.Audit) -> Any:
        """Say where a fact lives: in the graph, or in the weights of the model.

        It deletes in memory only, so it works on a read-only server. It waits for its turn like a
        text, and takes some seconds.
        """
        return await _while_there(request, audits.audit(desk, client_of(request.scope), body))

    @router.post(
        "/audit-text",
        tags=["Texts"],
        summary="Verify a text",
        response_model=schema.TextAuditAnswer,
        responses=_errors(404),
    )
    async def audit_text(request: Request, body: schema.AuditText) -> Any:
        """Write a text with the graph, without the facts that it used, and without lookups.

        The answer says which values each text states, and which other facts returned them. It
        deletes in memory only, and waits for its turn like a text.
        """
        return await _while_there(request, audits.audit_text(desk, client_of(request.scope), body))

    @router.post(
        "/drafts", tags=["Drafts"], summary="Make a draft", status_code=201, responses=_errors()
    )
    async def create_draft(body: schema.NewDraft) -> schema.Draft:
        """A new, empty draft over the newest revision. Keep its id: it is the key to the draft.

        A draft is dropped after seven days without use.
        """
        return await desk.quickly(drafts.create)

    @router.get("/drafts/{draft}", tags=["Drafts"], summary="Read a draft", responses=_errors(404))
    async def read_draft(draft: OfDraft) -> schema.Draft:
        """What the draft changes."""
        return await desk.quickly(drafts.read, draft)

    @router.post(
        "/drafts/{draft}/edits",
        tags=["Drafts"],
        summary="Edit a draft",
        responses=_errors(404, 409),
    )
    async def edit_draft(draft: OfDraft, body: schema.Edits) -> schema.DoneStep:
        """Add, change and delete facts, rename and merge entities: all of the edits or none."""
        return await desk.quickly(drafts.edit, draft, body)

    @router.post(
        "/drafts/{draft}/undo", tags=["Drafts"], summary="Undo", responses=_errors(404, 409)
    )
    async def undo(draft: OfDraft, body: schema.PlainStep) -> schema.DoneStep:
        """Undo the last step of the draft."""
        return await desk.quickly(drafts.undo, draft, body)

    @router.post(
        "/drafts/{draft}/redo", tags=["Drafts"], summary="Redo", responses=_errors(404, 409)
    )
    async def redo(draft: OfDraft, body: schema.PlainStep) -> schema.DoneStep:
        """Redo the step that was undone last."""
        return await desk.quickly(drafts.redo, draft, body)

    @router.post(
        "/drafts/{draft}/discard",
        tags=["Drafts"],
        summary="Discard all edits",
        responses=_errors(404, 409),
    )
    async def discard(draft: OfDraft, body: schema.PlainStep) -> schema.DoneStep:
        """Drop all edits of the draft, which then reads the newest revision."""
        return await desk.quickly(drafts.discard, draft, body)

    @router.post(
        "/drafts/{draft}/publish",
        tags=["Drafts"],
        summary="Publish a draft",
        responses=_errors(404, 409),
    )
    async def publish(draft: OfDraft, body: schema.PlainStep) -> schema.Published:
        """Write the draft to the shared graph in one transaction.

        If somebody else changed one of its facts in the meantime, nothing is written, and the
        answer shows both versions.
        """
        return await desk.quickly(drafts.publish, draft, body)

    return router


def add_problems(app: FastAPI) -> None:
    """Have an application answer a `Problem` with its status and sentence."""

    @app.exception_handler(Problem)
    async def refuse(_: Request, problem: Problem) -> JSONResponse:
        headers = {"Retry-After": "2"} if problem.status == BUSY else None
        return JSONResponse(error(problem), problem.status, headers)

    @app.exception_handler(Exception)  # which the server also logs
    async def broken(_: Request, problem: Exception) -> JSONResponse:
        return JSONResponse({"error": FAILED}, DEFECT)

    @app.exception_handler(HTTPException)
    async def failed(_: Request, problem: HTTPException) -> JSONResponse:
        return JSONResponse({"error": str(problem.detail)}, problem.status_code)


def error(problem: Problem) -> dict[str, Any]:
    """The body of a refusal."""
    different = [
        schema.Different(
            what=each.what, base=list(each.base), mine=list(each.mine), theirs=list(each.theirs)
        )
        for each in problem.differences
    ]
    answer = schema.Error(error=problem.sentence, differences=different or None)
    return answer.model_dump(exclude_none=True)


async def _while_there(request: Request, work: Awaitable[T]) -> T | Response:
    """Wait for an answer as long as the client does."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=LOOK_EVERY)
            if not task.done() and await request.is_disconnected():
                return Response(status_code=LEFT)
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _events(desk: Desk, client: str, asked: texts.AskedText) -> AsyncIterator[str]:
    """Server-sent events of a text."""
    try:
        async with aclosing(texts.written(desk, client, asked)) as events:
            async for event in events:
                match event:
                    case texts.Waiting(None):
                        yield ": the connection lives\n\n"
                    case texts.Waiting(before):
                        yield _event("waiting", {"before": before})
                    case texts.Words(text):
                        yield _event("text", {"text": text})
                    case texts.Looked(lookup):
                        yield _event("lookup", lookup.model_dump())
                    case texts.Marked(marks):
                        yield _event("marks", marks.model_dump())
                    case texts.Ended(text):
                        end = schema.End.model_validate(text.model_dump())
                        yield _event("end", end.model_dump())
    except Problem as problem:
        yield _event("error", error(problem))
    except Exception:
        log.exception("a text failed")
        yield _event("error", {"error": FAILED})


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
