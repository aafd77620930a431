"""Sentences of the model's text: statements, paragraphs, and that something is not recorded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from graph.core.facts import RELATIONS, UNKNOWN
from training.corpus.draws import Draws, Topic
from training.corpus.phrase_book import JoinedSentence, Phrases
from training.corpus.records import TYPE
from training.corpus.templates import Subject, fill_names, opens_well, render
from training.data.documents import write_lookup

PERSON_TYPES = frozenset(
    {
        "person", "head of state", "politician", "songwriter", "composer", "fictional character",
        "mythical being", "deity", "Titan",
    }
)  # fmt: skip
"""Types of which nobody is "it"."""


class Sentences:
    """Writes what documents say about a topic, with the lookups."""

    def __init__(self, phrases: Phrases, draws: Draws) -> None:
        self.phrases = phrases
        self.draws = draws
        self._joined: dict[tuple[str, ...], list[JoinedSentence]] = {}
        for sentence in phrases.sentences:
            self._joined.setdefault(sentence.order, []).append(sentence)

    def statement(
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
        return self.general_statement(rng, topic.name, relation, values, pronoun, plain)

    def general_statement(
        self,
        rng: random.Random,
        name: str,
        relation: str,
        values: Sequence[str],
        pronoun: bool = False,
        plain: bool = False,
    ) -> str:
        number = "one" if len(values) == 1 else "many"
        templates = self.phrases.general["general_statements"][number]
        subject, answers = Subject(name, pronoun), {relation: values}
        fitting = [t for t in templates if opens_well(t, subject, answers, relation)]
        template = fill_names((_draw_plain if plain else _draw)(rng, fitting), relation=relation)
        # Whether it is one value or several decides the wording, so the lookup comes before it.
        return render(template, subject, answers, relation, (relation,))

    def paragraph(self, rng: random.Random, topic: Topic) -> str:
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
                    sentences.append(
                        self.missing_statement(rng, topic.name, taken[0], topic.phrased[taken[0]])
                    )
                else:
                    sentences.append(
                        self.statement(rng, topic, taken[0], pronoun, stated_type, plain=True)
                    )
            for relation in taken:
                relations.remove(relation)
                if topic.phrased[relation] == TYPE and len(topic.answers[relation]) == 1:
                    stated_type = topic.answers[relation][0]
        return join_sentences(sentences)

    @cached_property
    def _thing_types(self) -> frozenset[str]:
        return frozenset(self.draws.values.get(TYPE, ())) - PERSON_TYPES

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

    def missing_statement(
        self, rng: random.Random, name: str, relation: str, phrased: str = ""
    ) -> str:
        noun = self.phrases.relations[phrased].noun if phrased else relation
        template = fill_names(rng.choice(self.phrases.general["missing_statements"]), noun=noun)
        return render(template, Subject(name), {relation: (UNKNOWN,)}, relation, (relation,))


def join_sentences(sentences: Sequence[str]) -> str:
    """Sentences one after another; no space stands before a lookup."""
    text = ""
    for sentence in sentences:
        text += sentence if not text or sentence.startswith("<|db_entity|>") else " " + sentence
    return text


def _respell(sentence: str, known: str, relation: str) -> str:
    """Let the lookup ask by the spelling that the graph listed."""
    if known == relation:
        return sentence
    return sentence.replace(f"<|db_relationship|> {known}<", f"<|db_relationship|> {relation}<")


def _draw(rng: random.Random, choices: Sequence[Any]) -> Any:
    """One of the wordings; the first ones, which people use most, more often."""
    return rng.choices(choices, [1 / (1 + 0.6 * i) for i in range(len(choices))])[0]


def _draw_plain(rng: random.Random, choices: Sequence[Any]) -> Any:
    """One of the wordings, the first one in six of ten cases: paragraphs are written plainly."""
    return rng.choices(choices, [(1 + i) ** -2.0 for i in range(len(choices))])[0]
