"""Verifies a whole text for a session: the one that the visitor reads, or that of a typed prompt.

Like a verification of one fact, it reads the visitor's draft, writes nothing, and waits for its
turn. Of facts and texts, the newest verification of a page wins.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from app.state import editing
from app.state.generation import Steps, Turn
from app.state.session import Session
from app.state.store_sentences import sentence_of
from graph.core.errors import UserError
from model.audit.ordinary_model import ordinary_answer
from model.audit.text_conditions import text_conditions
from model.audit.verification import canonical
from model.prompts import PromptError, clean_prompt
from model.settings import DecodingSettings

log = logging.getLogger("lamplight")
Keep = Callable[[], None]  # keeps what was found


def verify_text(session: Session, event: dict[str, Any]) -> Steps:
    """Verify the text of the prompt in `fields`, or else the one that is read on *Inspect*.

    `how` is "back" to show the last one again, and "again" to write that once more.
    """
    state, how = session.verifying, event.get("how")
    text = state.text
    state.shown = True
    session.notes.verify = ""
    if how == "back" and text.prompt:
        text.chosen = True
        yield None
        return
    form = session.service.decoder.checkpoint.form
    try:
        prompt, settings = _asked(session, event)
        if how == "again":
            prompt, settings = text.prompt, text.settings
        prompt = clean_prompt(prompt, keep_lines=form.keep_lines)
    except PromptError as problem:
        session.notes.verify = str(problem)
        yield None
        return
    session.draft = session.service.draft(session.id)  # without edits, it reads the newest
    text.chosen = True
    same = (text.prompt, text.settings) == (prompt, settings)
    done = text.result is not None and text.graph == session.draft.state()
    if how != "again" and same and (done or text.running):
        yield None
        return
    yield from _write(session, prompt, settings)


def stop(session: Session, event: dict[str, Any]) -> Steps:
    """Stop writing the texts."""
    session.verifying.text.stopped = session.verifying.number
    yield None


def export(session: Session, event: dict[str, Any]) -> Steps:
    """Hand the three texts to the browser as canonical JSON."""
    result = session.verifying.text.result
    if result is not None:
        text = canonical(result.to_json()) + "\n"
        name = "lamplight-text-verification.json"
        session.outbox.download = {"name": name, "type": "application/json", "text": text}
    yield None


def _asked(session: Session, event: dict[str, Any]) -> tuple[str, DecodingSettings]:
    """The prompt that a person typed, or else that of the text on *Inspect*, and its settings."""
    if event.get("fields"):
        return editing.field(event, "prompt"), session.service.settings
    return session.question.prompt, session.question.settings


def ask_ordinary(session: Session, event: dict[str, Any]) -> Steps:
    """Put the prompt of the verified text to an ordinary model."""
    text, draft, base = session.verifying.text, session.draft, session.service.base
    result = text.result
    session.notes.verify = ""
    if result is None or text.asking:
        yield None
        return
    text.chosen = True

    def ask(cancelled: Callable[[], bool]) -> Keep | None:
        answer = ordinary_answer(result, draft, base, cancelled)

        def keep() -> None:
            text.answer = answer

        return None if answer is None else keep

    text.answer = None
    yield from _in_turn(session, "asking", ask)


def _write(session: Session, prompt: str, settings: DecodingSettings) -> Steps:
    text, draft = session.verifying.text, session.draft
    decoder = session.service.decoder

    def write(cancelled: Callable[[], bool]) -> Keep | None:
        started, graph = time.perf_counter(), draft.state()
        result = text_conditions(decoder, draft, prompt, settings, cancelled)

        def keep() -> None:
            text.result, text.graph = result, graph
            text.seconds = time.perf_counter() - started

        return None if result is None else keep

    session.verifying.number += 1  # what is running now no longer keeps what it finds
    text.prompt, text.settings = prompt, settings
    text.result = text.answer = None
    yield from _in_turn(session, "running", write)


def _in_turn(
    session: Session, doing: str, work: Callable[[Callable[[], bool]], Keep | None]
) -> Steps:
    """Do what needs a model when it is its turn.

    `work` is given whether to stop, and returns how to keep what it found; None if it was stopped.
    `doing` names the field of the text that is true until then.
    """
    state, text = session.verifying, session.verifying.text
    with session.lock:
        state.number += 1
        number = state.number
        state.running = False  # of a fact that was being verified, which nobody waits for now
        text.give_up()
        setattr(text, doing, True)
    yield None

    def wanted() -> bool:
        return state.number == number and text.stopped != number

    def cancelled() -> bool:
        if wanted():
            session.pace()
        return not wanted()

    note = ""
    keep: Keep | None = None
    try:
        yield Turn(number, wanted)
        keep = work(cancelled) if wanted() else None
        note = "" if keep else "Stopped before it was done."
    except UserError as problem:
        note = sentence_of(problem, session.service.store)
    except Exception:
        log.exception("a text could not be verified")
        note = "The text could not be verified. Try again, or reload the page."
    finally:
        if state.number == number:
            if keep is not None:
                keep()
            session.notes.verify = note
            state.waiting = 0
            setattr(text, doing, False)
    yield None
