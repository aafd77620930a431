"""Prompts that the model should take only in part, or not at all."""

from __future__ import annotations

import random

from training.corpus.kinds.kind import Kind
from training.corpus.material import Material
from training.corpus.sentences import join_sentences
from training.corpus.templates import Subject, fill_prompt, render


def odd_prompt(material: Material, rng: random.Random) -> tuple[str, str]:
    """What a model must not be led astray by: typed markers, and premises that no graph holds.

    Markers are as if they were not there; a premise is denied, then the graph speaks.
    """
    draws, prompts, sentences = material.draws, material.prompts, material.sentences
    record = draws.record(rng)
    relations = list(record.facts)[: rng.randint(1, 4)]
    topic = draws.topic(rng, record, relations)
    text = sentences.paragraph(rng, topic)
    if rng.random() < 0.45:
        denial = rng.choice(prompts.noise.premise_answers)
        prompt = fill_prompt(prompts.noise.premise(rng), topic.name)
        return prompt, join_sentences([denial, text])
    if rng.random() < 0.4:
        relation = relations[0]
        if topic.phrased.get(relation) == relation:
            prompt = prompts.fact_prompt(rng, relation, topic.name, record.type)
            text = sentences.statement(rng, topic, relation)
            return prompts.noise.with_markers(rng, prompt, topic.name), text
    prompt = prompts.paragraph_prompt(rng, topic.name)
    return prompts.noise.with_markers(rng, prompt, topic.name), text


def lookups_off(material: Material, rng: random.Random) -> tuple[str, str]:
    """A reply without facts, because lookups are off."""
    draws, prompts = material.draws, material.prompts
    name = draws.name(rng, rng.choice(draws.names))
    if rng.random() < 0.5:
        prompt = prompts.paragraph_prompt(rng, name)
    else:
        prompt = prompts.fact_prompt(rng, draws.relation(rng), name)
    return prompt, render(rng.choice(material.phrases.general["lookups_off"]), Subject(name), {})


def no_entity(material: Material, rng: random.Random) -> tuple[str, str]:
    """A prompt that names nothing a graph could hold."""
    prompt = rng.choice(material.phrases.general["no_entity_prompts"])
    return prompt, rng.choice(material.phrases.general["no_entity_answers"])


KINDS: tuple[Kind, ...] = (
    Kind("odd prompt", 0.05, odd_prompt),
    Kind("lookups off", 0.03, lookups_off),
    Kind("no entity", 0.02, no_entity),
)
