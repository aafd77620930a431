"""Facts in files, read in and written out: CSV, JSON Lines, the JSON of an LMLM database, and, by
libraries, N-Triples and Turtle (exchange/rdf.py) and GraphML (exchange/graphml.py).

The readers yield rows one by one, with the number of their line, and a `BadLine` where one cannot
be read; what to do with it is the importer's decision. All but Turtle and GraphML are streamed,
whatever their size. A CSV file says by its header what it holds: facts (`entity,relation,value`
and, if need be, `source,year`), aliases (`alias,entity`), relations (`relation,kind,description`),
synonyms of relations (`phrase,relation`) or settings (`setting,value`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

import ijson

from graph.core.database_files import refuse_database
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

LARGEST_WHOLE = 64_000_000  # characters of a file that is held in memory: Turtle, GraphML
_DEEPEST = 50  # lists in lists of a JSON file
LONGEST_LINE = 1_000_000  # characters; a longer line is a bad one, and is never held whole


_ENDINGS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "lmlm",
    ".nt": "ntriples",
    ".ttl": "turtle",
    ".graphml": "graphml",
}
WHOLE = frozenset({"turtle", "graphml"})
"""Formats whose files are read whole, and give their facts in no order."""


def format_of(path: Path, name: str | None = None) -> str:
    """The format that is named, or that the file's ending tells; a key of `READERS`."""
    chosen = name or _ENDINGS.get(path.suffix.lower())
    if chosen not in READERS:
        raise StoreError(
            f"The format of {quoted(str(path))} is not known; name it with --format: "
            f"{', '.join(READERS)}."
        )
    return chosen


def read_rows(path: Path, name: str | None = None) -> Iterator[Row]:
    """The rows of a file, in the format named or told by its ending."""
    reader = READERS[format_of(path, name)]
    refuse_database(path)
    try:
        # Bytes that are not UTF-8 become lone surrogates, which no name may hold: a bad line.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from reader(file)
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}.") from problem


def _lines(file: TextIO, too_long: set[int]) -> Iterator[str]:
    """The lines of a file; one that is too long is noted, skipped and given as an empty one."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            too_long.add(number)
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            line = "\n"
        yield line


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
    rows = csv.reader(_lines(file, too_long), strict=True)
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
            yield BadLine(line, f"It has more than {LONGEST_LINE:,} characters.")
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


def read_jsonl(file: TextIO) -> Iterator[Row]:
    """Facts from JSON Lines: one object a line with entity, relation, value, source and year."""
    too_long: set[int] = set()
    for number, line in enumerate(_lines(file, too_long), start=1):
        if number in too_long:
            yield BadLine(number, f"It has more than {LONGEST_LINE:,} characters.")
            continue
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as problem:
            yield BadLine(number, f"It is no JSON ({problem}).")
            continue
        if not isinstance(data, dict):
            yield BadLine(number, "It is no JSON object with entity, relation and value.")
            continue
        yield _fact_row(number, data)


def _fact_row(number: int, data: dict[str, Any]) -> Row:
    cells = []
    for name in ("entity", "relation", "value", "source", "year"):
        cell = data.get(name)
        if cell is None and name in ("source", "year"):
            cell = ""
        if name in ("value", "year") and type(cell) is int:
            cell = str(cell)
        if not isinstance(cell, str):
            return BadLine(number, f"Its {name} is {quoted(str(cell))}, and has to be a string.")
        cells.append(cell)
    return FactRow(number, *cells)


def read_lmlm(file: TextIO) -> Iterator[Row]:
    """Facts from an LMLM database, a JSON object with `triplets`; lines are counted by triplet.

    The published databases escape quotes with a backslash (`St George\\'s`): it is taken off.
    """
    triplets = _triplets(file)
    number = 0
    while True:
        try:
            triplet = next(triplets)
        except StopIteration:
            return
        except (ijson.JSONError, ValueError, RecursionError) as problem:
            reason = " ".join(str(problem).split())[:200]
            raise StoreError(f"The file is no JSON: {reason}.") from problem
        number += 1
        if (
            isinstance(triplet, list)
            and len(triplet) == 3
            and all(isinstance(part, str) for part in triplet)
        ):
            parts = (part.replace("\\'", "'").replace('\\"', '"') for part in triplet)
            yield FactRow(number, *parts)
        else:
            yield BadLine(
                number, f"The triplet {quoted(str(triplet))} is no list of three strings."
            )


def _triplets(file: TextIO) -> Iterator[Any]:
    """The items of the list `triplets`, one by one, whatever the size of the file."""
    key, depth, inside, found = "", 0, False, False
    builder = ijson.ObjectBuilder()
    for event, value in ijson.basic_parse(_Bytes(file)):
        opens, closes = event in ("start_array", "start_map"), event in ("end_array", "end_map")
        if event == "map_key" and depth == 1:
            key = value
        if closes:
            depth -= 1
        if inside and depth == 1:
            inside = False
        elif inside:
            if depth == 2 and not closes:
                builder = ijson.ObjectBuilder()
            builder.event(event, value)
            if depth == 2 and not opens:
                yield builder.value
        elif depth == 1 and event == "start_array" and key == "triplets":
            inside = found = True
        if opens:
            depth += 1
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")
    if not found:
        raise StoreError('The file is no LMLM database: a JSON object with a list "triplets".')


class _Bytes:
    """A text file as the bytes that ijson reads; what was not UTF-8 becomes a mark of it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size).encode("utf-8", "replace")


