"""The rows of an import, as a file states them, before a store has checked them."""

from __future__ import annotations

from dataclasses import dataclass

from graph.core.errors import StoreError


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact as a file states it."""

    line: int
    entity: str
    relation: str
    value: str
    source: str = ""
    year: str = ""
    entity_iri: str = ""
    """What identifies the entity under any name; "" if the file does not say."""
    relation_iri: str = ""
    value_iri: str = ""
    """What identifies the value: it is a link then, unless the relation is declared literal."""


@dataclass(frozen=True, slots=True)
class AliasRow:
    """Another name of an entity, as a file states it."""

    line: int
    alias: str
    entity: str
    entity_iri: str = ""


@dataclass(frozen=True, slots=True)
class RelationRow:
    """A relation's kind and description, as a file declares them."""

    line: int
    relation: str
    kind: str
    description: str


@dataclass(frozen=True, slots=True)
class SynonymRow:
    """A phrase that means a relation, as a file states it."""

    line: int
    phrase: str
    relation: str


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting of the graph, as a file states it."""

    line: int
    setting: str
    value: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be imported, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


Row = FactRow | AliasRow | RelationRow | SynonymRow | SettingRow | BadLine


def read_year(text: str) -> int | None:
    """The year in a cell of a file, None if it is empty; raises `StoreError` for anything else.

    Data frames write years as `1994.0`, and `NaN` where there is none.
    """
    text = text.strip()
    if not text or text.lower() == "nan":
        return None
    text = text[:-2] if text.endswith(".0") else text
    try:
        year = int(text)
    except ValueError:
        year = 100_000
    if abs(year) > 99_999:
        raise StoreError(f"“{text[:40]}” is not a year; write it in digits.")
    return year
