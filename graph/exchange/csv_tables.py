"""Tables in CSV files. The header says what a table holds:

entity,relation,value            facts; source and year are optional columns
alias,entity                     aliases
relation,kind                    relations; description is an optional column
phrase,relation                  synonyms of relations
setting,value                    settings
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import TextIO

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.import_rows import (
    AliasRow,
    BadLine,
    FactRow,
    RelationRow,
    Row,
    SettingRow,
    SynonymRow,
)
from graph.core.names import quoted
from graph.exchange.text_files import TOO_LONG, read_lines

# What a table may hold: the required columns, the optional ones, and the type of its rows.
_TABLES: tuple[tuple[tuple[str, ...], tuple[str, ...], Callable[..., Row]], ...] = (
    (("entity", "relation", "value"), ("source", "year"), FactRow),
    (("alias", "entity"), (), AliasRow),
    (("relation", "kind"), ("description",), RelationRow),
    (("phrase", "relation"), (), SynonymRow),
    (("setting", "value"), (), SettingRow),
)


def read_csv(file: TextIO) -> Iterator[Row]:
    """The rows of a CSV file with a header, of whichever kind the header names."""
    too_long: set[int] = set()
    rows = csv.reader(_short_lines(file, too_long), strict=True)
    try:
        header = [column.strip().lower() for column in next(rows, [])]
    except csv.Error as problem:
        raise StoreError(f"The header of the CSV file cannot be read: {problem}.") from problem
    table = next((table for table in _TABLES if set(table[0]) <= set(header)), None)
    if table is None:
        raise StoreError(
            f"The CSV file begins with {quoted(','.join(header))}; its first line must name the "
            "columns entity,relation,value (and optionally source,year)."
        )
    needed, optional, make = table
    width = len(header)
    places = {column: place for place, column in enumerate(header)}
    least = 1 + max(places[column] for column in needed)
    chosen = itemgetter(*(places.get(column, width) for column in (*needed, *optional)))
    while True:
        line = rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as problem:
            yield BadLine(line, f"{problem}; quote cells with quotes or line breaks.")
            continue
        if line in too_long:
            yield BadLine(line, TOO_LONG)
        elif not cells:
            continue  # an empty line
        elif len(cells) > width:
            yield BadLine(
                line,
                f"It has {len(cells)} cells and the header has {width}; quote cells with commas.",
            )
        elif len(cells) < least:
            missing = next(column for column in needed if places[column] >= len(cells))
            yield BadLine(line, f"It has no {missing}.")
        else:
            cells += [""] * (width + 1 - len(cells))  # the last is for missing columns
            yield make(line, *chosen(cells))


def _short_lines(file: TextIO, too_long: set[int]) -> Iterator[str]:
    """The lines of a file; of one that is too long, only its number, and an empty line instead."""
    for number, line in enumerate(read_lines(file), start=1):
        if line is None:
            too_long.add(number)
        yield "\n" if line is None else line


def write_csv(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as CSV with a header; returns how many."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("entity", "relation", "value", "source", "year"))
    count = 0
    for count, fact in enumerate(facts, start=1):  # noqa: B007
        year = "" if fact.year is None else fact.year
        rows.writerow((fact.entity, fact.relation, fact.value, fact.source, year))
    return count
