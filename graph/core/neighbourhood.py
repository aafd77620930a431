"""The facts around a set of entities, collected hop by hop with a limit on every hop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, zip_longest

from graph.core.facts import Fact
from graph.core.protocol import TripletReads

Around = Callable[[list[int], int], list[list[Fact]]]
"""Takes entity ids and a limit; returns for each entity its facts, outgoing ones first."""


def walk(
    store: TripletReads, entity_ids: Iterable[int], hops: int, limit: int, at: int | None
) -> list[Fact]:
    """At most `limit` facts within `hops` of the entities, in both directions, nearest first."""

    def around(ids: list[int], wanted: int) -> list[list[Fact]]:
        return [
            [
                *store.facts(entity_id, at=at, limit=wanted),
                *store.facts_to(entity_id, at=at, limit=wanted),
            ]
            for entity_id in ids
        ]

    return walk_around(around, entity_ids, hops, limit)


def walk_around(around: Around, entity_ids: Iterable[int], hops: int, limit: int) -> list[Fact]:
    """`walk` for a store that reads a whole hop with one query.

    The entities of a hop take turns, so that a hub does not use up the whole limit. No entity is
    asked for more facts than are still wanted.
    """
    found: dict[int, Fact] = {}
    frontier = list(dict.fromkeys(entity_ids))
    visited = set(frontier)
    for _ in range(hops):
        wanted = limit - len(found)
        if wanted <= 0 or not frontier:
            break
        reached: dict[int, None] = {}
        for fact in chain.from_iterable(zip_longest(*around(frontier[:limit], wanted))):
            if fact is None or fact.id in found:
                continue
            if len(found) == limit:
                break
            found[fact.id] = fact
            reached.update(dict.fromkeys((fact.entity_id, fact.value_id or fact.entity_id)))
        frontier = [entity_id for entity_id in reached if entity_id not in visited]
        visited.update(frontier)
    return list(found.values())
