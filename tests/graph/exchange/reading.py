"""What the tests of the readers share: a file read, with its facts, its invalid lines and notes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from graph.core.import_rows import AliasRow, BadLine, FactRow, Row
from graph.editing.loading import why_invalid
from graph.exchange.formats import read_rows
from graph.exchange.read_options import DEFAULTS, ReadOptions
from graph.exchange.source_files import SourceBytes

CASES = Path(__file__).parent / "cases"


@dataclass
class Read:
    """A file as the readers and the check of names understand it."""

    facts: list[tuple[str, str, str]] = field(default_factory=list)
    aliases: list[tuple[str, str]] = field(default_factory=list)
    bad: dict[int, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(data: str | bytes | Path, name: str = "facts.csv", how: ReadOptions = DEFAULTS) -> Read:
    """Read a file of that name; raises `StoreError` if it is refused."""
    done = Read()
    if isinstance(data, Path):
        data, name = data.read_bytes(), data.name
    source = SourceBytes(name, data if isinstance(data, bytes) else data.encode())
    for row in read_rows(source, None, replace(how, on_note=done.notes.append)):
        done.rows.append(row)
        problem = row if isinstance(row, BadLine) else why_invalid(row)
        if problem is not None:
            done.bad[problem.line] = problem.reason
        elif isinstance(row, FactRow):
            done.facts.append((row.entity.strip(), row.relation.strip(), row.value.strip()))
        elif isinstance(row, AliasRow):
            done.aliases.append((row.alias, row.entity))
    return done
