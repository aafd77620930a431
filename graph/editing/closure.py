"""What would still give a fact's value back once the fact is deleted.

Taking one row out does not make a graph forget: the value may stand under another relation, be
reached backwards, through an entity in between, or under a namesake that a lookup would take for
the entity (the deletion closures of arXiv 2607.00605). It may also stand in disguise: inside
another value, hyphenated, spaced or reordered. This lists such facts, surest first, for a person to
choose from; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from graph.core.edits import Delete
from graph.core.facts import Entity, Fact
from graph.core.names import fold
from graph.core.protocol import TripletStore
from graph.lookup.retriever import THRESHOLDS
from graph.lookup.spelling import near, words_of

_HUB = 200  # facts of an entity that are looked through; what has more says little about each
_NAMESAKES = 10  # near names that are looked at
_SHORTEST = 3  # letters and digits of a value that is looked for in disguise

ELSEWHERE = 20  # facts of other entities with the same value that are listed

KINDS = {
    "relation": "the same value under another relation",
    "inverse": "the value says the same of the entity",
    "namesake": "an entity that a lookup may take for this one has the same value",
    "disguised": "the value inside another value, or spelt or ordered otherwise",
    "chain": "the value is two steps away",
}
"""Each kind of leak, in the order in which they are listed, and what it means."""


@dataclass(frozen=True, slots=True)
class Leak:
    """Facts that together still give the value: one, or the two of a chain."""

    kind: str
    facts: tuple[Fact, ...]

    @property
    def edits(self) -> list[Delete]:
        """What would stop it; of a chain its last step, which holds the value."""
        return [Delete(self.facts[-1].id)]

    def __str__(self) -> str:
        steps = ", then ".join(f"{f.entity} | {f.relation} | {f.value}" for f in self.facts)
        return f"{self.kind}: {steps}"


def closure(store: TripletStore, fact: Fact, at: int | None = None, limit: int = 50) -> list[Leak]:
    """What still gives the fact's value besides the fact itself, at most `limit`, surest first.

    Literals count as the same by their folded key, links by entity; a literal that is spelt like a
    linked entity or one of its aliases counts too. An entity with over 200 facts is looked through
    only so far.
    """
    at = store.revision() if at is None else at
    same = _Sameness(store, fact, at)
    leaks: list[Leak] = []
    seen = {fact.id}
    for leak in _leaks(store, fact, same, at):
        if leak.facts[-1].id not in seen:
            seen.add(leak.facts[-1].id)
            leaks.append(leak)
            if len(leaks) == limit:
                break
    return leaks


def elsewhere(store: TripletStore, fact: Fact, at: int | None = None) -> list[Leak]:
    """The facts of other entities with the same value, at most `ELSEWHERE`.

    One of them may be about the same thing under another name: "UK | seat of government | London"
    keeps what "United Kingdom | capital | London" loses. Most are not, so the closure leaves
    them out. Those whose relation shares a word with the fact's come first.
    """
    at = store.revision() if at is None else at
    same = _Sameness(store, fact, at)
    found: dict[int, Fact] = {}
    for value_id in same.ids:
        found.update((f.id, f) for f in store.facts_to(value_id, at, _HUB))
    for key in same.keys:
        found.update((f.id, f) for f in store.facts_with(key, at, _HUB))
    others = [f for f in found.values() if f.entity_id != fact.entity_id]
    words = set(fold(fact.relation).split())
    others.sort(key=lambda f: (words.isdisjoint(fold(f.relation).split()), f.id))
    return [Leak("elsewhere", (other,)) for other in others[:ELSEWHERE]]


class _Sameness:
    """Whether another fact has the same value."""

    def __init__(self, store: TripletStore, fact: Fact, at: int) -> None:
        self.value_id = fact.value_id
        self.keys = {fold(fact.value)}
        entities = [entity for entity, _ in store.find_entities(fact.value, at=at)]
        if fact.value_id is not None:
            linked = store.entity(fact.value_id, at=at)
            entities = [linked] if linked else []
        self.ids = {entity.id for entity in entities}
        for entity in entities:
            self.keys.update(fold(name) for name in (entity.name, *entity.aliases))

    def __call__(self, other: Fact) -> bool:
        if other.value_id is not None:
            return other.value_id in self.ids
        return fold(other.value) in self.keys


def _leaks(store: TripletStore, fact: Fact, same: _Sameness, at: int) -> Iterator[Leak]:
    own = [f for f in store.facts(fact.entity_id, at=at, limit=_HUB) if f.id != fact.id]
    yield from (Leak("relation", (other,)) for other in own if same(other))
    for value_id in same.ids:
        for other in store.facts(value_id, at=at, limit=_HUB):
            if other.value_id == fact.entity_id or fold(other.value) == fold(fact.entity):
                yield Leak("inverse", (other,))
    for entity in _namesakes(store, fact, at):
        for other in store.facts(entity.id, fact.relation, at=at, limit=_HUB):
            if same(other):
                yield Leak("namesake", (other,))
    yield from (Leak("disguised", (other,)) for other in own if _disguises(other.value, fact.value))
    yield from _chains(store, own, same, at)


def _disguises(text: str, value: str) -> bool:
    """Whether a text holds the value as whole words, spaced differently, or in another order.

    >>> _disguises("Hôtel-de Ville, Paris", "paris"), _disguises("Curie, Marie", "Marie Curie")
    (True, True)
    >>> _disguises("Nord-rhein", "Nordrhein"), _disguises("Parisian", "Paris")
    (True, False)
    """
    words, wanted = words_of(text), words_of(value)
    letters = "".join(wanted)
    if len(letters) < _SHORTEST:
        return False
    if len(wanted) > 1 and sorted(words) == sorted(wanted):
        return True
    edges = list(accumulate(map(len, words), initial=0))
    together = "".join(words)
    return any(together.startswith(letters, at) and at + len(letters) in edges for at in edges)


def _namesakes(store: TripletStore, fact: Fact, at: int) -> Iterable[Entity]:
    """Entities that share a key with this one, differ by a qualifier, or differ by a typo."""
    entity = store.entity(fact.entity_id, at=at)
    names = (entity.name, *entity.aliases) if entity else (fact.entity,)
    found: dict[int, Entity] = {}
    for name in names:
        for other, _ in store.find_entities(name, at=at):
            found[other.id] = other
        bare = name.split(" (")[0]
        for other in store.search(bare, limit=_NAMESAKES, at=at):
            if fold(other.name.split(" (")[0]) == fold(bare):
                found[other.id] = other
        for other, score in near(name, store.candidates(name, at=at), lambda _: 0):
            if score >= THRESHOLDS.entity:
                found[other.id] = other
    found.pop(fact.entity_id, None)
    return found.values()


def _chains(store: TripletStore, own: Iterable[Fact], same: _Sameness, at: int) -> Iterator[Leak]:
    """Entity, what it is linked to, and from there the value."""
    between = {f.value_id: f for f in own if f.value_id is not None and f.value_id not in same.ids}
    for value_id, first in between.items():
        assert value_id is not None
        for other in store.facts(value_id, at=at, limit=_HUB):
            if same(other):
                yield Leak("chain", (first, other))
