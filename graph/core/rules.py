"""Rules of a graph: synonyms of relations, and settings that decide how lookups are answered.

Rules are stored in the graph, versioned and journalled like facts. So an edit of a rule can be
undone, read at a revision, made in a draft, published, and copied to another store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graph.core.errors import StoreError
from graph.core.ids import parse_id
from graph.core.names import clean_name, fold, quoted

SYNONYM, SETTING = "synonym", "setting"

REFUSE_LACKING = "refuse-lacking"
ON_MISS = "on-miss"

SETTINGS: dict[str, tuple[tuple[str, ...], str]] = {
    REFUSE_LACKING: (
        ("off", "on"),
        "Whether a lookup is a miss if it means a relation that the graph knows and the entity "
        "lacks. Turn it on if relations come from a fixed vocabulary, off if they are free text.",
    ),
    ON_MISS: (
        ("unknown", "nearest"),
        "How a miss is answered: with unknown, or with the nearest entity and relation.",
    ),
}
"""The values of each setting, with the default first, and what the setting does."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A synonym of a relation, or a setting."""

    id: int
    kind: str
    """"synonym" or "setting"."""
    name: str
    """The phrase that means the relation, or the setting's name."""
    value: str
    """The relation, or the setting's value."""

    @property
    def key(self) -> str:
        """The folded key of the name, by which the rule is found."""
        return fold(self.name)

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}"

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the id as text."""
        return {"id": str(self.id), "kind": self.kind, "name": self.name, "value": self.value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Rule:
        return cls(parse_id(data["id"]), data["kind"], data["name"], data["value"])


def clean_setting(name: str, value: str) -> tuple[str, str]:
    """A setting and its value in their stored form; raises `StoreError` if either is unknown."""
    name, value = fold(clean_name(name, "setting")), fold(clean_name(value, "value"))
    if name not in SETTINGS:
        raise StoreError(f"There is no setting {quoted(name)}; choose from {', '.join(SETTINGS)}.")
    if value not in SETTINGS[name][0]:
        raise StoreError(
            f"The setting {name} cannot be {quoted(value)}; choose from "
            f"{', '.join(SETTINGS[name][0])}."
        )
    return name, value
