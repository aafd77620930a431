"""The security headers of every response: a content policy that lets a page load nothing from
elsewhere and no other site frame it, no guessing of content types, no address of the page in
requests to other sites, and no permission for other origins, which Gradio would give.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio evaluates the templates of its components, hence 'unsafe-eval'; no data goes into them.
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors "
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PERMISSIONS = "access-control-"  # headers that let other origins read


class SecurityHeaders:
    """ASGI middleware that sets the headers. Streams pass through without being buffered.

    Args:
        embedders: origins whose pages may show this one in a frame.
    """

    def __init__(self, app: ASGIApp, embedders: tuple[str, ...] = ()) -> None:
        self.app = app
        framed = " ".join(("'self'", *embedders)) if embedders else "'none'"
        self.headers = {**HEADERS, "Content-Security-Policy": CONTENT_POLICY + framed}
        if not embedders:
            self.headers["X-Frame-Options"] = "DENY"  # for browsers that know no frame-ancestors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in {name for name in headers if name.startswith(PERMISSIONS)}:
                    del headers[name]
                for name, value in self.headers.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
