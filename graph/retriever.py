"""How a lookup is answered: the entity first, then the relation among that entity's own.

A retriever reads one revision throughout, so the lookups of one generation never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graph.errors import StoreError
from graph.facts import (
    MAX_RELATIONS,
    RELATIONS,
    UNKNOWN,
    Entity,
    Fact,
    fold,
    join_values,
    parse_id,
)
from graph.store import TripletStore

THRESHOLD = 0.6  # the least score of an answer, after arXiv 2505.15962; exact answers have 1.0


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """What the lookup could have meant instead."""

    entity_id: int
    entity: str
    relation: str | None
    """The relation in that entity's own spelling; None if it has none of the kind."""
    score: float

    def to_json(self) -> dict[str, Any]:
        return {
            "entity_id": str(self.entity_id),
            "entity": self.entity,
            "relation": self.relation,
            "score": self.score,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RunnerUp:
        return cls(parse_id(data["entity_id"]), data["entity"], data["relation"], data["score"])


@dataclass(frozen=True, slots=True)
class Lookup:
    """One query the model made, and how it was answered."""

    entity: str
    """The entity as the model wrote it."""
    relation: str
    """The relation as the model wrote it."""
    how: str
    """"exact" (the name or its folded key), "alias", "fuzzy" or "miss"."""
    score: float
    """From 0 to 1; 1.0 where nothing had to be guessed."""
    threshold: float
    runners_up: tuple[RunnerUp, ...]
    facts: tuple[Fact, ...]
    """All facts returned, also those past the five that are shown; () for `relations`, a miss."""
    entity_id: int | None
    resolved_entity: str | None
    resolved_relation: str | None
    value: str
    """What is fed to the model: joined values, relation names, or "unknown"."""
    value_spans: tuple[tuple[int, int], ...]
    """Begin and end in `value` of each shown fact: `value_spans[i]` is of `facts[i]`."""
    policy: str = UNKNOWN
    """What a miss is answered with."""

    @property
    def is_miss(self) -> bool:
        """Whether the graph had no answer."""
        return self.how == "miss"

    def to_json(self) -> dict[str, Any]:
        """Plain data, ids as text."""
        return {
            "entity": self.entity,
            "relation": self.relation,
            "how": self.how,
            "score": self.score,
            "threshold": self.threshold,
            "runners_up": [runner_up.to_json() for runner_up in self.runners_up],
            "facts": [fact.to_json() for fact in self.facts],
            "entity_id": None if self.entity_id is None else str(self.entity_id),
            "resolved_entity": self.resolved_entity,
            "resolved_relation": self.resolved_relation,
            "value": self.value,
            "value_spans": [list(span) for span in self.value_spans],
            "policy": self.policy,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Lookup:
        entity_id = data["entity_id"]
        return cls(
            entity=data["entity"],
            relation=data["relation"],
            how=data["how"],
            score=data["score"],
            threshold=data["threshold"],
            runners_up=tuple(RunnerUp.from_json(item) for item in data["runners_up"]),
            facts=tuple(Fact.from_json(item) for item in data["facts"]),
            entity_id=None if entity_id is None else parse_id(entity_id),
            resolved_entity=data["resolved_entity"],
            resolved_relation=data["resolved_relation"],
            value=data["value"],
            value_spans=tuple((begin, end) for begin, end in data["value_spans"]),
            policy=data.get("policy", UNKNOWN),
        )


HOMONYMS = 8  # entities of one name that are told apart by a qualifier, at most


class Retriever:
    """Answers lookups from one store or draft at one revision."""

    def __init__(self, store: TripletStore, at: int | None = None) -> None:
        """Pin the newest revision, or `at`; raises `StoreError` for one that is yet to come."""
        newest = store.revision()
        self.store = store
        self.revision = newest if at is None else at
        if not 0 <= self.revision <= newest:
            raise StoreError(f"There is no revision {at}; the newest is {newest}.")
        self.state = store.state(self.revision)

    def lookup(self, entity: str, relation: str) -> Lookup:
        """Answer one query; a miss is an answer too, and nothing is raised for odd text."""
        candidates = self.store.find_entities(entity, at=self.revision) or self._homonyms(entity)
        if not candidates:
            return _miss(entity, relation, None, ())
        (found, how), others = candidates[0], candidates[1:]
        runners_up = tuple(self._runner_up(other, relation) for other, _ in others)
        if fold(relation) == RELATIONS:
            names = self.store.relation_names(found.id, at=self.revision)[:MAX_RELATIONS]
            facts: list[Fact] = []
            resolved, value, spans = RELATIONS, "; ".join(names), ()
        else:
            facts = self.store.facts(found.id, relation, at=self.revision)
            joined = join_values([fact.value for fact in facts])
            value, spans = joined.text, joined.spans  # type: ignore[assignment]
            resolved = facts[0].relation if facts else ""
        if not value:
            return _miss(entity, relation, found, runners_up)
        return Lookup(
            entity=entity,
            relation=relation,
            how="alias" if how == "alias" else "exact",
            score=1.0,
            threshold=THRESHOLD,
            runners_up=runners_up,
            facts=tuple(facts),
            entity_id=found.id,
            resolved_entity=found.name,
            resolved_relation=resolved,
            value=value,
            value_spans=spans,
        )

    def _homonyms(self, name: str) -> list[tuple[Entity, str]]:
        """Entities of that name with a qualifier: "Georgia" is "Georgia (country)", a U.S. state.

        The best known comes first; the others are the answer's runners-up.
        """
        opening = f"{fold(name)} ("
        found = self.store.search(f"{name} (", limit=HOMONYMS, at=self.revision)
        return [(entity, "alias") for entity in found if fold(entity.name).startswith(opening)]

    def _runner_up(self, entity: Entity, relation: str) -> RunnerUp:
        facts = self.store.facts(entity.id, relation, at=self.revision, limit=1)
        return RunnerUp(entity.id, entity.name, facts[0].relation if facts else None, 1.0)


def _miss(
    entity: str, relation: str, found: Entity | None, runners_up: tuple[RunnerUp, ...]
) -> Lookup:
    return Lookup(
        entity=entity,
        relation=relation,
        how="miss",
        score=0.0,
        threshold=THRESHOLD,
        runners_up=runners_up,
        facts=(),
        entity_id=found.id if found else None,
        resolved_entity=found.name if found else None,
        resolved_relation=None,
        value=UNKNOWN,
        value_spans=(),
    )
