"""CSV as spreadsheets write it: tabs or semicolons, and often no header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from graph.core.import_rows import BadLine, FactRow, Row
from graph.exchange.csv_tables import read_csv

HEADER = ("entity", "relation", "value")


def read_spreadsheet(text: str) -> Iterator[Row]:
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
