"""Commands that move facts between a store and files: import and export."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from graph.commands.parser import Commands, add_force, add_number, add_revision, add_signature
from graph.commands.printing import check_revision, counted, show_progress
from graph.core.errors import StoreError
from graph.core.import_rows import BadLine, FactRow, Row
from graph.core.names import quoted
from graph.core.protocol import LoadReport
from graph.editing.loading import NothingImported, why_invalid
from graph.exchange.exports import export
from graph.exchange.formats import FORMATS, READ_FORMATS, read_rows
from graph.exchange.likely_duplicates import LikelyDuplicates
from graph.exchange.read_options import ReadOptions
from graph.exchange.resumable import load_in_parts
from graph.opening import open_store, query_rows

_SHOWN = 5  # facts that a dry run prints, and pairs of names


def add_commands(commands: Commands) -> None:
    """Declare the commands of this module."""
    importing = commands.add(
        "import",
        "add the facts, aliases, relations or rules of a file to the store",
        _import,
        """
python -m graph import facts.csv --store sqlite:///own.db --author Ada
python -m graph import large.nt --resumable            run it again after a stop
python -m graph import --from neo4j://db.example --cypher
    "MATCH (a)-[r]->(b) RETURN coalesce(a.name, a.title) AS entity,
     type(r) AS relation, coalesce(b.name, b.title) AS value"
