"""Plays the examples: each does its edit step by step, in full view, and it can be undone."""

from __future__ import annotations

from typing import Any

from app.state.editing import edit
from app.state.examples import Example, by_name
from app.state.generation import Pause, Steps, ask_for
from app.state.session import MadeUp, Selection, Session
from graph.core.edits import Add, Change, Delete, Edit
from graph.core.names import fold

SHOW_FOR = 0.9  # seconds that an example shows what it is about to edit
KEYSTROKE = 0.07  # seconds from one typed letter to the next


def example(session: Session, event: dict[str, Any]) -> Steps:
    """Play one of the four examples."""
    chosen = by_name(session.service.examples, event.get("name"))
    if chosen is None:
        yield None
        return
    if chosen.before_asking:
        yield from _invent(session, chosen)
        return
    yield from ask_for(session, chosen.prompt)
    run = session.run.number
    if not chosen.edits or session.notes.text or session.run.writing:
        return
    edits = _edits(session, chosen)
    if not edits:
        _, entity, relation, value = chosen.edits[0]
        session.notes.card = (
            f"In your draft the {relation} of {entity} is already {value}. Undo that edit to see "
            "it change again."
            if value and session.draft.can_undo()
            else f"This graph has no {relation} of {entity}, so there is nothing to edit."
        )
        yield None
        return
    first = edits[0]
    assert isinstance(first, Change | Delete)
    session.selection = Selection("fact", first.fact_id)
    session.example.button = "delete" if isinstance(first, Delete) else "change"
    yield Pause(SHOW_FOR)
    if isinstance(first, Change):
        for end in range(1, len(first.value) + 1):
            if session.selection.id != first.fact_id:
                break  # the visitor opened something else
            session.example.typing = first.value[:end]
            yield Pause(KEYSTROKE)
        yield Pause(SHOW_FOR / 2)
    session.example.typing, session.example.button = None, ""
    if session.run.number == run and session.selection.id == first.fact_id:
        yield from edit(session, edits, "an example")
    else:  # the visitor did something else in the meantime
        yield None


def _invent(session: Session, chosen: Example) -> Steps:
    """Add the facts, then ask about the entity that they are about."""
    session.clear_notes()
    edits = _edits(session, chosen)
    if edits:
        session.draft.apply(edits, author=session.author, reason="an example")
        session.service.metrics.edits.inc(len(edits))
    yield from ask_for(session, chosen.prompt)
    if session.notes.text or session.run.writing:
        return
    for entity, _ in session.draft.find_entities(chosen.edits[0][1])[:1]:
        session.selection = Selection("entity", entity.id)
        session.text.made_up = MadeUp(entity.name, len(chosen.edits))
    yield None


def _edits(session: Session, chosen: Example) -> list[Edit]:
    """The edits of an example that this graph allows."""
    edits: list[Edit] = []
    for kind, entity, relation, value in chosen.edits:
        known = session.draft.find_entities(entity)[:1]
        if kind == "add":
            there = session.draft.facts(known[0][0].id, relation) if known else []
            if all(fold(fact.value) != fold(value) for fact in there):
                edits.append(Add(entity, relation, value))
            continue
        for found, _ in known:
            for fact in session.draft.facts(found.id, relation)[:1]:
                if kind == "delete":
                    edits.append(Delete(fact.id))
                elif fold(fact.value) != fold(value):
                    edits.append(Change(fact.id, value))
    return edits
