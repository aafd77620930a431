"""A whole graph as a set of CSV tables, in a folder or a `.zip`.

    relations.csv   relation,kind,description       declared relations
    facts.csv       entity,relation,value,source,year
    aliases.csv     alias,entity
    synonyms.csv    phrase,relation
    settings.csv    setting,value

A set that other programs made is read too: tables of any names, in the order of these names where
they are used, facts in between. Each line number names its table.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TextIO

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.import_rows import AliasRow, RelationRow, Row, SettingRow, SynonymRow
from graph.exchange.csv_tables import write_csv
from graph.exchange.other_rows import KEYS, cells_of
from graph.exchange.source_files import Member, Source, is_set, member_names

FACTS = "facts.csv"
_FILES: dict[type, str] = {
    RelationRow: "relations.csv",
    AliasRow: "aliases.csv",
    SynonymRow: "synonyms.csv",
    SettingRow: "settings.csv",
}
NAMES = (FACTS, *_FILES.values())
"""The files of a set."""
_TABLES = (".csv", ".tsv", ".tab", ".txt")
_ORDER = {"relations": 0, "aliases": 2, "synonyms": 3, "settings": 4}  # facts and others are 1
_HEADERS: dict[str, tuple[str, ...]] = {name: KEYS[kind] for kind, name in _FILES.items()}

Opener = Callable[[str], AbstractContextManager[TextIO]]
"""Opens a file of a set for writing, by its name."""


def tables_of(source: Source) -> list[Source] | None:
    """The tables of a folder, or of a `.zip` with several files, in order; None for other files.

    Raises `StoreError` if there is any other file among them.
    """
    if isinstance(source, Member) or not is_set(source):
        return None
    names = member_names(source)
    others = [name for name in names if PurePath(name).suffix.lower() not in _TABLES]
    if others or not names:
        held = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
        raise StoreError(
            f"{source} holds {held or 'no files'}; only tables ({', '.join(_TABLES)}) are read "
            "together. Unpack it, and import the files one by one."
        )
    names.sort(key=lambda name: (_ORDER.get(PurePath(name).stem.lower(), 1), name))
    return [Member(source, name) for name in names]


class TableLine(int):
    """The number of a line that says in which table of a set it stands: `2 of facts.csv`."""

    table: str

    def __str__(self) -> str:
        return f"{int(self)} of {self.table}"

    def __format__(self, spec: str) -> str:
        return f"{int(self):{spec}} of {self.table}"


def naming(rows: Iterable[Row], table: Source) -> Iterator[Row]:
    """The rows of a table, whose line numbers name the table."""
    name = PurePath(table.name).name
    for row in rows:
        line = TableLine(row.line)
        line.table = name
        yield replace(row, line=line)


def write_set(
    facts: Iterable[Fact],
    relations: Iterable[Row],
    later: Callable[[], Iterable[Row]],
    opened: Opener,
) -> int:
    """Write all tables of a graph; returns the number of facts.

    Args:
        facts: the facts.
        relations: the declared relations.
        later: gives the other rows, once the facts are written.
        opened: opens each file.
    """
    _write_rows(relations, (RelationRow,), opened)
    with opened(FACTS) as file:
        count = write_csv(facts, file)
    _write_rows(later(), (AliasRow, SynonymRow, SettingRow), opened)
    return count


def _write_rows(rows: Iterable[Row], kinds: Iterable[type], opened: Opener) -> None:
    """Write rows to the files of their kinds; rows of one kind follow each other."""
    held: dict[type, list[Row]] = {kind: [] for kind in kinds}
    for row in rows:
        held[type(row)].append(row)
    for kind, some in held.items():
        with opened(_FILES[kind]) as file:
            table = csv.DictWriter(file, _HEADERS[_FILES[kind]], lineterminator="\n")
            table.writeheader()
            table.writerows(map(cells_of, some))


class ZipOpener:
    """Opens files of a `.zip` that is being written, one after the other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def __call__(self, name: str) -> AbstractContextManager[TextIO]:
        member = self._archive.open(name, "w", force_zip64=True)
        return io.TextIOWrapper(member, encoding="utf-8", newline="")


class FolderOpener:
    """Opens files of a folder for writing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str) -> AbstractContextManager[TextIO]:
        return (self._folder / name).open("w", encoding="utf-8", newline="")
