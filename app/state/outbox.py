"""What a page shows, part by part, and what is new for a browser that has seen some of it.

    outbox = Outbox()
    outbox.put({"card": html, "graph": figure})
    place, parts = outbox.since(None)       # everything
    place, parts = outbox.since(place)      # what changed after that

Each change of a part has a number, and only its newest value is kept. So a browser that was away
gets each part that changed once, as it is now: no word of a text is lost or doubled, however long
it was away, and what waits for a slow one never grows.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.state.scene import Scene

ONCE = ("prompt", "download")  # sent once; from then on they are the visitor's
_EVENT_ID = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})")


@dataclass(frozen=True)
class Sent:
    """The newest value of a part, and the number of its change."""

    number: int
    value: str


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
    """What one open page shows, and what is waiting to be sent once."""

    sent: dict[str, Sent] = field(default_factory=dict)  # replaced as a whole, never changed
    drawing: Drawing | None = None
    prompt_box: str | None = None  # words on their way into the prompt box
    download: dict[str, str] | None = None  # a file on its way to the browser
    birth: str = field(default_factory=lambda: secrets.token_hex(4))  # unlike that of any other

    def put(self, parts: Mapping[str, str | None]) -> bool:
        """Take what the page shows now; returns whether any of it is new.

        A part whose value is None stays as it is.
        """
        number = self.number()
        fresh: dict[str, Sent] = {}
        for name, value in parts.items():
            last = self.sent.get(name)
            if value is None or (name not in ONCE and last is not None and last.value == value):
                continue
            number += 1
            fresh[name] = Sent(number, value)
        self.prompt_box = self.download = None
        if fresh:
            self.sent = {**self.sent, **fresh}
        return bool(fresh)

    def number(self) -> int:
        """The number of the newest change."""
        return max((each.number for each in self.sent.values()), default=0)

    def since(self, number: int | None) -> tuple[int, dict[str, str]]:
        """The number of the newest change, and the parts that changed after `number`.

        With None, all parts but those that are sent once.
        """
        sent = self.sent
        newest = max((each.number for each in sent.values()), default=0)
        if number is None:
            return newest, {name: it.value for name, it in sent.items() if name not in ONCE}
        return newest, {name: it.value for name, it in sent.items() if it.number > number}

    def event_id(self, number: int) -> str:
        """The id of the event that brings a browser up to a change."""
        return f"{self.birth}-{number}"

    def place(self, event_id: str) -> int | None:
        """The number in the id of an event; None if the event was not of this outbox."""
        found = _EVENT_ID.fullmatch(event_id)
        if found is None or found[1] != self.birth:
            return None
        number = int(found[2])
        return number if number <= self.number() else None
