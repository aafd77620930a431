"""The reads of a store whose revisions are overlays: a draft, or a graph without some facts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from graph.core.facts import Entity, Fact
from graph.core.neighbourhood import walk
from graph.core.protocol import Relation, Statistics, TripletReads
from graph.core.rules import Rule
from graph.core.vectors import Vectors
from graph.editing.overlay import Overlay

Base = TypeVar("Base", bound=TripletReads)


class OverlayReads(ABC, Generic[Base]):
    """The reads of `graph.core.protocol.TripletReads`, each from the overlay of its revision."""

    base: Base
    """What lies under the overlays."""

    @abstractmethod
    def revision(self) -> int:
        """The newest revision."""

    @abstractmethod
    def _at(self, at: int | None) -> Overlay:
        """The overlay of a revision, or of the newest one."""

    def entity(self, entity_id: int, at: int | None = None) -> Entity | None:
        return self._at(at).entity(entity_id)

    def find_entities(self, name: str, at: int | None = None) -> list[tuple[Entity, str]]:
        return self._at(at).find_entities(name)

    def find_names(
        self, names: Sequence[str], at: int | None = None
    ) -> dict[str, list[tuple[Entity, str]]]:
        return self._at(at).find_names(names)

    def identified(self, iri: str, at: int | None = None) -> Entity | None:
        return self._at(at).identified(iri)

    def relation_identified(self, iri: str) -> str | None:
        return self.base.relation_identified(iri)

    def identifiers(self, entity_id: int) -> list[str]:
        return self.base.identifiers(entity_id)

    def fact(self, fact_id: int, at: int | None = None) -> Fact | None:
        return self._at(at).fact(fact_id)

    def facts(
        self,
        entity_id: int,
        relation: str | None = None,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Fact]:
        return self._at(at).facts(entity_id, relation, limit)

    def facts_to(
        self,
        entity_id: int,
        at: int | None = None,
        limit: int | None = None,
        relation: str | None = None,
    ) -> list[Fact]:
        return self._at(at).facts_to(entity_id, limit, relation)

    def count_facts_to(self, entity_id: int, relation: str, at: int | None = None) -> int:
        return self._at(at).count_facts_to(entity_id, relation)

    def facts_with(
        self,
        literal: str,
        at: int | None = None,
        limit: int | None = None,
        relation: str | None = None,
    ) -> list[Fact]:
        return self._at(at).facts_with(literal, limit, relation)

    def count_facts_with(self, literal: str, relation: str, at: int | None = None) -> int:
        return self._at(at).count_facts_with(literal, relation)

    def find_literals(self, texts: Sequence[str], at: int | None = None) -> dict[str, str]:
        return self._at(at).find_literals(texts)

    def facts_of(
        self, relation: str, at: int | None = None, limit: int | None = None
    ) -> list[Fact]:
        return self._at(at).facts_of(relation, limit)

    def neighbourhood(
        self, entity_ids: Iterable[int], hops: int = 1, limit: int = 100, at: int | None = None
    ) -> list[Fact]:
        return walk(self, entity_ids, hops, limit, self.revision() if at is None else at)

    def all_facts(self, at: int | None = None) -> Iterator[Fact]:
        return self._at(at).all_facts()

    def search(
        self, text: str, limit: int = 10, at: int | None = None, *, guesses: bool = True
    ) -> list[Entity]:
        return self._at(at).search(text, limit, guesses)

    def candidates(self, name: str, limit: int = 50, at: int | None = None) -> list[Entity]:
        return self._at(at).candidates(name, limit)

    def has_vectors(self) -> bool:
        return self.base.has_vectors()

    def near_names(
        self, vector_D: Vectors, limit: int = 10, at: int | None = None
    ) -> list[tuple[Entity, float]]:
        return self._at(at).near_names(vector_D, limit)

    def relation(self, name: str) -> Relation | None:
        return self._at(None).relation(name)

    def relations(self) -> list[Relation]:
        return self._at(None).relations()

    def former_relations(self, entity_id: int, at: int | None = None) -> list[str]:
        return self._at(at).former_relations(entity_id)

    def rules(
        self, kind: str | None = None, name: str | None = None, at: int | None = None
    ) -> list[Rule]:
        return self._at(at).rules(kind, name)

    def relation_names(self, entity_id: int, at: int | None = None) -> list[str]:
        return self._at(at).relation_names(entity_id)

    def relation_names_to(self, entity_id: int, at: int | None = None) -> list[str]:
        return self._at(at).relation_names_to(entity_id)

    def relation_names_with(self, literal: str, at: int | None = None) -> list[str]:
        return self._at(at).relation_names_with(literal)

    def _with_own(self, below: Statistics) -> Statistics:
        """The counts of what lies under the overlays, with what the newest one changes."""
        entities, aliases, facts, links = self._at(None).count_difference()
        return replace(
            below,
            entities=below.entities + entities,
            aliases=below.aliases + aliases,
            facts=below.facts + facts,
            links=below.links + links,
            revision=self.revision(),
        )
