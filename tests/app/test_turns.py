"""The line of texts: whose turn it is, who waits, and who pauses for whom."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.api.turns import LONGEST_PAUSE, Place, TooMany, Turns


def run(work: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own, because a browser of another test may run a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, asyncio.wait_for(work, 20)).result()


class Line:
    """Texts that ask for turns, in the order of the calls."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.begun: list[str] = []
        self.before: dict[str, int] = {}
        self.unwanted: set[str] = set()
        self.places: dict[str, Place] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str) -> None:
        async def take() -> None:
            place = await self.turns.take(
                name[0],
                lambda: name not in self.unwanted,
                lambda before: self.before.__setitem__(name, before),
            )
            self.begun.append(name)
            self.places[name] = place

        self.tasks[name] = asyncio.create_task(take())
        await asyncio.sleep(0.01)

    async def end(self, name: str) -> None:
        self.turns.give_back(self.places[name])
        await asyncio.sleep(0.01)


def test_free_places_go_round_the_clients() -> None:
    async def work() -> None:
        line = Line(Turns(at_once=1))
        for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
            await line.ask(name)
        assert line.begun == ["a1"]
        assert [line.before[name] for name in ("a2", "b1", "c1", "a3", "b2")] == [1, 2, 3, 4, 5]
        for _ in range(5):
            await line.end(line.begun[-1])
        assert line.begun == ["a1", "a2", "b1", "c1", "a3", "b2"]
        assert set(line.before.values()) == {0}

    run(work())


def test_a_client_writes_one_text_at_a_time() -> None:
    async def work() -> None:
        line = Line(Turns(at_once=3))
        for name in ("a1", "a2", "b1"):
            await line.ask(name)
        assert line.begun == ["a1", "b1"]
        await line.end("a1")
        assert line.begun == ["a1", "b1", "a2"]

    run(work())


def test_a_text_that_nobody_wants_leaves_the_line_without_a_place() -> None:
    async def work() -> None:
        line = Line(Turns(at_once=1))
        for name in ("a1", "b1", "c1"):
            await line.ask(name)
        line.unwanted.add("b1")
        line.turns.move_on()
        await asyncio.sleep(0.01)
        assert not line.places["b1"].counted
        assert line.before["c1"] == 1
        await line.end("b1")
        assert line.begun == ["a1", "b1"]
        line.tasks["c1"].cancel()  # as when the server ends
        await asyncio.sleep(0.01)
        await line.end("a1")
        await line.ask("d1")
        assert line.begun == ["a1", "b1", "d1"]

    run(work())


def test_waiting_is_bounded_for_a_client_and_in_all() -> None:
    async def work() -> None:
        line = Line(Turns(at_once=1, most_waiting=2))
        await line.ask("a1")
        for name in ("b1", "b2"):
            line.turns.check("b")
            await line.ask(name)
        with pytest.raises(TooMany, match="2 of your texts"):
            line.turns.check("b")
        line.turns.check("c")
        for task in line.tasks.values():
            task.cancel()

    run(work())


def test_a_busy_client_pauses_for_the_first_word_of_another() -> None:
    async def work() -> None:
        line = Line(Turns(at_once=2))
        for _ in range(3):
            await line.ask("a1")
            await line.end("a1")
        await line.ask("a1")
        await line.ask("b1")
        busy, other = line.places["a1"], line.places["b1"]
        paced = threading.Event()
        thread = threading.Thread(target=lambda: (line.turns.pace(busy), paced.set()))
        thread.start()
        await asyncio.sleep(0.2)
        assert not paced.is_set()
        begun = time.monotonic()
        line.turns.pace(other)  # which waits for nobody
        assert time.monotonic() - begun < 0.1
        line.turns.first_word(other)
        await asyncio.to_thread(thread.join, LONGEST_PAUSE)
        assert paced.is_set()

    run(work())
