"""What is asked for and is not in the graph."""

from __future__ import annotations

import random

from graph.core.facts import RELATIONS, UNKNOWN
from training.corpus.kinds.kind import Kind
from training.corpus.material import Material
from training.corpus.templates import Subject, render


def missing_relation(material: Material, rng: random.Random) -> tuple[str, str]:
    """A question for a fact that the graph does not hold."""
    draws, prompts, sentences = material.draws, material.prompts, material.sentences
    name = draws.name(rng, rng.choice(draws.names))
    if rng.random() < 0.7:
        relation = draws.relation(rng)
        prompt = prompts.fact_prompt(rng, relation, name)
        return prompt, sentences.missing_statement(rng, name, relation, relation)
    relation = draws.new_relation(rng)
    prompt = prompts.fact_prompt(rng, relation, name)
    return prompt, sentences.missing_statement(rng, name, relation)


def unknown_entity(material: Material, rng: random.Random) -> tuple[str, str]:
    """A paragraph about somebody or something that the graph does not know."""
    draws, prompts = material.draws, material.prompts
    name = draws.unknown_name(rng) if rng.random() < 0.8 else rng.choice(draws.names)
    template = rng.choice(material.phrases.general["unknown_entity"])
    answers = {RELATIONS: (UNKNOWN,)}
    prompt = prompts.paragraph_prompt(rng, name)
    return prompt, render(template, Subject(name), answers, RELATIONS, (RELATIONS,))


KINDS: tuple[Kind, ...] = (
    Kind("missing relation", 0.07, missing_relation),
    Kind("unknown entity", 0.035, unknown_entity),
)
