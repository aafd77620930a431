"""Whether a request comes from a page of another site, which a browser says in its headers.

A foreign page could use what needs no cookie through the browser of somebody who reaches this
server, and Gradio would let it read the answers. So no request of another origin is answered, but
for one: a person may follow a link to a page.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers

FOREIGN = "Pages of other sites may not use this API; send the request without a browser."
FOREIGN_PAGE = "Pages of other sites may not use this server; open the page itself."


def is_navigation(headers: Headers) -> bool:
    """Whether a browser sent the request to show a page in a tab or a frame."""
    return headers.get("sec-fetch-mode") == "navigate"


def is_foreign(headers: Headers) -> bool:
    """Whether a browser sent the request for a page of another site."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and _netloc(origin) != headers.get("host", "").lower()


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
