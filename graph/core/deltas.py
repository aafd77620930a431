"""What edits did: facts, entities and rules before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class NameChanges:
    """The names and aliases that deltas close or add, each with its entity's id."""

    closed_names: list[tuple[int, str]] = field(default_factory=list)
    closed_aliases: list[tuple[int, str]] = field(default_factory=list)
    names: list[tuple[int, str]] = field(default_factory=list)
    """Names that are new."""
    aliases: list[tuple[int, str, int]] = field(default_factory=list)
    """Aliases that are new, each with its place among the entity's aliases."""


def name_changes(deltas: Iterable[Delta]) -> NameChanges:
    """The names and aliases that deltas close and open, in the order of the deltas."""
    changes = NameChanges()
    for delta in deltas:
        before = delta.before if isinstance(delta.before, Entity) else None
        after = delta.after if isinstance(delta.after, Entity) else None
        had, has = (before.aliases if before else ()), (after.aliases if after else ())
        if before is not None and (after is None or after.name != before.name):
            changes.closed_names.append((before.id, before.name))
        if after is not None and (before is None or before.name != after.name):
            changes.names.append((after.id, after.name))
        changes.closed_aliases += [(delta.id, alias) for alias in had if alias not in has]
        changes.aliases += [
            (delta.id, alias, place) for place, alias in enumerate(has) if alias not in had
        ]
    return changes


def fact_counts(deltas: Iterable[Delta]) -> Counter[int]:
    """How many more facts from and to it each entity has after the deltas."""
    counts: Counter[int] = Counter()
    for delta in deltas:
        if isinstance(delta.before, Fact):
            counts.subtract(delta.before.entity_ids)
        if isinstance(delta.after, Fact):
            counts.update(delta.after.entity_ids)
    return counts
