"""Facts for benchmarks: real ones, and more of them than the shipped world has."""

from __future__ import annotations

from collections.abc import Iterator

from graph.core.import_rows import FactRow
from graph.world import world_rows


def renamed_facts(facts: int) -> Iterator[FactRow]:
    """So many facts: the shipped world's, and then again and again with each entity renamed."""
    plain = [row for row in world_rows() if isinstance(row, FactRow)]
    names = sorted({row.entity for row in plain})
    place_of = {name: place for place, name in enumerate(names)}
    for number in range(facts):
        turn, place = divmod(number, len(plain))
        row = plain[place]
        name = row.entity
        if turn:
            name = f"{name} of {names[(place_of[name] + 97 * turn) % len(names)]}"
        yield FactRow(number + 1, name, row.relation, row.value, row.source, row.year)
