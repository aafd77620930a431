"""Whether a request comes from a page of another site, which a browser says in its headers.

The published API needs no cookie, so a foreign page could use it through the browser of somebody
who reaches this server. The channel of the pages needs the session cookie, which is `SameSite`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers

FOREIGN = "Pages of other sites may not use this API; send the request without a browser."


def is_foreign(headers: Headers) -> bool:
    """Whether a browser sent the request for a page of another site."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
