"""Lists of relations as a store would rank them for a prompt: `NAME: r1; r2; ...; and N more`.

A store orders an entity's relations by their relevance to the prompt, with an encoder or, without
one, by shared words. Documents imitate both, with some noise: the model should use the order and
not trust it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import numpy as np

from graph.core.facts import MAX_RANKED
from graph.lookup import relevance
from graph.lookup.encoder import Encoder
from training.corpus.questions.label_sentences import plain_label


class Relevance:
    """How relevant relations are to questions, by the encoder's vectors and by shared words."""

    def __init__(self, encoder: Encoder | None) -> None:
        self._encoder = encoder
        self._known: dict[str, int] = {}
        self._vectors = np.zeros((0, 384), dtype=np.float32)
        self._stems: dict[str, frozenset[str]] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Encode texts (questions with the name left out, relations in words) once, in batches."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if self._encoder is None or not fresh:
            return
        parts = [self._vectors]
        for start in range(0, len(fresh), 2048):
            parts.append(self._encoder.encode(fresh[start : start + 2048]))
        for text in fresh:
            self._known[text] = len(self._known)
        self._vectors = np.concatenate(parts).astype(np.float32)

    def cosine(self, text: str, label: str) -> float | None:
        """How near two texts are in meaning; None if one was not encoded."""
        a, b = self._known.get(text), self._known.get(label)
        return None if a is None or b is None else float(self._vectors[a] @ self._vectors[b])

    def stems(self, text: str) -> frozenset[str]:
        """The words of a text without their endings, as the store compares them."""
        if text not in self._stems:
            if len(self._stems) > 200_000:
                self._stems.clear()
            self._stems[text] = frozenset(relevance.stems(text))
        return self._stems[text]

    def scores(
        self, rng: random.Random, questions: Sequence[str], labels: Sequence[str]
    ) -> list[float]:
        """One score for each label: the best over the questions, with noise."""
        mode = rng.random()  # the encoder, words alone, or no order at all
        out = []
        for place, label in enumerate(labels):
            if mode > 0.96:
                out.append(rng.random())
                continue
            best = 0.0
            stems = self.stems(label)
            for question in questions:
                shared = len(stems & self.stems(question)) / max(1, len(stems))
                if mode < 0.82:
                    meaning = self.cosine(question, plain_label(label))
                    if meaning is None:
                        meaning = 0.15 + 0.5 * shared
                    best = max(best, meaning + 0.12 * shared)
                else:
                    best = max(best, shared - 0.001 * place)
            out.append(best + rng.gauss(0, 0.04 if mode < 0.82 else 0.0))
        return out

    def ranked(
        self,
        rng: random.Random,
        questions: Sequence[str],
        labels: Sequence[str],
        needed: Iterable[str] = (),
    ) -> list[str]:
        """The labels, most relevant first; those `needed` are always among the listed ones."""
        scored = self.scores(rng, questions, labels)
        order = [labels[i] for i in sorted(range(len(labels)), key=lambda i: -scored[i])]
        listed, rest = order[:MAX_RANKED], order[MAX_RANKED:]
        kept = set(needed)
        for label in [label for label in rest if label in kept]:
            given_up = next(i for i in range(len(listed) - 1, -1, -1) if listed[i] not in kept)
            rest[rest.index(label)] = listed.pop(given_up)
            listed.insert(rng.randint(len(listed) // 3, len(listed)), label)
        return listed + rest
