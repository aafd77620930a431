"""What edits did: facts, entities and rules before and after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from graph.core.facts import Entity, Fact
from graph.core.rules import Rule


@dataclass(frozen=True, slots=True)
class Delta:
    """One fact, entity or rule before and after an edit; None where it does not exist."""

    before: Fact | Entity | Rule | None
    after: Fact | Entity | Rule | None

    @property
    def id(self) -> int:
        """The id of the fact, entity or rule."""
        some = self.after if self.before is None else self.before
        assert some is not None
        return some.id

    def to_json(self) -> dict[str, Any]:
        """Plain data; `kind` is "fact", "entity" or "rule"."""
        some = self.after if self.before is None else self.before
        return {
            "kind": type(some).__name__.lower(),
            "before": None if self.before is None else self.before.to_json(),
            "after": None if self.after is None else self.after.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Delta:
        kind: type[Any] = {"fact": Fact, "entity": Entity, "rule": Rule}[data["kind"]]
        before, after = data["before"], data["after"]
        return cls(before and kind.from_json(before), after and kind.from_json(after))


def net(deltas: Iterable[Delta]) -> list[Delta]:
    """One delta for each thing edited, from its first `before` to its last `after`."""
    folded: dict[int, Delta] = {}
    for delta in deltas:
        first = folded.get(delta.id)
        folded[delta.id] = Delta(first.before if first else delta.before, delta.after)
    return [delta for delta in folded.values() if not same(delta.before, delta.after)]


def touched_ids(deltas: Iterable[Delta]) -> set[int]:
    """The ids of all facts and entities in the deltas, including linked entities."""
    ids: set[int] = set()
    for delta in deltas:
        for version in (delta.before, delta.after):
            if isinstance(version, Fact):
                ids.update({version.id, version.entity_id})
                if version.value_id is not None:
                    ids.add(version.value_id)
            elif version is not None:
                ids.add(version.id)
    return ids


def same(first: Fact | Entity | Rule | None, second: Fact | Entity | Rule | None) -> bool:
    """Whether two versions have the same content; a link compares by id, not by name."""
    return content(first) == content(second)


def content(version: Fact | Entity | Rule | None) -> object:
    """The content of a version, without the revisions in which it is current."""
    if isinstance(version, Entity):
        return version.id, version.name, frozenset(version.aliases)
    if version is None or isinstance(version, Rule):
        return version
    value = version.value if version.value_id is None else version.value_id
    return version.id, version.entity_id, version.relation, value, version.source, version.year
