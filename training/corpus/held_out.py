"""What the corpus keeps for the evaluation: entities, wordings and chains that no document has."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from training.corpus.records import Record, words_of


def pair_held_out(first: str, second: str) -> bool:
    """Whether two things that could go together never do in the corpus: a fifth of all pairs."""
    return hashlib.sha256(f"{first}|{second}".encode()).digest()[0] % 5 == 0


class NameFilter:
    """Finds whether a text holds one of a set of names, word by word and regardless of case."""

    def __init__(self, names: Iterable[str]):
        self._names: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for name in names:
            if words := words_of(name):
                self._names[words[0]].add(words)

    def found(self, text: str) -> bool:
        """Whether any of the names occurs in `text`."""
        words = words_of(text)
        return any(
            words[i : i + len(name)] == name
            for i, word in enumerate(words)
            if word in self._names
            for name in self._names[word]
        )


def held_out_entities(records: dict[str, Record], share: float = 0.05) -> list[str]:
    """Choose the entities that no training document may name.

    They are drawn by a hash of the name, so the choice does not depend on the order of the file,
    among the entities with four facts or more whose name is distinctive: other names and values
    hold it at most 20 times as whole words (else half the corpus would have to go with it).
    """
    mentions: Counter[tuple[str, ...]] = Counter()
    wanted = {words_of(name) for name in records}
    longest = max(len(name) for name in wanted)
    for record in records.values():
        for text in (record.entity, *(v for values in record.facts.values() for v in values)):
            words = words_of(text)
            for size in range(1, min(longest, len(words)) + 1):
                for start in range(len(words) - size + 1):
                    if words[start : start + size] in wanted:
                        mentions[words[start : start + size]] += 1
    candidates = [
        name
        for name, record in records.items()
        if sum(len(values) for values in record.facts.values()) >= 4
        and words_of(name)
        and len("".join(words_of(name))) >= 5
        and mentions[words_of(name)] <= 20
    ]
    candidates.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
    return sorted(candidates[: round(len(records) * share)])


def without(records: dict[str, Record], names: NameFilter) -> Iterator[Record]:
    """The records without every entity and every value that holds one of `names`."""
    for record in records.values():
        if names.found(record.entity):
            continue
        facts = {
            relation: kept
            for relation, values in record.facts.items()
            if (kept := tuple(value for value in values if not names.found(value)))
        }
        if facts:
            yield Record(record.entity, facts)


def frame_held_out(relation: str, frame: str) -> bool:
    """Whether no document asks for `relation` in this frame: a fifth of the combinations."""
    return pair_held_out(relation, frame)


def chain_pair_held_out(first: str, second: str) -> bool:
    """Whether no chain of the corpus goes from `first` to `second`: a fifth of the pairs."""
    return pair_held_out(first, second)
