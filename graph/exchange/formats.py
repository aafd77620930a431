"""The file formats of facts, in one table: how each is recognised, read and written.

The readers yield rows one by one, each with its line number, and a `BadLine` for what cannot be
read; the importer decides what to do with that. All formats but Turtle and GraphML are streamed,
so their files may have any size. The table loads the libraries of RDF and GraphML only when they
are needed, because that takes a while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, TextIO

from graph.core.database_files import refuse_database
from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.import_rows import Row
from graph.core.names import quoted
from graph.exchange.csv_tables import read_csv, write_csv
from graph.exchange.json_files import read_json, read_jsonl, write_jsonl, write_lmlm
from graph.exchange.other_kinds import refuse_other_kind
from graph.exchange.other_rows import write_json_rows
from graph.exchange.read_options import DEFAULTS, ReadOptions
from graph.exchange.source_files import (
    Source,
    checked,
    inner_name,
    is_set,
    open_bytes,
    open_text,
)
from graph.exchange.table_sets import naming, tables_of


def _not_written(facts: Iterable[Fact], file: TextIO) -> int:
    raise StoreError(
        f"This format is not written; name another with --format: {', '.join(FORMATS)}."
    )


@dataclass(frozen=True, slots=True)
class Format:
    """A file format of facts."""

    name: str
    """The name by which `--format` selects it."""
    endings: tuple[str, ...]
    """The endings of file names that select it, in lower case."""
    read: Callable[[TextIO, ReadOptions], Iterator[Row]] = read_csv
    """Yields the rows of an open file."""
    write: Callable[[Iterable[Fact], TextIO], int] = _not_written
    """Writes facts to an open file and returns their number."""
    read_bytes: Callable[[BinaryIO, ReadOptions], Iterator[Row]] | None = None
    """Yields the rows of a file that is not text; it takes the place of `read`."""
    write_others: Callable[[Iterable[Row], TextIO], int] | None = None
    """Writes rows that are not facts and returns their number; None if it holds only facts."""
    write_all: Callable[[Iterable[Fact], TextIO, Callable[[], Iterable[Row]]], int] | None = None
    """Writes facts, and the rows that are not facts once they are known; instead of `write`."""
    holds: str = "facts"
    """What a file of this format holds, for a message: "facts", "triplets", "all"."""
    is_whole: bool = False
    """Whether a file is read whole, and gives its facts in no stated order."""
    is_xml: bool = False
    """Whether an XML declaration names the encoding."""


def _read_ntriples(file: TextIO, options: ReadOptions) -> Iterator[Row]:
    from graph.exchange.rdf import read_ntriples

    return read_ntriples(file, options)


def _write_ntriples(facts: Iterable[Fact], file: TextIO) -> int:
    from graph.exchange.rdf import write_ntriples

    return write_ntriples(facts, file)


def _read_turtle(file: TextIO, options: ReadOptions) -> Iterator[Row]:
    from graph.exchange.rdf import read_turtle

    return read_turtle(file, options)


def _write_turtle(facts: Iterable[Fact], file: TextIO) -> int:
    from graph.exchange.rdf import write_turtle

    return write_turtle(facts, file)


def _read_graphml(file: TextIO, options: ReadOptions) -> Iterator[Row]:
    from graph.exchange.graphml import read_graphml

    return read_graphml(file, options)


def _write_graphml(facts: Iterable[Fact], file: TextIO) -> int:
    return _write_all_graphml(facts, file, tuple)


def _write_all_graphml(
    facts: Iterable[Fact], file: TextIO, others: Callable[[], Iterable[Row]]
) -> int:
    from graph.exchange.graphml import write_graphml

    return write_graphml(facts, file, others)


def _write_other_triples(rows: Iterable[Row], file: TextIO) -> int:
    from graph.exchange.rdf import write_other_rows

    return write_other_rows(rows, file)


def _read_rdf_xml(file: TextIO, options: ReadOptions) -> Iterator[Row]:
    from graph.exchange.rdf import read_rdf_xml

    return read_rdf_xml(file, options)


def _read_json_ld(file: TextIO, options: ReadOptions) -> Iterator[Row]:
    from graph.exchange.rdf import read_json_ld

    return read_json_ld(file, options)


def _read_workbook(file: BinaryIO, options: ReadOptions) -> Iterator[Row]:
    from graph.exchange.spreadsheets import read_workbook

    return read_workbook(file, options)


FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("csv", (".csv", ".tsv", ".tab", ".txt"), read_csv, write_csv),
        Format(
            "jsonl",
            (".jsonl", ".ndjson"),
            read_jsonl,
            write_jsonl,
            write_others=write_json_rows,
            holds="all",
        ),
        Format("lmlm", (".json",), read_json, write_lmlm, holds="triplets"),
        Format(
            "ntriples",
            (".nt",),
            _read_ntriples,
            _write_ntriples,
            write_others=_write_other_triples,
            holds="all",
        ),
        Format(
            "turtle",
            (".ttl",),
            _read_turtle,
            _write_turtle,
            write_others=_write_other_triples,
            holds="all",
            is_whole=True,
        ),
        Format(
            "graphml",
            (".graphml",),
            _read_graphml,
            _write_graphml,
            write_all=_write_all_graphml,
            holds="all",
            is_whole=True,
            is_xml=True,
        ),
    )
}
"""Every format that is read and written, by its name."""

READ_FORMATS: dict[str, Format] = FORMATS | {
    format_.name: format_
    for format_ in (
        Format("rdfxml", (".rdf", ".owl"), _read_rdf_xml, is_whole=True, is_xml=True),
        Format("jsonld", (".jsonld",), _read_json_ld, is_whole=True),
        Format("workbook", (".xlsx", ".ods"), read_bytes=_read_workbook, is_whole=True),
    )
}
"""Every format that is read, by its name."""

_BY_ENDING = {ending: format_ for format_ in READ_FORMATS.values() for ending in format_.endings}

_HEAD = 4096  # bytes that show whether a file is of another kind

# Files that other tools write, and what to do with each instead.
_ELSEWHERE = {
    ".nq": "N-Quads, which name a graph for each triple, are not read; convert it to N-Triples.",
    ".trig": "TriG, which names a graph for each triple, is not read; convert it to Turtle.",
    ".gexf": "GEXF is not read; export it from Gephi as GraphML.",
    ".gml": "GML is not read; convert it to GraphML.",
    ".tgf": "TGF is not read; save it from yEd as GraphML.",
    ".sif": "SIF is not read; export the network from Cytoscape as GraphML.",
    ".cyjs": "Files of Cytoscape.js are not read; export the network as GraphML.",
    ".cx": "CX is not read; export the network from Cytoscape as GraphML.",
    ".cx2": "CX is not read; export the network from Cytoscape as GraphML.",
    ".gdf": "GDF is not read; export it from Gephi as GraphML.",
    ".dot": "DOT is not read; convert it to GraphML.",
    ".gv": "DOT is not read; convert it to GraphML.",
    ".yaml": "YAML is not read; convert it to JSON.",
    ".yml": "YAML is not read; convert it to JSON.",
    ".net": "Pajek is not read; convert it to GraphML.",
    ".gephi": "A project of Gephi is not read; export it from Gephi as GraphML.",
    ".omn": "OWL in Manchester syntax is not read; save it from Protégé as Turtle.",
    ".ofn": "OWL in functional syntax is not read; save it from Protégé as Turtle.",
    ".owx": "OWL/XML is not read; save it from Protégé as Turtle.",
    ".n3": "Notation 3 is not read; convert it to Turtle.",
    ".hdt": "HDT is not read; convert it to N-Triples.",
    ".srj": "A SPARQL result is read only as CSV; download it as CSV.",
    ".srx": "A SPARQL result is read only as CSV; download it as CSV.",
    ".cypher": "A Cypher script is not read; import from the database with --from and --cypher.",
    ".dump": "A dump is not read; import from the database with --from and --cypher.",
    ".pdf": "A PDF document is not read; export its table as CSV.",
    ".docx": "A document is not read; save its table as .csv.",
    ".numbers": "A file of Numbers is not read; export it as .csv or .xlsx.",
    ".xls": "The old Excel format is not read; save it as .xlsx or .csv.",
    ".sqlite": "An SQLite file is not read; export its tables as CSV.",
    ".parquet": "Parquet is not read; convert it to CSV.",
    ".7z": "It is packed in a way that is not read; unpack it.",
    ".rar": "It is packed in a way that is not read; unpack it.",
    ".bz2": "It is packed in a way that is not read; unpack it.",
    ".xz": "It is packed in a way that is not read; unpack it.",
    ".zst": "It is packed in a way that is not read; unpack it.",
}


def format_of(source: Source, name: str | None = None) -> Format:
    """The format of that name or, without one, the format that the file's ending stands for."""
    inner = PurePath(source.name if name else inner_name(source))
    found = READ_FORMATS.get(name) if name else _BY_ENDING.get(inner.suffix.lower())
    if found is None:
        if not name and (instead := _ELSEWHERE.get(inner.suffix.lower())):
            raise StoreError(f"{source}: {instead}")
        raise StoreError(
            f"The format of {quoted(str(source))} is not known; name it with --format: "
            f"{', '.join(READ_FORMATS)}."
        )
    return found


