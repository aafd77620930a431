"""What a person may say about a file that is read, the same for every format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def ignore_note(note: str) -> None:
    """Drop a note; for callers that show none."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a file, where its content alone does not say."""

    encoding: str = ""
    """The encoding, by a name that Python knows; empty for the one that the file shows."""
    columns: tuple[str, ...] = ()
    """The columns of entity, relation and value in a table: names, or numbers from 1 on."""
    is_headed: bool = False
    """Whether the first line is a header, where the columns are given by number."""
    name_key: str = ""
    """The key that names a node of GraphML; empty for the first of the documented ones."""
    relation_key: str = ""
    """The key that holds an edge's relation in GraphML; empty for the documented ones."""
    language: str = "en"
    """The language of the labels that become names in linked data."""
    is_pasted: bool = False
    """Whether a person pasted the text where entity, relation and value were asked for."""
    largest: int = 0
    """The most bytes that are read, unpacked; 0 for any number."""
    on_note: Callable[[str], None] = ignore_note
    """Receives what a person should know about how the file was read: a sentence each."""


DEFAULTS = ReadOptions()
