"""Commands that move facts between a store and files: import and export."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, TextIO, cast

from graph.commands.parser import Commands, add_force, add_number, add_revision, add_signature
from graph.commands.printing import check_revision, counted, show_progress
from graph.core.atomic_files import whole_file
from graph.core.errors import StoreError
from graph.core.import_rows import BadLine
from graph.core.protocol import LoadReport
from graph.exchange.formats import FORMATS, format_of, read_rows
from graph.exchange.resumable import load_in_parts
from graph.opening import open_store, query_rows


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
    "MATCH (a)-[r]->(b) RETURN a.name AS entity, type(r) AS relation, b.name AS value"
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
    _add_format(importing)
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

    export = commands.add(
        "export",
        "write all facts to a file, or print them",
        _export,
        "python -m graph export world.jsonl --at 1",
    )
    export.add_argument("file", help="the file to write; - prints the facts instead")
    _add_format(export, "; csv for -")
    add_force(export)
    add_revision(export)


def _add_format(parser: argparse.ArgumentParser, more: str = "") -> None:
    parser.add_argument(
        "--format",
        choices=list(FORMATS),
        help=f"the format of the file (default: by the ending of its name{more})",
    )


def _import(options: argparse.Namespace) -> None:
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
    with open_store(options.store) as store:
        if path is None:
            if options.from_ is None:
                raise StoreError(
                    "--cypher needs a database to query; name it with --from neo4j://HOST."
                )
            rows = query_rows(options.from_, options.cypher)
            report = store.load(rows, on_progress=on_progress, **arguments)
        elif options.resumable:
            try:
                report, skipped = load_in_parts(
                    store, path, options.format, on_part=on_progress, **arguments
                )
            except KeyboardInterrupt:
                raise StoreError(
                    "Stopped; run the same command again to import the rest."
                ) from None
            if skipped:
                print(f"Skipped {counted(skipped, 'row')} that an earlier run had imported.")
        else:
            rows = read_rows(path, options.format)
            report = store.load(rows, on_progress=on_progress, **arguments)
    print(_summary(report))
    if report.qualified:
        names = ", ".join(report.qualified)
        more = report.qualifications - len(report.qualified)
        print(
            f"{counted(report.qualifications, 'name')} belonged to another identifier and got a "
            f"qualifier: {names}{f', and {more:,} more' if more else ''}."
        )


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
        write = format_of(path, options.format).write
        try:
            with whole_file(path, force=options.force) as file:
                count = write(store.all_facts(options.at), cast(TextIO, file))
        except OSError as problem:
            raise StoreError(f"{path} cannot be written: {problem.strerror}.") from problem
    print(f"Wrote {counted(count, 'fact')} to {path}.")
