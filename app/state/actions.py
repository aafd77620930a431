"""What a person can do on the page, by the names that the browser uses.

Each action is a generator: it changes the session and yields as `app.state.generation` says.
The browser sends an event, {"action": name, ...}. Nothing in it is trusted: an unknown action
does nothing, ids are parsed and looked up, and texts are cleaned by the graph. An error becomes one
sentence next to its cause, and the page goes on working.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from app.state import (
    drawn_facts,
    editing,
    example_player,
    generation,
    own_facts,
    selection,
    verifying,
    verifying_text,
    wrong_answer,
)
from app.state.generation import Steps
from app.state.session import Session
from app.state.store_sentences import sentence_of
from graph.core.errors import StoreError
from model.settings import SettingsError

log = logging.getLogger("lamplight")


def ask(session: Session, event: dict[str, Any]) -> Steps:
    """Write a text for the prompt that a person typed, with the settings of the form."""
    try:
        settings = session.service.settings_with(event.get("settings", {}))
    except (SettingsError, TypeError) as problem:
        session.notes.prompt = f"These decoding settings are not valid: {problem}"
        yield None
        return
    yield from generation.ask(session, event.get("prompt"), settings)


ACTIONS: dict[str, Callable[[Session, dict[str, Any]], Steps]] = {
    "ask": ask,
    "fact": selection.select_fact,
    "miss": selection.select_lookup,
    "lookup": selection.select_lookup,
    "node": selection.select_node,
    "expand": selection.expand,
    "collapse": selection.collapse,
    "move": selection.move,
    "draw": drawn_facts.draw,
    "draw-cancel": drawn_facts.cancel,
    "tab": selection.tab,
    "raw": selection.raw,
    "stop": selection.stop,
    "suggest": selection.suggest,
    "search": selection.search,
    "pick": selection.pick,
    "ask-about": selection.ask_about,
    "try": selection.try_entity,
    "change": editing.change,
    "relation": editing.change_relation,
    "delete": editing.delete,
    "add": editing.add,
    "rename": editing.rename,
    "merge": editing.merge,
    "restore": editing.restore,
    "undo": editing.undo,
    "redo": editing.redo,
    "publish": editing.publish,
    "discard": editing.discard,
    "ask-offered": editing.ask_offered,
    "example": example_player.example,
    "take-facts": own_facts.take_facts,
    "wrong": wrong_answer.open_form,
    "wrong-save": wrong_answer.save,
    "verify-open": verifying.open_page,
    "verify": verifying.verify_fact,
    "verify-delete": verifying.delete_survivor,
    "verify-export": verifying.export,
    "verify-text": verifying_text.verify_text,
    "verify-ordinary": verifying_text.ask_ordinary,
    "verify-text-stop": verifying_text.stop,
    "verify-text-export": verifying_text.export,
    "verify-list": verifying.verify_list,
    "verify-stop": verifying.stop,
    "verify-list-export": verifying.export_list,
}

# The note that says why an action failed; it stands on the card for all others.
NOTE_OF = {
    **dict.fromkeys(("undo", "redo", "publish", "discard"), "draft"),
    **dict.fromkeys(("verify-open", "verify", "verify-delete", "verify-list"), "verify"),
    **dict.fromkeys(("verify-text", "verify-ordinary"), "verify"),
    **dict.fromkeys(("wrong", "wrong-save"), "wrong_refused"),
    **dict.fromkeys(("pick", "try", "example", "ask-offered"), "prompt"),
}


def act(session: Session, event: object) -> Steps:
    """Do what the browser reported."""
    if not isinstance(event, dict):
        return
    name = str(event.get("action"))
    action = ACTIONS.get(name)
    if action is None:
        return
    try:
        if event.get("view"):
            session.picture.layout.view = event["view"]
        done = editing.write_id(event)
        if done is not None and session.draft.has_step(done):
            yield None  # it was done before, and only the reply was lost
            return
        yield from action(session, event)
    except StoreError as problem:
        setattr(
            session.notes, NOTE_OF.get(name, "card"), sentence_of(problem, session.service.store)
        )
        with suppress(StoreError):  # where another process edited the draft, the next try succeeds
            session.draft = session.service.draft(session.id)
        yield None
    except Exception:
        log.exception("an action failed")
        session.notes.card = (
            "That did not work, and nothing was changed. Try again, or reload the page."
        )
        yield None
