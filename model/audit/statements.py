"""The neutral question and statement of a fact, which fit every relation of every graph.

They need no phrases, so that an audit of a graph which no training saw asks in the same way as one
of the shipped world. Training uses them for relations without phrases.
"""

from __future__ import annotations

from graph.core.facts import Fact
from graph.core.protocol import TripletStore

KIND = "instance of"
"""The relation whose value says what kind of thing an entity is."""


def question(entity: str, relation: str) -> str:
    """The neutral question for a value."""
    return f"What is the {relation} of {entity}?"


def beginning(entity: str, relation: str) -> str:
    """The neutral statement of a fact, cut before its value."""
    return f"The {relation} of {entity} is"


def kind_of(store: TripletStore, entity_id: int, at: int | None = None) -> str:
    """What kind of thing an entity is, as the graph says it first; "" if it does not."""
    return next((fact.value for fact in store.facts(entity_id, KIND, at=at, limit=1)), "")


def named(fact: Fact) -> str:
    """A fact's entity and relation, as the page and the command line name it."""
    return f"{fact.entity} · {fact.relation}"
