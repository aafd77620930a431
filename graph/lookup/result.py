"""What a lookup was, and how it was answered: plain data, in and out of JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graph.core.facts import UNKNOWN, Fact
from graph.core.ids import parse_id


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """What the lookup could have meant instead: another entity, or another of its relations."""

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
    """"exact" (the name or its folded key), "alias" (or a synonym of the relation), "fuzzy"
    (guessed from the spelling or the meaning) or "miss"."""
    score: float
    """From 0 to 1; 1.0 where nothing had to be guessed. Of two guesses the less sure one's."""
    threshold: float
    """The least score of such an answer. Under the policy "nearest" a score may lie below it."""
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
    """What a miss is answered with: "unknown", or the "nearest" that there is."""
    entity_by: str = ""
    """How the entity was found: "name", "alias", "qualifier", "spelling" or "meaning"; "" where it
    was not."""
    relation_by: str = ""
    """How the relation was: "name", "synonym", "spelling" or "meaning"; "" where it was not."""

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
            "entity_by": self.entity_by,
            "relation_by": self.relation_by,
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
            entity_by=data.get("entity_by", ""),
            relation_by=data.get("relation_by", ""),
        )
