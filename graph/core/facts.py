"""What a fact is: entities, facts, and several values as one string.

Everything here is plain data and pure functions. `join_values` is the only function that makes one
string of several values; the corpus, the decoder and the grounding share it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graph.core.ids import parse_id

RELATIONS = "relations"  # the reserved relation, whose value is the names of an entity's relations
UNKNOWN = "unknown"  # the answer to a lookup that finds nothing
MAX_VALUES = 5  # values shown for one entity and relation; the others are only counted
_UNSHOWN = re.compile(r"and \d+ more")
MAX_RELATIONS = 8  # names in the answer to `relations`, at most
MAX_RANKED = 12  # names in the answer to `relations` in order of relevance to a prompt, at most


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that facts are about. Its name is unique; others may share its key and aliases."""

    id: int
    name: str
    aliases: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the id as text because numbers in a browser cannot hold 63 bits."""
        return {"id": str(self.id), "name": self.name, "aliases": list(self.aliases)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Entity:
        return cls(parse_id(data["id"]), data["name"], tuple(data.get("aliases", ())))


@dataclass(frozen=True, slots=True)
class Fact:
    """One triplet, as it is at the revision that was read."""

    id: int
    entity_id: int
    entity: str
    relation: str
    value: str
    """The literal, or the linked entity's name at the revision that was read."""
    value_id: int | None = None
    """The linked entity's id; None for a literal."""
    source: str = ""
    """Where the fact comes from; several sources are joined by "; "."""
    year: int | None = None
    """The year that the value is from, if it ages (a population, a head of state)."""
    since: int = 0
    """The revision of the shared store that wrote this version; 0 if a draft added it."""

    @property
    def is_link(self) -> bool:
        """Whether the value is another entity."""
        return self.value_id is not None

    @property
    def entity_ids(self) -> tuple[int, ...]:
        """The entities that the fact is from and to."""
        return (self.entity_id,) if self.value_id is None else (self.entity_id, self.value_id)

    def to_json(self) -> dict[str, Any]:
        """Plain data, with ids as text."""
        return {
            "id": str(self.id),
            "entity_id": str(self.entity_id),
            "entity": self.entity,
            "relation": self.relation,
            "value": self.value,
            "value_id": None if self.value_id is None else str(self.value_id),
            "source": self.source,
            "year": self.year,
            "since": self.since,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Fact:
        value_id = data.get("value_id")
        return cls(
            id=parse_id(data["id"]),
            entity_id=parse_id(data["entity_id"]),
            entity=data["entity"],
            relation=data["relation"],
            value=data["value"],
            value_id=None if value_id is None else parse_id(value_id),
            source=data.get("source", ""),
            year=data.get("year"),
            since=data.get("since", 0),
        )


@dataclass(frozen=True, slots=True)
class JoinedValues:
    """Several values as one string, and where each shown value is in it."""

    text: str
    spans: tuple[tuple[int, int], ...]
    """Begin and end of each shown value in `text`; at most `MAX_VALUES`."""


def join_values(values: Sequence[str], most: int = MAX_VALUES) -> JoinedValues:
    """Values as one string: at most five, joined by "; ", then "and N more".

    >>> join_values(["A", "B", "C", "D", "E", "F", "G"]).text
    'A; B; C; D; E; and 2 more'
    """
    spans: list[tuple[int, int]] = []
    begin = 0
    for value in values[:most]:
        spans.append((begin, begin + len(value)))
        begin += len(value) + 2
    text = "; ".join(values[:most])
    if len(values) > most:
        text += f"; and {len(values) - most} more"
    return JoinedValues(text, tuple(spans))


def join_relations(name: str, relations: Sequence[str], most: int = MAX_RANKED) -> str:
    """The answer to `relations` in order of relevance: the entity's name, then the relations.

    >>> join_relations("Ulm", ["population", "country", "birthplace of"], most=2)
    'Ulm: population; country; and 1 more'
    """
    return f"{name}: {join_values(relations, most).text}"


def split_values(text: str) -> list[str]:
    """The values that `join_values` joined, without those that it only counted.

    >>> split_values("A; B; C; D; E; and 2 more")
    ['A', 'B', 'C', 'D', 'E']
    """
    values = text.split("; ")
    if len(values) == MAX_VALUES + 1 and _UNSHOWN.fullmatch(values[-1]):
        values.pop()
    return values
