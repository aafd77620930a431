"""What changes the view alone: selecting, expanding, searching, which text to see."""

from __future__ import annotations

import json
from typing import Any

from app.state.editing import entity_of, fact_of
from app.state.generation import Steps, ask
from app.state.session import EXPAND_BY, Selection, Session
from graph.core.errors import StoreError
from graph.core.names import clean_name


def select_fact(session: Session, said: dict[str, Any]) -> Steps:
    """Open a fact, from a mark, an edge, a row or the card."""
    session.card_note = session.card_done = ""
    session.selection = Selection("fact", fact_of(session, said.get("id")).id)
    session.options = ()
    yield


def select_lookup(session: Session, said: dict[str, Any]) -> Steps:
    """Open a miss, or the first fact of a lookup."""
    session.card_note = session.card_done = ""
    index = str(said.get("id"))
    reading = session.reading
    if reading is None or not index.isdecimal() or int(index[:6]) >= len(reading.trace.lookups):
        raise StoreError("There is no such lookup in this text.")
    lookup = reading.lookup(int(index))
    if lookup.lookup.facts:
        session.selection = Selection("fact", lookup.lookup.facts[0].id)
    else:
        session.selection = Selection("miss", lookup.index)
    yield


def select_node(session: Session, said: dict[str, Any]) -> Steps:
    """Open an entity, or the fact whose literal a node is."""
    key = str(said.get("id"))
    if key.startswith("f"):
        yield from select_fact(session, {"id": key[1:]})
        return
    session.card_note = session.card_done = ""
    session.selection = Selection("entity", entity_of(session, key).id)
    yield


def expand(session: Session, said: dict[str, Any]) -> Steps:
    """Show eight more neighbours of a node."""
    yield from select_node(session, said)
    if session.selection.kind == "entity":
        entity_id = session.selection.id
        session.expanded[entity_id] = session.expanded.get(entity_id, 0) + EXPAND_BY
        yield


def collapse(session: Session, said: dict[str, Any]) -> Steps:
    """Put away the neighbours that a node was expanded by."""
    yield from select_node(session, said)
    if session.selection.kind == "entity":
        session.expanded.pop(session.selection.id, None)
        yield


def tab(session: Session, said: dict[str, Any]) -> Steps:
    """Choose which text to see."""
    if said.get("tab") in ("before", "changes", "after"):
        session.tab = str(said["tab"])
    yield


def raw(session: Session, said: dict[str, Any]) -> Steps:
    """Show the lookups as the model wrote them, or hide them again."""
    session.raw = not session.raw
    yield


def stop(session: Session, said: dict[str, Any]) -> Steps:
    """Stop writing; what is written stays."""
    session.stopped = session.run
    yield


def suggest(session: Session, said: dict[str, Any]) -> Steps:
    """Entities to choose as a value, while one types."""
    text = str(said.get("text", ""))[:200]
    session.options = tuple(entity.name for entity in _found(session, text, 8))
    yield


def search(session: Session, said: dict[str, Any]) -> Steps:
    """Entities by what one types."""
    text = str(said.get("text", ""))[:200].strip()
    session.search_text = text
    session.found = tuple(_found(session, text, 8))
    yield


def _found(session: Session, text: str, limit: int) -> list[Any]:
    if not text.strip():
        return []
    try:
        return session.draft.search(text, limit=limit)
    except StoreError:
        return []


def pick(session: Session, said: dict[str, Any]) -> Steps:
    """Put a found entity into the prompt."""
    session.search_text, session.found = "", ()
    session.box = session.service.asking(entity_of(session, said.get("id")).name)
    session.prompt_note = ""
    yield


def ask_about(session: Session, said: dict[str, Any]) -> Steps:
    """Ask about the entity of a node."""
    session.box = session.service.asking(entity_of(session, said.get("id")).name)
    yield from ask(session, session.box, session.settings)


def try_entity(session: Session, said: dict[str, Any]) -> Steps:
    """Ask about an entity that a banner offered."""
    session.box = session.service.asking(clean_name(str(said.get("name", ""))))
    yield from ask(session, session.box, session.settings)


def export(session: Session, said: dict[str, Any]) -> Steps:
    """Hand the finished trace to the browser as a file."""
    if session.trace is None:
        yield
        return
    text = json.dumps(session.trace.to_json(), ensure_ascii=False, indent=1)
    name = f"lamplight-trace-{session.trace.id[:8]}.json"
    session.download = {"name": name, "type": "application/json", "text": text}
    yield
