"""Things that documents ask about: a name, how the prompt spells it, and the relations it has."""

from __future__ import annotations

import calendar
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graph.core.facts import join_values
from graph.core.inverse import inverse_name
from training.corpus.draws import Draws, Topic
from training.corpus.made_up_names import made_up_name, relation_family
from training.corpus.made_up_values import made_up_value
from training.corpus.questions.asked_relations import (
    AskedRelation,
    PublishedMix,
    inverse_names_by_type,
    respelling,
)
from training.corpus.questions.everyday import Everyday
from training.corpus.questions.label_sentences import is_noun, label_sentence, plain_label
from training.corpus.records import Record
from training.corpus.sentences import Sentences
from training.data.documents import write_lookup

END = "<|db_end|>"


@dataclass
class Thing:
    """What one or more questions of a document are about."""

    name: str
    """As the graph spells it."""
    typed: str
    """As the prompt spells it, and so the first lookup."""
    type: str
    labels: list[str]
    """All relations of its list, in the stated order, inverse ones last."""
    asked: list[AskedRelation]
    """Those among them that a question can ask for."""
    real: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of a thing of the world: values by relation, before they are exchanged."""


@dataclass(frozen=True)
class Stated:
    """A fact as a text states it: the lookup and the sentence after it."""

    lookup: str
    sentence: str
    values: tuple[str, ...]


class Things:
    """Draws things, and the values that the graph has for them."""

    def __init__(
        self,
        draws: Draws,
        sentences: Sentences,
        world: Mapping[str, AskedRelation],
        inverses: Mapping[str, AskedRelation],
        published: PublishedMix | None,
    ) -> None:
        self.draws, self.sentences = draws, sentences
        self.world, self.inverses, self.published = world, inverses, published
        names = published.names if published is not None else draws.names
        self.everyday = Everyday(draws.words, names)
        self._pointing = inverse_names_by_type(draws)
        self._inverse_draw = [r for r in inverses if r in draws.by_relation]

    # -- draws

    def draw(self, rng: random.Random) -> tuple[Thing, AskedRelation]:
        """A thing, and a relation of it to ask for."""
        share = rng.random()
        if share < 0.32:
            return self.of_world(rng)
        if share < 0.40 and self._inverse_draw:
            return self.reverse(rng)
        if share < 0.64:
            return self.of_own_table(rng)
        if share < 0.68:
            return self.reverse_of_own_table(rng)
        if share < 0.91 and self.published is not None:
            return self.of_published(rng)
        return self.made_up(rng)

    def of_world(
        self, rng: random.Random, relation: str = "", record: Record | None = None
    ) -> tuple[Thing, AskedRelation]:
        """A thing of the shipped world under an exchanged name."""
        if record is None:
            relation = relation or self.draws.relation(rng)
            record = rng.choice(self.draws.by_relation[relation])
        name = self.draws.name(rng, record.entity)
        own = [r for r in record.facts if r == relation or rng.random() < 0.93]
        labels = [*own, *self.pointers(rng, record)]
        asked = [self.world[r] for r in own if r in self.world and self.world[r].questions]
        thing = Thing(name, typed_name(rng, name), record.type, labels, asked, record.facts)
        if rng.random() < 0.06:
            self._respell(rng, thing)
        chosen = next((a for a in thing.asked if a.known == relation), None)
        return thing, chosen or rng.choice(thing.asked)

    def pointers(self, rng: random.Random, record: Record) -> list[str]:
        """Inverse names that such a thing has, those that it does not hold already."""
        counts = self._pointing.get(record.type)
        if not counts:
            return []
        most = min(8, len(counts))
        names = rng.choices(list(counts), [c**0.5 for c in counts.values()], k=rng.randint(0, most))
        inverse = dict.fromkeys(inverse_name(name) for name in names)
        return [name for name in inverse if name not in record.facts]

    def reverse(self, rng: random.Random) -> tuple[Thing, AskedRelation]:
        """A value of the world, link or literal, that is asked for what has it."""
        relation = rng.choice(self._inverse_draw)
        asked = self.inverses[relation]
        record = rng.choice(self.draws.by_relation[relation])
        value = rng.choice(record.facts[relation])
        target = self.draws.records.get(value)
        if target is None:
            name = value if rng.random() < 0.4 else self.draws.value(rng, relation, value)
            labels = [asked.label]
            if rng.random() < 0.3:
                labels.append(inverse_name(rng.choice(list(self.world))))
        else:
            name = self.draws.name(rng, value)
            labels = [r for r in target.facts if rng.random() < 0.95]
            labels += [r for r in self.pointers(rng, target) if r not in labels]
            if asked.label not in labels:
                labels.insert(len(labels) - min(len(labels), rng.randint(0, 2)), asked.label)
        labels = list(dict.fromkeys(labels))
        kind = target.type if target else ""
        return Thing(
            name, typed_name(rng, name, plain=target is None), kind, labels, [asked]
        ), asked

    def of_published(self, rng: random.Random) -> tuple[Thing, AskedRelation]:
        """A thing with relations that people asked for elsewhere, made-up values."""
        assert self.published is not None
        relation = self.published.draw(rng)
        number = rng.choice((2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 25))
        others = self.published.beside(rng, relation, number)
        asked = [relation, *others]
        rng.shuffle(asked)
        name = self.any_name(rng)
        thing = Thing(name, typed_name(rng, name), "", [a.label for a in asked], asked)
        if rng.random() < 0.3:
            self._respell(rng, thing)
        chosen = thing.asked[asked.index(relation)]
        return thing, chosen

    def made_up(self, rng: random.Random) -> tuple[Thing, AskedRelation]:
        """A thing of somebody's own graph: relations that nobody wrote wordings for."""
        number = rng.choice((1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20))
        labels: dict[str, None] = {}
        if rng.random() < 0.35:
            words = self.draws.relation_words
            labels = dict.fromkeys(relation_family(rng, words, min(number, 6)))
        while len(labels) < number:
            draw = rng.random()
            if draw < 0.55 and self.published is not None:
                labels[rng.choice(self.published.relations).label] = None
            elif draw < 0.75:
                labels[rng.choice(list(self.world))] = None
            else:
                labels[self.draws.new_relation(rng)] = None
        names = [label for label in labels if label.strip() and ";" not in label]
        asked = [
            AskedRelation(n, nouns=(plain_label(n),) if is_noun(n) else (), source="made up")
            for n in names
        ]
        name = self.any_name(rng)
        thing = Thing(name, typed_name(rng, name), "", names, asked)
        if rng.random() < 0.4:
            self._respell(rng, thing)
        nouns = [a for a in thing.asked if a.nouns] or thing.asked
        return thing, rng.choice(nouns)

    def of_own_table(self, rng: random.Random) -> tuple[Thing, AskedRelation]:
        """A thing of somebody's own table: relations that people name and ask for in many ways."""
        kind = self.everyday.kind(rng)
        asked = self.everyday.some(rng, kind, rng.choice((2, 3, 4, 5, 6, 7, 8, 10, 12)))
        rng.shuffle(asked)
        name = self.everyday.name(rng, kind)
        labels = [each.label for each in asked]
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            labels.append(self.everyday.back(rng)[0].label)
        typed = typed_name(rng, name)
        words = name.split()
        if len(words) == 2 and rng.random() < 0.06:  # "Priya", "4B": one of that name is there
            typed = words[0] if kind == "person" else words[1]
        thing = Thing(name, typed, kind, list(dict.fromkeys(labels)), asked)
        if rng.random() < 0.4:
            self._respell(rng, thing)
        return thing, rng.choice(thing.asked)

    def reverse_of_own_table(self, rng: random.Random) -> tuple[Thing, AskedRelation]:
        """A value of somebody's own table, asked for what has it."""
        asked, name = self.everyday.back(rng)
        labels = [asked.label]
        if rng.random() < 0.6:  # it is a thing itself
            some = self.everyday.some(rng, self.everyday.kind(rng), rng.choice((1, 2, 4, 6, 9)))
            labels = [*(each.label for each in some), asked.label]
        elif rng.random() < 0.4:
            labels.append(self.everyday.back(rng)[0].label)
        labels = list(dict.fromkeys(labels))
        return Thing(name, typed_name(rng, name, plain=True), "", labels, [asked]), asked

    def any_name(self, rng: random.Random) -> str:
        draw = rng.random()
        if draw < 0.55 and self.published is not None:
            return rng.choice(self.published.names)
        if draw < 0.7:
            return rng.choice(self.draws.names)
        return made_up_name(rng, self.draws.words)

    @staticmethod
    def _respell(rng: random.Random, thing: Thing) -> None:
        """Spell all relations of a thing in one style, as one graph does."""
        seed = rng.random()
        spelt = {label: respelling(random.Random(seed), label) for label in thing.labels}
        if len(set(spelt.values())) < len(spelt):
            return
        thing.labels = [spelt[label] for label in thing.labels]
        thing.asked = [replace(a, label=spelt[a.label]) for a in thing.asked]

    # -- values and statements

    def values(
        self, rng: random.Random, thing: Thing, asked: AskedRelation, most: int = 8
    ) -> tuple[str, ...]:
        """What the graph holds under the relation."""
        if asked.inverse_of:
            count = rng.choices((1, 2, 3, 4, 6, 9, 14, 40), (5, 2, 1, 1, 1, 1, 1, 1))[0]
            pool = self.draws.by_relation.get(asked.inverse_of)
            names = [
                self.draws.name(rng, rng.choice(pool).entity) if pool else self.any_name(rng)
                for _ in range(min(count, most))
            ]
            return _distinct(names)
        if asked.everyday:
            return _distinct(self.everyday.values(rng, asked.everyday))[:most]
        if asked.known and asked.known in thing.real:
            return self.draws.answer(rng, asked.known, thing.real[asked.known])[:most]
        if asked.source == "published" and rng.random() < 0.7:
            count = rng.choices((1, 2, 3, 4, 6), (0.8, 0.1, 0.05, 0.03, 0.02))[0]
            return _distinct(self._published_value(rng, asked) for _ in range(count))[:most]
        return self.draws.made_up_answer(rng)[:most]

    def _published_value(self, rng: random.Random, asked: AskedRelation) -> str:
        """A value of a fitting kind, as far as the relation's name says."""
        assert self.published is not None
        plain = plain_label(asked.label)
        if re.search(r"\b(date|time|day)\b", plain):
            month = rng.choice(_MONTHS)
            return f"{rng.randint(1, 28)} {month} {rng.randint(1500, 2024)}"
        if re.search(r"\b(year|inception)\b", plain):
            return str(rng.randint(1000, 2024))
        if re.search(r"\b(number|population|area|height|length|mass|width|age|count)\b", plain):
            return made_up_value(rng, "number", self.draws.words)
        if rng.random() < 0.75:
            return rng.choice(self.published.names)
        return made_up_value(rng, None, self.draws.words)

    def state(
        self, rng: random.Random, thing: Thing, asked: AskedRelation, values: Sequence[str]
    ) -> Stated:
        """The lookup of a fact, and a sentence that says it."""
        if asked.known:
            topic = Topic(thing.name, {asked.label: tuple(values)}, {asked.label: asked.known})
            text = self.sentences.statement(rng, topic, asked.label)
            cut = text.rfind(END) + len(END)
            return Stated(text[:cut], text[cut:].strip(), tuple(values))
        lookup = write_lookup(thing.name, asked.label, join_values(list(values)).text)
        return Stated(lookup, label_sentence(rng, thing.name, asked.label, values), tuple(values))


def typed_name(rng: random.Random, name: str, plain: bool = False) -> str:
    """How a prompt spells a name: mostly as it is, else in another case, shorter or with a slip."""
    draw = rng.random()
    if plain or draw < 0.67:
        return name
    if draw < 0.81:
        return name.lower()
    if draw < 0.87:
        return name.upper()
    if draw < 0.90 and name.startswith("The "):
        return name[4:]
    if draw < 0.93 and (match := re.match(r"^(.{4,}?) \(.+\)$", name)):
        return match[1]
    if draw < 0.96 and re.fullmatch(r"[A-Z]\w+ (?:[A-Z]\w*\.? )*[A-Z]\w{3,}", name):
        return name.split()[-1]
    if draw > 0.97 and len(name) > 6 and name.isascii():
        i = rng.randrange(1, len(name) - 2)
        if name[i].isalpha() and name[i + 1].isalpha():
            return name[:i] + name[i + 1] + name[i] + name[i + 2 :]
    return name


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    cleaned = (value.replace("; ", ", ").strip() for value in values)
    return tuple(dict.fromkeys(value for value in cleaned if value))


_MONTHS = tuple(calendar.month_name)[1:]
