"""Tables in text files: which rows they hold (`table_columns`), however they are written
(`table_dialects`). The page and the command read them by the same rules.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from typing import TextIO

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.import_rows import BadLine, FactRow, Row
from graph.exchange.read_options import DEFAULTS, ReadOptions
from graph.exchange.table_columns import (
    MISSING_CELLS,
    Layout,
    is_fact_header,
    layout_of,
    names_facts,
)
from graph.exchange.table_dialects import Record, dialect_of, records
from graph.exchange.text_files import TOO_LONG, read_lines

_SPREADSHEET_ERRORS = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!")
)
_MOST_ABOVE = 20  # lines that may stand above a header
_SAMPLE_LINES = 200
_SAMPLE = 1 << 18  # characters of the lines that show how a table is written
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def read_csv(file: TextIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """The rows of a table, whichever kind its header or its looks show.

    Raises `StoreError` if its columns cannot be determined.
    """
    too_long: set[int] = set()
    lines = _short_lines(file, too_long)
    sample = _first_lines(lines)
    dialect = dialect_of(sample, is_fact_header)
    shown = [r for r in records(iter(sample), dialect) if isinstance(r[1], str) or any(r[1])]
    if shown and isinstance(shown[0][1], str) and len(shown) < 2:
        raise StoreError(
            f"The header of the table cannot be read, entity,relation,value: {shown[0][1]}"
        )
    rows = [(line, cells) for line, cells in shown if isinstance(cells, list)]
    first = header_place([cells for _, cells in rows]) if not options.columns else 0
    layout = layout_of([cells for _, cells in rows[first:]], options)
    if layout.is_headed:
        layout = replace(layout, header=tuple(rows[first][1]))
    delimiter = _NAMES.get(dialect.delimiter, "delimiters")
    whole = records(chain(sample, lines), dialect)
    if first:
        options.on_note(f"Lines above the header that are not read: {rows[first][0] - 1:,}.")
    if layout.is_headed:
        whole = _after_header(whole, rows[first][0])
    yield from table_rows(whole, layout, delimiter, too_long)


def header_place(rows: Sequence[Sequence[str]]) -> int:
    """Which of the first rows is the header: below a title, one that names the columns of facts."""
    for place, cells in enumerate(rows[:_MOST_ABOVE]):
        if len(cells) > 2 and names_facts(cells):
            return place
    return 0


def _after_header(whole: Iterator[Record], header: int) -> Iterator[Record]:
    """The records after the header, which begins in some line."""
    for number, _ in whole:
        if number >= header:
            break
    yield from whole


def table_rows(
    whole: Iterator[Record], layout: Layout, delimiter: str, too_long: Iterable[int] = ()
) -> Iterator[Row]:
    """The rows that the records of a table stand for, by its layout.

    Args:
        whole: the records below the header.
        layout: what the columns hold.
        delimiter: what separates cells, in the plural, for messages.
        too_long: the numbers of lines that are too long to be read.
    """
    width, make = layout.width, layout.make
    places = [place for _, place in layout.needed]
    least = 1 + max(places)
    header = list(layout.header)
    chosen = itemgetter(*places, *layout.optional)
    is_long = set(too_long).__contains__ if not isinstance(too_long, set) else too_long.__contains__
    for line, cells in whole:
        if is_long(line):
            yield BadLine(line, TOO_LONG)
        elif isinstance(cells, str):
            yield BadLine(line, cells)
        elif len(cells) > width and (any(cells[width:]) or not any(cells)):
            yield BadLine(
                line,
                f"It has {len(cells)} cells and the header has {width}; quote cells with "
                f"{delimiter}.",
            )
        elif len(cells) < least:
            if any(cells):
                missing = next(name for name, place in layout.needed if place >= len(cells))
                yield BadLine(line, f"It has no {missing}.")
        elif not any(cells):
            continue  # a row that a spreadsheet left empty
        elif cells == header:
            yield BadLine(line, "It repeats the header.")
        elif not _SPREADSHEET_ERRORS.isdisjoint(cells):
            error = next(cell for cell in cells if cell in _SPREADSHEET_ERRORS)
            yield BadLine(line, f"A cell holds {error}, an error of the spreadsheet; fix it there.")
        elif layout.relations:
            yield from _properties(line, cells, layout)
        else:
            del cells[width:]
            cells += [""] * (width + 1 - len(cells))  # the last is for missing columns
            yield make(line, *chosen(cells))


def _properties(line: int, cells: Sequence[str], layout: Layout) -> Iterator[Row]:
    """The facts of a row that is about one entity; an empty cell is none."""
    (what, place), *_ = layout.needed
    name = cells[place]
    if not name.strip():
        yield BadLine(line, f"It has no {what}.")
        return
    for relation, column in layout.relations:
        cell = cells[column] if column < len(cells) else ""
        if cell.strip() and cell.strip().lower() not in MISSING_CELLS:
            yield FactRow(line, name, relation, cell)


def _first_lines(lines: Iterator[str]) -> list[str]:
    sample: list[str] = []
    size = 0
    for line in lines:
        sample.append(line)
        size += len(line)
        if len(sample) >= _SAMPLE_LINES or size >= _SAMPLE:
            break
    return sample


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
