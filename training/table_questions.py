"""Tables as people keep them, and questions about them in people's own words.

`own_tables/calibration` is for fitting a model's judgement; `own_tables/measured` is what the suite
`own_tables` measures; the corpus reads it only to leave its questions out. Each table is a CSV of
facts, with the questions in a file of lines next to it: cases of the pass rule
(training/evaluation/pass_rule.py), each with its kind. Whoever wrote them saw neither the corpus
nor the code.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.core.names import fold

FOLDER = Path(__file__).parent / "evaluation" / "own_tables"
CALIBRATION = FOLDER / "calibration"
MEASURED = FOLDER / "measured"


@dataclass(frozen=True)
class QuestionedTable:
    """The facts of a table, and the cases about it."""

    name: str
    facts: tuple[tuple[str, str, str], ...]
    """Entity, relation and value."""
    cases: tuple[Mapping[str, Any], ...]
    """Each with its question `q`, its `kind`, and what a right answer holds."""

    def about(self, case: Mapping[str, Any]) -> str | None:
        """The entity that a case names, if it names one alone."""
        asked = str(case["q"]).casefold()
        names = {entity for entity, _, _ in self.facts if entity.casefold() in asked}
        return names.pop() if len(names) == 1 else None

    def relations_of(self, entity: str) -> tuple[str, ...]:
        """The names of an entity's relations, in the order of the table."""
        return tuple(dict.fromkeys(r for e, r, _ in self.facts if e == entity))

    def values_of(self, entity: str) -> dict[str, list[str]]:
        """What an entity's relations hold, by folded key."""
        values: dict[str, list[str]] = {}
        for name, relation, value in self.facts:
            if name == entity:
                values.setdefault(fold(relation), []).append(value)
        return values

    def answering(self, case: Mapping[str, Any], entity: str) -> list[str]:
        """The relations of an entity with a value that is the answer to a case."""
        wanted = case.get("any") or ()
        return [
            relation
            for relation in self.relations_of(entity)
            if any((entity, relation, v) in self.facts for v in wanted)
        ]


def read_tables(folder: Path) -> list[QuestionedTable]:
    """All tables of a folder, by name.

    Raises:
        OSError: if a table has no questions.
    """
    tables = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            facts = [(r["entity"], r["relation"], r["value"]) for r in csv.DictReader(file)]
        lines = path.with_suffix(".jsonl").read_text("utf-8").splitlines()
        cases = [json.loads(line) for line in lines if line.strip()]
        tables.append(QuestionedTable(path.stem, tuple(facts), tuple(cases)))
    return tables
