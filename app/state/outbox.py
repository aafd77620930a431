"""What the browser was sent, so that only what changed is sent again.

    outbox = Outbox()
    message = outbox.message({"card": html, "graph": figure})

A message maps the name of each part to `[number, value]`. A part of the page draws what has a
higher number than what it shows. A browser may miss a message, because it looks at the newest only:
each message therefore repeats what changed recently, and a `whole` one holds everything.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.state.scene import Scene

ONCE = ("prompt", "download")  # sent once; from then on they are the visitor's
REPEAT_FOR = 2.0  # seconds during which a change is sent again with each message


@dataclass(frozen=True)
class Sent:
    """The value of a part of the page as it was last sent."""

    number: int
    """Higher than that of any earlier value, also of an earlier session."""
    value: str
    at: float
    """Seconds of the monotonic clock."""


@dataclass(frozen=True)
class Drawing:
    """The last scene as it was drawn. It stands until its `key` changes."""

    key: Any
    scene: Scene
    figure: str
    table: str
    at: float
    """Seconds of the monotonic clock."""


@dataclass
class Outbox:
    """What one open page was sent, and what is waiting to be sent once."""

    sent: dict[str, Sent] = field(default_factory=dict)
    number: int = field(default_factory=lambda: int(time.time() * 1000))  # of the newest value
    drawing: Drawing | None = None
    prompt_box: str | None = None  # words on their way into the prompt box
    download: dict[str, str] | None = None  # a file on its way to the browser
    kept: str = ""  # what the browser keeps for its next visit

    def message(self, parts: Mapping[str, str | None], whole: bool = False) -> dict[str, list[Any]]:
        """What the browser may not show yet; everything that the page shows if `whole`.

        A part whose value is None stays as it is.
        """
        now = time.monotonic()
        for name, value in parts.items():
            last = self.sent.get(name)
            if value is None or (name not in ONCE and last is not None and last.value == value):
                continue
            self.number += 1
            self.sent[name] = Sent(self.number, value, now)
        self.prompt_box = self.download = None
        return {
            name: [last.number, last.value]
            for name, last in self.sent.items()
            if (whole and name not in ONCE) or now - last.at < REPEAT_FOR
        }
