"""What a graph says about its own reading: synonyms of relations, and settings.

Rules are kept in the graph, versioned and journalled like facts, so an edit of one can be undone,
read at a revision, made in a draft, published, and copied to another store.
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
        "Whether a phrase that means a relation which the graph knows, but the entity lacks, is a "
        "miss. On for a graph with a vocabulary of relations; off where they are free text.",
    ),
    ON_MISS: (
        ("unknown", "nearest"),
        "What a miss is answered with: unknown, or the nearest that there is.",
    ),
}
"""Each setting's values, the default first, and what it does."""


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
        """By which a rule is found: the folded key of its name."""
        return fold(self.name)

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}"

    def to_json(self) -> dict[str, Any]:
        """Plain data, the id as text."""
        return {"id": str(self.id), "kind": self.kind, "name": self.name, "value": self.value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Rule:
        return cls(parse_id(data["id"]), data["kind"], data["name"], data["value"])


def clean_setting(name: str, value: str) -> tuple[str, str]:
    """A setting and its value as they are kept; raises `StoreError` for one that does not exist."""
    name, value = fold(clean_name(name, "setting")), fold(clean_name(value, "value"))
    if name not in SETTINGS:
        raise StoreError(f"There is no setting {quoted(name)}; there are: {', '.join(SETTINGS)}.")
    if value not in SETTINGS[name][0]:
        raise StoreError(
            f"The setting {name} cannot be {quoted(value)}; it is one of: "
            f"{', '.join(SETTINGS[name][0])}."
        )
    return name, value
