"""Whose text is written next: a place in a line, a bound for each client, and its fair share.

    turn = await turns.take(client, wanted, moved)
    try:
        ...  # decode, and call turns.pace(turn) before each step, from any thread
    finally:
        turns.give_back(turn)

A client writes one text at a time. Free places go round the clients that wait, so a client with a
hundred texts delays another by one. Until a text has its first word, texts of clients that were
served more often pause, because that word is what a person waits for.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

AT_ONCE = 4  # texts that are written at the same time
MOST_WAITING = 16  # texts of one client that may wait
MOST_WAITING_IN_ALL = 128
LONGEST_PAUSE = 1.0  # seconds that a text waits for the first word of another
REMEMBERED = 60.0  # seconds for which a client's earlier texts count


class TooMany(Exception):
    """One sentence: too many texts wait already."""


@dataclass(eq=False)
class Place:
    """A place in the line, and later a turn."""

    client: str
    wanted: Callable[[], bool]
    """Whether somebody still wants the text; if not, it is let through at once, to end."""
    moved: Callable[[int], None]
    """Called with the number of texts before this one when that changes; at last with 0."""
    granted: asyncio.Future[bool]
    before: int = 0
    has_word: bool = False
    counted: bool = False  # whether it takes one of the places


@dataclass
class Turns:
    """The line of texts. All methods but `pace` run in the event loop."""

    at_once: int = AT_ONCE
    most_waiting: int = MOST_WAITING
    closing: bool = False
    """Whether the server ends, and with it every text."""
    _running: list[Place] = field(default_factory=list)
    _waiting: dict[str, deque[Place]] = field(default_factory=dict)  # by client, in turn
    _served: dict[str, list[float]] = field(default_factory=dict)  # when its last texts began
    _word: threading.Condition = field(default_factory=threading.Condition)

    def check(self, client: str) -> None:
        """Raise `TooMany` if the client may not wait with one more text."""
        if len(self._waiting.get(client, ())) >= self.most_waiting:
            raise TooMany(
                f"{self.most_waiting} of your texts are waiting already; stop one, or wait until "
                "one is written."
            )
        if sum(map(len, self._waiting.values())) >= MOST_WAITING_IN_ALL:
            raise TooMany("Too many people are waiting for a text; try again in a minute.")

    def waiting(self) -> int:
        """How many texts wait; may be called from any thread."""
        return sum(map(len, tuple(self._waiting.values())))

    async def take(
        self, client: str, wanted: Callable[[], bool], moved: Callable[[int], None]
    ) -> Place:
        """Wait for a turn. `TooMany` is for `check`; whoever asks here is let in."""
        place = Place(client, wanted, moved, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(client, deque()).append(place)
        self.move_on()
        try:
            place.counted = await place.granted
        except asyncio.CancelledError:
            self.give_back(place)
            raise
        return place

    def give_back(self, place: Place) -> None:
        """End a turn, or leave the line."""
        if place in self._running:
            self._running.remove(place)
        line = self._waiting.get(place.client)
        if line is not None and place in line:
            line.remove(place)
        self.first_word(place)
        self.move_on()

    def first_word(self, place: Place) -> None:
        """The text has its first word: nobody need pause for it any more."""
        if not place.has_word:
            place.has_word = True
            with self._word:
                self._word.notify_all()

    def move_on(self) -> None:
        """Give free places to those whose turn it is; the others learn how many are before them."""
        for line in list(self._waiting.values()):
            for place in [place for place in line if not place.wanted()]:
                line.remove(place)
                self._grant(place, counted=False)
        for client in list(self._waiting):
            if len(self._running) >= self.at_once:
                break
            if any(running.client == client for running in self._running):
                continue
            line = self._waiting.pop(client)
            if line:
                place = line.popleft()
                self._running.append(place)
                self._grant(place, counted=True)
            if line:
                self._waiting[client] = line  # at the end of the round
        self._waiting = {client: line for client, line in self._waiting.items() if line}
        for before, place in enumerate(self._in_turn(), start=1):
            if place.before != before:
                place.before = before
                place.moved(before)

    def _grant(self, place: Place, *, counted: bool) -> None:
        if place.granted.done():
            return
        if place.before:
            place.before = 0
            place.moved(0)
        if counted:
            now = time.monotonic()
            earlier = self._served.get(place.client, [])
            self._served[place.client] = [at for at in earlier if now - at < REMEMBERED] + [now]
            if len(self._served) > 1000:
                self._served = {
                    client: times
                    for client, times in self._served.items()
                    if now - times[-1] < REMEMBERED
                }
        place.granted.set_result(counted)

    def _in_turn(self) -> list[Place]:
        """All who wait, in the order of the rounds."""
        lines = [list(line) for line in self._waiting.values()]
        longest = max(map(len, lines), default=0)
        return [line[n] for n in range(longest) for line in lines if n < len(line)]

    def pace(self, place: Place) -> None:
        """Wait while a text of a client that was served less often has no word yet."""
        if not self._goes_first(place):
            return
        deadline = time.monotonic() + LONGEST_PAUSE
        with self._word:
            while self._goes_first(place) and place.wanted() and time.monotonic() < deadline:
                self._word.wait(0.05)

    def _goes_first(self, place: Place) -> bool:
        own = len(self._served.get(place.client, ()))
        return any(
            not other.has_word and len(self._served.get(other.client, ())) < own
            for other in tuple(self._running)
            if other is not place
        )
