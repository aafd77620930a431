"""A lookup and its answer, as plain data that goes in and out of JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from graph.core.facts import RELATIONS, UNKNOWN, Fact
from graph.core.ids import parse_id

_UNSHOWN = re.compile(r"; and (?P<count>\d+) more$")


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """What the lookup could have meant instead: another entity or another relation."""

    entity_id: int
    entity: str
    relation: str | None
    """The relation as that entity's facts spell it; None if the entity lacks it."""
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
class RankedRelation:
    """A relation in the answer to `relations`, or left out of it."""

    name: str
    score: float
    """How relevant it is to the prompt; 0 in a list of stated order. Only for comparing."""

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "score": self.score}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RankedRelation:
        return cls(str(data["name"]), float(data["score"]))


@dataclass(frozen=True, slots=True)
class Askable:
    """What lookups find under one name of an entity, or under a literal."""

    entity_id: int | None
    """None for a literal."""
    entity: str
    relations: tuple[str, ...]
    """The entity's relations, own and inverse ones; none if only a list is found by this name. The
    inverse ones of a literal of this name are among them."""
    listed: bool = True
    """Whether `relations` has an answer."""
    own: int = 0
    """How many relations, the first ones, are stated of the entity; the others are inverse."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One query the model made, and how it was answered."""

    entity: str
    """The entity as the model wrote it."""
    relation: str
    """The relation as the model wrote it."""
    how: str
    """"exact" (the name or its folded key), "alias" (an alias of the entity or a synonym of the
    relation), "inverse" (through facts whose value is the entity), "fuzzy" (guessed from spelling
    or meaning) or "miss"."""
    score: float
    """From 0 to 1; 1.0 if nothing was guessed. Of two guesses, the score of the less sure one."""
    threshold: float
    """The lowest score that counts as a hit. With the policy "nearest" a hit may score lower."""
    runners_up: tuple[RunnerUp, ...]
    facts: tuple[Fact, ...]
    """All facts found, including those after the five shown; empty for `relations` and a miss. Of
    an inverse lookup, facts of the entities in the value, and at most the first fifty."""
    entity_id: int | None
    """The entity's id; None for a literal, or if no entity was found."""
    resolved_entity: str | None
    """The entity's name, or the literal as a fact spells it."""
    resolved_relation: str | None
    """The relation as the facts spell it; of an inverse lookup, the name of the inverse."""
    value: str
    """The text fed to the model: joined values, relation names, or "unknown"."""
    value_spans: tuple[tuple[int, int], ...]
    """Begin and end of each shown fact in `value`: `value_spans[i]` belongs to `facts[i]`."""
    policy: str = UNKNOWN
    """How a miss is answered: with "unknown", or with the "nearest" relation or entity."""
    entity_by: str = ""
    """How the entity was found: "name", "alias", "identifier" (its IRI), "qualifier", "form" (with
    or without an article or a possessive), "short" (a surname, or a name without its river or
    mount), "demonym", "literal" (a value, and not an entity), "spelling" or "meaning"; "" if it was
    not."""
    relation_by: str = ""
    """How the relation was found: "name", "synonym", "inverse", "spelling" or "meaning"; "" if it
    was not."""
    ranking: tuple[RankedRelation, ...] | None = None
    """All names of a `relations` lookup that was asked with a prompt, in the order of the answer,
    those that it only counts included. None for every other lookup."""

    @property
    def is_miss(self) -> bool:
        """Whether the graph had no answer."""
        return self.how == "miss"

    @property
    def listed(self) -> list[str]:
        """The names that the answer to `relations` shows; none for every other lookup."""
        if self.is_miss or self.resolved_relation != RELATIONS:
            return []
        if self.ranking is None:
            return self.value.split("; ")
        unshown = _UNSHOWN.search(self.value)
        shown = len(self.ranking) - (int(unshown["count"]) if unshown else 0)
        return [ranked.name for ranked in self.ranking[:shown]]

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
            "entity_by": self.entity_by,
            "relation_by": self.relation_by,
            **(
                {}
                if self.ranking is None
                else {"ranking": [ranked.to_json() for ranked in self.ranking]}
            ),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Lookup:
        entity_id, ranking = data["entity_id"], data.get("ranking")
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
            entity_by=data.get("entity_by", ""),
            relation_by=data.get("relation_by", ""),
            ranking=None if ranking is None else tuple(map(RankedRelation.from_json, ranking)),
        )
