"""Writes documents about the graph's entities, of every kind that the model has to know.

The graph gives the shape of a document: which relations go together, which values they have. The
names are then exchanged, since the model is to learn how to look up and to repeat, and not what the
world is like: an entity goes by another's name or by a made-up one, half of the values are another
entity's or made up too, and so are many names of relations. A name and the value that belongs to it
meet only where two entities have the same. Each call draws anew.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from graph.core.facts import MAX_RELATIONS, RELATIONS, UNKNOWN
from training.corpus import made_up
from training.corpus.held_out import chain_pair_held_out, frame_held_out
from training.corpus.phrase_book import FOLDER, JoinedSentence, Phrases
from training.corpus.prompts import Prompts
from training.corpus.records import TYPE, Record, words_of
from training.corpus.templates import (
    Subject,
    fill_names,
    fill_prompt,
    opens_well,
    render,
    split_template,
)
from training.data.documents import Document, write_lookup

PERSON_TYPES = frozenset(
    {
        "person", "head of state", "politician", "songwriter", "composer", "fictional character",
        "mythical being", "deity", "Titan",
    }
)  # fmt: skip
"""Types of which nobody is "it"."""

KINDS: Mapping[str, float] = {
    "paragraph": 0.31,
    "question": 0.20,
    "completion": 0.02,
    "general question": 0.07,
    "either question": 0.02,
    "two questions": 0.025,
    "comparison": 0.02,
    "chain of two": 0.075,
    "chain of three": 0.075,
    "missing relation": 0.07,
    "unknown entity": 0.035,
    "odd prompt": 0.05,
    "lookups off": 0.03,
    "no entity": 0.02,
}
"""Share of each kind among the documents written here (prose is added by training.corpus.build)."""


_COMMON = re.compile(r"[a-z]{3,12}")  # a word that is no name


@dataclass(frozen=True, slots=True)
class Topic:
    """A record whose names were exchanged: what one document is about."""

    name: str
    answers: dict[str, tuple[str, ...]]
    phrased: dict[str, str]
    """For each relation of `answers`, the relation whose hand-written phrases fit; "" for none."""


class Writer:
    """Draws documents about `records`, with wordings from `phrases`.

    Without `exchange` names and values are as in the graph: an ablation, which shows what the
    exchange is good for.
    """

    def __init__(
        self,
        records: Iterable[Record],
        phrases: Phrases,
        folder: Path = FOLDER,
        exchange: bool = True,
    ) -> None:
        self.exchange = exchange
        self.records = {record.entity: record for record in records}
        self.phrases = phrases
        self.general: dict[str, Any] = yaml.safe_load(
            (folder / "general.yaml").read_text(encoding="utf-8")
        )
        self._folder = folder
        self._joined: dict[tuple[str, ...], list[JoinedSentence]] = {}
        for sentence in phrases.sentences:
            self._joined.setdefault(sentence.order, []).append(sentence)
        self._counts = Counter(r for record in self.records.values() for r in record.facts)
        types = Counter(record.type for record in self.records.values())
        self._names = list(self.records)
        self._cumulative = _cumulative(
            types[self.records[name].type] ** -0.5 * len(self.records[name].facts) ** 0.75
            for name in self._names
        )

    # ---- what the drawing draws from -------------------------------------------------------

    @cached_property
    def _values(self) -> dict[str, list[str]]:
        pool: dict[str, set[str]] = {}
        for record in self.records.values():
            for relation, values in record.facts.items():
                pool.setdefault(relation, set()).update(values)
        return {relation: sorted(values) for relation, values in pool.items()}

    @cached_property
    def _any_value(self) -> list[str]:
        return sorted({v for values in self._values.values() for v in values if len(v) <= 60})

    @cached_property
    def _words(self) -> list[str]:
        """Real words of the graph's values, to build made-up names from."""
        words = {w for value in self._any_value for w in words_of(value)}
        return sorted(w for w in words if w.isascii() and w.isalpha() and 2 < len(w) <= 12)

    @cached_property
    def _relation_words(self) -> list[str]:
        """Words to build relation names from: common ones, those of our relations, and all others.

        Relations are mostly called by common words. Where those of our own never stood in a made-up
        name, "CAS registry number" went on as "number of people" does.
        """
        common = {w for value in self._any_value for w in value.split() if _COMMON.fullmatch(w)}
        named = {
            word
            for name, described in self.phrases.relations.items()
            for word in words_of(f"{name} {described.noun}")
            if _COMMON.fullmatch(word)
        }
        each = len(self._words)
        return [
            *self._words,
            *(sorted(common) * (1 + each // len(common))),
            *(sorted(named) * (1 + each // (2 * len(named)))),
        ]

    @cached_property
    def prompts(self) -> Prompts:
        """How people type around a request."""
        return Prompts(self._words, self._folder)

    @cached_property
    def _frames(self) -> dict[str, list[str]]:
        """For each relation, the general frames in which documents ask for it."""
        general = self.general["general_questions"]
        return {
            name: [frame for frame in general if not frame_held_out(name, frame)]
            for name in self.phrases.relations
        }

    @cached_property
    def _by_type(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for name, record in self.records.items():
            table.setdefault(record.type, []).append(name)
        return table

    @cached_property
    def _by_relation(self) -> dict[str, list[Record]]:
        table: dict[str, list[Record]] = {}
        for record in self.records.values():
            for relation in record.facts:
                table.setdefault(relation, []).append(record)
        return table

    @cached_property
    def _relation_draw(self) -> tuple[list[str], list[float]]:
        names = [name for name in self.phrases.relations if name in self._counts]
        return names, _cumulative(self._counts[name] ** 0.5 for name in names)

    @cached_property
    def _first_steps(self) -> list[tuple[str, Record]]:
        """Relations a chain can pass through, with the records that have one value under them."""
        return [
            (relation, record)
            for relation, described in self.phrases.relations.items()
            if described.reference
            for record in self._by_relation.get(relation, ())
            if len(record.facts[relation]) == 1 and record.facts[relation][0] in self.records
        ]

    @cached_property
    def _first_step_draw(self) -> list[float]:
        counts = Counter(relation for relation, _ in self._first_steps)
        return _cumulative(counts[relation] ** -0.5 for relation, _ in self._first_steps)

    # ---- single draws ------------------------------------------------------------------------

    def _record(self, rng: random.Random) -> Record:
        return self.records[rng.choices(self._names, cum_weights=self._cumulative)[0]]

    def _relation(self, rng: random.Random) -> str:
        names, cumulative = self._relation_draw
        return rng.choices(names, cum_weights=cumulative)[0]

    def _name(self, rng: random.Random, real: str) -> str:
        """Another's name, mostly of the same type, or a made-up one.

        The real one was kept in half of the documents, then in one of seven: each time the weights
        came to prefer the values that belong to a name.
        """
        draw = rng.random()
        name = real
        if not self.exchange:
            pass
        elif draw < 0.55 and real in self.records:
            name = rng.choice(self._by_type[self.records[real].type])
        elif draw < 0.65:
            name = rng.choice(self._names)
        if self.exchange and name == real:
            name = made_up.made_up_name(rng, self._words)
        return name.lower() if rng.random() < 0.05 else name

    def _unknown_name(self, rng: random.Random) -> str:
        name = made_up.made_up_name(rng, self._words)
        return name.lower() if rng.random() < 0.1 else name

    def _value(self, rng: random.Random, relation: str, real: str) -> str:
        """The real value in half of the cases, else another of the relation or a made-up one."""
        draw = rng.random()
        if draw < 0.5 or not self.exchange:
            return real
        if draw < 0.68:
            return rng.choice(self._values.get(relation, self._any_value))
        if draw < 0.74:
            return rng.choice(self._any_value)
        if draw < 0.78:
            return made_up.alike(rng, real[: made_up.MAX_CHARACTERS])
        return made_up.made_up_value(rng, None, self._words)

    def _answer(self, rng: random.Random, relation: str, real: Sequence[str]) -> tuple[str, ...]:
        values = [self._value(rng, relation, value) for value in real]
        if not self.exchange:
            return _distinct(values)
        if rng.random() < 0.05:  # an edit may add a value or take one away
            values.append(
                self._value(rng, relation, rng.choice(self._values.get(relation, values)))
            )
        elif len(values) > 1 and rng.random() < 0.1:
            values.pop(rng.randrange(len(values)))
        return _distinct(values)

    def _made_up_answer(self, rng: random.Random) -> tuple[str, ...]:
        count = rng.choices((1, 2, 3, 4, 5, 6, 8), (0.8, 0.09, 0.05, 0.02, 0.02, 0.01, 0.01))[0]
        values = [
            rng.choice(self._any_value)
            if rng.random() < 0.45
            else made_up.made_up_value(rng, None, self._words)
            for _ in range(count)
        ]
        if count > 1 and rng.random() < 0.2:
            values = made_up.siblings(rng, self._words, count)
        elif count > 1 and rng.random() < 0.15:
            values[1] = made_up.alike(rng, values[0])
        return _distinct(values)

    def _topic(self, rng: random.Random, record: Record, relations: Sequence[str]) -> Topic:
        """The record under exchanged names; in some topics relations are restyled or made up."""
        answers: dict[str, tuple[str, ...]] = {}
        phrased: dict[str, str] = {}
        # Of the relation names: as they are, restyled, mixed with made-up ones, of one family.
        style = rng.random() if self.exchange else 0.0
        family = (
            made_up.relation_family(rng, self._relation_words, MAX_RELATIONS)
            if style > 0.85
            else []
        )
        for relation in relations:
            if style > 0.70 and (style > 0.83 or rng.random() < 0.4):
                name = self._made_up_relation(rng, family)
                if name not in answers:
                    answers[name], phrased[name] = self._made_up_answer(rng), ""
                continue
            name = made_up.restyle(rng, relation) if 0.62 < style <= 0.70 else relation
            if name not in answers:
                answers[name] = self._answer(rng, relation, record.facts[relation])
                phrased[name] = relation if relation in self.phrases.relations else ""
        if style > 0.83 and rng.random() < 0.5:
            for _ in range(rng.randint(0, MAX_RELATIONS - len(answers))):
                name = self._made_up_relation(rng, family)
                answers[name], phrased[name] = self._made_up_answer(rng), ""
        return Topic(self._name(rng, record.entity), answers, phrased)

    def _made_up_relation(self, rng: random.Random, family: list[str]) -> str:
        """A made-up name of a relation, mostly taken from the family while one is left."""
        if family and rng.random() < 0.8:
            return family.pop()
        return self._new_relation(rng)

    def _new_relation(self, rng: random.Random) -> str:
        """A made-up name of a relation; one in five is nearly that of one with phrases of its own.

        Else "first lit" and "year built" are told in the words of "first awarded" and "year": an
        ascent was awarded, and a lighthouse took place.
        """
        if rng.random() < 0.2:
            words = rng.choice(self._relation_names).split()
            other = rng.choice(self._relation_words).lower()
            if len(words) > 1 and rng.random() < 0.7:
                words[rng.randrange(len(words))] = other
            else:
                words.insert(rng.choice((0, len(words))), other)
            name = " ".join(words)
        else:
            name = made_up.made_up_relation(rng, self._relation_words)
        return name if name not in self.phrases.relations else self._new_relation(rng)

    @cached_property
    def _relation_names(self) -> list[str]:
        return sorted(self.phrases.relations)

    # ---- sentences ---------------------------------------------------------------------------

    def _statement(
        self,
        rng: random.Random,
        topic: Topic,
        relation: str,
        pronoun: bool = False,
        stated_type: str = "",
        plain: bool = False,
    ) -> str:
        """One fact; wording made for a type is used only where the text has stated that type.

        A `plain` one, of a paragraph, begins with whom it is about: where values came first, they
        and the subject changed places ("Sikhism was founded by Sikhism").
        """
        known = topic.phrased[relation]
        if known:
            answers = {known: topic.answers[relation]}
            subject = Subject(topic.name, pronoun)
            templates = self.phrases.relations[known].statements_for(stated_type)
            fitting = [t for t in templates if opens_well(t, subject, answers, known)]
            choices = fitting or templates
            if plain:
                choices = [t for t in choices if not t.startswith("{value}")] or choices
            template = (_draw_plain if plain else _draw)(rng, choices)
            return _respell(render(template, subject, answers, known, (known,)), known, relation)
        values = topic.answers[relation]
        return self._general_statement(rng, topic.name, relation, values, pronoun, plain)

    def _general_statement(
        self,
        rng: random.Random,
        name: str,
        relation: str,
        values: Sequence[str],
        pronoun: bool = False,
        plain: bool = False,
    ) -> str:
        number = "one" if len(values) == 1 else "many"
        templates = self.general["general_statements"][number]
        subject, answers = Subject(name, pronoun), {relation: values}
        fitting = [t for t in templates if opens_well(t, subject, answers, relation)]
        template = fill_names((_draw_plain if plain else _draw)(rng, fitting), relation=relation)
        # Whether it is one value or several decides the wording, so the lookup comes before it.
        return render(template, subject, answers, relation, (relation,))

    def _paragraph_text(self, rng: random.Random, topic: Topic) -> str:
        relations = list(topic.answers)
        sentences = [write_lookup(topic.name, RELATIONS, "; ".join(relations))]
        stated_type = ""
        while relations:
            # A name in lower case does not open a sentence well, so "it" stands for it always.
            share = 1.0 if topic.name[:1].islower() else 0.7
            pronoun = stated_type in self._thing_types and rng.random() < share
            joined = self._join(rng, topic, relations, Subject(topic.name, pronoun))
            if joined is not None:
                taken, sentence = joined
                sentences.append(sentence)
            else:
                taken = relations[:1]
                if rng.random() < 0.01:  # a listed relation that has just been deleted
                    sentences.append(self._miss(rng, topic.name, taken[0], topic.phrased[taken[0]]))
                else:
                    sentences.append(
                        self._statement(rng, topic, taken[0], pronoun, stated_type, plain=True)
                    )
            for relation in taken:
                relations.remove(relation)
                if topic.phrased[relation] == TYPE and len(topic.answers[relation]) == 1:
                    stated_type = topic.answers[relation][0]
        return _sequence(sentences)

    @cached_property
    def _thing_types(self) -> frozenset[str]:
        return frozenset(self._values.get(TYPE, ())) - PERSON_TYPES

    def _join(
        self, rng: random.Random, topic: Topic, relations: Sequence[str], subject: Subject
    ) -> tuple[list[str], str] | None:
        """A sentence that states the next two or three relations at once, if one is drawn.

        It looks them up in the listed order, so that the next relation is always the one after the
        last: where sentences changed the order, the model lost its place in long lists. It does so
        before its first word, so that the list, and not the wording, says which comes next.
        """
        if rng.random() < 0.15:
            return None
        choices = []
        for size in (3, 2):
            taken = list(relations[:size])
            if len(taken) < size or any(topic.phrased[r] != r for r in taken):
                continue
            choices += [
                (taken, sentence)
                for sentence in self._joined.get(tuple(taken), ())
                if sentence.opens_well(subject, topic.answers)
            ]
        if not choices:
            return None
        taken, sentence = _draw_plain(rng, choices)
        return taken, sentence.render(subject, topic.answers)

    def _miss(self, rng: random.Random, name: str, relation: str, phrased: str = "") -> str:
        noun = self.phrases.relations[phrased].noun if phrased else relation
        template = fill_names(rng.choice(self.general["missing_statements"]), noun=noun)
        return render(template, Subject(name), {relation: (UNKNOWN,)}, relation, (relation,))

    def question_for(
        self, rng: random.Random, relation: str, entity: str, entity_type: str = ""
    ) -> str:
        """A question for one fact, in a wording that was written for the relation."""
        if relation in self.phrases.relations:
            template = rng.choice(self.phrases.relations[relation].questions_for(entity_type))
        else:
            template = rng.choice(self.general["general_questions"])
        return fill_prompt(template, entity, relation)

    def _asked(self, rng: random.Random, relation: str, entity: str, entity_type: str = "") -> str:
        """A question for one fact in any words: its own, a general frame, or amid fillers."""
        described = self.phrases.relations.get(relation)
        if described is None:
            template, noun = rng.choice(self.general["general_questions"]), relation
        else:
            draw = rng.random()
            noun = self._noun(rng, relation)
            if draw < 0.45:
                template = rng.choice(described.questions_for(entity_type))
            elif draw < 0.72:
                template = rng.choice(self._frames[relation])
            else:
                return fill_prompt(self.prompts.filled(rng), entity, noun, _bare(rng))
        return fill_prompt(self._retyped(rng, template), entity, noun, _bare(rng))

    def _noun(self, rng: random.Random, relation: str) -> str:
        """What people call a relation: mostly its noun, at times its name."""
        return self.phrases.relations[relation].noun if rng.random() < 0.85 else relation

    def _retyped(self, rng: random.Random, template: str) -> str:
        """A request as it is, with something around it, or with slips of the finger."""
        draw = rng.random()
        if draw < 0.25:
            return self.prompts.dressed(rng, template)
        if draw < 0.28:
            return self.prompts.with_slips(rng, template)
        return template

    def _asked_about(self, rng: random.Random, name: str) -> str:
        """A request for a paragraph in any words."""
        draw = rng.random()
        if draw < 0.06:
            return fill_prompt(self.prompts.mentioned(rng), name, bare=_bare(rng))
        if draw < 0.15:
            return fill_prompt(self.prompts.in_another_language(rng), name, bare=True)
        template = self._retyped(rng, rng.choice(self.general["paragraph_prompts"]))
        return fill_prompt(template, name, bare=_bare(rng))

    # ---- kinds of documents --------------------------------------------------------------------

    def document(self, rng: random.Random, kind: str | None = None) -> Document:
        """One document of the kind, or of a kind drawn by `KINDS`."""
        kind = kind or rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        write: Callable[[random.Random], tuple[str, str]] = getattr(self, kind.replace(" ", "_"))
        prompt, text = write(rng)
        return Document(prompt, text, kind=kind)

    def paragraph(self, rng: random.Random) -> tuple[str, str]:
        """All that a lookup of `relations` lists, told in its order."""
        record = self._record(rng)
        relations = list(record.facts)
        if len(relations) > MAX_RELATIONS and rng.random() < 0.5:
            weights = {r: rng.random() ** (self._counts[r] ** 0.5 / 8) for r in relations}
            chosen = sorted(relations, key=weights.__getitem__)[-MAX_RELATIONS:]
            if TYPE in relations and rng.random() < 0.6:
                chosen[0] = TYPE
            relations = [r for r in relations if r in chosen]
        relations = relations[:MAX_RELATIONS]
        if len(relations) < MAX_RELATIONS and rng.random() < 0.2:  # somebody added facts
            other = self._record(rng)
            added = [relation for relation in other.facts if relation not in relations]
            relations += added[: rng.randint(1, MAX_RELATIONS - len(relations))]
            record = Record(record.entity, {**other.facts, **record.facts})
        if rng.random() < 0.2:
            rng.shuffle(relations)
        if rng.random() < 0.1:
            relations = relations[: rng.randint(1, len(relations))]
        elif rng.random() < 0.4:  # usual relations may be missing, or have been deleted
            relations = [r for r in relations if rng.random() < 0.75] or relations[:1]
        topic = self._topic(rng, record, relations)
        return self._asked_about(rng, topic.name), self._paragraph_text(rng, topic)

    def question(self, rng: random.Random) -> tuple[str, str]:
        """A question for one fact, and the answer."""
        relation = self._relation(rng)
        record = rng.choice(self._by_relation[relation])
        name = self._name(rng, record.entity)
        answers = {relation: self._answer(rng, relation, record.facts[relation])}
        topic = Topic(name, answers, {relation: relation})
        prompt = self._asked(rng, relation, name, record.type)
        return prompt, self._statement(rng, topic, relation)

    def completion(self, rng: random.Random) -> tuple[str, str]:
        """The beginning of a statement, and the whole of it."""
        while True:
            relation = self._relation(rng)
            record = rng.choice(self._by_relation[relation])
            template = rng.choice(self.phrases.relations[relation].statements_for(record.type))
            if template.endswith(" {value}.") and template.count("{") == 2:
                break
        name = self._name(rng, record.entity)
        answers = {relation: self._answer(rng, relation, record.facts[relation])}
        prompt = fill_prompt(template.removesuffix(" {value}."), name)
        return prompt[:1].upper() + prompt[1:] if not template.startswith("{") else prompt, render(
            template, Subject(name), answers, relation, (relation,)
        )

    def general_question(self, rng: random.Random) -> tuple[str, str]:
        """A question for a relation that nobody wrote phrases for."""
        relation = self._new_relation(rng)
        name = self._name(rng, rng.choice(self._names))
        prompt = self._asked(rng, relation, name)
        return prompt, self._general_statement(rng, name, relation, self._made_up_answer(rng))

    def either_question(self, rng: random.Random) -> tuple[str, str]:
        """A question that either of two relations answers: the list tells which one is there."""
        given = rng.choice(self.general["either_questions"])
        either: list[str] = given["relations"]
        record = rng.choice(self._by_relation[rng.choice(either)])
        listed = [r for r in record.facts if r in either or rng.random() < 0.85]
        if rng.random() < 0.1:
            listed = [r for r in listed if r not in either] or [TYPE]
        listed = listed[:MAX_RELATIONS]
        name = self._name(rng, record.entity)
        relation = next((r for r in either if r in listed), None)
        if relation is None:
            answer = self._miss(rng, name, either[0], either[0])
        else:
            answers = {relation: self._answer(rng, relation, record.facts[relation])}
            answer = self._statement(rng, Topic(name, answers, {relation: relation}), relation)
        prompt = fill_prompt(
            self._retyped(rng, rng.choice(given["questions"])), name, bare=_bare(rng)
        )
        return prompt, _sequence([write_lookup(name, RELATIONS, "; ".join(listed)), answer])

    def two_questions(self, rng: random.Random) -> tuple[str, str]:
        """Two facts of one entity."""
        record = self._record(rng)
        while len([r for r in record.facts if r in self.phrases.relations and r != TYPE]) < 2:
            record = self._record(rng)
        known = [r for r in record.facts if r in self.phrases.relations and r != TYPE]
        first, second = rng.sample(known, 2)
        name = self._name(rng, record.entity)
        answers = {r: self._answer(rng, r, record.facts[r]) for r in (first, second)}
        topic = Topic(name, answers, {first: first, second: second})
        template = fill_names(
            rng.choice(self.general["two_questions"]),
            noun=self.phrases.relations[first].noun,
            other_noun=self.phrases.relations[second].noun,
        )
        text = [self._statement(rng, topic, relation) for relation in (first, second)]
        return fill_prompt(template, name), _sequence(text)

    def comparison(self, rng: random.Random) -> tuple[str, str]:
        """One fact of two entities, side by side."""
        relation = self._relation(rng)
        while relation == TYPE:
            relation = self._relation(rng)
        held = self._by_relation[relation]
        topics = []
        for record in (rng.choice(held), rng.choice(held)):
            answers = {relation: self._answer(rng, relation, record.facts[relation])}
            name = self._name(rng, record.entity)
            topics.append(Topic(name, answers, {relation: relation}))
        if topics[0].name == topics[1].name:
            return self.comparison(rng)
        template = fill_names(
            rng.choice(self.general["comparisons"]),
            noun=self.phrases.relations[relation].noun,
            other=topics[1].name,
        )
        text = _sequence([self._statement(rng, topic, relation) for topic in topics])
        return fill_prompt(template, topics[0].name), text

    def chain_of_two(self, rng: random.Random) -> tuple[str, str]:
        """A question whose answer takes two lookups: the capital of the country of birth."""
        return self._chain(rng, 1)

    def chain_of_three(self, rng: random.Random) -> tuple[str, str]:
        """A question whose answer takes three lookups."""
        return self._chain(rng, 2)

    def _chain(self, rng: random.Random, passed: int) -> tuple[str, str]:
        """A question through `passed` entities in between."""
        while (path := self._path(rng, passed)) is None:
            pass
        names = [self._name(rng, path[0][1].entity)]
        sentences = []
        reference = names[0]
        for i, (real, record) in enumerate(path):
            last = i == len(path) - 1
            relation = phrased = real
            # What lies between is named by any words: else "the country of the birthplace", a pair
            # that no chain had, was read as the relation "country of birth".
            if self.exchange and rng.random() < 0.25:
                relation, phrased = self._new_relation(rng), ""
                path[i] = relation, record
            answer: tuple[str, ...]
            if not last:
                answer = (self._name(rng, record.facts[real][0]),)
                names.append(answer[0])
            elif phrased:
                answer = self._answer(rng, real, record.facts[real])
            else:
                answer = self._made_up_answer(rng)
            topic = Topic(names[i], {relation: answer}, {relation: phrased})
            if rng.random() < 0.02:  # the way breaks off where nothing is recorded
                sentences.append(self._miss(rng, names[i], relation, phrased))
                if not last:
                    rest = path[i + 1 :]
                    for step, _ in path[i:-1]:
                        reference = self._reference(step, reference)
                    question = self.chain_question(rng, rest[-1][0], rest[-1][1].type, reference)
                    return question, _sequence(sentences)
            else:
                sentences.append(self._statement(rng, topic, relation))
            if not last:
                reference = self._reference(relation, reference)
        relation, record = path[-1]
        return self.chain_question(rng, relation, record.type, reference), _sequence(sentences)

    def _path(self, rng: random.Random, passed: int) -> list[tuple[str, Record]] | None:
        path = []
        relation, record = rng.choices(self._first_steps, cum_weights=self._first_step_draw)[0]
        for _ in range(passed):
            path.append((relation, record))
            if (
                self.phrases.relations[relation].reference is None
                or len(record.facts[relation]) != 1
            ):
                return None
            record = self.records.get(record.facts[relation][0], Record(""))
            steps = [
                r
                for r in record.facts
                if r in self.phrases.relations
                and not chain_pair_held_out(relation, r)
                and (len(path) == passed or self.phrases.relations[r].reference)
            ]
            if not steps:
                return None
            # Rare relations at the end, so that all are asked for; usual ones on the way, since
            # people ask for the country of a birthplace.
            power = -0.25 if len(path) == passed else 0.25
            relation = rng.choices(steps, [self._counts[r] ** power for r in steps])[0]
        return [*path, (relation, record)]

    def _reference(self, relation: str, entity: str) -> str:
        described = self.phrases.relations.get(relation)
        reference = described.reference if described else "the {relation} of {entity}"
        assert reference is not None  # by the choice of the path
        # Written inside a sentence, so without a capital letter.
        return fill_prompt(reference, entity, relation)

    def chain_question(
        self, rng: random.Random, relation: str, entity_type: str, reference: str
    ) -> str:
        """A question for a relation of what `reference` describes, "the capital of Peru".

        Only wordings that can hold a description: not those that open with the name, nor those
        that speak of it as a name.
        """
        described = self.phrases.relations.get(relation)
        own = described.questions_for(entity_type) if described else ()
        templates = [t for t in own if _takes_description(t)]
        if not templates or rng.random() < 0.4:
            frames = self._frames.get(relation, self.general["general_questions"])
            templates = [t for t in frames if _takes_description(t)]
        noun = described.noun if described else relation
        question = fill_prompt(rng.choice(templates), reference, noun)
        return question[:1].upper() + question[1:]

    def missing_relation(self, rng: random.Random) -> tuple[str, str]:
        """A question for what the graph lacks of an entity."""
        name = self._name(rng, rng.choice(self._names))
        if rng.random() < 0.7:
            relation = self._relation(rng)
            return self._asked(rng, relation, name), self._miss(rng, name, relation, relation)
        relation = self._new_relation(rng)
        return self._asked(rng, relation, name), self._miss(rng, name, relation)

    def unknown_entity(self, rng: random.Random) -> tuple[str, str]:
        """A paragraph about somebody or something that the graph does not know."""
        name = self._unknown_name(rng) if rng.random() < 0.8 else rng.choice(self._names)
        template = rng.choice(self.general["unknown_entity"])
        answers = {RELATIONS: (UNKNOWN,)}
        return self._asked_about(rng, name), render(
            template, Subject(name), answers, RELATIONS, (RELATIONS,)
        )

    def odd_prompt(self, rng: random.Random) -> tuple[str, str]:
        """What a model must not be led astray by: typed markers, and premises that no graph holds.

        Markers are as if they were not there; a premise is denied, then the graph speaks.
        """
        record = self._record(rng)
        relations = list(record.facts)[: rng.randint(1, 4)]
        topic = self._topic(rng, record, relations)
        text = self._paragraph_text(rng, topic)
        if rng.random() < 0.45:
            denial = rng.choice(self.prompts.premise_answers)
            return fill_prompt(self.prompts.premise(rng), topic.name), _sequence([denial, text])
        if rng.random() < 0.4:
            relation = relations[0]
            if topic.phrased.get(relation) == relation:
                prompt = self._asked(rng, relation, topic.name, record.type)
                text = self._statement(rng, topic, relation)
                return self.prompts.with_markers(rng, prompt, topic.name), text
        prompt = self._asked_about(rng, topic.name)
        return self.prompts.with_markers(rng, prompt, topic.name), text

    def lookups_off(self, rng: random.Random) -> tuple[str, str]:
        """What is said where nothing can be looked up."""
        name = self._name(rng, rng.choice(self._names))
        if rng.random() < 0.5:
            prompt = self._asked_about(rng, name)
        else:
            prompt = self._asked(rng, self._relation(rng), name)
        return prompt, render(rng.choice(self.general["lookups_off"]), Subject(name), {})

    def no_entity(self, rng: random.Random) -> tuple[str, str]:
        """A prompt that names nothing a graph could hold."""
        prompt = rng.choice(self.general["no_entity_prompts"])
        return prompt, rng.choice(self.general["no_entity_answers"])


def _bare(rng: random.Random) -> bool:
    """Whether a person leaves the article out. Were it always there, the text would repeat what
    the prompt has, and not learn which names take it."""
    return rng.random() < 0.5


def _takes_description(template: str) -> bool:
    """Whether "the capital of Peru" can stand in a question where a name stands."""
    literal = split_template(template)[0]
    return (
        "{entity's}" not in template
        and bool(literal)
        and not literal.lower().endswith(("name ", "word ", "called ", "title "))
    )


def _respell(sentence: str, known: str, relation: str) -> str:
    """Let the lookup ask by the spelling that the graph listed."""
    if known == relation:
        return sentence
    return sentence.replace(f"<|db_relationship|> {known}<", f"<|db_relationship|> {relation}<")


def _sequence(sentences: Sequence[str]) -> str:
    """Sentences one after another; no space stands before a lookup."""
    text = ""
    for sentence in sentences:
        text += sentence if not text or sentence.startswith("<|db_entity|>") else " " + sentence
    return text


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Values without repetition, and without the separator of several values inside one."""
    return tuple(dict.fromkeys(v.replace("; ", ", ").strip() for v in values if v.strip()))


def _draw(rng: random.Random, choices: Sequence[Any]) -> Any:
    """One of the wordings; the first ones, which people use most, more often."""
    return rng.choices(choices, [1 / (1 + 0.6 * i) for i in range(len(choices))])[0]


def _draw_plain(rng: random.Random, choices: Sequence[Any]) -> Any:
    """One of the wordings, the first one in six of ten cases: paragraphs are written plainly."""
    return rng.choices(choices, [(1 + i) ** -2.0 for i in range(len(choices))])[0]


def _cumulative(weights: Iterable[float]) -> list[float]:
    total, out = 0.0, []
    for weight in weights:
        total += weight
        out.append(total)
    return out
