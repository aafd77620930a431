"""The levels of permission, from least to most; each may do what those below it may."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """What a client may do."""

    VIEWER = 1
    """Read pages, ask and search."""
    EDITOR = 2
    """Also edit a draft."""
    PUBLISHER = 3
    """Also publish a draft to everybody."""
    ADMIN = 4
    """Also erase facts and manage users; the page has no such action so far."""
