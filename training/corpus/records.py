"""Records: what the graph holds of one entity, as the corpus writes about it."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from graph.core.database_files import refuse_database
from graph.data.relations import PERSONAL

DEFAULT_FACTS = Path(__file__).parents[2] / "graph" / "data" / "world.csv"
"""The facts of the shipped world."""

TYPE = "instance of"
"""The relation whose value says what an entity is; it chooses the wording."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entity with its facts, relations in the order in which the graph states them."""

    entity: str
    facts: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """What the graph says that the entity is, or an empty string.

        Of a person, an occupation or a birth says it.
        """
        return self.facts.get(TYPE, ("" if PERSONAL.isdisjoint(self.facts) else "person",))[0]


def read_records(path: Path) -> dict[str, Record]:
    """Read a facts CSV with the columns `entity`, `relation`, `value` into records by entity.

    Raises:
        ValueError: the file has no facts or lacks a column.
    """
    refuse_database(path)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not {"entity", "relation", "value"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path} needs the columns entity, relation, value in its first line.")
        facts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for row in reader:
            facts[row["entity"]][row["relation"]].append(row["value"])
    if not facts:
        raise ValueError(f"{path} holds no facts, so there is nothing to write a corpus about.")
    return {
        entity: Record(entity, {relation: tuple(values) for relation, values in held.items()})
        for entity, held in facts.items()
    }


_WORD = re.compile(r"[^\W_]+(?:['’.&-][^\W_]+)*")


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, case-folded, to compare names by."""
    return tuple(match.group().casefold() for match in _WORD.finditer(text))
