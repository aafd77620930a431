"""The file formats of facts, in one table: how each is recognised, read and written.

The readers yield rows one by one, each with its line number, and a `BadLine` for what cannot be
read; the importer decides what to do with that. All formats but Turtle and GraphML are streamed,
so their files may have any size. The table loads the libraries of RDF and GraphML only when they
are needed, because that takes a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from graph.core.database_files import refuse_database
from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.import_rows import Row
from graph.core.names import quoted
from graph.exchange.csv_tables import read_csv, write_csv
from graph.exchange.json_files import read_jsonl, read_lmlm, write_jsonl, write_lmlm


@dataclass(frozen=True, slots=True)
class Format:
    """A file format of facts."""

    name: str
    """The name by which `--format` selects it."""
    endings: tuple[str, ...]
    """The endings of file names that select it, in lower case."""
    read: Callable[[TextIO], Iterator[Row]]
    """Yields the rows of an open file."""
    write: Callable[[Iterable[Fact], TextIO], int]
    """Writes facts to an open file and returns their number."""
    is_whole: bool = False
    """Whether a file is read whole, and gives its facts in no stated order."""


def _read_ntriples(file: TextIO) -> Iterator[Row]:
    from graph.exchange.rdf import read_ntriples

    return read_ntriples(file)


def _write_ntriples(facts: Iterable[Fact], file: TextIO) -> int:
    from graph.exchange.rdf import write_ntriples

    return write_ntriples(facts, file)


def _read_turtle(file: TextIO) -> Iterator[Row]:
    from graph.exchange.rdf import read_turtle

    return read_turtle(file)


def _write_turtle(facts: Iterable[Fact], file: TextIO) -> int:
    from graph.exchange.rdf import write_turtle

    return write_turtle(facts, file)


def _read_graphml(file: TextIO) -> Iterator[Row]:
    from graph.exchange.graphml import read_graphml

    return read_graphml(file)


def _write_graphml(facts: Iterable[Fact], file: TextIO) -> int:
    from graph.exchange.graphml import write_graphml

    return write_graphml(facts, file)


FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("csv", (".csv",), read_csv, write_csv),
        Format("jsonl", (".jsonl", ".ndjson"), read_jsonl, write_jsonl),
        Format("lmlm", (".json",), read_lmlm, write_lmlm),
        Format("ntriples", (".nt",), _read_ntriples, _write_ntriples),
        Format("turtle", (".ttl",), _read_turtle, _write_turtle, is_whole=True),
        Format("graphml", (".graphml",), _read_graphml, _write_graphml, is_whole=True),
    )
}
"""Every format, by its name."""

_BY_ENDING = {ending: format_ for format_ in FORMATS.values() for ending in format_.endings}


def format_of(path: Path, name: str | None = None) -> Format:
    """The format of that name or, without one, the format that the file's ending stands for."""
    found = FORMATS.get(name) if name else _BY_ENDING.get(path.suffix.lower())
    if found is None:
        raise StoreError(
            f"The format of {quoted(str(path))} is not known; name it with --format: "
            f"{', '.join(FORMATS)}."
        )
    return found


def read_rows(path: Path, name: str | None = None) -> Iterator[Row]:
    """The rows of a file, in the format of that name or, without one, of the file's ending."""
    format_ = format_of(path, name)
    refuse_database(path)
    try:
        # Bytes that are not UTF-8 become lone surrogates, which make a line invalid.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from format_.read(file)
    except OSError as problem:
        raise StoreError(f"{path} cannot be read: {problem.strerror}.") from problem
