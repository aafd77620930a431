"""Requests: the prompts that ask for a fact, for a paragraph or through a chain of relations."""

from __future__ import annotations

import random
from functools import cached_property

from training.corpus.draws import Draws
from training.corpus.held_out import frame_held_out
from training.corpus.phrase_book import Phrases
from training.corpus.prompt_noise import PromptNoise
from training.corpus.templates import fill_prompt, split_template


class Prompts:
    """Puts a question into words: a relation's own, general ones, or a few among fillers."""

    def __init__(self, phrases: Phrases, draws: Draws) -> None:
        self.phrases = phrases
        self.draws = draws

    @cached_property
    def noise(self) -> PromptNoise:
        """How people type around a request."""
        return PromptNoise(self.draws.words, self.phrases.prompt_noise)

    @cached_property
    def frames(self) -> dict[str, list[str]]:
        """For each relation, the general frames in which documents ask for it."""
        general = self.phrases.general["general_questions"]
        return {
            name: [frame for frame in general if not frame_held_out(name, frame)]
            for name in self.phrases.relations
        }

    def question_for(
        self, rng: random.Random, relation: str, entity: str, entity_type: str = ""
    ) -> str:
        """A question for one fact, in a wording that was written for the relation."""
        if relation in self.phrases.relations:
            template = rng.choice(self.phrases.relations[relation].questions_for(entity_type))
        else:
            template = rng.choice(self.phrases.general["general_questions"])
        return fill_prompt(template, entity, relation)

    def fact_prompt(
        self, rng: random.Random, relation: str, entity: str, entity_type: str = ""
    ) -> str:
        """A question for one fact in any words: its own, a general frame, or amid fillers."""
        described = self.phrases.relations.get(relation)
        if described is None:
            template, noun = rng.choice(self.phrases.general["general_questions"]), relation
        else:
            draw = rng.random()
            noun = self._noun(rng, relation)
            if draw < 0.45:
                template = rng.choice(described.questions_for(entity_type))
            elif draw < 0.72:
                template = rng.choice(self.frames[relation])
            else:
                return fill_prompt(self.noise.filled(rng), entity, noun, drops_article(rng))
        return fill_prompt(self.retyped(rng, template), entity, noun, drops_article(rng))

    def _noun(self, rng: random.Random, relation: str) -> str:
        """What people call a relation: mostly its noun, at times its name."""
        return self.phrases.relations[relation].noun if rng.random() < 0.85 else relation

    def retyped(self, rng: random.Random, template: str) -> str:
        """A request as it is, with something around it, or with slips of the finger."""
        draw = rng.random()
        if draw < 0.25:
            return self.noise.dressed(rng, template)
        if draw < 0.28:
            return self.noise.with_slips(rng, template)
        return template

    def paragraph_prompt(self, rng: random.Random, name: str) -> str:
        """A request for a paragraph in any words."""
        draw = rng.random()
        if draw < 0.06:
            return fill_prompt(self.noise.mentioned(rng), name, bare=drops_article(rng))
        if draw < 0.15:
            return fill_prompt(self.noise.in_another_language(rng), name, bare=True)
        template = self.retyped(rng, rng.choice(self.phrases.general["paragraph_prompts"]))
        return fill_prompt(template, name, bare=drops_article(rng))

    def chain_question(
        self, rng: random.Random, relation: str, entity_type: str, reference: str
    ) -> str:
        """A question for a relation of what `reference` describes, "the capital of Peru".

        Only wordings that can hold a description: not those that open with the name, nor those
        that speak of it as a name.
        """
        described = self.phrases.relations.get(relation)
        own = described.questions_for(entity_type) if described else ()
        templates = [t for t in own if takes_description(t)]
        if not templates or rng.random() < 0.4:
            frames = self.frames.get(relation, self.phrases.general["general_questions"])
            templates = [t for t in frames if takes_description(t)]
        noun = described.noun if described else relation
        question = fill_prompt(rng.choice(templates), reference, noun)
        return question[:1].upper() + question[1:]


def drops_article(rng: random.Random) -> bool:
    """Whether a person leaves the article out.

    If prompts always had it, the model would copy it and not learn which names take one.
    """
    return rng.random() < 0.5


def takes_description(template: str) -> bool:
    """Whether "the capital of Peru" can stand in a question where a name stands."""
    literal = split_template(template)[0]
    return (
        "{entity's}" not in template
        and bool(literal)
        and not literal.lower().endswith(("name ", "word ", "called ", "title "))
    )
