"""Facts that a person draws in the picture: from a node to another one, or to a free place.

A drawing only opens a form, which reads as a sentence. Adding the fact is the edit of the card's
own form (`app.state.editing.add`), with the same plans and the same sentences.
"""

from __future__ import annotations

from typing import Any

from app.state.editing import entity_of, node_words
from app.state.generation import Steps
from app.state.session import DrawnFact, Session
from graph.core.facts import RELATIONS
from graph.core.names import fold

MOST_RELATIONS = 300  # names to choose from


def draw(session: Session, event: dict[str, Any]) -> Steps:
    """Open the form for a fact from one node to another, or to what is typed."""
    session.notes.card = session.notes.card_done = ""
    session.search.suggestions = ()
    subject = entity_of(session, event.get("id"))
    target = str(event.get("target") or "")
    words = node_words(session, target)[0] if target else ""
    place = event.get("at")
    at = None if place is None else (float(place[0]), float(place[1]))
    names = [*session.draft.relation_names(subject.id)]
    names += sorted(relation.name for relation in session.draft.relations())
    known = dict.fromkeys(name for name in names if fold(name) != RELATIONS)
    relations = tuple(known)[:MOST_RELATIONS]
    session.picture.drawn = DrawnFact(subject, target, words, at, relations)
    yield None


def cancel(session: Session, event: dict[str, Any]) -> Steps:
    """Close the form; nothing is left of the drawing."""
    session.picture.drawn = None
    session.notes.card = ""
    yield None
