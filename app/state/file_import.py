"""A file into a draft: any format that the command reads, by the same rules.

A file is shown before anything is added: its first facts, its encoding, and what cannot be added.
Where the encoding is a guess, the person can choose another; where the columns of a table are not
known, the person says which is which. A line that cannot be added is reported with its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from graph.core.errors import StoreError
from graph.core.import_rows import AliasRow, BadLine, FactRow, Row
from graph.core.names import clean_name
from graph.core.protocol import Draft
from graph.editing.loading import why_invalid
from graph.exchange.encodings import UnknownEncoding
from graph.exchange.formats import is_known_ending, read_rows
from graph.exchange.likely_duplicates import LikelyDuplicates
from graph.exchange.read_options import ReadOptions
from graph.exchange.source_files import SourceBytes
from graph.exchange.table_columns import UnknownColumns

MOST_ROWS = 5000
MOST_BYTES = 1_500_000
INSTEAD = "Split it, or import it into the store with python -m graph import."
MOST_ALIKE = 20  # pairs of names that may mean the same
PREVIEWED = 5  # facts of a preview
ENCODINGS = {
    "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "mac_roman": "Mac Roman",
    "cp850": "DOS 850",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp932": "Shift-JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "cp949": "EUC-KR (Korean)",
    "utf-16-le": "UTF-16, little-endian",
    "utf-16-be": "UTF-16, big-endian",
}
"""What a person can choose, by the names that Python knows."""


@dataclass(frozen=True)
class ImportResult:
    """What became of a file."""

    name: str
    facts: int
    bad: tuple[BadLine, ...] = ()
    problem: str = ""  # one sentence, if nothing could be imported
    entities: tuple[str, ...] = ()  # what the facts are about, in the order of the file
    notes: tuple[str, ...] = ()  # how the file was read, a sentence each
    encoding: str = ""  # the likely encoding, where a person has to choose
    preview: tuple[tuple[str, str, str], ...] = ()  # its first facts, read in that encoding
    alike: tuple[tuple[str, str], ...] = ()  # pairs of names that may mean the same
    ready: int = 0  # rows that can be added, where the person has to confirm
    header: tuple[str, ...] = ()  # the first cells of each column, where a person has to choose


def import_file(
    draft: Draft,
    source: SourceBytes,
    author: str,
    options: ReadOptions | None = None,
    write_id: str | None = None,
) -> ImportResult:
    """Add the facts of a file to the draft, as one step that can be undone.

    A `write_id` that the draft has recorded already adds nothing again.
    """
    notes: list[str] = []
    rows = _read(source, options or ReadOptions(), notes)
    if isinstance(rows, ImportResult):
        return rows
    name = source.name
    bad: list[BadLine] = []
    duplicates, before = LikelyDuplicates(draft), draft.revision()
    try:
        count = draft.load(
            duplicates.noting(rows),
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
    if count:
        duplicates.in_store(before)
    alike = tuple(duplicates.pairs)[:MOST_ALIKE]
    return ImportResult(name, count, tuple(bad), problem, entities, tuple(notes), alike=alike)


def show_file(source: SourceBytes) -> ImportResult:
    """What an import of a file would add and what not, before anything enters the draft."""
    notes: list[str] = []
    rows = _read(source, ReadOptions(), notes)
    if isinstance(rows, ImportResult):
        return rows
    valid, bad = _sorted_out(rows)
    if not valid:
        return ImportResult(source.name, 0, bad, "None of its lines could be imported.")
    if not any(note.startswith("Read as ") for note in notes):
        notes.insert(0, "Read as UTF-8.")
    return ImportResult(
        source.name, 0, bad, notes=tuple(notes), preview=_first_facts(valid), ready=len(valid)
    )


def _read(
    source: SourceBytes, options: ReadOptions, notes: list[str]
) -> Sequence[Row] | ImportResult:
    """The rows of a file; what the person has to choose or change, if it cannot be read so."""
    options = replace(options, largest=MOST_BYTES * 4, on_note=notes.append)
    try:
        return _rows(source, options)
    except UnknownEncoding as unknown:
        return preview(source, replace(options, encoding=unknown.likely or "cp1252"))
    except UnknownColumns as unknown:
        problem = "Its first line must name the columns entity,relation,value"
        if len(unknown.header) < 3:
            return ImportResult(source.name, 0, problem=f"{problem}.")
        problem += "; name them there, or choose here which is which."
        return ImportResult(source.name, 0, problem=problem, header=unknown.header[:50])
    except StoreError as refused:
        return ImportResult(source.name, 0, problem=str(refused))


def _sorted_out(rows: Sequence[Row]) -> tuple[list[Row], tuple[BadLine, ...]]:
    """The rows that a draft takes, and what is wrong with the others."""
    valid: list[Row] = []
    bad: list[BadLine] = []
    for row in rows:
        problem = row if isinstance(row, BadLine) else why_invalid(row)
        if problem is None and not isinstance(row, FactRow | AliasRow):
            problem = BadLine(row.line, "A draft takes only facts and aliases.")
        if problem is None:
            valid.append(row)
        else:
            bad.append(problem)
    return valid, tuple(bad)


def _first_facts(rows: Sequence[Row]) -> tuple[tuple[str, str, str], ...]:
    facts = [row for row in rows if isinstance(row, FactRow)]
    return tuple((row.entity, row.relation, row.value) for row in facts[:PREVIEWED])


def preview(source: SourceBytes, options: ReadOptions) -> ImportResult:
    """The first facts of a file in a likely encoding, for the person to confirm."""
    try:
        rows = _rows(source, replace(options, on_note=lambda note: None))
    except UnknownColumns:
        rows = []
    except StoreError as refused:
        return ImportResult(source.name, 0, problem=str(refused), encoding=options.encoding)
    valid, bad = _sorted_out(rows)
    return ImportResult(source.name, 0, bad, encoding=options.encoding, preview=_first_facts(valid))


def _rows(source: SourceBytes, options: ReadOptions) -> Sequence[Row]:
    """The rows of a file; raises `StoreError` for none or too many."""
    if not source.data.strip():
        raise StoreError(
            "There is nothing to import. Enter one fact per line: entity,relation,value."
        )
    if len(source.data) > MOST_BYTES:
        raise StoreError(
            f"It has {len(source.data):,} bytes, and a draft takes at most {MOST_BYTES:,} at once. "
            f"{INSTEAD}"
        )
    known = is_known_ending(source) and PurePath(source.name).suffix
    rows: list[Row] = []
    for row in read_rows(source, None if known else "csv", options):
        rows.append(row)
        if len(rows) > MOST_ROWS:
            raise StoreError(
                f"It has more than {MOST_ROWS:,} rows, the most that a draft takes at once. "
                f"{INSTEAD}"
            )
    return rows
