"""A CSV of entity, relation, value into a draft: what spreadsheets write, row by row.

A line that cannot be added is reported with its number; the others are added.
"""

from __future__ import annotations

from dataclasses import dataclass

from graph.core.errors import StoreError
from graph.core.import_rows import BadLine, FactRow, Row
from graph.core.names import clean_name
from graph.core.protocol import Draft
from graph.exchange.csv_dialects import read_spreadsheet

MOST_ROWS = 5000
MOST_CHARACTERS = 1_500_000


@dataclass(frozen=True)
class ImportResult:
    """What became of a file."""

    name: str
    facts: int
    bad: tuple[BadLine, ...] = ()
    problem: str = ""  # one sentence, if nothing could be imported
    entities: tuple[str, ...] = ()  # what the facts are about, in the order of the file


def import_csv(
    draft: Draft, name: str, text: str, author: str, write_id: str | None = None
) -> ImportResult:
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
        for row in read_spreadsheet(text):
            rows.append(row)
            if len(rows) > MOST_ROWS:
                raise StoreError(
                    f"It has more than {MOST_ROWS:,} rows, the most that can be imported at once. "
                    "Split it."
                )
        count = draft.load(
            rows,
            author=author,
            reason=f"from {name}",
            source=name,
            on_bad=bad.append,
            write_id=write_id,
        )
    except StoreError as refused:
        return ImportResult(name, 0, tuple(bad), str(refused))
    wrong = {line.line for line in bad}
    added = (row for row in rows if isinstance(row, FactRow) and row.line not in wrong)
    entities = tuple(dict.fromkeys(clean_name(row.entity) for row in added))
    problem = "" if count else "None of its lines could be imported."
    return ImportResult(name, count, tuple(bad), problem, entities)
