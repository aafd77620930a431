"""Verifies facts for a session: what the page *Verify* does.

A verification reads the visitor's draft and writes nothing. Like a text, it waits for its turn.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from app.state import editing
from app.state.fact_list import MOST, FactList, drawn, listed
from app.state.generation import Pause, Steps, Turn
from app.state.session import Session
from app.state.store_sentences import sentence_of
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
        state.text.chosen = False
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


def verify_list(session: Session, event: dict[str, Any]) -> Steps:
    """Verify the facts that a person listed, or else a random sample."""
    session.notes.verify = ""
    session.draft = session.service.draft(session.id)
    lines = editing.field(event, "facts").splitlines()
    if any(line.strip() for line in lines):
        many = listed(session.draft, lines)
    else:
        number, seed = (_whole(editing.field(event, name)) for name in ("number", "seed"))
        if number is None or seed is None or not 1 <= number <= MOST:
            raise StoreError(f"Enter how many facts, from 1 to {MOST}, and a seed such as 0.")
        many = drawn(session.draft, number, seed)
    if not many.facts:
        raise StoreError(" ".join(many.problems[:3]) or "The graph has no facts to verify.")
    many.number = session.verifying.many.number + 1
    many.running = True
    session.verifying.many = many
    yield None
    yield from _verify_all(session, many)


def _whole(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() and len(text) < 10 else None


def _verify_all(session: Session, many: FactList) -> Steps:
    """Verify one fact after another; texts of others may come in between."""
    state, draft = session.verifying, session.draft

    def wanted() -> bool:
        return state.many is many and many.running

    try:
        for fact in many.facts:
            yield Turn(many.number, wanted)
            if not wanted():
                break
            many.rows.append(verify(session.service.verified, draft, fact.id))
            yield None
            yield Pause(0.0)
    except (StoreError, PromptError) as problem:
        session.notes.verify = sentence_of(problem, session.service.store)
    except Exception:
        log.exception("a list could not be verified")
        session.notes.verify = "The list could not be verified. Try again, or reload the page."
    finally:
        many.running = False
    yield None


def stop(session: Session, event: dict[str, Any]) -> Steps:
    """Stop verifying a list, and keep what is done."""
    session.verifying.many.running = False
    yield None


def export_list(session: Session, event: dict[str, Any]) -> Steps:
    """Hand the list to the browser as JSON, CSV or one HTML file."""
    kind, many = str(event.get("format")), session.verifying.many
    if many.rows and kind in ("json", "csv", "html"):
        session.verifying.export = kind
    yield None


def _verify(session: Session, fact_id: int) -> Steps:
    state, draft = session.verifying, session.draft
    with session.lock:
        state.number += 1
        number = state.number
        state.fact_id, state.running, state.result = fact_id, True, None
        state.text.chosen = False
        state.text.give_up()
        state.shown = True
    yield None
    try:
        yield Turn(number, lambda: state.number == number)
        if state.number != number:
            return
        started = time.perf_counter()
        graph = draft.state()
        result = verify(session.service.verified, draft, fact_id)
        if state.number == number:
            state.result, state.graph = result, graph
            state.seconds = time.perf_counter() - started
    except (StoreError, PromptError) as problem:
        if state.number == number:
            session.notes.verify = sentence_of(problem, session.service.store)
    except Exception:
        log.exception("a verification failed")
        if state.number == number:
            session.notes.verify = "The fact could not be verified. Try again, or reload the page."
    finally:
        if state.number == number:
            state.running, state.waiting = False, 0
    yield None
