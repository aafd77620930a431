"""The edits that a person can make, as plain data that goes in and out of JSON.

graph/editing/planning.py turns each into its deltas.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from graph.core.errors import StoreError
from graph.core.ids import parse_id
from graph.core.names import quoted


@dataclass(frozen=True, slots=True)
class Add:
    """Add a fact, and its entity if no entity has exactly this name.

    If the entity already has this value under the relation, the fact only gains the new source.
    """

    entity: str
    relation: str
    value: str
    source: str = ""
    year: int | None = None
    value_is_link: bool | None = None
    """Whether the value is another entity; None to decide by the relation's declared kind."""


@dataclass(frozen=True, slots=True)
class Change:
    """Replace a fact's value, and its source and year, which belonged to the old value."""

    fact_id: int
    value: str
    source: str = ""
    year: int | None = None
    value_is_link: bool | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a fact from every lookup from now on; the history keeps it."""

    fact_id: int


@dataclass(frozen=True, slots=True)
class Rename:
    """Rename an entity. The old name stays as an alias, and links show the new name."""

    entity_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge two entities: all facts and names of the first move to the second."""

    entity_id: int
    into_id: int


@dataclass(frozen=True, slots=True)
class AddAlias:
    """Add a name by which the entity is found as well."""

    entity_id: int
    alias: str


@dataclass(frozen=True, slots=True)
class RemoveAlias:
    """Remove an alias from an entity."""

    entity_id: int
    alias: str


@dataclass(frozen=True, slots=True)
class AddSynonym:
    """Make a phrase mean a relation. If it means several, the first that the entity has counts."""

    phrase: str
    relation: str


@dataclass(frozen=True, slots=True)
class RemoveSynonym:
    """Remove a synonym, so that the phrase no longer means the relation."""

    phrase: str
    relation: str


@dataclass(frozen=True, slots=True)
class ChangeSetting:
    """Change a setting of the graph; `graph.core.rules.SETTINGS` lists them."""

    name: str
    value: str


Edit = (
    Add
    | Change
    | Delete
    | Rename
    | Merge
    | AddAlias
    | RemoveAlias
    | AddSynonym
    | RemoveSynonym
    | ChangeSetting
)

_KINDS: dict[str, type[Any]] = {
    "add": Add,
    "change": Change,
    "delete": Delete,
    "rename": Rename,
    "merge": Merge,
    "add alias": AddAlias,
    "remove alias": RemoveAlias,
    "add synonym": AddSynonym,
    "remove synonym": RemoveSynonym,
    "change setting": ChangeSetting,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def edit_kind(edit: Edit) -> str:
    """The name of an edit's kind, as in JSON: "add", "change", "delete", "rename"…"""
    return _NAMES[type(edit)]


def edit_to_json(edit: Edit) -> dict[str, Any]:
    """Plain data with the kind, and with ids as text."""
    data = {
        name: str(value) if name.endswith("_id") else value for name, value in asdict(edit).items()
    }
    return {"kind": edit_kind(edit), **data}


def edit_from_json(data: dict[str, Any]) -> Edit:
    """The inverse of `edit_to_json`; raises `StoreError` for anything else."""
    kind = data.get("kind")
    if kind not in _KINDS:
        raise StoreError(
            f"{quoted(str(kind))} is not a kind of edit; choose from {', '.join(_KINDS)}."
        )
    try:
        edit: Edit = _KINDS[kind](
            **{
                name: parse_id(value) if name.endswith("_id") else value
                for name, value in data.items()
                if name != "kind"
            }
        )
        return edit
    except TypeError as problem:
        raise StoreError(f"The edit {quoted(kind)} is incomplete: {problem}.") from problem
