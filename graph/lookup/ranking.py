"""Which of several entities a name means, and which entities match typed text, in every store."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from graph.core.facts import Entity
from graph.core.names import fold, plain
from graph.lookup.spelling import both_spellings


def rank_entities(
    name: str, entities: Iterable[Entity], count_facts: Callable[[int], int]
) -> list[tuple[Entity, str]]:
    """Order the entities that share a name's folded key, and say how each was found.

    An entity whose name has exactly this spelling comes first, then one with an alias of exactly
    this spelling, then the others. Of equals, the one with more facts comes first, then the older.

    Returns:
        Each entity with "exact", "folded" or "alias".
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
    if len(ranked) > 1:  # only for homonyms, because each count is a query
        ranked.sort(key=lambda item: (item[0], -count_facts(item[1].id), item[1].id))
    return [(entity, how) for _, entity, how in ranked]


def merged_into(name: str, found: Iterable[tuple[Entity, str]]) -> Entity | None:
    """Of the entities found under the last name of one that is gone, the one that has that name."""
    return next((e for e, _ in found if name == e.name or name in e.aliases), None)


def rank_by_name(
    names: Iterable[str], entities: Iterable[Entity], count_facts: Callable[[int], int]
) -> dict[str, list[tuple[Entity, str]]]:
    """`rank_entities` of each name among entities that may have it; names of none are left out."""
    by_key: dict[str, dict[int, Entity]] = {}
    for entity in entities:
        for known in (entity.name, *entity.aliases):
            by_key.setdefault(fold(known), {})[entity.id] = entity
    return {
        name: rank_entities(" ".join(name.split()), by_key[key].values(), count_facts)
        for name in dict.fromkeys(names)
        if (key := fold(name)) in by_key
    }


def matches(typed: str, entity: Entity) -> bool:
    """Whether typed text is part of one of an entity's names, or begins words of one."""
    part = plain(typed)
    if part and any(part in plain(name) for name in (entity.name, *entity.aliases)):
        return True
    return begins(typed, entity)


def begins(typed: str, entity: Entity) -> bool:
    """Whether each typed word begins a word of one of an entity's names."""
    ways = [words for words in both_spellings(typed) if words]
    spelt = [own for name in (entity.name, *entity.aliases) for own in both_spellings(name)]
    return any(
        all(any(word.startswith(beginning) for word in own) for beginning in words)
        for own in spelt
        for words in ways
    )
