"""Running the model for a session: a new text, or the present one again over an edited graph.

Each step is a generator that yields whenever there is something new to draw.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from app.state.comparison import compare
from app.state.graph_layout import GraphLayout
from app.state.marked_trace import MarkedTrace, mark_trace
from app.state.session import Selection, Session
from graph.core.errors import StoreError
from graph.lookup.retriever import Retriever
from model.engine.events import DoneEvent, Event, LookupEvent, TokenEvent
from model.prompts import PromptError, clean_prompt
from model.roles import Role
from model.settings import DecodingSettings
from model.trace import Trace

log = logging.getLogger("lamplight")

REDRAW_EVERY = 0.1  # seconds between two drawings of a text that is being written
REDRAW_FIRST = 0.015  # the same for the first drawings, which a reader is waiting for
FIRST = 4  # how many those are
_WHOLE_WORD = re.compile(r"\w\W")  # before one there is nothing to read, and a drawing costs time
Steps = Iterator[None]


def ask(session: Session, prompt: object, settings: DecodingSettings) -> Steps:
    """Write a new text for a prompt."""
    session.clear_notes()
    try:
        if not isinstance(prompt, str):
            raise PromptError("The prompt is not text; type a question.")
        prompt = clean_prompt(prompt)
        session.draft = session.service.draft(session.id)  # without edits, it reads the newest
    except (PromptError, StoreError) as problem:
        session.prompt_note = str(problem)
        yield
        return
    session.prompt = prompt
    session.settings = settings
    session.before = session.comparison = None
    session.deltas = []
    session.selection = Selection()
    session.chart, session.expanded = GraphLayout(), {}
    session.tab = "changes"
    yield from _write(session, None)


def rewrite(session: Session) -> Steps:
    """Write the present text again over the edited graph, and compare.

    Where no lookup of it gets another answer, the text stands, and the page says so.
    """
    session.unread = False
    if not session.prompt:
        yield
        return
    old = session.trace
    if old is None or old.prompt != session.prompt or old.finish == "cancelled":
        yield from _write(session, None)
        return
    try:
        again = asked_again(old, Retriever(session.draft))
    except StoreError as problem:
        session.trace_note = str(problem)
        yield
        return
    if again is None:
        yield from _write(session, old)
        return
    with session.lock:
        session.run += 1
        session.writing = session.rewriting = False
        session.stale = ""
        session.trace, session.reading = again, mark_trace(again)
        session.before = session.comparison = None
        session.unread = True
        session.status = "The text stands: none of its lookups read this"
    yield


def asked_again(trace: Trace, retriever: Retriever) -> Trace | None:
    """The trace with its lookups as the graph answers them now, if no answer differs."""
    lookups = []
    for each in trace.lookups:
        lookup = each.lookup
        if each.closed == "model":
            lookup = retriever.lookup(lookup.entity, lookup.relation)
            if lookup.value != each.lookup.value:
                return None
        lookups.append(replace(each, lookup=lookup))
    return replace(trace, lookups=lookups, revision=retriever.revision, state=retriever.state)


def _write(session: Session, old: Trace | None) -> Steps:
    """Run the decoder, anew or over an old trace, and draw what it writes as it is written."""
    with session.lock:
        session.run += 1
        run = session.run
        session.writing = True
        session.rewriting = old is not None
        session.unread = False
        session.speed = ""
        session.status = "Rewriting after your edit" if old else "Writing"
    before = mark_trace(old) if old else None

    def cancelled() -> bool:
        return session.run != run or session.stopped == run

    try:
        retriever = Retriever(session.draft)
        decoder = session.service.decoder
        events: Iterator[Event]
        if old is None:
            session.reading = None
            events = decoder.generate(session.prompt, retriever, session.settings, cancelled)
            yield
        else:  # the old text stands until its first new word, which comes at once
            session.stale = before.text if before else ""
            events = decoder.regenerate(old, retriever, session.settings, cancelled)
        for trace, done in _growing(session, events, retriever):
            if session.run != run:
                return
            session.reading = mark_trace(trace, finished=done)
            session.speed = _speed(trace)
            session.stale = before.text[len(trace.text) :] if before and not done else ""
            if old is None and not done and not session.reading.listed:
                session.chart = GraphLayout()  # nobody can say yet how many facts will stand around
            if done:
                _finish(session, trace, before)
            yield
    except (PromptError, StoreError) as problem:
        if session.run == run:
            session.trace_note = str(problem)
    except Exception:
        log.exception("a generation failed")
        if session.run == run:
            session.trace_note = "The text could not be written; ask again, or reload the page."
    finally:
        if session.run == run:
            session.writing = session.rewriting = False
            session.stale = ""
    if session.run == run:
        yield


def _finish(session: Session, trace: Trace, before: MarkedTrace | None) -> None:
    """Keep a finished text, and what it says that the one before did not."""
    session.writing = session.rewriting = False
    session.stale = ""
    assert session.reading is not None
    if before is not None:
        session.before = before
        session.comparison = compare(before, session.reading, session.deltas, trace.seconds)
    session.trace = trace
    if trace.finish == "cancelled":
        session.trace_note = "Stopped: the text is unfinished."
        session.comparison = None
        session.status = "Stopped"
    elif trace.finish in ("length", "context"):
        session.trace_note = (
            f"The text was cut at {len(trace.tokens)} tokens; raise the limit under Decoding."
        )
        session.status = "Cut at the limit"
    else:
        count = len({mark.fact_id for mark in session.reading.marks})
        facts = f"{count} fact{'' if count == 1 else 's'} copied from the graph"
        session.status = f"Rewritten: {facts}" if before else f"Written: {facts}"


def _speed(trace: Trace) -> str:
    """Time and tokens a second of what was decoded, lookups and forced tokens included."""
    written = len(trace.tokens) - trace.reused
    rate = f", {written / trace.seconds:.0f} a second" if trace.seconds > 0.01 else ""
    taken = f", {trace.reused} more taken over" if trace.reused else ""
    return f"{trace.seconds:.1f} s: {written} tokens{rate}{taken}"


def _growing(
    session: Session, events: Iterator[Event], retriever: Retriever
) -> Iterator[tuple[Trace, bool]]:
    """The trace as far as it is written, every now and then, at last whole."""
    tokens: list[Any] = []
    lookups: list[Any] = []
    begun, drawn = time.monotonic(), 0.0
    reused = drawings = 0
    new = ""  # the model's own words since what was taken over
    for event in events:
        if isinstance(event, DoneEvent):
            yield event.trace, True
            return
        if isinstance(event, TokenEvent):
            tokens.append(event.token)
            if event.reused:
                reused += 1
                continue
            if event.token.role == Role.TEXT:
                new += event.token.text
        elif isinstance(event, LookupEvent):
            lookups.append(event.lookup)
        now = time.monotonic()
        wait = REDRAW_FIRST if drawings < FIRST else REDRAW_EVERY
        if not _WHOLE_WORD.search(new) or now - drawn < wait:
            continue
        drawn, drawings = now, drawings + 1
        partial = Trace(
            prompt=session.prompt,
            prompt_ids=[],
            tokens=list(tokens),
            lookups=[lookup for lookup in lookups if lookup.end <= len(tokens)],
            model="",
            settings=session.settings,
            revision=retriever.revision,
            state=retriever.state,
            finish="",
            seconds=now - begun,
            reused=reused,
        )
        yield partial, False
