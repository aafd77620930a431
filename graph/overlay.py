"""Deltas laid over a store: the same reads, with some facts and entities replaced.

An overlay never changes; `with_deltas` gives a new one. It is what a draft reads through, and how
the outcome of an undo or a publish is looked at before anything is written.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace

from graph.facts import Entity, Fact, clean_name, fold
from graph.ranking import matches, rank_entities
from graph.store import Delta, Relation, TripletStore


class Overlay:
    """Reads of `base` at a revision, with deltas on top."""

    def __init__(self, base: TripletStore, base_revision: int | None) -> None:
        self.base = base
        self.base_revision = base_revision
        self._facts: dict[int, Fact | None] = {}
        self._entities: dict[int, Entity | None] = {}
        self._added: set[int] = set()  # facts that the base does not have
        self._outgoing: dict[int, list[Fact]] | None = None
        self._incoming: dict[int, list[Fact]] = {}

    def with_deltas(self, deltas: Iterable[Delta]) -> Overlay:
        """This overlay with more deltas on top."""
        other = Overlay(self.base, self.base_revision)
        other._facts = dict(self._facts)
        other._entities = dict(self._entities)
        other._added = set(self._added)
        for delta in deltas:
            if isinstance(delta.before, Fact) or isinstance(delta.after, Fact):
                assert not isinstance(delta.after, Entity)
                if delta.before is None and delta.id not in other._facts:
                    other._added.add(delta.id)
                other._facts[delta.id] = delta.after
            else:
                other._entities[delta.id] = delta.after
        return other

    def _index(self) -> dict[int, list[Fact]]:
        """The overlay's own facts by entity; made once, when first asked for."""
        if self._outgoing is None:
            outgoing: dict[int, list[Fact]] = {}
            for fact in sorted((f for f in self._facts.values() if f), key=lambda f: f.id):
                outgoing.setdefault(fact.entity_id, []).append(fact)
                if fact.value_id is not None:
                    self._incoming.setdefault(fact.value_id, []).append(fact)
            self._outgoing = outgoing
        return self._outgoing

    def _named(self, fact: Fact) -> Fact:
        """The fact with its entities' names as they are here."""
        if not self._entities:
            return fact
        entity = self._entities.get(fact.entity_id)
        value = None if fact.value_id is None else self._entities.get(fact.value_id)
        if entity is None and value is None:
            return fact
        return replace(
            fact,
            entity=entity.name if entity else fact.entity,
            value=value.name if value else fact.value,
        )

    def _merge(self, below: list[Fact], own: list[Fact], limit: int | None) -> list[Fact]:
        kept = [fact for fact in below if fact.id not in self._facts]
        both = sorted((*kept, *own), key=lambda fact: fact.id) if own else kept
        return [self._named(fact) for fact in both[:limit]]

    def _more(self, limit: int | None) -> int | None:
        return None if limit is None else limit + len(self._facts)

    def entity(self, entity_id: int) -> Entity | None:
        if entity_id in self._entities:
            return self._entities[entity_id]
        return self.base.entity(entity_id, at=self.base_revision)

    def find_entities(self, name: str) -> list[tuple[Entity, str]]:
        below = self.base.find_entities(name, at=self.base_revision)
        if not self._entities and not self._facts:
            return below
        try:
            cleaned = clean_name(name)
        except ValueError:
            return []
        key = fold(cleaned)
        entities = [entity for entity, _ in below if entity.id not in self._entities]
        entities += [
            entity
            for entity in self._entities.values()
            if entity and any(fold(known) == key for known in (entity.name, *entity.aliases))
        ]
        return rank_entities(cleaned, entities, lambda entity_id: len(self.facts(entity_id)))

    def fact(self, fact_id: int) -> Fact | None:
        if fact_id in self._facts:
            fact = self._facts[fact_id]
        else:
            fact = self.base.fact(fact_id, at=self.base_revision)
        return self._named(fact) if fact else None

    def facts(
        self, entity_id: int, relation: str | None = None, limit: int | None = None
    ) -> list[Fact]:
        below = self.base.facts(entity_id, relation, self.base_revision, self._more(limit))
        own = self._index().get(entity_id, [])
        if relation is not None and own:
            key = fold(relation)
            own = [fact for fact in own if fold(fact.relation) == key]
        return self._merge(below, own, limit)

    def facts_to(self, entity_id: int, limit: int | None = None) -> list[Fact]:
        self._index()
        below = self.base.facts_to(entity_id, self.base_revision, self._more(limit))
        return self._merge(below, self._incoming.get(entity_id, []), limit)

    def all_facts(self) -> Iterator[Fact]:
        below = (f for f in self.base.all_facts(self.base_revision) if f.id not in self._facts)
        own = sorted((f for f in self._facts.values() if f), key=lambda fact: fact.id)
        for fact in heapq.merge(below, own, key=lambda fact: fact.id):
            yield self._named(fact)

    def search(self, text: str, limit: int) -> list[Entity]:
        below = self.base.search(text, limit + len(self._entities), self.base_revision)
        own = [entity for entity in self._entities.values() if entity and matches(text, entity)]
        kept = [entity for entity in below if entity.id not in self._entities]
        return [*own, *kept][:limit]

    def relation(self, name: str) -> Relation | None:
        known = self.base.relation(name)
        if known is None:
            key = fold(name)
            for fact in self._facts.values():
                if fact and fold(fact.relation) == key:
                    return Relation(fact.relation)
        return known

    def relation_names(self, entity_id: int) -> list[str]:
        """Relations of facts that were added here first, then the rest in stored order."""
        facts = self.facts(entity_id)
        first = [fact for fact in facts if fact.id in self._added]
        names: dict[str, str] = {}
        for fact in (*first, *facts):
            names.setdefault(fold(fact.relation), fact.relation)
        return list(names.values())

    def count_difference(self) -> tuple[int, int, int, int]:
        """How many entities, aliases, facts and links there are more than in the base."""
        entities = aliases = facts = links = 0
        for entity_id, entity in self._entities.items():
            was = self.base.entity(entity_id, at=self.base_revision)
            entities += (entity is not None) - (was is not None)
            aliases += len(entity.aliases if entity else ()) - len(was.aliases if was else ())
        for fact_id, fact in self._facts.items():
            before = self.base.fact(fact_id, at=self.base_revision)
            facts += (fact is not None) - (before is not None)
            links += bool(fact and fact.is_link) - bool(before and before.is_link)
        return entities, aliases, facts, links