""",
    )
    importing.add_argument("file", nargs="?", help="the file to import")
    importing.add_argument(
        "--resumable",
        action="store_true",
        help="import in parts that are kept; after a stop, the same command continues",
    )
    importing.add_argument(
        "--cypher",
        metavar="QUERY",
        help="import the rows of this Cypher query instead of a file; it must return entity, "
        "relation and value, and may return source and year",
    )
    importing.add_argument(
        "--from", dest="from_", metavar="URL", help="the Neo4j database that --cypher queries"
    )
    _add_format(importing, READ_FORMATS)
    importing.add_argument(
        "--encoding",
        default="",
        metavar="NAME",
        help="the encoding of the file, where it does not show it: windows-1252, utf-16, …",
    )
    importing.add_argument(
        "--columns",
        default="",
        metavar="E,R,V",
        help="the columns of entity, relation and value in a table: names in its header, or "
        "numbers if it has none",
    )
    importing.add_argument(
        "--name-key", default="", metavar="KEY", help="the key that names a node of GraphML"
    )
    importing.add_argument(
        "--relation-key",
        default="",
        metavar="KEY",
        help="the key that holds the relation of an edge of GraphML",
    )
    importing.add_argument(
        "--language",
        default="en",
        metavar="TAG",
        help="the language of the labels that become names in linked data (default: en)",
    )
    importing.add_argument(
        "--dry-run",
        action="store_true",
        help="read the file, print its first five facts and every invalid line, and write nothing",
    )
    importing.add_argument(
        "--source", default="", help="the source of every fact that names none itself"
    )
    importing.add_argument(
        "--skip-bad",
        action="store_true",
        help="skip invalid lines; without this, one invalid line stops the import",
    )
    add_number(importing, "--most", "print at most this many invalid lines", default=20, least=0)
    add_signature(importing)

    exporting = commands.add(
        "export",
        "write all facts to a file, or print them",
        _export,
        "python -m graph export world.jsonl --at 1",
    )
    exporting.add_argument(
        "file",
        help="the file to write, or a folder or .zip for one CSV table of each kind; - prints the "
        "facts instead",
    )
    _add_format(exporting, FORMATS, "; csv for -")
    add_force(exporting)
    add_revision(exporting)


def _add_format(parser: argparse.ArgumentParser, formats: Iterable[str], more: str = "") -> None:
    parser.add_argument(
        "--format",
        choices=list(formats),
        help=f"the format of the file (default: by the ending of its name{more})",
    )


def _import(options: argparse.Namespace) -> int:
    if (options.file is None) == (options.cypher is None):
        raise StoreError("Give either a file to import, or a query with --cypher and --from.")
    path = Path(options.file) if options.file else None
    bad_lines = 0

    def on_bad(line: BadLine) -> None:
        nonlocal bad_lines
        bad_lines += 1
        if bad_lines <= options.most:
            print(f"{path or 'the query'}, {line}", file=sys.stderr)
        elif bad_lines == options.most + 1:
            print("… and more; --most N prints up to N of them.", file=sys.stderr)

    def on_progress(rows: int) -> None:
        show_progress(f"{rows:,} lines")

    arguments: dict[str, Any] = {
        "author": options.author,
        "reason": options.reason or f"import of {path.name if path else 'a query'}",
        "source": options.source,
        "skip_bad": options.skip_bad,
        "on_bad": on_bad,
    }
    how = ReadOptions(
        encoding=options.encoding,
        columns=tuple(column.strip() for column in options.columns.split(",") if column.strip()),
        name_key=options.name_key,
        relation_key=options.relation_key,
        language=options.language,
        on_note=lambda note: print(f"{path}: {note}", file=sys.stderr),
    )
    if options.dry_run:
        if path is None:
            raise StoreError("--dry-run reads a file; for a query, add LIMIT to it instead.")
        return _dry_run(read_rows(path, options.format, how), options.source, on_bad)
    skipped = 0
    with open_store(options.store) as store:
        if path is None and options.from_ is None:
            raise StoreError(
                "--cypher needs a database to query; name it with --from neo4j://HOST."
            )
        duplicates, before = LikelyDuplicates(store), store.revision()
        try:
            if path is None:
                rows = duplicates.noting(query_rows(options.from_, options.cypher))
                report = store.load(rows, on_progress=on_progress, **arguments)
            elif options.resumable:
                report, skipped = load_in_parts(
                    store,
                    path,
                    options.format,
                    how=how,
                    on_part=on_progress,
                    watch=duplicates.noting,
                    **arguments,
                )
            else:
                rows = duplicates.noting(read_rows(path, options.format, how))
                report = store.load(rows, on_progress=on_progress, **arguments)
        except NothingImported as nothing:
            print(nothing, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            if not options.resumable:
                raise
            raise StoreError("Stopped; run the same command again to import the rest.") from None
        if report.entities:
            duplicates.in_store(before)
        _print_duplicates(duplicates)
    if skipped:
        print(f"Skipped {counted(skipped, 'row')} that an earlier run had imported.")
    print(_summary(report))
    if report.qualified:
        names = ", ".join(report.qualified)
        more = report.qualifications - len(report.qualified)
        print(
            f"{counted(report.qualifications, 'name')} belonged to another identifier and got a "
            f"qualifier: {names}{f', and {more:,} more' if more else ''}."
        )
    return 0


def _print_duplicates(duplicates: LikelyDuplicates) -> None:
    if duplicates.pairs:
        some = [f"{quoted(a)} and {quoted(b)}" for a, b in list(duplicates.pairs)[:_SHOWN]]
        more = " …" if len(duplicates.pairs) > _SHOWN else ""
        print(
            f"{counted(len(duplicates.pairs), 'pair')} of names may mean the same: "
            f"{'; '.join(some)}{more}",
            file=sys.stderr,
        )


def _dry_run(rows: Iterable[Row], source: str, on_bad: Callable[[BadLine], None]) -> int:
    """Print what an import would take, without a store; returns the exit code."""
    shown, good, bad = 0, 0, 0
    for row in rows:
        problem = row if isinstance(row, BadLine) else why_invalid(row, source)
        if problem is not None:
            bad += 1
            on_bad(problem)
            continue
        good += 1
        if isinstance(row, FactRow) and shown < _SHOWN:
            shown += 1
            print(f"line {row.line}: {row.entity} | {row.relation} | {row.value}")
    print(
        f"Nothing was imported (--dry-run): {counted(good, 'valid row')}, "
        f"{counted(bad, 'invalid line')}."
    )
    return 1 if bad and not good else 0


def _summary(report: LoadReport) -> str:
    counts = (
        counted(report.facts, "new fact"),
        counted(report.entities, "new entity", "new entities"),
        counted(report.sources, "fact") + " with one more source",
        counted(report.doubles, "duplicate"),
        counted(report.aliases, "new alias", "new aliases"),
        counted(report.relations, "relation") + " declared",
        counted(report.rules, "new synonym or setting", "new synonyms and settings"),
        counted(report.bad, "invalid line") + " skipped",
    )
    return f"Revision {report.revision}: {', '.join(counts)}."


def _export(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        check_revision(store, options.at)
        if options.file == "-":
            FORMATS[options.format or "csv"].write(store.all_facts(options.at), sys.stdout)
            return
        path = Path(options.file)
        done = export(store, path, options.format, at=options.at, force=options.force)
        print(f"Wrote {counted(done.facts, 'fact')} to {path}.")
        for sentence in done.left_out:
            print(f"{path}: {sentence}", file=sys.stderr)