def read_whole(file: TextIO, name: str) -> str:
    """A file's text, for formats that are read whole; raises `StoreError` for a larger one."""
    text = file.read(LARGEST_WHOLE + 1)
    if len(text) > LARGEST_WHOLE:
        raise StoreError(
            f"{name} is read whole, and this file has more than {LARGEST_WHOLE:,} characters; "
            "turn it into N-Triples, which are read line by line."
        )
    return text


def _read_ntriples(file: TextIO) -> Iterator[Row]:
    from graph.exchange.rdf import read_ntriples

    return read_ntriples(file)


def _read_turtle(file: TextIO) -> Iterator[Row]:
    from graph.exchange.rdf import read_turtle

    return read_turtle(file)


def _read_graphml(file: TextIO) -> Iterator[Row]:
    from graph.exchange.graphml import read_graphml

    return read_graphml(file)


READERS: dict[str, Callable[[TextIO], Iterator[Row]]] = {
    "csv": read_csv,
    "jsonl": read_jsonl,
    "lmlm": read_lmlm,
    "ntriples": _read_ntriples,
    "turtle": _read_turtle,
    "graphml": _read_graphml,
}


def write_csv(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as CSV with a header; returns their number."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("entity", "relation", "value", "source", "year"))
    count = 0
    for count, fact in enumerate(facts, start=1):  # noqa: B007
        year = "" if fact.year is None else fact.year
        rows.writerow((fact.entity, fact.relation, fact.value, fact.source, year))
    return count


def write_jsonl(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as JSON Lines, ids and all; returns their number."""
    count = 0
    for count, fact in enumerate(facts, start=1):  # noqa: B007
        file.write(json.dumps(fact.to_json(), ensure_ascii=False) + "\n")
    return count


def write_lmlm(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as an LMLM database; returns their number."""
    triplets = [[fact.entity, fact.relation, fact.value] for fact in facts]
    columns = ("entities", "relationships", "return_values")
    data: dict[str, Any] = {
        column: list(dict.fromkeys(triplet[place] for triplet in triplets))
        for place, column in enumerate(columns)
    }
    json.dump({**data, "triplets": triplets}, file, ensure_ascii=False, indent=1)
    file.write("\n")
    return len(triplets)


def _write_ntriples(facts: Iterable[Fact], file: TextIO) -> int:
    from graph.exchange.rdf import write_ntriples

    return write_ntriples(facts, file)


def _write_turtle(facts: Iterable[Fact], file: TextIO) -> int:
    from graph.exchange.rdf import write_turtle

    return write_turtle(facts, file)


def _write_graphml(facts: Iterable[Fact], file: TextIO) -> int:
    from graph.exchange.graphml import write_graphml

    return write_graphml(facts, file)


WRITERS: dict[str, Callable[[Iterable[Fact], TextIO], int]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "lmlm": write_lmlm,
    "ntriples": _write_ntriples,
    "turtle": _write_turtle,
    "graphml": _write_graphml,
}
