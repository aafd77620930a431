"""The one place that decides who may do what, in front of the whole server.

    app.add_middleware(Access)

A request without a way in (`app.access.doors`) is answered with 404. One that a browser sends for a
page of another site, or whose client lacks the level, is answered with 403. The session cookie is
set here. Behind it, `visitor(scope)` says who is asking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access import cookie
from app.access.doors import door, is_published
from app.access.levels import Level
from app.access.origin import FOREIGN, FOREIGN_PAGE, is_foreign, is_navigation

_KEY = "lamplight.visitor"  # in the scope of a request
_KEEPS_COOKIE = ("text/html", "text/event-stream", "application/json")


@dataclass(frozen=True)
class Visitor:
    """Who is asking: the id of their session, and what they may do."""

    session_id: str
    level: Level
    known: bool
    """Whether the request brought the cookie; if not, the answer sets a new one."""


Grant = Callable[[Scope], Level]


def grant_all(_: Scope) -> Level:
    """Every level to everybody: without sign-in, only the address says who reaches the page."""
    return Level.ADMIN


def visitor(scope: Scope) -> Visitor:
    """Who is asking, as the middleware found it."""
    found: Visitor = scope[_KEY]
    return found


def client_of(scope: Scope) -> str:
    """Who takes turns: a session, or else an address, because a script may bring no cookie."""
    who = visitor(scope)
    if who.known:
        return who.session_id
    return f"address {scope['client'][0]}" if scope.get("client") else "an unknown address"


class Access:
    """ASGI middleware: closed ways, other sites, levels, the session cookie.

    Args:
        grant: says which level a request has.
        embedded: whether pages of other sites may show this one in a frame.
    """

    def __init__(self, app: ASGIApp, grant: Grant = grant_all, embedded: bool = False) -> None:
        self.app, self.grant, self.embedded = app, grant, embedded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        needed, level = door(scope["method"], scope["path"]), self.grant(scope)
        if needed is None:
            await Response(status_code=404)(scope, receive, send)
            return
        published, headers = is_published(scope["path"]), Headers(scope=scope)
        follows_link = not published and scope["method"] == "GET" and is_navigation(headers)
        if is_foreign(headers) and not follows_link:
            sentence = FOREIGN if published else FOREIGN_PAGE
            await JSONResponse({"error": sentence}, 403)(scope, receive, send)
            return
        if level < needed:
            await refused(needed)(scope, receive, send)
            return
        brought = cookie.read_secret(headers.get("cookie", ""))
        secret = brought or cookie.new_secret()
        scope[_KEY] = Visitor(cookie.session_id(secret), level, brought is not None)
        header = cookie.set_cookie(
            secret, secure=scope.get("scheme") == "https", embedded=self.embedded
        )

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and not published:
                answered = MutableHeaders(scope=message)
                if answered.get("content-type", "").startswith(_KEEPS_COOKIE):
                    answered.append("set-cookie", header)
            await send(message)

        await self.app(scope, receive, with_cookie)


def refused(needed: Level) -> JSONResponse:
    """The answer to a client that may not do this."""
    sentence = f"This takes the permission level “{needed.name.lower()}”, which you do not have."
    return JSONResponse({"error": sentence}, 403)
