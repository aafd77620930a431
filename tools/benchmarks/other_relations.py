"""Relations that mean another one: how often a lookup of one answers with the other.

    python -m tools.benchmarks.other_relations

`other_relations.csv` has pairs of a relation that an entity holds and another that is asked for:
words of English one or two letters away, opposites and neighbours in meaning, other numbers,
ordinals and codes. None may be answered. As many misspelt names of the held relations must be. The
first half of each is for calibrating, and the second one is counted, with and without the encoder.
"""

from __future__ import annotations

import csv
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graph.core.import_rows import FactRow
from graph.core.protocol import SharedStore
from graph.lookup.encoder import installed_encoder
from graph.lookup.retriever import THRESHOLDS, Retriever, Thresholds
from graph.opening import open_store

PAIRS = Path(__file__).with_suffix(".csv")
SHORTEST = 5  # letters of a word that is misspelt
Pair = tuple[str, str]
"""A relation that an entity holds, and what is asked."""


@dataclass(frozen=True)
class Counted:
    """What lookups of one half came to."""

    others: int
    answered: tuple[Pair, ...]
    """Pairs of two relations that were answered, and must not be."""
    slips: int
    found: int
    """Misspelt names that were answered."""

    @property
    def balanced(self) -> float:
        """The mean of the two shares that are right."""
        return (1 - len(self.answered) / self.others + self.found / self.slips) / 2


def other_relations() -> list[Pair]:
    """The pairs of the file."""
    with PAIRS.open(encoding="utf-8", newline="") as file:
        return [(row["relation"], row["asked"]) for row in csv.DictReader(file)]


def misspelt(pairs: Sequence[Pair], seed: int = 0) -> list[Pair]:
    """Each held relation with a slip in its longest word, if that has five letters or more."""
    rng, found = random.Random(seed), []
    for relation in dict.fromkeys(relation for relation, _ in pairs):
        word = max(relation.split(), key=len)
        if len(word) < SHORTEST or not word.isalpha():
            continue
        place = rng.randrange(1, len(word) - 1)
        swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        doubled = word[:place] + word[place] + word[place:]
        missing = word[:place] + word[place + 1 :]
        slip = rng.choice([way for way in (swapped, doubled, missing) if way != word])
        found.append((relation, relation.replace(word, slip)))
    return found


def filled(store: SharedStore, pairs: Sequence[Pair]) -> None:
    """One entity for each relation, which holds it and two unrelated ones."""
    rows = []
    for number, relation in enumerate(dict.fromkeys(relation for relation, _ in pairs)):
        for other in (relation, "catalogue entry", "remarks on file"):
            rows.append(FactRow(number, f"Thing with {relation}", other, f"value {number}"))
    store.load(rows, author="benchmark")


def count(
    store: SharedStore,
    others: Sequence[Pair],
    slips: Sequence[Pair],
    *,
    embeddings: bool,
    thresholds: Thresholds = THRESHOLDS,
) -> Counted:
    """Ask for all pairs."""
    retriever = Retriever(store, embeddings=embeddings, thresholds=thresholds)

    def is_answered(pair: Pair) -> bool:
        return not retriever.lookup(f"Thing with {pair[0]}", pair[1]).is_miss

    answered = tuple(pair for pair in others if is_answered(pair))
    return Counted(len(others), answered, len(slips), sum(map(is_answered, slips)))


def main() -> None:
    """Print what both halves came to."""
    others = other_relations()
    slips = misspelt(others)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(f"sqlite:///{folder}/pairs.db", create=True) as store,
    ):
        filled(store, others)
        for embeddings in (False, True) if installed_encoder() else (False,):
            for name, half in (("calibrating", 0), ("counted", 1)):
                found = count(store, others[half::2], slips[half::2], embeddings=embeddings)
                print(
                    f"{'with' if embeddings else 'without'} the encoder, {name}: "
                    f"{len(found.answered)} of {found.others} other relations answered, "
                    f"{found.found} of {found.slips} misspelt ones found, "
                    f"balanced accuracy {found.balanced:.3f}"
                )
                print("   ", "; ".join(f"{r} < {a}" for r, a in found.answered[:20]))


if __name__ == "__main__":
    main()
