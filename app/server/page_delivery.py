"""How pages come to a browser: compressed, under our own name, with files that it may keep.

Gradio's page template names Gradio as title, author and picture, one of them at an address
elsewhere. What stands there for other programs, such as a chat that shows a link, is ours instead.
"""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGES = re.compile(r"/((training|verify)/?)?")
COMPRESSED = re.compile(r"/((training|verify)/?)?|/api(/openapi\.json)?|/config|/gradio_api/info")
"""What is compressed on its way: texts that hold no secret. Streams are not among them, scripts
are compressed already, and Gradio compresses the files of its own."""
HASHED = re.compile(r"/assets/.*-[A-Za-z0-9_-]{8,}\.\w+")  # named by their content
FOREVER = "public, max-age=31536000, immutable"

TITLE = "Lamplight"
DESCRIPTION = (
    "A glass box for a language model that keeps its facts outside its weights: see each fact that "
    "a text was copied from, change it, and have the text rewritten."
)
HEAD = (
    f"<title>{TITLE}</title>\n\t\t"  # until the page sets its own
    f'<meta name="description" content="{DESCRIPTION}" />\n\t\t'
    f'<meta property="og:title" content="{TITLE}" />\n\t\t'
    '<meta property="og:type" content="website" />\n\t\t'
    f'<meta property="og:description" content="{DESCRIPTION}" />\n\t\t'
    '<link rel="icon" type="image/svg+xml" href="./favicon.ico" />'
)
_THEIRS = re.compile(
    r'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>|\s*<link rel="manifest"[^>]*>'
)
_FIRST = "<style>"  # what the template has after its own description


def with_own_head(page: str) -> str:
    """The page with our description in place of Gradio's."""
    head, end, rest = page.partition("</head>")
    return _THEIRS.sub("", head).replace(_FIRST, f"{HEAD}\n\t\t{_FIRST}", 1) + end + rest


class PageDelivery:
    """ASGI middleware around what the pages load."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressing = GZipMiddleware(self._rewriting, minimum_size=1000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and COMPRESSED.fullmatch(scope["path"]):
            await self.compressing(scope, receive, send)
        elif scope["type"] == "http" and HASHED.fullmatch(scope["path"]):
            await self.app(scope, receive, _kept(send))
        else:
            await self.app(scope, receive, send)

    async def _rewriting(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET" or not PAGES.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def rewritten(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            content, headers = bytes(body), MutableHeaders(scope=start)
            if headers.get("content-type", "").startswith("text/html"):
                content = with_own_head(content.decode("utf-8")).encode("utf-8")
                headers["content-length"] = str(len(content))
                headers.setdefault("cache-control", "no-cache")  # it names the newest scripts
            await send(start)
            await send({"type": "http.response.body", "body": content})

        await self.app(scope, receive, rewritten)


def _kept(send: Send) -> Send:
    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message)["cache-control"] = FOREVER
        await send(message)

    return keep
