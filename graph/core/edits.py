"""The edits a person can make: plain data, in and out of JSON.

What each one does is in editing/planning.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from graph.core.errors import StoreError
from graph.core.ids import parse_id
from graph.core.names import quoted


@dataclass(frozen=True, slots=True)
class Add:
    """Add a fact. An entity that is not spelt like a known one is made.

    A value that the entity and relation already have only gains the new source.
    """

    entity: str
    relation: str
    value: str
    source: str = ""
    year: int | None = None
    value_is_link: bool | None = None
    """True or False settles what the value is; None lets the relation's declared kind do so."""


@dataclass(frozen=True, slots=True)
class Change:
    """Give a fact another value. The old source and year were the old value's, so they go."""

    fact_id: int
    value: str
    source: str = ""
    year: int | None = None
    value_is_link: bool | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Take a fact out of every lookup from now on; history keeps it."""

    fact_id: int


@dataclass(frozen=True, slots=True)
class Rename:
    """Give an entity another name; the old one stays as an alias. Links show the new name."""

    entity_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Make one entity of two: all facts and names of the first go to the second."""

    entity_id: int
    into_id: int


@dataclass(frozen=True, slots=True)
class AddAlias:
    """Let an entity be found by another name too."""

    entity_id: int
    alias: str


@dataclass(frozen=True, slots=True)
class RemoveAlias:
    """Take an alias from an entity."""

    entity_id: int
    alias: str


@dataclass(frozen=True, slots=True)
class AddSynonym:
    """Let a phrase mean a relation. One phrase may mean several: the first that is there is it."""

    phrase: str
    relation: str


@dataclass(frozen=True, slots=True)
class RemoveSynonym:
    """Let a phrase no longer mean a relation."""

    phrase: str
    relation: str


@dataclass(frozen=True, slots=True)
class ChangeSetting:
    """Give a setting of the graph another value; `graph.core.rules.SETTINGS` has them all."""

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
    """The word for an edit: "add", "change", "delete", "rename", "merge", "add alias"…"""
    return _NAMES[type(edit)]


def edit_to_json(edit: Edit) -> dict[str, Any]:
    """Plain data with the kind, ids as text."""
    data = {
        name: str(value) if name.endswith("_id") else value for name, value in asdict(edit).items()
    }
    return {"kind": edit_kind(edit), **data}


def edit_from_json(data: dict[str, Any]) -> Edit:
    """The edit that `edit_to_json` wrote; raises `StoreError` for anything else."""
    kind = data.get("kind")
    if kind not in _KINDS:
        raise StoreError(f"{quoted(str(kind))} is no edit; use one of: {', '.join(_KINDS)}.")
    try:
        return _KINDS[kind](
            **{
                name: parse_id(value) if name.endswith("_id") else value
                for name, value in data.items()
                if name != "kind"
            }
        )
    except TypeError as problem:
        raise StoreError(f"The edit {quoted(kind)} is incomplete: {problem}.") from problem
