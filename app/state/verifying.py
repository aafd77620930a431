"""Verifies facts for a session: what the page *Verify* does.

A verification reads the visitor's draft and writes nothing. Like a text, it waits for its turn.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from app.state import editing
from app.state.generation import Steps, Turn
from app.state.session import Session
from graph.core.edits import Delete
from graph.core.errors import StoreError
from graph.core.ids import parse_id
from model.audit.verification import canonical, verify
from model.prompts import PromptError

log = logging.getLogger("lamplight")


def open_page(session: Session, event: dict[str, Any]) -> Steps:
    """Show the page, and verify the fact of its address unless that is done."""
    state = session.verifying
    state.shown = True
    asked = str(event.get("id", ""))
    if not asked:
        yield None
        return
    fact_id = parse_id(asked)
    done = state.result is not None and state.graph == session.draft.state()
    if state.fact_id == fact_id and (done or state.running):
        yield None
        return
    yield from verify_fact(session, event)


def verify_fact(session: Session, event: dict[str, Any]) -> Steps:
    """Verify one fact."""
    session.notes.verify = ""
    session.draft = session.service.draft(session.id)  # without edits, it reads the newest
    yield from _verify(session, editing.fact_of(session, event.get("id")).id)


def delete_survivor(session: Session, event: dict[str, Any]) -> Steps:
    """Delete a fact in the draft, and verify again the one that is shown."""
    shown = session.verifying.fact_id
    fact = editing.fact_of(session, event.get("id"))
    yield from editing.edit(session, [Delete(fact.id)], "closure", editing.write_id(event))
    if fact.id == shown:
        session.verifying.result = None
        session.notes.verify = "You deleted this fact in your draft."
        yield None
    else:
        yield from _verify(session, shown)


def export(session: Session, event: dict[str, Any]) -> Steps:
    """Hand the verification to the browser as canonical JSON."""
    result = session.verifying.result
    if result is not None:
        text = canonical(result.to_json()) + "\n"
        name = "lamplight-verification.json"
        session.outbox.download = {"name": name, "type": "application/json", "text": text}
    yield None


def _verify(session: Session, fact_id: int) -> Steps:
    state, draft = session.verifying, session.draft
    with session.lock:
        state.number += 1
        number = state.number
        state.fact_id, state.running, state.result = fact_id, True, None
        state.shown = True
    yield None
    try:
        yield Turn(number, lambda: state.number == number)
        if state.number != number:
            return
        started = time.perf_counter()
        graph = draft.state()
        result = verify(session.service.decoder, draft, fact_id)
        if state.number == number:
            state.result, state.graph = result, graph
            state.seconds = time.perf_counter() - started
    except (StoreError, PromptError) as problem:
        if state.number == number:
            session.notes.verify = str(problem)
    except Exception:
        log.exception("a verification failed")
        if state.number == number:
            session.notes.verify = "The fact could not be verified. Try again, or reload the page."
    finally:
        if state.number == number:
            state.running, state.waiting = False, 0
    yield None
