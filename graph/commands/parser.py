"""How the commands of `python -m graph` are declared: options, help and examples."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from graph.core.atomic_files import FORCE_HELP

Do = Callable[[argparse.Namespace], int | None]
"""A command: does what the options say and returns the exit code, None for 0."""


class Commands:
    """Adds commands to the parser of `python -m graph`.

    Args:
        parser: the parser of `python -m graph`.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
        self.examples: list[str] = []
        """The examples of all commands, for the help of `python -m graph`."""

    def add(self, name: str, help_: str, do: Do, examples: str) -> argparse.ArgumentParser:
        """Add a command; returns its parser, to which its own options are added.

        Args:
            name: what the user types.
            help_: what it does, beginning in lower case and without a full stop.
            do: the function to call.
            examples: complete commands, one on each line.
        """
        lines = [f"  {line}" for line in examples.strip().splitlines()]
        self.examples += lines
        parser = self._subparsers.add_parser(
            name,
            help=help_,
            description=help_[0].upper() + help_[1:] + ".",
            epilog="\n".join(["example:", *lines]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument(
            "--store", metavar="URL", help="the store to use, for example sqlite:///own.db"
        )
        parser.set_defaults(do=do)
        return parser


def whole_number(least: int) -> Callable[[str], int]:
    """A type for `add_argument`: whole numbers of at least `least`."""

    def read(text: str) -> int:
        number = int(text)
        if not least <= number < 2**62:
            raise ValueError(text)
        return number

    read.__name__ = f"whole number of at least {least}"  # argparse quotes it in its error
    return read


def add_number(
    parser: argparse.ArgumentParser, option: str, help_: str, *, default: int, least: int = 1
) -> None:
    """Add an option that takes a whole number of at least `least`; its help states the default."""
    parser.add_argument(
        option,
        type=whole_number(least),
        default=default,
        metavar="N",
        help=f"{help_} (default: {default})",
    )


def add_force(parser: argparse.ArgumentParser) -> None:
    """Add the option that lets a command replace a file that it did not write."""
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)


def add_revision(parser: argparse.ArgumentParser) -> None:
    """Add the option that reads the store as it was at an earlier revision."""
    parser.add_argument(
        "--at",
        type=whole_number(0),
        metavar="REVISION",
        help="read the store as it was at this revision (default: the newest)",
    )


def add_signature(parser: argparse.ArgumentParser) -> None:
    """Add the options that say who makes an edit, and why."""
    parser.add_argument(
        "--author",
        default=os.environ.get("USER", ""),
        help="your name, for the history (default: the environment's USER)",
    )
    parser.add_argument("--reason", default="", help="why you make this edit, for the history")
