"""What the model considered for a guided lookup, for the cards: names and how likely each was."""

from __future__ import annotations

from typing import NamedTuple

from app.state.marked_trace import asked_for
from app.views.templates import percent
from graph.core.names import fold
from model.trace import TraceLookup

MOST = 4  # names on a card
LEAST = 0.01  # probability of a name on a card; the one that was asked for is always there


class Considered(NamedTuple):
    """A relation that the lookup could have asked for."""

    name: str
    probability: float
    chosen: bool

    @property
    def words(self) -> str:
        """The probability in per cent."""
        return percent(self.probability)


def considered(lookup: TraceLookup) -> tuple[Considered, ...]:
    """The relations that the model weighed, the likeliest first; none if the record has none."""
    if not asked_for(lookup):
        return ()
    asked = fold(lookup.lookup.relation)
    names = [Considered(name, value, fold(name) == asked) for name, value in lookup.considered]
    likely = [one for one in names if one.probability >= LEAST or one.chosen]
    return tuple(one for place, one in enumerate(likely) if place < MOST or one.chosen)


def in_one_line(names: tuple[Considered, ...]) -> str:
    """The three likeliest names for a hover card; "" if the model was sure of one."""
    if len(names) < 2:
        return ""
    return ", ".join(
        f"{one.name} {one.words}".replace(" %", "\N{NO-BREAK SPACE}%") for one in names[:3]
    )
