"""For whom a request is, and from whom: `Host` is checked, and only a named proxy may say more.

    app.add_middleware(Hosts, exposure=exposure)

A page of another site can have its own name point at this server (DNS rebinding); its requests
then count as its own, so a name that the operator did not allow is refused. What a proxy says about
the client is taken into the request, and every such header is removed: nothing behind reads them.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.exposure import Exposure, address

MISDIRECTED = (
    "This server does not answer to the name in the address; whoever runs it can allow the name "
    "with --allowed-host."
)
_SCHEMES = ("http", "https")


class Hosts:
    """ASGI middleware that answers requests for other hosts with 421."""

    def __init__(self, app: ASGIApp, exposure: Exposure) -> None:
        self.app, self.exposure = app, exposure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = resolved(scope, self.exposure)
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not self.exposure.accepts(hosts[0].decode("latin-1")):
            await JSONResponse({"error": MISDIRECTED}, 421)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def resolved(scope: Scope, exposure: Exposure) -> Scope:
    """The request as its client sent it to the proxy, without the headers that say so."""
    headers, peer = Headers(scope=scope), scope.get("client")
    kept = [(name, value) for name, value in scope["headers"] if not _speaks_for(name)]
    found = {**scope, "headers": kept}
    if not exposure.trusts(peer[0] if peer else None):
        return found
    scheme = _last(headers.getlist("x-forwarded-proto")).lower()
    if scheme in _SCHEMES:
        found["scheme"] = scheme
    host = _last(headers.getlist("x-forwarded-host"))
    if host:
        kept[:] = [(name, value) for name, value in kept if name != b"host"]
        kept.append((b"host", host.encode("latin-1")))
    for client in reversed(_listed(headers.getlist("x-forwarded-for"))):
        if address(client) is None:
            break
        found["client"] = (client, 0)
        if not exposure.trusts(client):
            break
    return found


def _speaks_for(name: bytes) -> bool:
    return name.startswith(b"x-forwarded-") or name in (b"forwarded", b"x-gradio-server")


def _listed(values: list[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _last(values: list[str]) -> str:
    """What the nearest proxy said; those before it may have come from the client."""
    return (_listed(values) or [""])[-1]
