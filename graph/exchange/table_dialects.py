"""How a table is written: its delimiter, its quotation marks, and where its records begin.

Comma, semicolon and bar separate cells with the quoting of RFC 4180. In a table with tabs,
quotation marks are text, unless a cell is quoted as spreadsheets do: because it holds a tab, a line
break or a doubled quotation mark, or because all cells are quoted.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import mode

DELIMITERS = (",", "\t", ";", "|")
_SEPARATOR = re.compile(r'\ufeff?"?sep=(.)"?\s*', re.I)
_RULE = re.compile(r":?-{3,}:?")
_LONGEST_QUOTATION = 200  # lines that a quoted cell of a table with tabs may have

Record = tuple[int, list[str] | str]
"""The number of a record's first line, and its cells, or why it cannot be read."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written."""

    delimiter: str = ","
    skipped: int = 0
    """Lines before the table: `sep=`."""
    all_quoted: bool = False
    """With tabs, whether quotation marks around a cell are never text."""


def dialect_of(lines: Sequence[str], is_header: object) -> Dialect:
    """How a table is written, by its first lines.

    Args:
        lines: the first lines, with their line ends.
        is_header: called with the cells of a first row; whether they are a known header.
    """
    if lines and (found := _SEPARATOR.fullmatch(lines[0].rstrip("\r\n"))):
        delimiter = found[1]
        return Dialect(delimiter, 1, delimiter == "\t" and _all_quoted(lines[1:]))
    best, chosen = (False, False, 0.0), Dialect()
    for delimiter in DELIMITERS:
        dialect = Dialect(delimiter, all_quoted=delimiter == "\t" and _all_quoted(lines))
        rows = [cells for _, cells in records(iter(lines), dialect) if isinstance(cells, list)]
        rows = [cells for cells in rows if any(cells)]
        if not rows:
            continue
        widths = [len(cells) for cells in rows]
        usual = mode(widths)
        steady = sum(width == usual for width in widths) / len(widths)
        known = len(rows[0]) > 1 and callable(is_header) and bool(is_header(rows[0]))
        score = (known, usual > 1 and steady >= 0.5, steady * (usual - 1))
        if score > best:
            best, chosen = score, dialect
    return chosen


def _all_quoted(lines: Sequence[str]) -> bool:
    """Whether every cell of a table with tabs that is not a number stands in quotation marks."""
    cells = [cell for line in lines[:50] for cell in line.strip("\r\n").split("\t") if cell.strip()]
    words = [cell for cell in cells if not re.fullmatch(r"[\d.,+\-]+", cell)]
    quoted = [cell for cell in words if len(cell) > 1 and cell[0] == cell[-1] == '"']
    return len(quoted) > 2 and len(quoted) >= 0.9 * len(words)


def records(lines: Iterator[str], dialect: Dialect) -> Iterator[Record]:
    """The records of a table, an empty line as one without cells; line numbers begin at 1."""
    for _ in range(dialect.skipped):
        next(lines, None)
    if dialect.delimiter == "\t":
        return _tab_records(lines, dialect)
    if dialect.delimiter == "|":
        return _without_rules(_quoted_records(lines, dialect))
    return _quoted_records(lines, dialect)


def _without_rules(whole: Iterator[Record]) -> Iterator[Record]:
    """The records of a table with bars, but for the rule below the header of Markdown."""
    for number, cells in whole:
        if isinstance(cells, list):
            cells = [cell.strip() for cell in cells]
            if any(cells) and all(_RULE.fullmatch(cell) for cell in cells if cell):
                continue
        yield number, cells


# -- commas, semicolons, bars


def _quoted_records(lines: Iterator[str], dialect: Dialect) -> Iterator[Record]:
    """Records with the quoting of RFC 4180.

    A quotation that never ends would swallow the rest of the table, and one that ends at the next
    quotation mark would become part of a wrong value. Both are reported line by line.
    """
    line, width = 1 + dialect.skipped, 0
    pending: list[str] = []
    again: list[str] = []  # lines to be read again, the next one last

    def feed() -> Iterator[str]:
        while True:
            following = again.pop() if again else next(lines, None)
            if following is None:
                return
            pending.append(following)
            yield following

    rows = _reader(feed(), dialect.delimiter)
    while True:
        try:
            cells: list[str] | None = next(rows)
            problem = ""
        except StopIteration:
            return
        except csv.Error as error:
            cells, problem = None, _reason(error)
        count = len(pending)
        if count == 1:
            if cells is None:
                yield line, problem
            else:
                width = width or len(cells)
                yield line, cells
        else:
            later = pending[1:]
            if cells is None and _are_rows(later, dialect.delimiter, width):
                # The quotation mark was never meant to reach so far: the lines after it are rows.
                yield line, f"A quotation begins in line {line:,} and does not end in it."
                again.extend(reversed(later))
                count = 1
                rows = _reader(feed(), dialect.delimiter)
            elif cells is None or _swallowed(cells, dialect.delimiter, width):
                last = line + count - 1
                yield (
                    line,
                    (
                        f"A quotation begins in line {line:,} and runs to line {last:,}; close it "
                        "where it should end."
                    ),
                )
                for number in range(line + 1, last + 1):
                    yield number, f"It stands in the quotation that begins in line {line:,}."
            else:
                width = width or len(cells)
                yield line, cells
        line += count
        pending.clear()


