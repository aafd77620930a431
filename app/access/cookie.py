"""The session cookie: a random secret that only the browser and this server see.

The secret itself is never stored, logged or shown. A session and its draft go by an id that is made
from it and does not lead back to it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from http.cookies import CookieError, SimpleCookie

from graph.core.draft_record import IDLE_DAYS

NAME = "lamplight"
MAX_AGE = IDLE_DAYS * 24 * 3600  # seconds, renewed with each page: as long as an idle draft is kept
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret() -> str:
    """A secret that nobody can guess: 256 random bits."""
    return secrets.token_urlsafe(32)


def read_secret(header: str) -> str | None:
    """The secret in the cookie header of a request; None if there is none in our form."""
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return None
    value = cookies[NAME].value if NAME in cookies else ""
    return value if _SECRET.fullmatch(value) else None


def session_id(secret: str) -> str:
    """The id of the session that a secret opens, 32 hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def set_cookie(secret: str, *, secure: bool, embedded: bool = False) -> str:
    """The `Set-Cookie` header. `secure`: the request came over TLS. `embedded`: other sites may
    show the page in a frame.

    `Lax`, because a `Strict` cookie is not sent when a person follows a link to the page: the
    server would then set a new one, and their draft would be gone. In a frame of another site a
    browser sends neither, and takes `None` over TLS alone; each such site then has a cookie of its
    own (`Partitioned`), and `app.access.origin` refuses what other pages send.
    """
    crosses = secure and embedded
    site = "None; Secure; Partitioned" if crosses else f"Lax{'; Secure' if secure else ''}"
    return f"{NAME}={secret}; Max-Age={MAX_AGE}; Path=/; HttpOnly; SameSite={site}"
