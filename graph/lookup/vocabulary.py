"""Which relation a phrase means: the second stage of a lookup, once the entity is found.

The phrase is compared with everything that it could mean, not only with the entity's own relations.
If the best match is a relation that the entity lacks, or that was deleted from it, the lookup is a
miss, because no similarity score can separate "head coach" from "assistant coach".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.core.names import fold
from graph.core.rules import Rule
from graph.lookup.encoder import Encoder
from graph.lookup.english import american, is_english, is_form
from graph.lookup.spelling import bag_of, bags, likeness, near_words, words_of

_SHORTEST = 5  # letters of a relation of one word that may be misspelt; one less in a phrase


@dataclass(frozen=True, slots=True)
class Meaning:
    """A relation that a phrase may mean."""

    relation: str
    score: float
    by: str
    """"synonym", "spelling" or "meaning"."""


class Vocabulary:
    """The names of relations and their synonyms, prepared for comparing phrases with them."""

    def __init__(self, relations: Iterable[str], synonyms: Iterable[Rule]) -> None:
        self._texts: list[str] = []
        self._relations: list[str] = []  # the relation that each text means
        self._by_key: dict[str, list[str]] = {}
        self._by_bag: dict[str, list[int]] = {}
        for relation in relations:
            self._put(relation, relation)
        self.keys = frozenset(map(fold, self._relations))
        """The folded keys of the relations."""
        for rule in synonyms:
            self._put(rule.name, rule.value)
            self._by_key.setdefault(rule.key, []).append(rule.value)
        self._words = {word for text in self._texts for word in words_of(text)}
        self._vectors_ND: NDArray[np.float32] | None = None

    def _put(self, text: str, relation: str) -> None:
        self._by_bag.setdefault(bag_of(words_of(text)), []).append(len(self._texts))
        self._texts.append(text)
        self._relations.append(relation)

    def synonyms(self, phrase: str) -> Sequence[str]:
        """The relations that a phrase is a synonym of, in the order in which they were added."""
        return self._by_key.get(fold(phrase), ())

    def by_spelling(self, phrase: str) -> list[Meaning]:
        """Relations whose name or synonym has these words, misspelt or reordered; best first.

        A word of English is not a misspelling of another, and a short word is not guessed at all:
        "king" is not "kind", and "are" is not "area".
        """
        words = words_of(phrase)
        least = _SHORTEST if len(words) == 1 else _SHORTEST - 1
        options = [[word] if word in self._words else self._misspelt(word, least) for word in words]
        if not options or not all(options):
            return []
        return self._best(
            (place, likeness(phrase, self._texts[place]))
            for bag in bags(options)
            for place in self._by_bag.get(bag, ())
        )

    def _misspelt(self, word: str, least: int) -> list[str]:
        """The known words that a word may be a misspelling of, each of at least so many letters."""
        if len(word) < least:
            return []
        if is_english(word):  # its plural or the other English may be meant
            key = american(word)
            return [k for k in self._words if american(k) == key or is_form(word, k)]
        return [known for known in near_words(word, self._words) if len(known) >= least]

    def by_meaning(self, phrase: str, encoder: Encoder) -> list[Meaning]:
        """Relations by the cosine between embeddings, of their names or synonyms; best first."""
        if not self._texts or not phrase.strip():
            return []
        if self._vectors_ND is None:
            self._vectors_ND = encoder.encode(self._texts)
        (query_D,) = encoder.encode([phrase])
        cosines_N = self._vectors_ND @ query_D
        return self._best(enumerate(cosines_N.tolist()), "meaning")

    def _best(self, scored: Iterable[tuple[int, float]], by: str = "spelling") -> list[Meaning]:
        best: dict[str, Meaning] = {}
        for place, score in scored:
            relation = self._relations[place]
            known = best.get(fold(relation))
            if known is None or score > known.score:
                best[fold(relation)] = Meaning(relation, score, by)
        return sorted(best.values(), key=lambda meaning: -meaning.score)
