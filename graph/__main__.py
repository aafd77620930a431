"""The graph on the command line: create a store, fill it, read it, edit it and maintain it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from textwrap import fill

from graph.commands import editing, reading, transfer, upkeep
from graph.commands.parser import Commands
from graph.core.atomic_files import OUTPUT_RULE
from graph.core.errors import UserError
from graph.version import VERSION
from graph.world import DEFAULT_STORE, store_url

_NOTES = f"""\
The store is the first of these: --store, LAMPLIGHT_STORE or NEO4J_URI in the environment,
{DEFAULT_STORE}. A Neo4j server's user and password come from NEO4J_USERNAME and NEO4J_PASSWORD, or
from the file that NEO4J_AUTH_FILE names: its first line is user/password, and each line for a
further server is host:port user/password.
{fill(OUTPUT_RULE, 100)}
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m graph",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Lamplight {VERSION}")
    parser.set_defaults(store=None, do=lambda options: parser.print_help())
    commands = Commands(parser)
    upkeep.add_init(commands)
    for module in (transfer, reading, editing, upkeep):
        module.add_commands(commands)
    parser.epilog = "\n".join(["examples:", *commands.examples, _NOTES])
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0 if it was done, 1 if `check` found damage, 2 after one sentence on the error stream, and
        130 if it was interrupted.
    """
    options = _parser().parse_args(arguments)
    options.store = store_url(options.store)
    try:
        code: int | None = options.do(options)
    except UserError as problem:
        print(problem, file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads our output closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("Stopped; nothing was changed.", file=sys.stderr)
        return 130
    sys.stdout.flush()
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
