"""A list of facts that are verified one after another, its shares with intervals, and its exports.

One fact can only show no sign of memory. Of a list, the shares of the verdicts have intervals.
"""

from __future__ import annotations

import csv
import io
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from graph.core.facts import Fact
from graph.core.names import fold, quoted
from graph.core.protocol import TripletStore
from graph.lookup.retriever import Retriever
from graph.version import VERSION
from model.audit.closed_book import SIGN, digits
from model.audit.verification import FORMAT_VERSION, KINDS, Verification
from training.evaluation.statistics import Estimate, mean, wilson

MOST = 200  # facts of one list
_READ = 500_000  # facts of the graph that a sample is drawn from, at most
_HEAD = ("entity", "relation", "value", "verdict", "sentence")


@dataclass
class FactList:
    """The facts that are to be verified, and what was found so far."""

    facts: list[Fact] = field(default_factory=list)
    seed: int | None = None
    """The seed of a random sample; None for facts that a person listed."""
    problems: list[str] = field(default_factory=list)
    rows: list[Verification] = field(default_factory=list)
    number: int = 0
    running: bool = False

    @property
    def shares(self) -> dict[str, Estimate]:
        """The share of each verdict, with Wilson's interval; empty before the first row."""
        if not self.rows:
            return {}
        kinds = [row.verdict.kind for row in self.rows]
        return {kind: wilson(np.array([[kinds.count(kind), len(kinds)]])) for kind in KINDS}

    @property
    def ratio(self) -> Estimate | None:
        """The mean ratio of the closed-book bars (geometric), with a bootstrap interval."""
        logs = [math.log(row.bar.ratio) for row in self.rows if row.bar is not None]
        if not logs:
            return None
        row = mean(logs)
        return {name: x if name == "n" else math.exp(x) for name, x in row.items()}

    def to_json(self) -> dict[str, Any]:
        """As a plain object, with each verification as it is alone."""
        shares = {
            kind: {"count": round(row["value"] * row["n"]), **_rounded(row)}
            for kind, row in self.shares.items()
        }
        ratio = self.ratio
        return {
            "version": FORMAT_VERSION,
            "lamplight": VERSION,
            "wanted": len(self.facts),
            "verified": len(self.rows),
            "seed": self.seed,
            "not_found": self.problems,
            "shares": shares,
            "closed_book_ratio": None if ratio is None else _rounded(ratio),
            "sign_from": SIGN,
            "facts": [row.to_json() for row in self.rows],
        }

    def to_csv(self) -> str:
        """One row for each fact."""
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        columns = [column.key for column in self.rows[0].columns] if self.rows else []
        table.writerow([*_HEAD, *(f"says it: {key}" for key in columns), "ratio", "control"])
        for row in self.rows:
            bar, fact = row.bar, row.fact
            table.writerow(
                [
                    *(_plain(text) for text in (fact.entity, fact.relation, fact.value)),
                    KINDS[row.verdict.kind],
                    row.verdict.sentence,
                    *("yes" if column.states else "no" for column in row.columns),
                    "" if bar is None else digits(bar.ratio),
                    "" if bar is None or bar.control is None else digits(bar.control),
                ]
            )
        return out.getvalue()


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _rounded(row: Estimate) -> dict[str, float]:
    return {name: x if name == "n" else digits(x) for name, x in row.items()}


def drawn(store: TripletStore, number: int, seed: int) -> FactList:
    """A random sample of the facts of a graph; the same seed draws the same facts."""
    known = list(islice(store.all_facts(), _READ))
    chosen = random.Random(seed).sample(known, min(number, MOST, len(known)))
    return FactList(chosen, seed)


def listed(store: TripletStore, lines: Iterable[str]) -> FactList:
    """The facts that lines name: `entity, relation` or `entity, relation, value`, as CSV.

    A line that names none becomes a problem, in one sentence.
    """
    found = FactList()
    retriever = Retriever(store)
    rows = csv.reader([line for line in lines if line.strip()], skipinitialspace=True)
    for row in rows:
        if len(row) not in (2, 3):
            found.problems.append(f"{quoted(','.join(row))} is not “entity, relation”.")
            continue
        facts = retriever.lookup(row[0].strip(), row[1].strip()).facts
        if len(row) == 3:
            facts = tuple(fact for fact in facts if fold(fact.value) == fold(row[2]))
        if not facts:
            found.problems.append(f"The graph has no fact {quoted(', '.join(row))}.")
        for fact in facts:
            if len(found.facts) < MOST and all(fact.id != other.id for other in found.facts):
                found.facts.append(fact)
    return found
