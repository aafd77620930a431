"""What HTTP, `gradio_client` and MCP share: the service, the line of texts, and how much runs.

desk = Desk(service, turns)
answer = await desk.quickly(facts.search, "Par", 10)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

import anyio
import anyio.to_thread

from app.api.public.limits import READS_AT_ONCE, READS_WAITING
from app.api.public.problems import BUSY, Problem, explained
from app.api.turns import AT_ONCE, Turns
from app.state.service import Service

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """The operations of a server. Its methods run in one event loop."""

    def __init__(self, service: Service, turns: Turns) -> None:
        self.service, self.turns = service, turns
        self._reads = anyio.CapacityLimiter(READS_AT_ONCE)
        self._texts = anyio.CapacityLimiter(2 * AT_ONCE)  # `turns` bounds them

    async def quickly(
        self, work: Callable[Concatenate[Service, P], T], *given: P.args, **named: P.kwargs
    ) -> T:
        """Do an operation that needs no model, in a thread. Raises a `Problem`."""
        if self._reads.statistics().tasks_waiting >= READS_WAITING:
            raise Problem(BUSY, "Too many requests are waiting; try again in a second.")
        return await self._in_thread(partial(work, self.service, *given, **named), self._reads)

    async def at_length(self, work: Callable[[], T]) -> T:
        """Do what takes a turn of the model, in a thread. Raises a `Problem`."""
        return await self._in_thread(work, self._texts)

    def check(self, client: str) -> None:
        """Raises a `Problem` if a client has too many texts waiting."""
        with explained(self.service.store):
            self.turns.check(client)

    async def _in_thread(self, work: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:
        def explain() -> T:
            with explained(self.service.store):
                return work()

        return await anyio.to_thread.run_sync(explain, limiter=limiter)
