"""Refuses calls of functions that Gradio's queue does not have, on which it would fail.

Only a page's own code and `gradio_client` call them; they name functions that exist.
"""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH = "/gradio_api/queue/join"
UNKNOWN = "There is no such function; /gradio_api/info lists those that there are."
INVALID = "The request is not valid: send an object with “fn_index”, “data” and “session_hash”."


class KnownFunctions:
    """ASGI middleware that answers them with 404, and anything but a call with 422.

    Args:
        functions: the numbers of the functions that exist.
    """

    def __init__(self, app: ASGIApp, functions: Container[int]) -> None:
        self.app, self.functions = app, functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        except HTTPException as problem:  # the request is too large
            error = {"error": problem.detail}
            await JSONResponse(error, problem.status_code)(scope, receive, send)
            return
        refused = self._refused(body)
        if refused is not None:
            await refused(scope, receive, send)
            return
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, again, send)

    def _refused(self, body: bytes) -> JSONResponse | None:
        try:
            call: Any = json.loads(body)
        except (ValueError, RecursionError):
            call = None
        if not isinstance(call, dict) or not isinstance(call.get("data"), list):
            return JSONResponse({"error": INVALID}, 422)
        number = call.get("fn_index")
        if isinstance(number, bool) or not isinstance(number, int):
            return JSONResponse({"error": INVALID}, 422)
        if number not in self.functions:
            return JSONResponse({"error": UNKNOWN}, 404)
        return None
