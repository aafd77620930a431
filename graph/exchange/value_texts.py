"""Values of other tools as text: the one rule for query results, JSON and cells of spreadsheets.

Text and numbers keep their spelling, and times are written as ISO 8601. Several values in a list
are several facts. What has no text that another reader would understand (true, null, a map, bytes)
is reported.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from graph.core.import_rows import BadLine, FactRow, Row
from graph.core.names import quoted

COLUMNS = ("entity", "relation", "value", "source", "year")
_SECONDS = re.compile(r"(:\d\d)(?:\.0+|(\.\d*?[1-9])0*)(?!\d)")
_OPTIONAL = ("source", "year")


class NumberText(str):
    """A number as it is spelt in a file."""

    __slots__ = ()


def text_of(value: Any) -> str | None:
    """One value as text; None if it has none."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(value) if math.isfinite(value) else None
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return _without_midnight(value)
    if isinstance(value, datetime.timedelta):
        return str(value)
    iso_format = getattr(value, "iso_format", None)  # the types of the Neo4j driver
    if callable(iso_format):
        return _SECONDS.sub(r"\1\2", str(iso_format()))
    if isinstance(value, tuple) and hasattr(value, "srid"):  # a point of the Neo4j driver
        return f"POINT({' '.join(str(number) for number in value)})"
    return None


def _without_midnight(value: datetime.datetime | datetime.date | datetime.time) -> str:
    """ISO 8601; a date that a spreadsheet holds as midnight is a date."""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time(0):
        return value.date().isoformat() if value.tzinfo is None else value.isoformat()
    return value.isoformat()


def fact_rows(number: int, values: Sequence[Any]) -> Iterator[Row]:
    """The facts of one row of five values, in the order of `COLUMNS`; a reason if there is none.

    Args:
        number: where the row stands in its file or query result.
        values: entity, relation, value, source and year; the last two may be None. A list in the
            place of the value is several facts.
    """
    cells: list[str] = []
    for name, value in zip(COLUMNS, values, strict=True):
        if name == "value" and isinstance(value, list):
            cells.append("")
            continue
        text = "" if value is None and name in _OPTIONAL else text_of(value)
        if isinstance(value, float) and name == "year" and math.isnan(value):
            text = ""
        if text is None:
            yield BadLine(number, _no_text(name, value))
            return
        cells.append(text)
    listed = values[2] if isinstance(values[2], list) else None
    if listed is None:
        yield FactRow(number, *cells)
        return
    if not listed:
        yield BadLine(number, "Its value is an empty list.")
    for value in listed:
        text = text_of(value)
        if text is None:
            yield BadLine(number, _no_text("value", value))
        else:
            yield FactRow(number, cells[0], cells[1], text, cells[3], cells[4])


def _no_text(name: str, value: Any) -> str:
    words = {True: "true", False: "false", None: "null"}
    shown = words[value] if value is None or isinstance(value, bool) else str(value)
    return f"Its {name} is {quoted(shown)}, which is neither text nor a number."
