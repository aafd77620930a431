"""Which of several entities a name means, and what a person's typing matches, for every store."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from graph.core.facts import Entity
from graph.core.names import fold, plain


def rank_entities(
    name: str, entities: Iterable[Entity], count_facts: Callable[[int], int]
) -> list[tuple[Entity, str]]:
    """Order the entities that share a name's folded key, each with how it was found.

    The name in this spelling comes first, then an alias in this spelling, then the others; among
    equals the one with most facts, then the older. `how` is "exact", "folded" or "alias".
    """
    key = fold(name)
    ranked: list[tuple[int, Entity, str]] = []
    for entity in entities:
        if entity.name == name:
            ranked.append((0, entity, "exact"))
        elif name in entity.aliases:
            ranked.append((1, entity, "alias"))
        else:
            ranked.append((2, entity, "folded" if fold(entity.name) == key else "alias"))
    if len(ranked) > 1:  # counting costs a query: only homonyms pay
        ranked.sort(key=lambda item: (item[0], -count_facts(item[1].id), item[1].id))
    return [(entity, how) for _, entity, how in ranked]


def matches(typed: str, entity: Entity) -> bool:
    """Whether what one types is part of one of an entity's names, or begins their words."""
    part, words = plain(typed), plain(typed).split()
    for name in (entity.name, *entity.aliases):
        whole = plain(name)
        if part and part in whole:
            return True
        own = whole.split()
        if words and all(any(word.startswith(w) for word in own) for w in words):
            return True
    return False
