"""What the server refuses whoever asks: large requests."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

LARGEST_BODY = 2 << 20  # bytes of a request; a prompt or a value is far smaller


class RequestLimits:
    """ASGI middleware that answers such requests with a 413."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp = self.app
        if scope["type"] == "http":
            length = Headers(scope=scope).get("content-length", "0")
            if not length.isdecimal() or int(length[:12]) > LARGEST_BODY:
                answer = Response("The request is too large.", 413)
        await answer(scope, receive, send)
