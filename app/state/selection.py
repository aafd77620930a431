"""What changes only the view: selecting, expanding, searching, and which text to see."""

from __future__ import annotations

from typing import Any

from app.state.editing import entity_of, fact_of
from app.state.generation import Steps, ask_for
from app.state.scene_reading import EXPAND_BY
from app.state.session import Selection, Session
from graph.core.errors import StoreError
from graph.core.names import clean_name


def select_fact(session: Session, event: dict[str, Any]) -> Steps:
    """Open a fact, from a mark, an edge, a row or the card."""
    session.notes.card = session.notes.card_done = ""
    session.selection = Selection("fact", fact_of(session, event.get("id")).id)
    session.search.suggestions = ()
    yield None


def select_lookup(session: Session, event: dict[str, Any]) -> Steps:
    """Open a miss, or the first fact of a lookup."""
    session.notes.card = session.notes.card_done = ""
    index = str(event.get("id"))
    marked = session.text.marked
    if marked is None or not index.isdecimal() or int(index[:6]) >= len(marked.trace.lookups):
        raise StoreError("There is no such lookup in this text.")
    lookup = marked.lookup(int(index))
    if lookup.lookup.facts:
        session.selection = Selection("fact", lookup.lookup.facts[0].id)
    else:
        session.selection = Selection("miss", lookup.index)
    yield None


def select_node(session: Session, event: dict[str, Any]) -> Steps:
    """Open an entity, or the fact whose literal a node is."""
    key = str(event.get("id"))
    if key.startswith("f"):
        yield from select_fact(session, {"id": key[1:]})
        return
    session.notes.card = session.notes.card_done = ""
    session.selection = Selection("entity", entity_of(session, key).id)
    yield None


def expand(session: Session, event: dict[str, Any]) -> Steps:
    """Show eight more neighbours of a node."""
    yield from select_node(session, event)
    if session.selection.kind == "entity":
        entity_id, expanded = session.selection.id, session.picture.expanded
        expanded[entity_id] = expanded.get(entity_id, 0) + EXPAND_BY
        yield None


def collapse(session: Session, event: dict[str, Any]) -> Steps:
    """Hide the neighbours that expanding a node added."""
    yield from select_node(session, event)
    if session.selection.kind == "entity":
        session.picture.expanded.pop(session.selection.id, None)
        yield None


def move(session: Session, event: dict[str, Any]) -> Steps:
    """Let a node stand where a person put it. This changes the picture, not the graph."""
    layout, key = session.picture.layout, str(event.get("id"))
    if key not in layout.positions:
        raise StoreError("That node is no longer in the picture.")
    across, along = event["at"]
    layout.move(key, (float(across), float(along)))
    yield None


def tab(session: Session, event: dict[str, Any]) -> Steps:
    """Choose which text to see."""
    if event.get("tab") in ("before", "changes", "after"):
        session.text.tab = str(event["tab"])
    yield None


def raw(session: Session, event: dict[str, Any]) -> Steps:
    """Show the lookups as the model wrote them, or hide them again."""
    session.text.raw = not session.text.raw
    yield None


def stop(session: Session, event: dict[str, Any]) -> Steps:
    """Stop writing, and keep what is written."""
    session.run.stopped = session.run.number
    yield None


def suggest(session: Session, event: dict[str, Any]) -> Steps:
    """Suggest entities as a value while a person types."""
    text = str(event.get("text", ""))[:200]
    session.search.suggestions = tuple(entity.name for entity in _found(session, text, 8))
    yield None


def search(session: Session, event: dict[str, Any]) -> Steps:
    """Find entities while a person types."""
    text = str(event.get("text", ""))[:200].strip()
    session.search.text = text
    session.search.found = tuple(_found(session, text, 8))
    yield None


def _found(session: Session, text: str, limit: int) -> list[Any]:
    if not text.strip():
        return []
    try:
        return session.draft.search(text, limit=limit)
    except StoreError:
        return []


def pick(session: Session, event: dict[str, Any]) -> Steps:
    """Put a found entity into the prompt."""
    session.search.text, session.search.found = "", ()
    entity = entity_of(session, event.get("id"))
    session.outbox.prompt_box = session.service.prompt_about(entity.name)
    session.notes.prompt = ""
    yield None


def ask_about(session: Session, event: dict[str, Any]) -> Steps:
    """Ask about the entity of a node."""
    entity = entity_of(session, event.get("id"))
    yield from ask_for(session, session.service.prompt_about(entity.name))


def try_entity(session: Session, event: dict[str, Any]) -> Steps:
    """Ask about an entity that a banner offered."""
    name = clean_name(str(event.get("name", "")))
    yield from ask_for(session, session.service.prompt_about(name))
