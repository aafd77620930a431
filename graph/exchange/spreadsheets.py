"""Tables in spreadsheets (.xlsx, .ods): the first sheet that holds anything, read by calamine.

Columns are found as in text files. A whole number is written without a decimal point, because a
spreadsheet does not keep whether there was one; dates are written as ISO 8601.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum, load_workbook

from graph.core.errors import StoreError
from graph.core.import_rows import Row
from graph.core.names import quoted
from graph.exchange.csv_tables import header_place, table_rows
from graph.exchange.read_options import DEFAULTS, ReadOptions
from graph.exchange.table_columns import layout_of
from graph.exchange.table_dialects import Record
from graph.exchange.value_texts import text_of

_LARGEST = 256_000_000  # bytes of an unpacked workbook
_SAMPLE = 200  # rows that show what the columns hold


def read_workbook(file: BinaryIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """The rows of the first sheet that is not empty.

    Raises `StoreError` if the file is not a workbook, is too large or protected, or if the columns
    of the sheet cannot be determined.
    """
    data = file.read()
    _check_size(data)
    try:
        workbook = load_workbook(io.BytesIO(data))
        records = _first_sheet(workbook, options)
    except (CalamineError, OSError, ValueError) as problem:
        reason = " ".join(str(problem).split())[:100].rstrip(".")
        raise StoreError(f"The file is not a workbook: {reason}; save it as .csv.") from problem
    shown = [cells for _, cells in records[:_SAMPLE] if isinstance(cells, list) and any(cells)]
    first = header_place(shown) if not options.columns else 0
    layout = layout_of(shown[first:], options)
    if layout.is_headed:
        layout = replace(layout, header=tuple(shown[first]))
    rest = iter(records)
    for _ in range(first + layout.is_headed):
        next((None for _, cells in rest if isinstance(cells, list) and any(cells)), None)
    yield from table_rows(rest, layout, "quotation marks")


def _check_size(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise StoreError(
            "The file is not a workbook, or is protected by a password; save it as .csv."
        ) from problem
    if size > _LARGEST:
        raise StoreError(f"The workbook has {size:,} bytes unpacked; save the sheet as .csv.")


def _first_sheet(workbook: CalamineWorkbook, options: ReadOptions) -> list[Record]:
    """The rows of the first visible sheet that holds anything, as records of a table."""
    visible = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == SheetVisibleEnum.Visible
    ]
    for place, name in enumerate(visible):
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
        records = [(number, _cells(row)) for number, row in enumerate(rows, start=1)]
        if any(cells for _, cells in records if any(cells)):
            if len(visible) > 1:
                others = ", ".join(quoted(n, 30) for i, n in enumerate(visible[:9]) if i != place)
                options.on_note(f"Only the sheet {quoted(name, 30)} is read, not {others}.")
            return _trimmed(records)
    return []


def _cells(row: list[Any]) -> list[str] | str:
    cells: list[str] = []
    for value in row:
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            value = int(value)
        text = text_of(value)
        if text is None:
            shown = {True: "TRUE", False: "FALSE"}.get(value, str(value))
            return f"A cell holds {quoted(shown)}, which is neither text nor a number."
        cells.append(text)
    return cells


def _trimmed(records: list[Record]) -> list[Record]:
    """The records without columns that are empty in all of them."""
    rows = [cells for _, cells in records if isinstance(cells, list)]
    width = max((len(cells) for cells in rows), default=0)
    filled = [any(c.strip() for cells in rows for c in cells[i : i + 1]) for i in range(width)]
    first = filled.index(True) if True in filled else 0
    last = width - filled[::-1].index(True) if True in filled else 0
    return [(n, cells[first:last] if isinstance(cells, list) else cells) for n, cells in records]
