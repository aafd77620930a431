"""What every bulk import does the same way: clean the rows, count them, refuse the invalid ones.

A back end has its own way to find what is there and to write by the thousand
(sqlite/load.py, neo4j/load.py). What an `Add` edit means for one fact (editing/planning.py), both
do for millions: the same entities are found or made, the same values become links, and a value
that is there already only gains its new source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from graph.core.deltas import Delta
from graph.core.edits import AddSynonym, ChangeSetting
from graph.core.errors import AlreadyThere, StoreError
from graph.core.identifiers import clean_iri, qualified
from graph.core.import_rows import AliasRow, BadLine, FactRow, RelationRow, Row, read_year
from graph.core.names import clean_name, clean_note, clean_sources, clean_value, quoted
from graph.core.protocol import MOST_QUALIFIED, LoadReport
from graph.editing.planning import View, clean_relation, join_sources, plan

_PROGRESS = 10_000  # rows between two reports of progress

# These recur from row to row.
_clean_sources = lru_cache(4096)(clean_sources)
_clean_relation = lru_cache(4096)(clean_relation)


def clean_fact(row: FactRow, source: str) -> tuple[str, str, str, str, int | None]:
    """Entity, relation, value, source and year as they are kept; `source` where it names none.

    Raises `StoreError` for a row that is not valid, as do the next two.
    """
    return (
        clean_name(row.entity, "entity"),
        _clean_relation(row.relation),
        clean_value(row.value),
        _clean_sources(row.source) or source,
        read_year(row.year),
    )


def clean_identifiers(row: FactRow) -> tuple[str, str, str]:
    """The identifiers of a row's entity, relation and value, "" where it has none."""
    if not (row.entity_iri or row.relation_iri or row.value_iri):
        return "", "", ""
    return clean_iri(row.entity_iri), clean_iri(row.relation_iri), clean_iri(row.value_iri)


def clean_alias(row: AliasRow) -> tuple[str, str]:
    """An alias and its entity's name as they are kept."""
    return clean_name(row.alias, "alias"), clean_name(row.entity, "entity")


def clean_declaration(row: RelationRow) -> tuple[str, str, str]:
    """A relation's name, kind and description as they are kept."""
    if row.kind not in ("link", "literal"):
        raise StoreError(f"The kind {quoted(row.kind, 40)} is neither link nor literal.")
    return clean_relation(row.relation), row.kind, clean_note(row.description, "description")


def why_invalid(row: Row, source: str = "") -> BadLine | None:
    """Why a row could not enter any store, as a line of its file; None if it is valid."""
    try:
        match row:
            case FactRow():
                clean_fact(row, source)
            case AliasRow():
                clean_alias(row)
            case RelationRow():
                clean_declaration(row)
    except StoreError as problem:
        return BadLine(row.line, str(problem))
    return None


class NothingImported(StoreError):
    """An import that leaves invalid lines out, and has no line left; it made no revision."""


class Intake:
    """The rows of one import as they come, and the report of what became of them."""

    def __init__(
        self,
        source: str = "",
        skip_bad: bool = False,
        on_bad: Callable[[BadLine], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        self.report = LoadReport()
        self.source = source
        self.skip_bad = skip_bad
        self._on_bad = on_bad
        self._on_progress = on_progress

    def counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, with reports of progress."""
        for number, row in enumerate(rows, start=1):
            yield row
            if self._on_progress is not None and number % _PROGRESS == 0:
                self._on_progress(number)

    def leave_out(self, line: BadLine) -> None:
        """Count an invalid line and report it."""
        self.report.bad += 1
        if self._on_bad is not None:
            self._on_bad(line)

    @property
    def is_refused(self) -> bool:
        """Whether an invalid line keeps everything out."""
        return bool(self.report.bad) and not self.skip_bad

    def refuse_bad(self) -> None:
        """Raise `StoreError` if an invalid line keeps everything out."""
        if self.is_refused:
            bad = self.report.bad
            lines = "1 invalid line" if bad == 1 else f"{bad:,} invalid lines"
            raise StoreError(f"Nothing was imported: {lines}. Fix the file or pass `--skip-bad`.")

    def refuse_nothing(self) -> None:
        """Raise `NothingImported` if lines were left out and none is left."""
        report = self.report
        done = report.facts + report.sources + report.doubles + report.aliases
        if report.bad and not done + report.relations + report.rules:
            lines = "its only line is" if report.bad == 1 else f"all {report.bad:,} lines are"
            raise NothingImported(f"Nothing was imported: {lines} invalid.")

    def add_source(
        self, had: str, had_year: int | None, source: str, year: int | None
    ) -> tuple[str, int | None] | None:
        """Sources and year of a fact that is there and is imported again; None if they stay."""
        sources = join_sources(had, source)
        if sources == had:
            self.report.doubles += 1
            return None
        self.report.sources += 1
        return sources, year if had_year is None else had_year

    def plan_rule(self, edit: AddSynonym | ChangeSetting, view: View) -> list[Delta]:
        """What a synonym or setting changes; nothing where it is there already."""
        try:
            deltas = plan(edit, view)
        except AlreadyThere:
            self.report.doubles += 1
            return []
        self.report.rules += 1
        return deltas

    def qualify(self, name: str, iri: str, is_taken: Callable[[str], bool]) -> str:
        """The name of a thing whose name another identifier's has already; it is reported."""
        name = qualified(name, iri, is_taken)
        self.report.qualifications += 1
        if len(self.report.qualified) < MOST_QUALIFIED:
            self.report.qualified.append(name)
        return name

    def journal_edit(self) -> dict[str, Any]:
        """The import as the journal keeps it."""
        report = self.report
        return {
            "kind": "import",
            "facts": report.facts,
            "sources": report.sources,
            "entities": report.entities,
            "aliases": report.aliases,
            "source": self.source,
        }


def unknown_entity(name: str, alias: str) -> StoreError:
    """The error for an alias of an entity that is not there."""
    return StoreError(f"There is no entity {quoted(name)} for the alias {quoted(alias)}.")
