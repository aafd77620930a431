"""Rows of an import: what a file says, line by line, before a store has looked at it."""

from __future__ import annotations

from dataclasses import dataclass

from graph.core.errors import StoreError


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact as a file has it, not yet looked at."""

    line: int
    entity: str
    relation: str
    value: str
    source: str = ""
    year: str = ""


@dataclass(frozen=True, slots=True)
class AliasRow:
    """Another name of an entity, as a file has it."""

    line: int
    alias: str
    entity: str


@dataclass(frozen=True, slots=True)
class RelationRow:
    """What a file declares of a relation."""

    line: int
    relation: str
    kind: str
    description: str


@dataclass(frozen=True, slots=True)
class SynonymRow:
    """A phrase that means a relation, as a file has it."""

    line: int
    phrase: str
    relation: str


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting of the graph, as a file has it."""

    line: int
    setting: str
    value: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be taken in, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


Row = FactRow | AliasRow | RelationRow | SynonymRow | SettingRow | BadLine


def read_year(text: str) -> int | None:
    """The year in a file's cell, None where it is empty; raises `StoreError` for anything else."""
    text = text.strip()
    if not text:
        return None
    try:
        year = int(text)
    except ValueError:
        year = 100_000
    if abs(year) > 99_999:
        raise StoreError(f"The year “{text[:40]}” is no year.")
    return year
