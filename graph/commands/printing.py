"""How the commands print facts, counts and progress, and find an entity by its name."""

from __future__ import annotations

import sys

from graph.core.errors import StoreError
from graph.core.facts import Entity, Fact
from graph.core.names import quoted
from graph.core.protocol import TripletStore


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number and its noun.

    >>> counted(1, "fact"), counted(1200, "fact")
    ('1 fact', '1,200 facts')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def fact_line(fact: Fact) -> str:
    """A fact with its year, its source and its id, in one line."""
    year = f" ({fact.year})" if fact.year is not None else ""
    source = f"  [{fact.source}]" if fact.source else ""
    return f"{fact.entity} | {fact.relation} | {fact.value}{year}{source}  #{fact.id}"


def show_progress(text: str) -> None:
    """Replace the last line of the error stream, where that is a terminal."""
    if sys.stderr.isatty():
        print(f"\r{text}", end="\033[K", file=sys.stderr, flush=True)


def check_revision(store: TripletStore, at: int | None) -> None:
    """Raise `StoreError` if the store has no such revision."""
    if at is not None and not 0 <= at <= store.revision():
        raise StoreError(f"There is no revision {at}; the newest is {store.revision()}.")


def find_entity(store: TripletStore, name: str, at: int | None = None) -> Entity:
    """The entity of that name; if there is none, raises `StoreError` with similar names."""
    found = store.find_entities(name, at=at)
    if found:
        return found[0][0]
    near = ", ".join(quoted(entity.name) for entity in store.search(name, limit=3, at=at))
    raise StoreError(
        f"There is no entity {quoted(name)}" + (f"; similar names are {near}." if near else ".")
    )
