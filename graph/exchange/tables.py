"""Tables in CSV files, which say by their header what they hold.

Facts (`entity,relation,value` and, if need be, `source,year`), aliases (`alias,entity`), relations
(`relation,kind,description`), synonyms of relations (`phrase,relation`) or settings
(`setting,value`).
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

# What a CSV file may hold: the columns that it must have, those that it may, and its rows.
_TABLES: tuple[tuple[tuple[str, ...], tuple[str, ...], Callable[..., Row]], ...] = (
    (("entity", "relation", "value"), ("source", "year"), FactRow),
    (("alias", "entity"), (), AliasRow),
    (("relation", "kind"), ("description",), RelationRow),
    (("phrase", "relation"), (), SynonymRow),
    (("setting", "value"), (), SettingRow),
)


def read_csv(file: TextIO) -> Iterator[Row]:
    """Facts, aliases or relations from comma-separated values with a header."""
    too_long: set[int] = set()
    rows = csv.reader(_short_lines(file, too_long), strict=True)
    try:
        header = [column.strip().lower() for column in next(rows, [])]
    except csv.Error as problem:
        raise StoreError(f"The header of the CSV file cannot be read: {problem}.") from problem
    table = next((table for table in _TABLES if set(table[0]) <= set(header)), None)
    if table is None:
        raise StoreError(
            f"The CSV file begins with {quoted(','.join(header))}; its first line has to name the "
            "columns entity,relation,value (and source,year)."
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
            yield BadLine(line, f"{problem}; quote a cell that has quotes or line breaks in it.")
            continue
        if line in too_long:
            yield BadLine(line, TOO_LONG)
        elif not cells:
            continue  # an empty line
        elif len(cells) > width:
            yield BadLine(
                line, f"It has {len(cells)} cells where the header has {width}; quote commas."
            )
        elif len(cells) < least:
            missing = next(column for column in needed if places[column] >= len(cells))
            yield BadLine(line, f"It has no {missing}.")
        else:
            cells += [""] * (width + 1 - len(cells))  # the last is of a column that is not there
            yield make(line, *chosen(cells))


def _short_lines(file: TextIO, too_long: set[int]) -> Iterator[str]:
    """The lines of a file; an empty one instead of each that is too long, whose number is noted."""
    for number, line in enumerate(read_lines(file), start=1):
        if line is None:
            too_long.add(number)
        yield "\n" if line is None else line


def write_csv(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as CSV with a header; returns their number."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("entity", "relation", "value", "source", "year"))
    count = 0
    for count, fact in enumerate(facts, start=1):  # noqa: B007
        year = "" if fact.year is None else fact.year
        rows.writerow((fact.entity, fact.relation, fact.value, fact.source, year))
    return count
