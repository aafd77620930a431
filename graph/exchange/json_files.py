"""Facts in JSON: JSON Lines, and the JSON of a published LMLM database."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import ijson

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.import_rows import BadLine, FactRow, Row
from graph.core.names import quoted
from graph.exchange.json_documents import is_triplet, read_document
from graph.exchange.json_objects import DECODER, Nodes, object_rows
from graph.exchange.read_options import DEFAULTS, ReadOptions
from graph.exchange.text_files import TOO_LONG, read_lines
from graph.exchange.value_texts import COLUMNS, NumberText, fact_rows

_TEXTS = (str, NumberText)
_LOST = "\ufffd"
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
# Two halves that make a character, after any number of escaped backslashes; or a half alone.
_HALVES = re.compile(
    r"((?<!\\)(?:\\\\)*\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|((?<!\\)(?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_LAST_ESCAPES = re.compile(r"(?:\\+(?:u[0-9a-fA-F]{0,4})?)+\Z")
_DEEPEST = 50  # levels of nesting in a JSON file
_HEAD = 1 << 16  # characters that show which kind of JSON a file holds


def read_jsonl(file: TextIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """Facts from JSON Lines: an object on each line with entity, relation, value, source, year.

    The keys of other tools are understood as the columns of a table are. A list of values is
    several facts.
    """
    nodes = Nodes(options)
    for number, line in enumerate(read_lines(file), start=1):
        if line is None:
            yield BadLine(number, TOO_LONG)
            continue
        if not line.strip():
            continue
        try:
            data = DECODER.decode(line.strip())
        except (ValueError, RecursionError) as problem:
            yield BadLine(number, f"It is not JSON ({problem}).")
            continue
        if is_triplet(data):
            yield from fact_rows(number, [*data, None, None])
            continue
        if not isinstance(data, dict):
            yield BadLine(number, "It is not a JSON object with entity, relation and value.")
            continue
        cells = [data.get(name, "") for name in COLUMNS]
        if all(type(cell) in _TEXTS for cell in cells) and cells[0] and cells[1] and cells[2]:
            yield FactRow(number, *cells)  # the common case, twice as fast
        else:
            yield from object_rows(number, data, nodes)
    nodes.note()


def read_json(file: TextIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """Facts from a `.json` file: an LMLM database, another document, or JSON Lines by its looks."""
    begin = file.tell()
    head = file.read(_HEAD)
    file.seek(begin)
    if head.lstrip().startswith("["):
        yield from read_document(file, options)
    elif _has_lines(head):
        yield from read_jsonl(file, options)
    else:
        try:
            yield from read_lmlm(file, options)
        except NoTriplets:
            file.seek(begin)
            yield from read_document(file, options)


def _has_lines(head: str) -> bool:
    """Whether the first two lines of a text are JSON objects."""
    lines = [line for line in head.splitlines()[:20] if line.strip()][:2]
    try:
        return len(lines) == 2 and all(isinstance(DECODER.decode(x.strip()), dict) for x in lines)
    except (ValueError, RecursionError):
        return False


class NoTriplets(StoreError):
    """A JSON document that is not an LMLM database."""


def read_lmlm(file: TextIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """Facts from an LMLM database: a JSON object with the list `triplets`.

    The line number of a row is the number of its triplet. The published databases escape quotes
    with a backslash (`St George\\'s`), which is removed.
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
            raise StoreError(f"The file is not JSON: {reason}.") from problem
        number += 1
        if (
            isinstance(triplet, list)
            and len(triplet) == 3
            and all(isinstance(part, str) for part in triplet)
        ):
            parts = [part.replace("\\'", "'").replace('\\"', '"') for part in triplet]
            if any(_LOST in part for part in parts):
                yield BadLine(number, "It has half of a character (\\ud800 to \\udfff).")
            else:
                yield FactRow(number, *parts)
        else:
            yield BadLine(
                number, f"The triplet {quoted(str(triplet))} is not a list of three strings."
            )


def _triplets(file: TextIO) -> Iterator[Any]:
    """The items of the list `triplets`, one by one, so that a file may have any size."""
    key, depth, inside, found = "", 0, False, False
    builder = ijson.ObjectBuilder()
    data = _Bytes(file)
    for event, value in ijson.basic_parse(data):
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
    if found and data.last != "}":  # ijson takes a string that never ends there for nothing
        raise ValueError("it goes on after its end")
    if not found:
        raise NoTriplets('The file is not an LMLM database, a JSON object with a list "triplets".')


class _Bytes:
    """A text file as the bytes that ijson reads; what was not of its encoding stays invalid.

    Half of a character, which ijson would replace by a question mark, becomes U+FFFD.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._rest = ""
        self.last = ""
        """The last character so far that is not a space."""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        new = self._file.read(size)
        text, self._rest = self._rest + new, ""
        self.last = new.rstrip()[-1:] or self.last
        if new and (escapes := _LAST_ESCAPES.search(text)) and escapes.start():
            text, self._rest = text[: escapes.start()], escapes[0]  # they may go on in the next
        if _HALF.search(text):
            text = _HALVES.sub(lambda found: found[1] or found[2] + "\\ufffd", text)
        return text.encode("utf-8", "surrogateescape")


def write_jsonl(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as JSON Lines, including ids; returns how many."""
    count = 0
    for count, fact in enumerate(facts, start=1):  # noqa: B007
        file.write(json.dumps(fact.to_json(), ensure_ascii=False) + "\n")
    return count


def write_lmlm(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as an LMLM database; returns how many."""
    triplets = [[fact.entity, fact.relation, fact.value] for fact in facts]
    columns = ("entities", "relationships", "return_values")
    data: dict[str, Any] = {
        column: list(dict.fromkeys(triplet[place] for triplet in triplets))
        for place, column in enumerate(columns)
    }
    json.dump({**data, "triplets": triplets}, file, ensure_ascii=False, indent=1)
    file.write("\n")
    return len(triplets)
