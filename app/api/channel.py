"""The pages that are open, what runs for them, and the events that each of them gets.

    channel = Channel(service)
    reply = await channel.act(session_id, action)
    async for event in channel.events(session_id, page_id, last): ...

A session is a browser (by its cookie) and has a draft; a page is one of its tabs. An action runs in
two parts. What it changes is done and kept at once, and then the action is acknowledged. The text
that it asks for waits for its turn (`app.api.turns`), so nothing else ever waits behind a text.

A page that this process does not know is rebuilt from what the store keeps of it: after a restart,
or when another process took over.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from fastapi.sse import format_sse_event

from app.api.schema import Action, Reply
from app.api.turns import Place, TooMany, Turns
from app.state import actions, generation
from app.state.comparison import diff_deltas
from app.state.generation import Pause, Steps, Turn
from app.state.service import Service
from app.state.session import Session, new_session_id
from app.state.store_sentences import sentence_of
from app.views import page_parts
from graph.core.deltas import Delta
from graph.core.errors import StoreError

log = logging.getLogger("lamplight")
T = TypeVar("T")

ALIVE_EVERY = 10.0  # seconds without news after which a browser hears that the connection lives
RETRY_AFTER = 1000  # milliseconds after which a browser connects again
GONE_AFTER = 30.0  # seconds after which a text that nobody watches is stopped
FORGET_AFTER = 600.0  # seconds after which a page that nobody watches is left to the store
LOOK_EVERY = 5.0  # seconds between two looks at the pages
PAGES_KEPT = 8  # pages of a session that the store keeps
MOST_STREAMS = 32  # open pages of a session
ACTIONS_KNOWN = 256  # ids of a session's last actions
QUICK_AT_ONCE = 16  # actions of all sessions that run at the same time
KEEP_FOR = 0.25  # seconds that an action waits for what is shown to be kept


@dataclass(eq=False)
class Page:
    """One tab of a browser."""

    id: str
    session: Session
    kept: str = ""  # what the store keeps of it, as this process wrote or read it
    kept_trace: str = ""  # the id of the trace that it keeps
    resumed: bool = False
    streams: set[asyncio.Event] = field(default_factory=set)
    left: float = field(default_factory=time.monotonic)  # when it was last watched
    acting: asyncio.Lock = field(default_factory=asyncio.Lock)
    keeping: asyncio.Lock = field(default_factory=asyncio.Lock)

    def wake(self) -> None:
        """There is something new to send."""
        for signal in self.streams:
            signal.set()

    @property
    def gone(self) -> float:
        """For how many seconds nobody has watched it."""
        return 0.0 if self.streams else time.monotonic() - self.left


@dataclass(eq=False)
class Browser:
    """All tabs of a browser, and what it asked for."""

    pages: dict[str, Page] = field(default_factory=dict)
    replies: OrderedDict[str, asyncio.Future[Reply]] = field(default_factory=OrderedDict)
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)


class Channel:
    """The pages of a server. Its methods run in one event loop."""

    def __init__(self, service: Service, turns: Turns | None = None) -> None:
        self.service, self.turns = service, turns or Turns()
        self.browsers: dict[str, Browser] = {}
        self.closing = False
        self._quick = anyio.CapacityLimiter(QUICK_AT_ONCE)
        self._texts = anyio.CapacityLimiter(64)  # `turns` bounds them
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- pages

    async def page(self, session_id: str, page_id: str) -> Page:
        """A page, opened or rebuilt where it must be. Raises `StoreError` if it cannot be."""
        if self._looking is None:
            self._loop = asyncio.get_running_loop()
            self._looking = self._loop.create_task(self._look_after())
        browser = self.browsers.setdefault(session_id, Browser())
        async with browser.opening:
            page = browser.pages.get(page_id)
            if page is None or (not page.streams and await self._shown_elsewhere(page)):
                page = await self._quickly(self._open, session_id, page_id)
                browser.pages[page_id] = page
            return page

    def _open(self, session_id: str, page_id: str) -> Page:
        notes: dict[str, str] = {}
        with suppress(StoreError):
            notes = self.service.store.draft_notes(session_id)
        views = {name[5:]: text for name, text in notes.items() if name.startswith("page.")}
        kept = _read(views.get(page_id))
        if kept is not None:
            try:
                trace = _read(notes.get(f"text.{page_id}"))
                session = Session.from_json(self.service, {**kept, "trace": trace})
                session.page_id = page_id
                shown = session.text.trace
                return Page(page_id, session, views[page_id], "" if shown is None else shown.id)
            except (StoreError, ValueError, KeyError, TypeError):  # of another version
                log.warning("a kept page could not be read")
        newest = sorted(views, key=lambda name: (_read(views[name]) or {}).get("at", 0))
        session = self._new_session(session_id)
        session.page_id = page_id
        prompts = [(_read(views[name]) or {}).get("prompt") for name in reversed(newest)]
        known = next((prompt for prompt in prompts if isinstance(prompt, str) and prompt), "")
        session.question.prompt = known or self.service.examples[0].prompt
        with suppress(StoreError):
            dropped = [name for name in newest if name != page_id][: -(PAGES_KEPT - 1)]
            if dropped:
                lost = {f"{kind}.{name}": None for name in dropped for kind in ("page", "text")}
                self.service.store.keep_draft_notes(session_id, lost)
        return Page(page_id, session)

    def _new_session(self, session_id: str) -> Session:
        """A session over its draft; over an empty one, with a note, if that cannot be opened."""
        try:
            return Session.open(self.service, session_id)
        except StoreError as problem:
            session = Session.open(self.service, new_session_id())
            session.notes.draft = sentence_of(problem, self.service.store)
            return session

    async def read(self, session_id: str, page_id: str, work: Callable[[Session], T]) -> T | None:
        """What `work` makes of a page; None if neither this process nor the store knows it.

        Raises `StoreError` if the page cannot be read, and what `work` raises.
        """
        browser = self.browsers.get(session_id)
        known = browser is not None and page_id in browser.pages
        if not known and not await self._quickly(self._is_kept, session_id, page_id):
            return None
        page = await self.page(session_id, page_id)
        return await self._quickly(work, page.session)

    def _is_kept(self, session_id: str, page_id: str) -> bool:
        return f"page.{page_id}" in self.service.store.draft_notes(session_id)

    async def _shown_elsewhere(self, page: Page) -> bool:
        """Whether another process has shown this page since this one kept it."""
        async with page.keeping:  # or what this one is just keeping would pass for another's
            return await self._quickly(self._is_stale, page)

    def _is_stale(self, page: Page) -> bool:
        if not page.kept:
            return False
        try:
            kept = self.service.store.draft_notes(page.session.id).get(f"page.{page.id}")
            page.session.draft = self.service.draft(page.session.id)
        except StoreError:
            return False
        return kept is not None and kept != page.kept

    async def _keep(self, page: Page) -> None:
        """Have the store keep what the page shows, if it changed."""
        async with page.keeping:
            await self._quickly(self._keep_now, page)

    def _keep_now(self, page: Page) -> None:
        session = page.session
        with session.lock:
            view, trace = session.view_to_json(), session.text.trace
            text = json.dumps(trace.to_json()) if trace and trace.id != page.kept_trace else None
        known = _read(page.kept) or {}
        if text is None and {**view, "at": known.get("at")} == known:
            return
        kept = json.dumps({**view, "at": time.time()})
        notes: dict[str, str | None] = {f"page.{page.id}": kept}
        if text is not None:
            notes[f"text.{page.id}"] = text
        try:
            self.service.store.keep_draft_notes(session.id, notes)
        except StoreError:
            return  # a store that cannot be written; the page goes on in memory
        page.kept = kept
        if trace is not None:
            page.kept_trace = trace.id

    # -- actions

    async def act(self, session_id: str, action: Action) -> Reply:
        """Do an action once; returns when it is done and kept, before the text that it asks for.

        Raises `TooMany` or `StoreError`, in one sentence, if nothing was done.
        """
        browser = self.browsers.setdefault(session_id, Browser())
        known = browser.replies.get(action.id)
        if known is not None:
            return await asyncio.shield(known)
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        browser.replies[action.id] = reply
        while len(browser.replies) > ACTIONS_KNOWN:
            browser.replies.popitem(last=False)
        try:
            if action.do.writes:
                self.turns.check(session_id)
            page = await self.page(session_id, action.page)
            reply.set_result(await self._act(page, browser, action))
        except BaseException as problem:  # nothing was done, so it may be sent again
            browser.replies.pop(action.id, None)
            if isinstance(problem, Exception):
                reply.set_exception(problem)
                reply.exception()  # whoever else waits for it gets it too
            else:
                reply.cancel()
            raise
        return await reply

    async def _act(self, page: Page, browser: Browser, action: Action) -> Reply:
        session = page.session
        steps = actions.act(session, action.event())
        async with page.acting:
            step, ended, changed = await self._quickly(self._begin, page, steps)
        if not ended:
            self._spawn(self._run(page, steps, step))
        with suppress(TimeoutError):  # a store that is slow to write must not hold up a click
            await asyncio.wait_for(asyncio.shield(self._spawn(self._keep(page))), KEEP_FOR)
        if changed is not None:
            for other in browser.pages.values():
                if other is not page and other.streams:
                    publishes = action.do.action == "publish"
                    follow = None if publishes else generation.follow_draft(other.session, changed)
                    self._spawn(self._redraw(other) if follow is None else self._run(other, follow))
        self.turns.move_on()  # a text may no longer be wanted
        notes = session.notes
        refused = notes.prompt or notes.card or notes.draft or notes.verify
        return Reply(id=action.id, refused=refused, before=session.run.waiting)

    def _begin(
        self, page: Page, steps: Steps
    ) -> tuple[Turn | Pause | None, bool, list[Delta] | None]:
        """Do an action up to where it waits or needs the decoder; and what it did to the draft."""
        session = page.session
        old, state = session.deltas(), session.draft.state()
        step, ended = None, False
        while step is None and not ended:
            with session.lock:
                step, ended = _next(steps)
            if not isinstance(step, Turn):
                self._draw(page)
        if session.draft.state() == state:
            return step, ended, None
        return step, ended, diff_deltas(old, session.deltas())

    async def _run(
        self, page: Page, steps: Steps, step: Turn | Pause | None = None, ended: bool = False
    ) -> None:
        """Go on with an action to its end: wait, take turns, draw."""
        session, turn = page.session, None
        loop = asyncio.get_running_loop()
        try:
            while not ended:
                if isinstance(step, Pause):
                    self._release(turn)
                    turn = None
                    await asyncio.sleep(step.seconds)
                elif isinstance(step, Turn) and turn is None:
                    turn = await self._take_turn(page, step)
                    if step.wanted is not None:  # nobody waits for a word of a verification
                        self.turns.first_word(turn)
                limiter = self._quick if turn is None else self._texts
                if turn is not None and turn.counted:
                    session.pace = partial(self.turns.pace, turn)
                step, ended = await self._advance(page, steps, limiter)
                if (
                    turn is not None
                    and session.text.marked is not None
                    and session.text.marked.text
                ):
                    loop.call_soon(self.turns.first_word, turn)
        finally:
            self._release(turn)
            with suppress(ValueError):  # it is running in a thread
                steps.close()  # type: ignore[attr-defined]
        await self._keep(page)

    async def _take_turn(self, page: Page, step: Turn) -> Place:
        session, run = page.session, step.run

        def wanted() -> bool:
            if step.wanted is not None:
                return step.wanted() and not self.closing
            return session.run.number == run and session.run.stopped != run and not self.closing

        def moved(before: int) -> None:
            if step.wanted is None:
                session.run.waiting = before
            else:
                session.verifying.waiting = before
            self._spawn(self._redraw(page))

        return await self.turns.take(session.id, wanted, moved)

    def _release(self, turn: Place | None) -> None:
        if turn is not None:
            self.turns.give_back(turn)

    async def _advance(
        self, page: Page, steps: Steps, limiter: anyio.CapacityLimiter
    ) -> tuple[Turn | Pause | None, bool]:
        """The next step of an action, drawn where that may show; and whether it has ended."""

        def advance() -> tuple[Turn | Pause | None, bool]:
            step, ended = _next(steps)
            if not isinstance(step, Turn):
                self._draw(page)
            return step, ended

        return await anyio.to_thread.run_sync(advance, limiter=limiter)

    def _draw(self, page: Page) -> None:
        """Draw what somebody watches; called from a thread."""
        if not page.streams or self._loop is None:
            return
        try:
            fresh = page_parts.draw(page.session)
        except (
            StoreError
        ):  # the store is away; what is shown stays, and is drawn with the next step
            log.warning("a page could not be drawn", exc_info=True)
            return
        if fresh:
            self._loop.call_soon_threadsafe(page.wake)

    async def _redraw(self, page: Page) -> None:
        await self._quickly(self._draw, page)

    # -- events

    async def events(self, session_id: str, page_id: str, last: str) -> AsyncIterator[bytes]:
        """The events of a page from the one after `last`, encoded, until the browser leaves.

        `page` has every part of the page; `parts` has those that changed; `alive` says that the
        connection lives.
        """
        try:
            page = await self.page(session_id, page_id)
        except StoreError as problem:
            yield _event(
                "parts", page_parts.without_session(sentence_of(problem, self.service.store))
            )
            return
        signal = asyncio.Event()
        page.streams.add(signal)
        try:
            if not page.resumed:
                page.resumed = True
                self._spawn(self._run(page, generation.resume(page.session)))
            await self._redraw(page)
            outbox = page.session.outbox
            number = outbox.place(last)
            whole, back = number is None, True  # one who is back hears so at once
            while not self.closing:
                signal.clear()
                number, parts = outbox.since(number)
                if whole:
                    if not last:  # the page was just loaded, and its prompt box is empty
                        parts["prompt"] = page.session.question.prompt
                    yield _event("page", parts, outbox.event_id(number), RETRY_AFTER)
                elif parts or back:
                    yield _event("parts", parts, outbox.event_id(number))
                whole = back = False
                try:
                    await asyncio.wait_for(signal.wait(), ALIVE_EVERY)
                except TimeoutError:
                    yield _event("alive", {})
        finally:
            page.streams.discard(signal)
            page.left = time.monotonic()

    def check_streams(self, session_id: str) -> None:
        """Raise `TooMany` if the browser has too many pages open."""
        browser = self.browsers.get(session_id)
        open_pages = sum(len(page.streams) for page in browser.pages.values()) if browser else 0
        if open_pages >= MOST_STREAMS:
            raise TooMany(f"{MOST_STREAMS} of your pages are open already; close one of them.")

    # -- upkeep

    async def _look_after(self) -> None:
        """Stop texts that nobody watches, and forget pages that the store keeps."""
        while not self.closing:
            await asyncio.sleep(LOOK_EVERY)
            for session_id, browser in list(self.browsers.items()):
                for page in list(browser.pages.values()):
                    run = page.session.run
                    if run.writing and page.gone > GONE_AFTER:
                        page.session.unfinished, page.resumed = True, False
                        run.stopped = run.number
                    if not run.writing and page.gone > FORGET_AFTER:
                        del browser.pages[page.id]
                if not browser.pages and not browser.opening.locked():
                    del self.browsers[session_id]
            self.turns.move_on()

    def close(self) -> None:
        """End all streams and texts; may be called from a signal handler."""
        self.closing = self.turns.closing = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        for browser in self.browsers.values():
            for page in browser.pages.values():
                page.session.unfinished |= page.session.run.writing
                page.session.run.stopped = page.session.run.number
                page.wake()
        self.turns.move_on()

    async def _quickly(self, work: Callable[..., T], *given: Any) -> T:
        return await anyio.to_thread.run_sync(partial(work, *given), limiter=self._quick)

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a part of an action failed", exc_info=task.exception())


def _next(steps: Steps) -> tuple[Turn | Pause | None, bool]:
    """The next step of an action, and whether it has ended."""
    try:
        return next(steps), False
    except StopIteration:
        return None, True


def _read(text: str | None) -> dict[str, Any] | None:
    """Kept data; None if there is none, or none that can be read."""
    try:
        data = json.loads(text) if text else None
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _event(kind: str, parts: dict[str, str], event_id: str = "", retry: int | None = None) -> bytes:
    """A server-sent event."""
    data = json.dumps(parts, ensure_ascii=False)
    return format_sse_event(data_str=data, event=kind, id=event_id or None, retry=retry)
