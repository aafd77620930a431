"""Runs the model for a session: writes a new text, or the present one over an edited graph.

Each function is a generator. It yields None whenever there is something new to draw, a `Turn`
before it needs the decoder, and a `Pause` where it wants to be looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.state.comparison import compare, visible_deltas
from app.state.graph_layout import GraphLayout
from app.state.lookup_memory import LookupMemory
from app.state.marked_trace import MarkedTrace, mark_trace
from app.state.session import Picture, Question, Selection, Session, ShownText
from app.state.store_sentences import sentence_of
from app.state.text_in_progress import TextInProgress, follow
from graph.core.deltas import Delta
from graph.core.errors import StoreError
from graph.lookup.retriever import Retriever
from model.engine.events import Event, LookupSource
from model.prompts import PromptError, clean_prompt
from model.settings import DecodingSettings
from model.trace import Trace

log = logging.getLogger("lamplight")


@dataclass(frozen=True)
class Turn:
    """The next step needs the decoder, for this run of the session; what came before is done.

    A verification says itself whether it is still `wanted`.
    """

    run: int
    wanted: Callable[[], bool] | None = None


@dataclass(frozen=True)
class Pause:
    """There is something new to draw, and the next step should come so many seconds later."""

    seconds: float


Steps = Iterator[Turn | Pause | None]


def ask(session: Session, prompt: object, settings: DecodingSettings) -> Steps:
    """Write a new text for a prompt."""
    session.clear_notes()
    try:
        if not isinstance(prompt, str):
            raise PromptError("The prompt is not text; type a question.")
        form = session.service.decoder.checkpoint.form
        prompt = clean_prompt(prompt, keep_lines=form.keep_lines)
        session.draft = session.service.draft(session.id)  # without edits, it reads the newest
    except (PromptError, StoreError) as problem:
        session.notes.prompt = sentence_of(problem, session.service.store)
        yield None
        return
    session.layouts.keep(session.question.prompt, session.picture.layout)
    session.question = Question(prompt, settings)
    text = session.text
    text.before = text.comparison = None
    text.deltas = []
    text.tab = "changes"
    session.selection = Selection()
    session.picture = Picture(session.layouts.of(prompt))
    yield from _write(session)


def ask_for(session: Session, prompt: str) -> Steps:
    """Put a prompt into the box and ask it, with the settings of the last question."""
    session.outbox.prompt_box = prompt
    yield from ask(session, prompt, session.question.settings)


def rewrite(session: Session) -> Steps:
    """Write the present text again over the edited graph, and compare.

    If every lookup of it gets the same answer as before, the text stays, and the page says so.
    """
    text, prompt = session.text, session.question.prompt
    text.unread = False
    if not prompt:
        yield None
        return
    old = text.trace
    if old is None or old.prompt != prompt or old.finish == "cancelled":
        yield from _write(session)
        return
    try:
        # The decoder needs the same answers again, to find where the new text begins.
        lookups = LookupMemory(Retriever(session.draft))
        unchanged = session.service.decoder.unchanged(old, lookups)
    except StoreError as problem:
        session.notes.text = sentence_of(problem, session.service.store)
        yield None
        return
    if unchanged is None:
        yield from _write(session, old, lookups)
        return
    with session.lock:
        run = session.run
        run.number += 1
        run.writing = run.rewriting = False
        run.status = "The text is unchanged: none of its lookups read the edited fact"
        text.stale = ""
        text.trace, text.marked = unchanged, mark_trace(unchanged)
        text.before = text.comparison = None
        text.unread = True
    yield None


def resume(session: Session) -> Steps:
    """Go on where the page was left: write a text that is missing, unfinished or out of date."""
    question, text, unfinished = session.question, session.text, session.unfinished
    session.unfinished = False
    if session.run.writing or not question.prompt:
        return
    another = text.trace is None or text.trace.prompt != question.prompt
    if another or (unfinished and text.trace and text.trace.settings != question.settings):
        yield from ask(session, question.prompt, question.settings)
        return
    assert text.trace is not None
    if unfinished and text.trace.finish == "cancelled":
        session.notes.text = ""
        yield from _write(session)
    elif text.trace.state != session.draft.state():
        try:
            lookups = LookupMemory(Retriever(session.draft))
            unchanged = session.service.decoder.unchanged(text.trace, lookups)
        except StoreError as problem:
            session.notes.text = sentence_of(problem, session.service.store)
            yield None
            return
        if unchanged is None:
            newest = session.draft.history(limit=1)
            text.deltas = visible_deltas(newest[0].deltas) if newest else []
            yield from rewrite(session)
        else:
            text.trace, text.marked = unchanged, mark_trace(unchanged)
            yield None


def follow_draft(session: Session, deltas: list[Delta]) -> Steps:
    """Rewrite the text after an edit that another tab made; `deltas` are what it did."""
    session.text.deltas = deltas
    session.text.tab = "changes"
    yield from rewrite(session)


def _write(
    session: Session, old: Trace | None = None, lookups: LookupSource | None = None
) -> Steps:
    """Run the decoder, for a new text or over an old trace, and draw the text as it grows."""
    run, text = session.run, session.text
    with session.lock:
        run.number += 1
        number = run.number
        run.writing = True
        run.rewriting = old is not None
        run.status = "Rewriting after your edit" if old else "Writing"
        if old is None:
            text.marked = None
        text.unread = False
        text.speed = ""
    before = mark_trace(old) if old else None

    def cancelled() -> bool:
        if run.number == number and run.stopped != number:
            session.pace()
        return run.number != number or run.stopped == number

    try:
        yield Turn(number)
        if run.number != number:
            return
        source = lookups or Retriever(session.draft)
        question, decoder = session.question, session.service.decoder
        events: Iterator[Event]
        if old is None:
            events = decoder.generate(question.prompt, source, question.settings, cancelled)
            yield None
        else:  # the old text stays until the first new word, which comes at once
            text.stale = before.text if before else ""
            events = decoder.regenerate(old, source, question.settings, cancelled)
        for written in follow(question.prompt, events):
            if run.number != number:
                return
            in_progress = isinstance(written, TextInProgress)
            text.marked = mark_trace(written, finished=not in_progress)
            text.speed = _speed(written)
            text.stale = before.text[len(written.text) :] if before and in_progress else ""
            layout = session.picture.layout
            if old is None and in_progress and not text.marked.listed and not layout.moved:
                # How many facts there will be is not known before the graph has listed them.
                session.picture.layout = GraphLayout()
            if isinstance(written, Trace):
                _finish(session, written, before)
            yield None
    except (PromptError, StoreError) as problem:
        if run.number == number:
            session.notes.text = sentence_of(problem, session.service.store)
    except Exception:
        log.exception("a generation failed")
        if run.number == number:
            session.notes.text = "The text could not be written. Ask again, or reload the page."
    finally:
        if run.number == number:
            run.writing = run.rewriting = False
            run.waiting = 0
            text.stale = ""
    if run.number == number:
        yield None


def _finish(session: Session, trace: Trace, before: MarkedTrace | None) -> None:
    """Keep a finished text, and compare it with the one before."""
    run, text = session.run, session.text
    run.writing = run.rewriting = False
    text.stale = ""
    assert text.marked is not None
    if before is not None:
        text.before = before
        text.comparison = compare(before, text.marked, text.deltas, trace.seconds)
    text.trace = trace
    session.service.metrics.wrote(trace)
    if trace.finish == "cancelled":
        session.notes.text = "Stopped: the text is unfinished."
        text.comparison = None
        run.status = "Stopped"
    elif trace.finish in ("length", "context"):
        session.notes.text = (
            f"The text was cut off at {len(trace.tokens)} tokens. Raise the limit under Decoding."
        )
        run.status = "Cut off at the limit"
    else:
        run.status = f"{'Rewritten' if before else 'Written'}: {_facts_copied(text)}"


def _facts_copied(text: ShownText) -> str:
    count = len({mark.fact_id for mark in text.marked.marks}) if text.marked else 0
    return f"{count} fact{'' if count == 1 else 's'} copied from the graph"


def _speed(text: Trace | TextInProgress) -> str:
    """Time and tokens per second of what was decoded, lookups and forced tokens included."""
    written = len(text.tokens) - text.reused
    rate = f", {written / text.seconds:.0f} per second" if text.seconds > 0.01 else ""
    reused = f", {text.reused} more reused" if text.reused else ""
    return f"{text.seconds:.1f} s: {written} tokens{rate}{reused}"
