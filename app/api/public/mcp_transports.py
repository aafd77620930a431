"""How MCP clients reach the operations: over HTTP at `/mcp`, and over stdio.

    endpoint = McpEndpoint(desk)
    app = FastAPI(lifespan=endpoint.lifespan)
    app.router.routes.append(Route("/mcp", endpoint))

Each request over HTTP stands alone: no session, and no stream that stays open. So the server may be
restarted at any time, and several processes can serve one address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp.server.stdio
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from app.access.levels import Level
from app.access.middleware import client_of, visitor
from app.api.public.desk import Desk
from app.api.public.mcp_tools import mcp_server
from app.api.public.operations import Caller
from app.api.public.problems import AWAY, ENDING
from app.api.turns import Turns
from app.state.service import Service

PATH = "/mcp"


class McpEndpoint:
    """The ASGI application at `/mcp`. It answers while the lifespan runs."""

    def __init__(self, desk: Desk) -> None:
        self._server = mcp_server(desk, _caller)
        self._manager: StreamableHTTPSessionManager | None = None

    @asynccontextmanager
    async def lifespan(self, _: object) -> AsyncIterator[None]:
        """Run what answers; of the whole application."""
        manager = StreamableHTTPSessionManager(self._server, stateless=True, json_response=True)
        async with manager.run():
            self._manager = manager
            yield
            self._manager = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":  # there is no session to end, and no stream to open
            error = {"error": "Send a POST; this server keeps no session and no stream."}
            await JSONResponse(error, 405, {"Allow": "POST"})(scope, receive, send)
        elif self._manager is None:
            await JSONResponse({"error": ENDING}, AWAY)(scope, receive, send)
        else:
            await self._manager.handle_request(scope, receive, send)


def _caller(request: Any) -> Caller:
    assert isinstance(request, Request)
    return Caller(visitor(request.scope).level, client_of(request.scope))


async def serve_stdio(service: Service) -> None:
    """Serve one client over standard input and output, until it closes them.

    Whoever starts the process may do everything that its store allows.
    """
    level = Level.ADMIN if service.publishes else Level.EDITOR
    server = mcp_server(Desk(service, Turns()), lambda _: Caller(level, "stdio"))
    async with mcp.server.stdio.stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
