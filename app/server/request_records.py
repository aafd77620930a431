"""What is known of each request after its answer: counted for `/metrics`, and a line of the log.

The log gets an id, the way in, the status and the time; never the path itself, the query or the
body, which can hold a person's words or the id of a draft. The answer has the id in `X-Request-Id`.
"""

from __future__ import annotations

import logging
import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access.doors import route
from app.api.public.routes import FAILED
from app.server.logs import request_id
from app.state.metrics import Metrics

log = logging.getLogger("lamplight.requests")
HEADER = "X-Request-Id"
BROKEN = 500  # a defect, or a request that ended without an answer


class RequestRecords:
    """ASGI middleware around what answers; a defect there is an answer too, and is logged."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, started, begun = BROKEN, False, time.perf_counter()
        given = secrets.token_hex(8)
        request_id.set(given)

        async def with_id(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                MutableHeaders(scope=message)[HEADER] = given
            await send(message)

        try:
            await self.app(scope, receive, with_id)
        except Exception:
            log.exception("a request failed")
            if started:
                raise
            await JSONResponse({"error": FAILED}, BROKEN)(scope, receive, with_id)
        finally:
            way = route(scope["method"], scope["path"])
            self.metrics.requested(way, status)
            log.info(
                "request",
                extra={
                    "fields": {
                        "method": scope["method"],
                        "route": way,
                        "status": status,
                        "milliseconds": round(1000 * (time.perf_counter() - begun), 1),
                    }
                },
            )
