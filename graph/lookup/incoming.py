"""The facts that point to an entity or hold a literal: what inverse lookups are answered from."""

from __future__ import annotations

from graph.core.facts import Entity, Fact
from graph.core.inverse import inverse_name
from graph.core.names import fold
from graph.core.protocol import TripletStore
from graph.core.rules import SYNONYM

MOST_INVERSE_FACTS = 50  # facts that an inverse lookup returns; the others are only counted
MOST_INVERSE = 24  # names of inverse relations that a list offers, at most


class Incoming:
    """The facts with one value, an entity or a literal, at one revision."""

    def __init__(self, store: TripletStore, at: int, value: Entity | str) -> None:
        """`value` is an entity, or a literal in any spelling of the same folded key."""
        self._store, self._at, self._value = store, at, value

    def relations(self) -> list[str]:
        """The names of the relations that have this value, in stored order."""
        if isinstance(self._value, Entity):
            return self._store.relation_names_to(self._value.id, at=self._at)
        return self._store.relation_names_with(self._value, at=self._at)

    def facts(self, relation: str, limit: int) -> list[Fact]:
        """The first facts of a relation with this value."""
        if isinstance(self._value, Entity):
            return self._store.facts_to(self._value.id, self._at, limit, relation)
        return self._store.facts_with(self._value, self._at, limit, relation)

    def count(self, relation: str) -> int:
        """How many facts of a relation have this value."""
        if isinstance(self._value, Entity):
            return self._store.count_facts_to(self._value.id, relation, at=self._at)
        return self._store.count_facts_with(self._value, relation, at=self._at)

    def former(self) -> set[str]:
        """The folded names of relations that an entity had and lost; no inverse answers for one."""
        if isinstance(self._value, Entity):
            return set(map(fold, self._store.former_relations(self._value.id, at=self._at)))
        return set()

    def names(self) -> list[str]:
        """What the relations are called from this side."""
        relations = self.relations()[:MOST_INVERSE]
        if not relations:
            return []
        former = self.former()
        inverses = [inverse_name(name) for name in relations]
        return [name for name in inverses if fold(name) not in former]

    def meant_by(self, phrase: str) -> list[str]:
        """The relations whose inverse a phrase names.

        Two names may be inverses of each other by the rule in one direction only: what a graph
        stores as `director` is asked for as `director of` and as `directed`. A synonym of a
        relation has an inverse name too.
        """
        names = self.relations()
        key, back = fold(phrase), inverse_name(phrase)
        by_rule = [name for name in names if fold(inverse_name(name)) == key]
        if by_rule:
            return by_rule
        # Of a hub, a store looks at the first facts only: so ask for this one.
        if self.facts(back, 1):
            return [back]
        synonyms = self._store.rules(SYNONYM, back, at=self._at) if names else ()
        meant = {fold(rule.value) for rule in synonyms}
        return [name for name in names if fold(name) in meant]

    def asked(self, phrase: str) -> tuple[list[str], list[Fact], int]:
        """What an inverse lookup finds: relations, facts of different entities, how many there are.

        No relations if the phrase names no inverse, or if an entity had a relation of this name and
        lost it.
        """
        relations = self.meant_by(phrase)
        if not relations or fold(phrase) in self.former():
            return [], [], 0
        facts: dict[int, Fact] = {}  # by the entity that they are from
        count = 0
        for name in relations:
            count += self.count(name)
            for fact in self.facts(name, MOST_INVERSE_FACTS):
                facts.setdefault(fact.entity_id, fact)
        listed = list(facts.values())[:MOST_INVERSE_FACTS]
        # An entity may point here in two ways.
        return relations, listed, count if count > MOST_INVERSE_FACTS else len(listed)
