"""The stages of a search for entities by name, the same for every store.

A search as one types looks for names with words that begin so, then hold what was typed, then are
spelt nearly so. Candidates for a misspelt name are looked for by its words in alphabetical order
(its bag), with two words also written as one and one as two; then by all words but one. A store
runs the queries, in the language of its own text index.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence

from graph.core.facts import Entity
from graph.core.names import MAX_NAME
from graph.lookup.spelling import MOST_WORDS, bags, other_spellings, words_of

_TYPED = 200  # characters of a search that are looked at
Groups = Sequence[Sequence[str]]
"""For each word of a name the known words that it may be."""


def storable(text: str) -> str:
    """Text that a store can take: without null bytes and lone surrogates."""
    return text.replace("\0", " ").encode("utf-8", "ignore").decode("utf-8")


class NameSearch(ABC):
    """Search and candidates; see `graph.core.protocol.TripletReads`."""

    @abstractmethod
    def find_entities(self, name: str, at: int | None = None) -> list[tuple[Entity, str]]:
        """See `graph.core.protocol.TripletReads.find_entities`."""

    @abstractmethod
    def _pin(self, at: int | None) -> int:
        """The revision to read at."""

    @abstractmethod
    def _listed(self, ids: Sequence[int], at: int) -> list[Entity]:
        """The entities of these ids that are there, in the order given."""

    @abstractmethod
    def _known_words(self, words: Iterable[str]) -> set[str]:
        """Those of the words that occur in some name."""

    @abstractmethod
    def _options(self, words: Sequence[str]) -> Mapping[str, list[str]]:
        """Each word itself if some name has it, or else the known ones it may misspell."""

    @abstractmethod
    def _holding(self, words: Sequence[str]) -> Mapping[str, list[str]]:
        """For each word the known ones that have it within them, the shorter first."""

    @abstractmethod
    def _beginning(self, words: Sequence[str]) -> str:
        """A query for names with words that begin with each of these."""

    @abstractmethod
    def _all_of(self, groups: Groups) -> str:
        """A query for names with one word of each group."""

    @abstractmethod
    def _best_known(self, query: str, limit: int, at: int) -> list[int]:
        """Ids of entities with a name that a query finds: the best known first, then the shorter
        name, then the older entity."""

    @abstractmethod
    def _matching(self, query: str, limit: int, at: int) -> list[int]:
        """Ids of entities with a name that a query finds, in no stated order."""

    @abstractmethod
    def _with_bags(self, bags: Sequence[str], limit: int, at: int) -> list[int]:
        """Ids of entities with a name of one of these bags."""

    def search(
        self, text: str, limit: int = 10, at: int | None = None, *, guesses: bool = True
    ) -> list[Entity]:
        if limit <= 0:
            return []
        typed = storable(text[:_TYPED])
        at = self._pin(at)
        if not guesses:
            words = words_of(typed)[:MOST_WORDS]
            ids = self._best_known(self._beginning(words), limit, at) if words else []
            return self._listed(ids, at) if ids else []
        found = dict.fromkeys(entity.id for entity, _ in self.find_entities(typed, at))
        for query in self._stages(words_of(typed)[:MOST_WORDS]):
            if len(found) >= limit:
                break
            found.update(dict.fromkeys(self._best_known(query, limit + len(found), at)))
        return self._listed(list(found)[:limit], at)

    def _stages(self, words: Sequence[str]) -> Iterator[str]:
        if not words:
            return
        yield self._beginning(words)
        for near in (self._holding, self._options):
            known = near(words)
            chosen = [known[word] or [word] for word in words]
            if [[word] for word in words] != chosen:
                yield self._all_of(chosen)

    def candidates(self, name: str, limit: int = 50, at: int | None = None) -> list[Entity]:
        words = words_of(storable(name[:MAX_NAME]))[:MOST_WORDS]
        if not words or limit <= 0:
            return []
        at = self._pin(at)
        options = {**self._options(words)}
        if others := other_spellings(name[:MAX_NAME], words):
            known = self._known_words(way for ways in others.values() for way in ways)
            for word, ways in others.items():
                if options[word] != [word]:  # a known word is meant as it is written
                    likely = [way for way in ways if way in known]
                    options[word] = list(dict.fromkeys([*likely, *options[word]]))
        chosen = [options[word] for word in words]
        wanted = [bag for groups in self._variants(words, chosen) for bag in bags(groups)]
        found = dict.fromkeys(self._with_bags(wanted, limit, at) if wanted else ())
        for groups in () if found else _fewer_words(chosen):
            found.update(dict.fromkeys(self._matching(self._all_of(groups), limit, at)))
            if found:
                break
        return self._listed(list(found)[:limit], at)

    def _variants(self, words: Sequence[str], chosen: list[list[str]]) -> Iterator[list[list[str]]]:
        """The options of the words as they are; or with two written as one, or one as two."""
        if all(chosen):
            yield chosen
            return
        joined = {i: words[i] + words[i + 1] for i in range(len(words) - 1)}
        cuts = {
            (i, cut): (word[:cut], word[cut:])
            for i, word in enumerate(words)
            for cut in range(2, len(word) - 1)
            if not chosen[i]
        }
        parts = [part for pair in cuts.values() for part in pair]
        known = self._known_words([*joined.values(), *parts])
        for i, word in joined.items():
            rest = [*chosen[:i], [word], *chosen[i + 2 :]]
            if not (chosen[i] and chosen[i + 1]) and word in known and all(rest):
                yield rest
        for (i, _), (first, second) in cuts.items():
            rest = [*chosen[:i], [first], [second], *chosen[i + 1 :]]
            if first in known and second in known and all(rest):
                yield rest


def _fewer_words(chosen: Groups) -> Iterator[Groups]:
    """All the words that are known, then all of them but one."""
    known = [words for words in chosen if words]
    if known:
        yield known
    for i in range(len(known)) if len(known) > 2 else ():
        yield [*known[:i], *known[i + 1 :]]