def is_known_ending(source: Source) -> bool:
    """Whether the ending of a file's name stands for a format, or for one that is not read."""
    if is_set(source):
        return True
    ending = PurePath(inner_name(source)).suffix.lower()
    return ending in _BY_ENDING or ending in _ELSEWHERE


def read_rows(
    source: Source, name: str | None = None, options: ReadOptions = DEFAULTS
) -> Iterator[Row]:
    """The rows of a file.

    Args:
        source: the file.
        name: the name of its format; None for the one that the file's ending stands for.
        options: how to read it.

    Raises:
        StoreError: if it cannot be read, its encoding is not established, or its columns are not.
    """
    if (tables := tables_of(source)) is not None:
        for table in tables:
            yield from naming(read_rows(table, "csv", options), table)
        return
    if isinstance(source, Path):
        refuse_database(source)
    format_ = format_of(source, name)
    with open_bytes(source) as file:
        refuse_other_kind(file.read(_HEAD), str(source), format_.name)
    if format_.read_bytes is not None:
        with open_bytes(source) as file:
            yield from format_.read_bytes(file, options)
        return
    with open_text(source, options, format_.is_xml) as (text, found):
        if found.label != "UTF-8":
            options.on_note(f"Read as {found.label}.")
        yield from checked(format_.read(text, options), found)
