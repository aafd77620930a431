"""Texts: written when it is their turn, as events or as a whole, over a draft or the shared graph.

    asked = await asked_for(desk, client, request)    # raises before anything is written
    async for event in written(desk, client, asked):
        ...  # Waiting, Words, Looked, Marked, Ended

A text takes its turn in the same line as those of the pages (`app.api.turns`).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.api.public import schema
from app.api.public.desk import Desk
from app.api.public.facts import lookup_fields
from app.api.public.graphs import Graph, graph_of
from app.api.public.problems import AWAY, ENDING, Problem
from app.api.turns import Place
from app.state.marked_trace import mark_trace, marks_json
from app.state.service import Service
from app.state.text_in_progress import follow
from graph.lookup.retriever import Retriever
from model.prompts import clean_prompt
from model.settings import DecodingSettings
from model.trace import Trace, TracedText, TraceLookup

ALIVE_EVERY = 10.0  # seconds without news after which a client hears that the connection lives


@dataclass(frozen=True)
class AskedText:
    """A request that can be answered: what to write, and over which graph."""

    prompt: str
    settings: DecodingSettings
    graph: Graph


@dataclass(frozen=True)
class Waiting:
    """How many texts are written before this one; None: nothing new, the connection lives."""

    before: int | None


@dataclass(frozen=True)
class Words:
    """More of the text."""

    text: str


@dataclass(frozen=True)
class Looked:
    """A lookup, with what it hit."""

    lookup: schema.MadeLookup


@dataclass(frozen=True)
class Marked:
    """The marks of the whole text."""

    marks: schema.Marks


@dataclass(frozen=True)
class Ended:
    """The text is finished."""

    text: schema.Text


Event = Waiting | Words | Looked | Marked | Ended


def prepare(service: Service, request: schema.Prompted) -> AskedText:
    """Check a request. Raises what `explained` explains."""
    form = service.decoder.checkpoint.form
    return AskedText(
        clean_prompt(request.prompt, keep_lines=form.keep_lines),
        service.settings_with(request.settings.model_dump(exclude_none=True)),
        graph_of(service, request.draft, request.revision),
    )


async def asked_for(desk: Desk, client: str, request: schema.Prompted) -> AskedText:
    """A request that may take its turn. Raises a `Problem`."""
    asked = await desk.quickly(prepare, request)
    desk.check(client)
    return asked


async def whole(desk: Desk, client: str, request: schema.Prompted) -> schema.Text:
    """A text when it is finished."""
    asked = await asked_for(desk, client, request)
    async with aclosing(written(desk, client, asked)) as events:
        async for event in events:
            if isinstance(event, Ended):
                return event.text
    raise Problem(AWAY, ENDING)


async def written(desk: Desk, client: str, asked: AskedText) -> AsyncGenerator[Event]:
    """The events of a text. A client that leaves stops it."""
    unwanted, turns = threading.Event(), desk.turns

    def wanted() -> bool:
        return not unwanted.is_set() and not turns.closing

    moved: asyncio.Queue[int] = asyncio.Queue()
    taking = asyncio.ensure_future(turns.take(client, wanted, moved.put_nowait))
    place: Place | None = None
    try:
        while not taking.done():
            news = asyncio.ensure_future(moved.get())
            await asyncio.wait(
                {taking, news}, timeout=ALIVE_EVERY, return_when=asyncio.FIRST_COMPLETED
            )
            if news.done():
                yield Waiting(news.result())
            else:
                news.cancel()
                if not taking.done():
                    yield Waiting(None)
        place = taking.result()
        async for event in _decoded(desk, place, asked):
            yield event
    finally:
        unwanted.set()
        if place is not None:
            turns.give_back(place)
        elif taking.done() and not taking.cancelled() and taking.exception() is None:
            turns.give_back(taking.result())
        else:
            taking.cancel()  # which leaves the line


async def _decoded(desk: Desk, place: Place, asked: AskedText) -> AsyncGenerator[Event]:
    def stopped() -> bool:
        if place.wanted():
            desk.turns.pace(place)
        return not place.wanted()

    source = Retriever(asked.graph.store, asked.graph.at)
    events = desk.service.decoder.generate(asked.prompt, source, asked.settings, stopped)
    snapshots = follow(asked.prompt, events)
    shown = lookups = 0
    try:
        while True:
            snapshot = await desk.at_length(partial(next, snapshots, None))
            if snapshot is None:
                return
            for each in snapshot.lookups[lookups:]:
                yield Looked(_lookup(snapshot, each))
            lookups = len(snapshot.lookups)
            if len(snapshot.text) > shown:
                desk.turns.first_word(place)
                yield Words(snapshot.text[shown:])
                shown = len(snapshot.text)
            if isinstance(snapshot, Trace):
                desk.service.metrics.wrote(snapshot)
                if snapshot.finish == "cancelled" and desk.turns.closing:
                    raise Problem(AWAY, ENDING)
                text = _text(snapshot, asked.graph)
                yield Marked(schema.Marks.model_validate(text.model_dump()))
                yield Ended(text)
                return
    finally:
        with suppress(ValueError):  # it is running in a thread, which ends at its next step
            snapshots.close()  # type: ignore[attr-defined]


def _lookup(text: TracedText, made: TraceLookup) -> schema.MadeLookup:
    return schema.MadeLookup.model_validate(
        {**lookup_fields(made.lookup), "index": made.index, "position": text.position(made)}
    )


def _text(trace: Trace, graph: Graph) -> schema.Text:
    marked = mark_trace(trace)
    return schema.Text.model_validate(
        {
            "prompt": trace.prompt,
            "text": trace.text,
            "lookups": [_lookup(trace, made) for made in trace.lookups],
            **marks_json(marked),
            "finish": trace.finish,
            "tokens": len(trace.tokens),
            "seconds": trace.seconds,
            "model": Path(trace.model).name,
            "weights": dict(trace.weights),
            "settings": trace.settings.to_json(),
            "graph": graph.answer(),
        }
    )
