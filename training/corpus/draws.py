"""Random draws from the graph: records, relations, names and values, exchanged or made up.

The graph gives the shape of a document: which relations go together, which values they have. The
names are then exchanged, because the model should learn to look up and repeat values, not to know
the world. An entity gets another entity's name or a made-up one. Half of the values come from other
entities or are made up, and so are many names of relations. A name meets its own value only where
two entities share that value.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from graph.core.facts import MAX_RELATIONS
from training.corpus.made_up_names import made_up_name, made_up_relation, relation_family, restyle
from training.corpus.made_up_values import MAX_CHARACTERS, alike, made_up_value, siblings
from training.corpus.phrase_book import Phrases
from training.corpus.records import Record, words_of

_COMMON = re.compile(r"[a-z]{3,12}")  # a word that is not a name


@dataclass(frozen=True, slots=True)
class Topic:
    """A record whose names were exchanged: what one document is about."""

    name: str
    answers: dict[str, tuple[str, ...]]
    phrased: dict[str, str]
    """For each relation of `answers`, the relation whose hand-written phrases fit; "" for none."""


class Draws:
    """Draws records, relations, names and values: from the graph, or made up.

    Without `exchange` names and values are as in the graph: an ablation, which shows what the
    exchange contributes.
    """

    def __init__(self, records: Iterable[Record], phrases: Phrases, exchange: bool = True) -> None:
        self.exchange = exchange
        self.records = {record.entity: record for record in records}
        self.phrases = phrases
        self.counts = Counter(r for record in self.records.values() for r in record.facts)
        types = Counter(record.type for record in self.records.values())
        self.names = list(self.records)
        self._cumulative = _cumulative(
            types[self.records[name].type] ** -0.5 * len(self.records[name].facts) ** 0.75
            for name in self.names
        )

    # ---- what is drawn from ------------------------------------------------------------------

    @cached_property
    def values(self) -> dict[str, list[str]]:
        """All values of each relation, sorted."""
        pool: dict[str, set[str]] = {}
        for record in self.records.values():
            for relation, values in record.facts.items():
                pool.setdefault(relation, set()).update(values)
        return {relation: sorted(values) for relation, values in pool.items()}

    @cached_property
    def any_value(self) -> list[str]:
        """The values of all relations, up to 60 characters long, sorted."""
        return sorted({v for values in self.values.values() for v in values if len(v) <= 60})

    @cached_property
    def words(self) -> list[str]:
        """Real words of the graph's values, to build made-up names from."""
        words = {w for value in self.any_value for w in words_of(value)}
        return sorted(w for w in words if w.isascii() and w.isalpha() and 2 < len(w) <= 12)

    @cached_property
    def relation_words(self) -> list[str]:
        """Words to build relation names from: common ones, those of our relations, and all others.

        Most relations have names of common words. Words of our own relations are needed too:
        without them, the model continued "CAS registry number" like "number of people".
        """
        common = {w for value in self.any_value for w in value.split() if _COMMON.fullmatch(w)}
        named = {
            word
            for name, described in self.phrases.relations.items()
            for word in words_of(f"{name} {described.noun}")
            if _COMMON.fullmatch(word)
        }
        each = len(self.words)
        return [
            *self.words,
            *(sorted(common) * (1 + each // len(common))),
            *(sorted(named) * (1 + each // (2 * len(named)))),
        ]

    @cached_property
    def _by_type(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for name, record in self.records.items():
            table.setdefault(record.type, []).append(name)
        return table

    @cached_property
    def by_relation(self) -> dict[str, list[Record]]:
        """The records that have each relation."""
        table: dict[str, list[Record]] = {}
        for record in self.records.values():
            for relation in record.facts:
                table.setdefault(relation, []).append(record)
        return table

    @cached_property
    def _relation_draw(self) -> tuple[list[str], list[float]]:
        names = [name for name in self.phrases.relations if name in self.counts]
        return names, _cumulative(self.counts[name] ** 0.5 for name in names)

    @cached_property
    def _relation_names(self) -> list[str]:
        return sorted(self.phrases.relations)

    @cached_property
    def _chain_starts(self) -> list[tuple[str, Record]]:
        """Relations a chain can pass through, with the records that have one value under them."""
        return [
            (relation, record)
            for relation, described in self.phrases.relations.items()
            if described.reference
            for record in self.by_relation.get(relation, ())
            if len(record.facts[relation]) == 1 and record.facts[relation][0] in self.records
        ]

    @cached_property
    def _chain_start_draw(self) -> list[float]:
        counts = Counter(relation for relation, _ in self._chain_starts)
        return _cumulative(counts[relation] ** -0.5 for relation, _ in self._chain_starts)

    # ---- single draws ------------------------------------------------------------------------

    def record(self, rng: random.Random) -> Record:
        """A record; those of rare types and those with many facts are drawn more often."""
        return self.records[rng.choices(self.names, cum_weights=self._cumulative)[0]]

    def relation(self, rng: random.Random) -> str:
        """A relation of the graph that has phrases; frequent ones are drawn more often."""
        names, cumulative = self._relation_draw
        return rng.choices(names, cum_weights=cumulative)[0]

    def chain_start(self, rng: random.Random) -> tuple[str, Record]:
        """A relation that a chain can pass through, and a record that has one link under it."""
        return rng.choices(self._chain_starts, cum_weights=self._chain_start_draw)[0]

    def name(self, rng: random.Random, real: str) -> str:
        """Another entity's name, mostly of the same type, or a made-up one.

        Keeping the real name in half of the documents, or in one of seven, was too often: the
        weights learned to prefer the values that belong to a name.
        """
        draw = rng.random()
        name = real
        if not self.exchange:
            pass
        elif draw < 0.55 and real in self.records:
            name = rng.choice(self._by_type[self.records[real].type])
        elif draw < 0.65:
            name = rng.choice(self.names)
        if self.exchange and name == real:
            name = made_up_name(rng, self.words)
        return name.lower() if rng.random() < 0.05 else name

    def unknown_name(self, rng: random.Random) -> str:
        """A made-up name of an entity that the graph does not hold."""
        name = made_up_name(rng, self.words)
        return name.lower() if rng.random() < 0.1 else name

    def value(self, rng: random.Random, relation: str, real: str) -> str:
        """The real value in half of the cases, else another of the relation or a made-up one."""
        draw = rng.random()
        if draw < 0.5 or not self.exchange:
            return real
        if draw < 0.68:
            return rng.choice(self.values.get(relation, self.any_value))
        if draw < 0.74:
            return rng.choice(self.any_value)
        if draw < 0.78:
            return alike(rng, real[:MAX_CHARACTERS])
        return made_up_value(rng, None, self.words)

    def answer(self, rng: random.Random, relation: str, real: Sequence[str]) -> tuple[str, ...]:
        """The answer to a lookup of `relation`: the values in `real`, some of them exchanged."""
        values = [self.value(rng, relation, value) for value in real]
        if not self.exchange:
            return _distinct(values)
        if rng.random() < 0.05:  # an edit may add a value or take one away
            values.append(self.value(rng, relation, rng.choice(self.values.get(relation, values))))
        elif len(values) > 1 and rng.random() < 0.1:
            values.pop(rng.randrange(len(values)))
        return _distinct(values)

    def made_up_answer(self, rng: random.Random) -> tuple[str, ...]:
        """One to eight values for a made-up relation, drawn from the graph or made up."""
        count = rng.choices((1, 2, 3, 4, 5, 6, 8), (0.8, 0.09, 0.05, 0.02, 0.02, 0.01, 0.01))[0]
        values = [
            rng.choice(self.any_value)
            if rng.random() < 0.45
            else made_up_value(rng, None, self.words)
            for _ in range(count)
        ]
        if count > 1 and rng.random() < 0.2:
            values = siblings(rng, self.words, count)
        elif count > 1 and rng.random() < 0.15:
            values[1] = alike(rng, values[0])
        return _distinct(values)

    def topic(self, rng: random.Random, record: Record, relations: Sequence[str]) -> Topic:
        """The record under exchanged names; in some topics relations are restyled or made up."""
        answers: dict[str, tuple[str, ...]] = {}
        phrased: dict[str, str] = {}
        # Of the relation names: as they are, restyled, mixed with made-up ones, of one family.
        style = rng.random() if self.exchange else 0.0
        family = relation_family(rng, self.relation_words, MAX_RELATIONS) if style > 0.85 else []
        for relation in relations:
            if style > 0.70 and (style > 0.83 or rng.random() < 0.4):
                name = self._made_up_relation(rng, family)
                if name not in answers:
                    answers[name], phrased[name] = self.made_up_answer(rng), ""
                continue
            name = restyle(rng, relation) if 0.62 < style <= 0.70 else relation
            if name not in answers:
                answers[name] = self.answer(rng, relation, record.facts[relation])
                phrased[name] = relation if relation in self.phrases.relations else ""
        if style > 0.83 and rng.random() < 0.5:
            for _ in range(rng.randint(0, MAX_RELATIONS - len(answers))):
                name = self._made_up_relation(rng, family)
                answers[name], phrased[name] = self.made_up_answer(rng), ""
        return Topic(self.name(rng, record.entity), answers, phrased)

    def _made_up_relation(self, rng: random.Random, family: list[str]) -> str:
        """A made-up name of a relation, mostly taken from the family while one is left."""
        if family and rng.random() < 0.8:
            return family.pop()
        return self.new_relation(rng)

    def new_relation(self, rng: random.Random) -> str:
        """A made-up name of a relation; one in five is nearly that of one with phrases of its own.

        Without these, the model used the words of "first awarded" and "year" for "first lit" and
        "year built": an ascent was awarded, and a lighthouse took place.
        """
        if rng.random() < 0.2:
            words = rng.choice(self._relation_names).split()
            other = rng.choice(self.relation_words).lower()
            if len(words) > 1 and rng.random() < 0.7:
                words[rng.randrange(len(words))] = other
            else:
                words.insert(rng.choice((0, len(words))), other)
            name = " ".join(words)
        else:
            name = made_up_relation(rng, self.relation_words)
        return name if name not in self.phrases.relations else self.new_relation(rng)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Values without repetition, and without the separator of several values inside one."""
    return tuple(dict.fromkeys(v.replace("; ", ", ").strip() for v in values if v.strip()))


def _cumulative(weights: Iterable[float]) -> list[float]:
    total, out = 0.0, []
    for weight in weights:
        total += weight
        out.append(total)
    return out
