"""Commands for a store as a whole: init, copy, check, backup, embed, purge and migrate."""

from __future__ import annotations

import argparse
from pathlib import Path

from graph.commands.parser import Commands, add_force, add_signature
from graph.commands.printing import counted, show_progress
from graph.core.errors import StoreError
from graph.core.ids import parse_id
from graph.lookup.encoder import INSTALL, installed_encoder
from graph.opening import back_up, copy_store, migrate_store, open_store
from graph.world import make_world, seed_rules

_EMBEDDED_AT_ONCE = 256  # names


def add_init(commands: Commands) -> None:
    """Declare `init`, which is listed first because it comes before everything else."""
    init = commands.add(
        "init",
        "make a store that holds the shipped world",
        _init,
        "python -m graph init --store sqlite:///own.db          add --empty for your own facts",
    )
    init.add_argument("--empty", action="store_true", help="make a store without any facts")


def add_commands(commands: Commands) -> None:
    """Declare the other commands of this module."""
    copying = commands.add(
        "copy",
        "copy a store to another of any kind, or continue a stopped copy",
        _copy,
        "python -m graph copy --from sqlite:///world.db --to neo4j://localhost:7687",
    )
    copying.add_argument(
        "--from", dest="source", required=True, metavar="URL", help="the store to copy"
    )
    copying.add_argument(
        "--to",
        dest="target",
        required=True,
        metavar="URL",
        help="where the copy goes: a new file, or an empty store on a server",
    )

    commands.add(
        "check",
        "look for damage; the exit code is 1 if there is any",
        _check,
        "python -m graph check",
    )

    backing_up = commands.add(
        "backup",
        "copy the store into a new file while it is in use",
        _backup,
        "python -m graph backup world-backup.db",
    )
    backing_up.add_argument("file", help="the file to write")
    add_force(backing_up)

    commands.add(
        "embed",
        "embed the names of entities, so that lookups find them by meaning",
        _embed,
        "python -m graph embed                                  again after adding entities",
    )

    purging = commands.add(
        "purge",
        "erase facts with their history and every other trace",
        _purge,
        "python -m graph purge 3765345365958657743",
    )
    purging.add_argument(
        "facts",
        nargs="*",
        metavar="ID",
        help="the id of a fact, as show prints it; without one, the file is only rewritten",
    )
    add_signature(purging)

    commands.add(
        "migrate",
        "upgrade a store of an earlier version",
        _migrate,
        "python -m graph migrate --store sqlite:///old.db       after an update of Lamplight",
    )


def _init(options: argparse.Namespace) -> None:
    if not make_world(options.store, empty=options.empty):
        print(f"{options.store} already exists and stays as it is.")
        return
    with open_store(options.store) as store:
        statistics = store.statistics()
    print(
        f"Made {options.store} with {counted(statistics.facts, 'fact')} about "
        f"{counted(statistics.entities, 'entity', 'entities')} in "
        f"{counted(statistics.relations, 'relation')}."
    )


def _copy(options: argparse.Namespace) -> None:
    def on_progress(table: str, rows: int) -> None:
        show_progress(f"{table}: {rows:,} rows")

    done = copy_store(options.source, options.target, on_progress)
    print(
        f"{options.target} holds revision {done.at} of {options.source}: "
        + ", ".join(
            f"{count:,} {table.replace('_', ' ')} rows" for table, count in done.counts.items()
        )
        + ". Every row was read back and compared."
    )


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
    revision = back_up(options.store, Path(options.file), force=options.force)
    print(f"{options.file} holds {options.store} as it was at revision {revision}.")


def _embed(options: argparse.Namespace) -> None:
    encoder = installed_encoder()
    if encoder is None:
        raise StoreError(
            f"No encoder is installed, or LAMPLIGHT_ENCODER is off; install one with: {INSTALL}"
        )
    done, after = 0, -1
    with open_store(options.store) as store:
        while names := store.unembedded(after, _EMBEDDED_AT_ONCE):
            store.embed(names, encoder.encode([name for _, name in names]))
            after, done = names[-1][0], done + len(names)
            show_progress(f"{done:,} names")
    print(f"Embedded {counted(done, 'name')}; lookups find them by meaning as well.")


def _purge(options: argparse.Namespace) -> None:
    ids = [parse_id(text.removeprefix("#")) for text in options.facts]
    with open_store(options.store) as store:
        if not ids:
            store.rewrite()
            print("Rewrote the file.")
            return
        revision = store.purge(ids, author=options.author, reason=options.reason)
        if store.purge_notice:
            print(store.purge_notice)
    print(
        f"Revision {revision}: erased {counted(len(ids), 'fact')}. "
        "Your backups and exports still contain what was erased."
    )


def _migrate(options: argparse.Namespace) -> None:
    before, now = migrate_store(options.store)
    if before == now:
        print(f"{options.store} already has the schema version {now}.")
        return
    with open_store(options.store) as store:
        seeded = seed_rules(store)
    print(
        f"Migrated {options.store} from schema version {before} to {now}."
        + (" It holds the shipped world, so its synonyms were added." if seeded else "")
    )
