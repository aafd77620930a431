"""Writes documents about the graph's entities, of every kind that the model has to know."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from training.corpus.kinds.kind import Kind
from training.corpus.kinds.registry import KINDS
from training.corpus.material import Material
from training.corpus.phrase_book import Phrases
from training.corpus.records import Record
from training.data.documents import Document


class Writer(Material):
    """Draws documents about `records`, with wordings from `phrases`.

    Without `exchange` names and values are as in the graph: an ablation, which shows what the
    exchange contributes.
    """

    def __init__(
        self,
        records: Iterable[Record],
        phrases: Phrases,
        exchange: bool = True,
        kinds: Mapping[str, Kind] = KINDS,
    ) -> None:
        super().__init__(records, phrases, exchange)
        self.kinds = kinds

    def document(self, rng: random.Random, kind: str | None = None) -> Document:
        """One document of the kind, or of a kind drawn by the weights."""
        if kind is None:
            weights = [each.weight for each in self.kinds.values()]
            kind = rng.choices(tuple(self.kinds), weights)[0]
        prompt, text = self.kinds[kind].write(self, rng)
        return Document(prompt, text, kind=kind)