def _reason(error: csv.Error) -> str:
    """Why a record cannot be read, in a sentence."""
    if "expected after" in str(error):
        return "A quotation mark inside a quoted cell is not doubled; write two of them there."
    if "unexpected end" in str(error):
        return "A quotation begins and does not end; close it where it should end."
    return f"{str(error).capitalize()}; quote cells with quotation marks or line breaks."


def _reader(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)


def _are_rows(lines: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether nearly all of some lines are rows of the table by themselves."""
    if width < 2:
        return False
    good = 0
    filled = [line for line in lines if line.strip()]
    for line in filled:
        try:
            good += len(next(_reader(iter([line]), delimiter), [])) == width
        except csv.Error:
            continue
    return bool(filled) and good >= 0.9 * len(filled)


def _swallowed(cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether a cell over several lines holds what looks like rows of the table."""
    if width < 2:
        return False
    for cell in cells:
        _, *later = re.split(r"\r\n|\r|\n", cell)
        if later:
            like = sum(line.count(delimiter) >= width - 1 for line in later)
            if like >= 0.5 * len(later):
                return True
    return len(cells) != width


# -- tabs


def _tab_records(lines: Iterator[str], dialect: Dialect) -> Iterator[Record]:
    """Records with tabs, in which a quotation mark is text unless a cell is clearly quoted."""
    number, width = dialect.skipped, 0
    ahead: list[str] = []
    while True:
        line = ahead.pop(0) if ahead else next(lines, None)
        if line is None:
            return
        number += 1
        bare = line.rstrip("\r\n")
        if not bare:
            yield number, []
            continue
        if '"' not in bare:
            cells = bare.split("\t")
            width = width or len(cells)
            yield number, cells
            continue
        cells = bare.split("\t")
        used = 0
        if (not width or len(cells) < width) and _opens(cells[-1]):
            cells, used = _over_lines(cells, lines, ahead, width or 3)
        cells = _joined(cells, width)
        width = width or len(cells)
        yield number, [_unquoted(cell, dialect.all_quoted) for cell in cells]
        number += used


def _opens(cell: str) -> bool:
    """Whether a quotation begins in a cell and does not end in it."""
    return cell.startswith('"') and cell.count('"') % 2 == 1


def _over_lines(
    cells: list[str], lines: Iterator[str], ahead: list[str], width: int
) -> tuple[list[str], int]:
    """The cells of a record whose last cell goes on in later lines, and how many it takes.

    Only if it ends within some lines that are not rows by themselves, and has the right number of
    cells then; otherwise the quotation mark is text.
    """
    whole = cells[-1]
    for used in range(1, _LONGEST_QUOTATION):
        if len(ahead) < used:
            following = next(lines, None)
            if following is None:
                return cells, 0
            ahead.append(following)
        bare = ahead[used - 1].rstrip("\r\n")
        closing, *rest = bare.split("\t")
        if len(cells) + len(rest) > width or (rest and len(rest) + 1 == width):
            return cells, 0
        whole += "\n" + closing
        if whole.count('"') % 2 == 0:
            if not closing.endswith('"'):
                return cells, 0
            del ahead[:used]
            return [*cells[:-1], whole, *rest], used
        if rest:
            return cells, 0
    return cells, 0


def _joined(cells: list[str], width: int) -> list[str]:
    """Put together the cells that a tab inside a quotation has split, in a row that is too long."""
    if not width or len(cells) <= width:
        return cells
    joined: list[str] = []
    rest = iter(cells)
    for cell in rest:
        if _opens(cell):
            cell = "\t".join(chain([cell], _until_closed(rest)))
        joined.append(cell)
    return joined if len(joined) == width else cells


def _until_closed(cells: Iterator[str]) -> Iterator[str]:
    for cell in cells:
        yield cell
        if cell.endswith('"') and cell.count('"') % 2 == 1:
            return


def _unquoted(cell: str, all_quoted: bool) -> str:
    """A cell without the quotation marks that a spreadsheet has put around it."""
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"':
        return cell
    inside = cell[1:-1]
    if '"' in inside.replace('""', ""):
        return cell  # marks that belong to the text
    if all_quoted or '""' in inside or "\t" in inside or "\n" in inside:
        return inside.replace('""', '"')
    return cell
