"""*Your facts*: a CSV of entity, relation, value into the visitor's draft, and asked about at once.

What a line cannot be taken for is told with its number; the rest is taken. Nothing of it reaches
anybody else before *Publish*.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.state.generation import Steps, ask
from app.state.session import AUTHOR, Session
from graph.core.errors import StoreError
from graph.core.import_rows import BadLine, FactRow, Row
from graph.core.names import clean_name
from graph.exchange.tables import read_csv

MOST_ROWS = 5000
MOST_CHARACTERS = 1_500_000
EXAMPLE = Path(__file__).parents[1] / "assets" / "example.csv"
HEADER = ("entity", "relation", "value")


@dataclass(frozen=True)
class ImportResult:
    """What became of a file."""

    name: str
    facts: int
    bad: tuple[BadLine, ...] = ()
    problem: str = ""  # one sentence, where nothing could be read at all
    entities: tuple[str, ...] = ()  # what the facts are about, in their order


def take_facts(session: Session, said: dict[str, Any]) -> Steps:
    """Take in a file or a pasted text, report line by line, and ask about its first entity."""
    session.clear_notes()
    name, text = str(said.get("name") or "what you pasted")[:80], said.get("text")
    if "example" in said:
        name, text = EXAMPLE.name, EXAMPLE.read_text("utf-8")
    if "problem" in said:  # the browser could not read the file
        text, size = "", said.get("size")
        problem = f"{name} has {size} bytes" if isinstance(size, int) else f"{name} is no text"
        session.own = ImportResult(
            name, 0, problem=f"{problem}; give a CSV file of at most 1.5 MB."
        )
        yield
        return
    session.own = read_into(session, name, text if isinstance(text, str) else "")
    if session.own.facts:
        session.box = session.service.asking(session.own.entities[0])
        yield from ask(session, session.box, session.settings)
    yield


def read_into(session: Session, name: str, text: str) -> ImportResult:
    """Add the facts of a CSV text to the draft, as one step that can be undone."""
    bad: list[BadLine] = []
    rows: list[Row] = []
    try:
        if not text.strip():
            raise StoreError("There is nothing in it; paste lines of entity, relation, value.")
        if len(text) > MOST_CHARACTERS:
            raise StoreError(
                f"It has {len(text):,} characters, and at most {MOST_CHARACTERS:,} are taken at "
                "once; split it."
            )
        for row in _rows(text):
            rows.append(row)
            if len(rows) > MOST_ROWS:
                raise StoreError(
                    f"It has more than {MOST_ROWS:,} rows, and so many are taken at once; split it."
                )
        count = session.draft.load(
            rows, author=AUTHOR, reason=f"from {name}", source=name, on_bad=bad.append
        )
    except StoreError as refused:
        return ImportResult(name, 0, tuple(bad), str(refused))
    wrong = {line.line for line in bad}
    taken = (row for row in rows if isinstance(row, FactRow) and row.line not in wrong)
    entities = tuple(dict.fromkeys(clean_name(row.entity) for row in taken))
    problem = "" if count else "No line of it could be taken."
    return ImportResult(name, count, tuple(bad), problem, entities)


def _rows(text: str) -> Iterator[Row]:
    """The rows of a CSV text. Spreadsheets are pasted with tabs, saved with semicolons in some
    countries, and often have no header: where the first line is none, it is a fact."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    opening = next(csv.reader([text.partition("\n")[0]]), [])
    for mark in ("\t", ";"):
        cells = text.partition("\n")[0].split(mark)
        if len(opening) < 3 <= len(cells):
            text, opening = _with_commas(text, mark), [cell.strip('" ') for cell in cells]
            break
    headed = set(HEADER) <= {cell.strip().lower() for cell in opening}
    if headed or len(opening) != len(HEADER):
        yield from read_csv(io.StringIO(text))
        return
    for row in read_csv(io.StringIO(",".join(HEADER) + "\n" + text)):
        yield _one_line_up(row)


def _with_commas(text: str, mark: str) -> str:
    """The same cells parted by commas; a cell that spans lines is not split, so lines stay."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for cells in csv.reader(io.StringIO(text), delimiter=mark):
        writer.writerow(cells)
    return out.getvalue()


def _one_line_up(row: Row) -> Row:
    if isinstance(row, BadLine):
        return BadLine(row.line - 1, row.reason)
    assert isinstance(row, FactRow)
    return FactRow(row.line - 1, row.entity, row.relation, row.value, row.source, row.year)
