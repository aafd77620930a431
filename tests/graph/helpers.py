"""Short ways to ask a store by names, for the tests."""

from __future__ import annotations

from typing import Any


def said(store: Any, entity: str, relation: str | None = None, at: int | None = None) -> list[str]:
    """The values that a store holds of an entity by name."""
    found = store.find_entities(entity, at=at)
    return [f.value for f in store.facts(found[0][0].id, relation, at=at)] if found else []


def fact_of(store: Any, entity: str, relation: str, value: str | None = None) -> Any:
    """One fact by its names."""
    found = store.find_entities(entity)[0][0]
    return next(f for f in store.facts(found.id, relation) if value in (None, f.value))


def id_of(store: Any, name: str) -> int:
    """An entity's id by its name."""
    return int(store.find_entities(name)[0][0].id)
