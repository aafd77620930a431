"""Deltas laid over a store: the same reads, with some facts and entities replaced.

An overlay never changes once it is handed out; `with_deltas` gives a new one. It is what a draft
reads through, and how the outcome of an undo or a publish is looked at before anything is written.
"""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from graph.core.deltas import Delta
from graph.core.facts import Entity, Fact
from graph.core.names import clean_name, fold, literal_key
from graph.core.protocol import Relation, TripletReads
from graph.core.rules import Rule
from graph.core.vectors import Vectors
from graph.lookup.ranking import begins, matches, merged_into, rank_by_name, rank_entities
from graph.lookup.spelling import MOST_WORDS, words_of


class Overlay:
    """Reads of `base` at a revision, with deltas on top."""

    def __init__(self, base: TripletReads, base_revision: int | None) -> None:
        self.base = base
        self.base_revision = base_revision
        self._facts: dict[int, Fact | None] = {}
        self._entities: dict[int, Entity | None] = {}
        self._rules: dict[int, Rule | None] = {}
        self._former: dict[int, dict[str, str]] = {}  # relations of facts that were edited here
        self._added: set[int] = set()  # facts that the base does not have
        self._outgoing: dict[int, list[Fact]] | None = None
        self._incoming: dict[int, list[Fact]] = {}
        self._by_literal: dict[str, list[Fact]] = {}
        self._by_key: dict[str, set[int]] | None = None  # own entities by the keys of their names
        self._relations: dict[str, str] | None = None  # own relations by their keys

    def with_deltas(self, deltas: Iterable[Delta]) -> Overlay:
        """This overlay with more deltas on top."""
        other = Overlay(self.base, self.base_revision)
        other._facts = dict(self._facts)
        other._entities = dict(self._entities)
        other._rules = dict(self._rules)
        other._added = set(self._added)
        other._former = {entity_id: dict(names) for entity_id, names in self._former.items()}
        other.grow(deltas)
        return other

    def grow(self, deltas: Iterable[Delta]) -> None:
        """Put more deltas on top of this very overlay, which nobody else may be reading.

        Thousands of edits are planned on one overlay that grows: its indices grow along, where a
        new overlay for each edit would rebuild them.
        """
        for delta in deltas:
            if isinstance(delta.before, Rule) or isinstance(delta.after, Rule):
                assert delta.after is None or isinstance(delta.after, Rule)
                self._rules[delta.id] = delta.after
            elif isinstance(delta.before, Fact) or isinstance(delta.after, Fact):
                assert not isinstance(delta.after, Entity | Rule)
                if isinstance(delta.before, Fact):
                    names = self._former.setdefault(delta.before.entity_id, {})
                    names.setdefault(fold(delta.before.relation), delta.before.relation)
                if delta.before is None and delta.id not in self._facts:
                    self._added.add(delta.id)
                if delta.id in self._facts or delta.after is None:
                    self._outgoing = None  # rebuilt when next asked for
                self._facts[delta.id] = delta.after
                if delta.after is not None:
                    self._index_fact(delta.after)
            else:
                assert not isinstance(delta.after, Fact | Rule)
                self._entities[delta.id] = delta.after
                if delta.after is not None and self._by_key is not None:
                    self._index_entity(delta.after, self._by_key)

    def _index_fact(self, fact: Fact) -> None:
        if self._relations is not None:
            self._relations.setdefault(fold(fact.relation), fact.relation)
        if self._outgoing is not None:
            for facts in (self._outgoing.setdefault(fact.entity_id, []), self._with_value(fact)):
                bisect.insort(facts, fact, key=_by_id)

    def _with_value(self, fact: Fact) -> list[Fact]:
        """The overlay's own facts with the value of this one."""
        if fact.value_id is None:
            return self._by_literal.setdefault(literal_key(fact.value), [])
        return self._incoming.setdefault(fact.value_id, [])

    @staticmethod
    def _index_entity(entity: Entity, by_key: dict[str, set[int]]) -> None:
        for name in (entity.name, *entity.aliases):
            by_key.setdefault(fold(name), set()).add(entity.id)

    def _index(self) -> dict[int, list[Fact]]:
        """The overlay's own facts by entity; made once, when first asked for."""
        if self._outgoing is None:
            outgoing: dict[int, list[Fact]] = {}
            self._incoming, self._by_literal = {}, {}
            for fact in sorted((f for f in self._facts.values() if f), key=lambda f: f.id):
                outgoing.setdefault(fact.entity_id, []).append(fact)
                self._with_value(fact).append(fact)
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
        entities = [entity for entity, _ in below if entity.id not in self._entities]
        entities += self._own_named(fold(cleaned))
        return rank_entities(cleaned, entities, lambda entity_id: len(self.facts(entity_id)))

    def _own_named(self, key: str) -> list[Entity]:
        """The overlay's own entities with a name of this key."""
        if self._by_key is None:
            self._by_key = {}
            for entity in list(self._entities.values()):
                if entity:
                    self._index_entity(entity, self._by_key)
        # An entity may have had this name, and no longer have it.
        owns = [self._entities.get(entity_id) for entity_id in sorted(self._by_key.get(key, ()))]
        return [
            own
            for own in owns
            if own and any(fold(known) == key for known in (own.name, *own.aliases))
        ]

    def find_names(self, names: Sequence[str]) -> dict[str, list[tuple[Entity, str]]]:
        below = self.base.find_names(names, at=self.base_revision)
        if not self._entities and not self._facts:
            return below
        entities = [
            entity
            for found in below.values()
            for entity, _ in found
            if entity.id not in self._entities
        ]
        entities += [own for name in names for own in self._own_named(fold(name))]
        return rank_by_name(names, entities, lambda entity_id: len(self.facts(entity_id)))

    def identified(self, iri: str) -> Entity | None:
        known = self.base.identified(iri, self.base_revision)
        if known is None or known.id not in self._entities:
            return known
        own = self._entities[known.id]
        return own or merged_into(known.name, self.find_entities(known.name))

    def identifiers(self, entity_id: int) -> list[str]:
        return self.base.identifiers(entity_id)

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

    def facts_to(
        self, entity_id: int, limit: int | None = None, relation: str | None = None
    ) -> list[Fact]:
        self._index()
        more = self._more(limit)
        below = self.base.facts_to(entity_id, self.base_revision, more, relation)
        return self._merge(below, self._own_to(entity_id, relation), limit)

    def _own_to(self, entity_id: int, relation: str | None) -> list[Fact]:
        return _of_relation(self._incoming.get(entity_id, []), relation)

    def count_facts_to(self, entity_id: int, relation: str) -> int:
        self._index()
        below = self.base.count_facts_to(entity_id, relation, self.base_revision)
        replaced = [fact for fact in self._replaced(relation) if fact.value_id == entity_id]
        return below - len(replaced) + len(self._own_to(entity_id, relation))

    def facts_with(
        self, literal: str, limit: int | None = None, relation: str | None = None
    ) -> list[Fact]:
        more = self._more(limit)
        below = self.base.facts_with(literal, self.base_revision, more, relation)
        return self._merge(below, self._own_with(literal, relation), limit)

    def _own_with(self, literal: str, relation: str | None) -> list[Fact]:
        self._index()
        return _of_relation(self._by_literal.get(literal_key(literal), []), relation)

    def count_facts_with(self, literal: str, relation: str) -> int:
        below = self.base.count_facts_with(literal, relation, self.base_revision)
        key = literal_key(literal)
        replaced = [
            fact
            for fact in self._replaced(relation)
            if fact.value_id is None and literal_key(fact.value) == key
        ]
        return below - len(replaced) + len(self._own_with(literal, relation))

    def find_literals(self, texts: Sequence[str]) -> dict[str, str]:
        below = self.base.find_literals(texts, self.base_revision)
        if not self._facts:
            return below
        found = {}
        for text in texts:
            # The facts with a literal of the base may all be edited here.
            facts = self.facts_with(text, 1) if text in below else self._own_with(text, None)
            if facts:
                found[text] = facts[0].value
        return found

    def _replaced(self, relation: str) -> list[Fact]:
        """The facts of a relation as the base has them that are edited here."""
        if not self._is_edited(relation):
            return []
        key = fold(relation)
        replaced = (
            self.base.fact(fact_id, at=self.base_revision)
            for fact_id in self._facts
            if fact_id not in self._added
        )
        return [fact for fact in replaced if fact and fold(fact.relation) == key]

    def facts_of(self, relation: str, limit: int | None = None) -> list[Fact]:
        below = self.base.facts_of(relation, self.base_revision, self._more(limit))
        key = fold(relation)
        own = [fact for fact in self._facts.values() if fact and fold(fact.relation) == key]
        return self._merge(below, own, limit)

    def all_facts(self) -> Iterator[Fact]:
        below = (f for f in self.base.all_facts(self.base_revision) if f.id not in self._facts)
        own = sorted((f for f in self._facts.values() if f), key=lambda fact: fact.id)
        for fact in heapq.merge(below, own, key=lambda fact: fact.id):
            yield self._named(fact)

    def search(self, text: str, limit: int, guesses: bool = True) -> list[Entity]:
        more = limit + len(self._entities)
        below = self.base.search(text, more, self.base_revision, guesses=guesses)
        fits = matches if guesses else begins
        own = [entity for entity in self._entities.values() if entity and fits(text, entity)]
        kept = [entity for entity in below if entity.id not in self._entities]
        return [*own, *kept][:limit]

    def candidates(self, name: str, limit: int) -> list[Entity]:
        below = self.base.candidates(name, limit + len(self._entities), self.base_revision)
        if not self._entities:
            return below
        own = [entity for entity in self._entities.values() if entity]
        kept = [entity for entity in below if entity.id not in self._entities]
        asked = words_of(name)[:MOST_WORDS]
        known = {word for entity in own for word in _words(entity)}.intersection(asked)
        for word in asked if own else ():
            if word not in known and any(
                word in _words(entity) for entity in self.base.search(word, 5, self.base_revision)
            ):
                known.add(word)
        # A word that is known here or below is meant as it is written.
        return [entity for entity in (*own, *kept) if known <= _words(entity)][: limit + len(own)]

    def near_names(self, vector_D: Vectors, limit: int) -> list[tuple[Entity, float]]:
        below = self.base.near_names(vector_D, limit + len(self._entities), self.base_revision)
        kept = []
        for known, cosine in below:
            entity = self.entity(known.id)
            if entity is not None and entity.name == known.name:
                kept.append((entity, cosine))
        return kept[:limit]

    def relation(self, name: str) -> Relation | None:
        known = self.base.relation(name)
        if known is not None:
            return known
        if self._relations is None:
            self._relations = {}
            for fact in list(self._facts.values()):
                if fact:
                    self._relations.setdefault(fold(fact.relation), fact.relation)
        own = self._relations.get(fold(name))
        return None if own is None else Relation(own)

    def relations(self) -> list[Relation]:
        names = {relation.name: relation for relation in self.base.relations()}
        for fact in self._facts.values():
            if fact:
                names.setdefault(fact.relation, Relation(fact.relation))
        return list(names.values())

    def former_relations(self, entity_id: int) -> list[str]:
        below = self.base.former_relations(entity_id, self.base_revision)
        names = {fold(name): name for name in below} | self._former.get(entity_id, {})
        if not names:
            return []
        for name in self.relation_names(entity_id):
            names.pop(fold(name), None)
        return list(names.values())

    def rules(self, kind: str | None = None, name: str | None = None) -> list[Rule]:
        below = self.base.rules(kind, name, self.base_revision)
        if not self._rules:
            return below
        own = [
            rule
            for rule in self._rules.values()
            if rule and kind in (None, rule.kind) and (name is None or rule.key == fold(name))
        ]
        kept = [rule for rule in below if rule.id not in self._rules]
        return sorted([*kept, *own], key=lambda rule: rule.id)

    def relation_names(self, entity_id: int) -> list[str]:
        """Relations of facts that were added here first, then the rest in stored order."""
        facts = self.facts(entity_id)
        first = [fact for fact in facts if fact.id in self._added]
        names: dict[str, str] = {}
        for fact in (*first, *facts):
            names.setdefault(fold(fact.relation), fact.relation)
        return list(names.values())

    def relation_names_to(self, entity_id: int) -> list[str]:
        """Relations of facts that were edited here first, then the rest in stored order."""
        self._index()
        names = {fold(f.relation): f.relation for f in self._own_to(entity_id, None)}
        for name in self.base.relation_names_to(entity_id, self.base_revision):
            if not self._is_edited(name) or self.facts_to(entity_id, 1, name):
                names.setdefault(fold(name), name)
        return list(names.values())

    def relation_names_with(self, literal: str) -> list[str]:
        """In the order of `relation_names_to`."""
        names = {fold(f.relation): f.relation for f in self._own_with(literal, None)}
        for name in self.base.relation_names_with(literal, self.base_revision):
            if not self._is_edited(name) or self.facts_with(literal, 1, name):
                names.setdefault(fold(name), name)
        return list(names.values())

    def _is_edited(self, relation: str) -> bool:
        """Whether a fact of the relation is changed or deleted here."""
        key = fold(relation)
        return any(key in former for former in self._former.values())

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


def _of_relation(facts: list[Fact], relation: str | None) -> list[Fact]:
    if relation is None or not facts:
        return facts
    key = fold(relation)
    return [fact for fact in facts if fold(fact.relation) == key]


def _by_id(fact: Fact) -> int:
    return fact.id


def _words(entity: Entity) -> set[str]:
    return {word for name in (entity.name, *entity.aliases) for word in words_of(name)}
