"""Reading text files within stated limits, for every format.

A line is never held whole when it is too long, and a file only where its format requires that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from graph.core.errors import StoreError
from graph.core.facts import Fact

LONGEST_LINE = 1_000_000  # characters; a longer line is an invalid one, and is never held whole
TOO_LONG = f"It has more than {LONGEST_LINE:,} characters."
LARGEST_WHOLE = 64_000_000  # characters of a file that is held in memory: Turtle, GraphML
MOST_FACTS_WHOLE = LARGEST_WHOLE // 100  # facts that are written to such a file


def read_lines(file: TextIO) -> Iterator[str | None]:
    """The lines of a file with their line ends; None for each line that is too long."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            yield None
        else:
            yield line


def read_whole(file: TextIO, name: str) -> str:
    """The text of a file; raises `StoreError` for more than `LARGEST_WHOLE` characters."""
    text = file.read(LARGEST_WHOLE + 1)
    if len(text) > LARGEST_WHOLE:
        raise StoreError(
            f"{name} is read whole, and this file has more than {LARGEST_WHOLE:,} characters; "
            "convert it to N-Triples, which is read line by line."
        )
    return text


def limited(facts: Iterable[Fact], name: str) -> Iterator[Fact]:
    """The facts that a file held in memory gets; raises `StoreError` after `MOST_FACTS_WHOLE`."""
    for count, fact in enumerate(facts, start=1):
        if count > MOST_FACTS_WHOLE:
            raise StoreError(
                f"{name} holds at most {MOST_FACTS_WHOLE:,} facts; use N-Triples instead."
            )
        yield fact
