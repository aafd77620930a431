"""The likeliest whole name of a trie.

A name's weight is its probability under the model, its marker included, and a factor that may be
given for it. Token by token, the best first token may lead to a bad name: "capital" to "capital
role" where "capital city" was meant. So the choice is by the whole name: best-first search expands
the beginning that may lead to the largest weight, and the first whole name that comes up has it,
since no name weighs more than its beginning with the largest factor of the names below. A sure
choice costs no more passes than writing it.

    search = NameSearch(trie)
    while search.chosen is None:
        search.read(logits after search.path)

Letters in tensor names: V vocabulary.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from model.guided.trie import NameTrie, Path

MOST_READ = 16  # beginnings of names; after so many the likeliest one is written to its end
MOST_CONSIDERED = 8  # names in the record
LEAST_CONSIDERED = 0.001  # share of a name in the record


@dataclass(frozen=True, slots=True)
class Choice:
    """A name that was chosen."""

    ids: Path
    """Its tokens, the marker included."""
    probabilities: tuple[float, ...]
    """Of each token under the model, at temperature 1, without the mask."""


class NameSearch:
    """Chooses a name; whoever runs the model feeds it `path` and hands the logits to `read`."""

    def __init__(self, trie: NameTrie, factors: Mapping[str, float] | None = None) -> None:
        """`factors` are the logarithms of those of the names; a name without one has 0."""
        self._trie, self._factors = trie, factors or {}
        self.path: Path = ()
        """The beginning whose next token is to be read; it follows the marker of the place."""
        self.chosen: Choice | None = None
        # Beginnings not yet read and whole names: the likeliest first, of equals the first made.
        self._open: list[tuple[float, int, Path]] = []
        self._made = 0
        self._read = 0
        self._logs: dict[Path, tuple[float, ...]] = {(): ()}

    def allowed_tokens(self) -> tuple[int, ...]:
        """What may follow `path`."""
        return self._trie.after(self.path)

    def likely(self) -> list[int]:
        """A guess at what follows `path`, up to the marker."""
        return list(self._trie.first_below(self.path))

    def read(self, logits_V: Tensor) -> None:
        """Go on by the logits after `path`: either `path` changes or a name is `chosen`."""
        after, logs = self._trie.after(self.path), self._logs[self.path]
        self._read += 1
        total = float(logits_V.logsumexp(0))
        reached: list[tuple[float, int, Path]] = []
        for token, logit in zip(after, logits_V[list(after)].tolist(), strict=True):
            path = (*self.path, token)
            self._logs[path] = (*logs, logit - total)
            reached.append((-self._most(path), self._made, path))
            self._made += 1
        for entry in reached:
            heapq.heappush(self._open, entry)
        if self._read < MOST_READ:
            path = heapq.heappop(self._open)[2]
        else:
            best = min(reached if self._read > MOST_READ else self._open)
            self._open.remove(best)
            heapq.heapify(self._open)
            path = best[2]
        if path[-1] == self._trie.end:
            self.chosen = Choice(path, tuple(math.exp(log) for log in self._logs[path]))
            heapq.heappush(self._open, (-self._most(path), -1, path))
        else:
            self.path = path

    def _most(self, path: Path) -> float:
        """The logarithm of the largest weight that a name below `path` may have."""
        factor = max(self._factors.get(name, 0.0) for name in self._trie.below(path))
        return math.fsum(self._logs[path]) + factor

    def considered(self) -> tuple[tuple[str, float], ...]:
        """The names with their shares of all weight, the largest first; small ones left out.

        Without factors, the shares are the model's probabilities. Names that were not read to their
        end share the probability of their common beginning.
        """
        found: dict[str, float] = {}
        for _, _, path in self._open:
            names = self._trie.below(path)
            for name in names:
                log = math.fsum(self._logs[path]) + self._factors.get(name, 0.0)
                found[name] = math.exp(log) / len(names)
        if self._factors:
            total = math.fsum(found.values())
            found = {name: value / total for name, value in found.items()} if total else found
        chosen = self._trie.below(self.chosen.ids)[0] if self.chosen else ""
        likely = [name for name, value in found.items() if value >= LEAST_CONSIDERED]
        likely = sorted(likely, key=lambda name: -found[name])[:MOST_CONSIDERED]
        if chosen and chosen not in likely:
            likely = [*likely[: MOST_CONSIDERED - 1], chosen]
        return tuple((name, round(found[name], 4)) for name in likely)
