"""A CSV of entity, relation, value into a draft: what spreadsheets write, row by row.

A line that cannot be added is reported with its number; the others are added.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from graph.core.errors import StoreError
from graph.core.import_rows import BadLine, FactRow, Row
from graph.core.names import clean_name
from graph.core.protocol import Draft
from graph.exchange.tables import read_csv

MOST_ROWS = 5000
MOST_CHARACTERS = 1_500_000
HEADER = ("entity", "relation", "value")


@dataclass(frozen=True)
class ImportResult:
    """What became of a file."""

    name: str
    facts: int
    bad: tuple[BadLine, ...] = ()
    problem: str = ""  # one sentence, if nothing could be imported
    entities: tuple[str, ...] = ()  # what the facts are about, in the order of the file


def import_csv(draft: Draft, name: str, text: str, author: str) -> ImportResult:
    """Add the facts of a CSV text to the draft, as one step that can be undone."""
    bad: list[BadLine] = []
    rows: list[Row] = []
    try:
        if not text.strip():
            raise StoreError(
                "There is nothing to import. Enter one fact per line: entity,relation,value."
            )
        if len(text) > MOST_CHARACTERS:
            raise StoreError(
                f"It has {len(text):,} characters, and at most {MOST_CHARACTERS:,} can be imported "
                "at once. Split it."
            )
        for row in _rows(text):
            rows.append(row)
            if len(rows) > MOST_ROWS:
                raise StoreError(
                    f"It has more than {MOST_ROWS:,} rows, the most that can be imported at once. "
                    "Split it."
                )
        count = draft.load(
            rows, author=author, reason=f"from {name}", source=name, on_bad=bad.append
        )
    except StoreError as refused:
        return ImportResult(name, 0, tuple(bad), str(refused))
    wrong = {line.line for line in bad}
    added = (row for row in rows if isinstance(row, FactRow) and row.line not in wrong)
    entities = tuple(dict.fromkeys(clean_name(row.entity) for row in added))
    problem = "" if count else "None of its lines could be imported."
    return ImportResult(name, count, tuple(bad), problem, entities)


def _rows(text: str) -> Iterator[Row]:
    """The rows of a CSV text.

    Cells pasted from a spreadsheet are separated by tabs, files saved in some countries by
    semicolons, and many have no header. A first line that is not a header is a fact.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    opening = next(csv.reader([text.partition("\n")[0]]), [])
    for delimiter in ("\t", ";"):
        cells = text.partition("\n")[0].split(delimiter)
        if len(opening) < 3 <= len(cells):
            text, opening = _with_commas(text, delimiter), [cell.strip('" ') for cell in cells]
            break
    headed = set(HEADER) <= {cell.strip().lower() for cell in opening}
    if headed or len(opening) != len(HEADER):
        yield from read_csv(io.StringIO(text))
        return
    for row in read_csv(io.StringIO(",".join(HEADER) + "\n" + text)):
        yield _one_line_up(row)


def _with_commas(text: str, delimiter: str) -> str:
    """The same cells separated by commas; a cell that spans lines stays one cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for cells in csv.reader(io.StringIO(text), delimiter=delimiter):
        writer.writerow(cells)
    return out.getvalue()


def _one_line_up(row: Row) -> Row:
    """The row as numbered without the header that was put before it."""
    if isinstance(row, BadLine):
        return BadLine(row.line - 1, row.reason)
    assert isinstance(row, FactRow)
    return FactRow(row.line - 1, row.entity, row.relation, row.value, row.source, row.year)
