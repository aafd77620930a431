"""Questions for one fact, for either of two, for two at once, and side by side."""

from __future__ import annotations

import random

from graph.core.facts import MAX_RELATIONS, RELATIONS
from training.corpus.draws import Topic
from training.corpus.kinds.kind import Kind
from training.corpus.material import Material
from training.corpus.prompts import drops_article
from training.corpus.records import TYPE
from training.corpus.sentences import join_sentences
from training.corpus.templates import Subject, fill_names, fill_prompt, render
from training.data.documents import write_lookup


def question(material: Material, rng: random.Random) -> tuple[str, str]:
    """A question for one fact, and the answer."""
    draws, prompts, sentences = material.draws, material.prompts, material.sentences
    relation = draws.relation(rng)
    record = rng.choice(draws.by_relation[relation])
    name = draws.name(rng, record.entity)
    answers = {relation: draws.answer(rng, relation, record.facts[relation])}
    topic = Topic(name, answers, {relation: relation})
    prompt = prompts.fact_prompt(rng, relation, name, record.type)
    return prompt, sentences.statement(rng, topic, relation)


def completion(material: Material, rng: random.Random) -> tuple[str, str]:
    """The beginning of a statement, and the whole of it."""
    draws = material.draws
    while True:
        relation = draws.relation(rng)
        record = rng.choice(draws.by_relation[relation])
        template = rng.choice(material.phrases.relations[relation].statements_for(record.type))
        if template.endswith(" {value}.") and template.count("{") == 2:
            break
    name = draws.name(rng, record.entity)
    answers = {relation: draws.answer(rng, relation, record.facts[relation])}
    prompt = fill_prompt(template.removesuffix(" {value}."), name)
    if not template.startswith("{"):
        prompt = prompt[:1].upper() + prompt[1:]
    return prompt, render(template, Subject(name), answers, relation, (relation,))


def general_question(material: Material, rng: random.Random) -> tuple[str, str]:
    """A question for a relation that nobody wrote phrases for."""
    draws, prompts, sentences = material.draws, material.prompts, material.sentences
    relation = draws.new_relation(rng)
    name = draws.name(rng, rng.choice(draws.names))
    prompt = prompts.fact_prompt(rng, relation, name)
    return prompt, sentences.general_statement(rng, name, relation, draws.made_up_answer(rng))


def either_question(material: Material, rng: random.Random) -> tuple[str, str]:
    """A question that either of two relations answers: the list shows which one is there."""
    draws, prompts, sentences = material.draws, material.prompts, material.sentences
    given = rng.choice(material.phrases.general["either_questions"])
    either: list[str] = given["relations"]
    record = rng.choice(draws.by_relation[rng.choice(either)])
    listed = [r for r in record.facts if r in either or rng.random() < 0.85]
    if rng.random() < 0.1:
        listed = [r for r in listed if r not in either] or [TYPE]
    listed = listed[:MAX_RELATIONS]
    name = draws.name(rng, record.entity)
    relation = next((r for r in either if r in listed), None)
    if relation is None:
        answer = sentences.missing_statement(rng, name, either[0], either[0])
    else:
        answers = {relation: draws.answer(rng, relation, record.facts[relation])}
        answer = sentences.statement(rng, Topic(name, answers, {relation: relation}), relation)
    template = prompts.retyped(rng, rng.choice(given["questions"]))
    prompt = fill_prompt(template, name, bare=drops_article(rng))
    return prompt, join_sentences([write_lookup(name, RELATIONS, "; ".join(listed)), answer])


def two_questions(material: Material, rng: random.Random) -> tuple[str, str]:
    """Two facts of one entity."""
    draws, sentences = material.draws, material.sentences
    record = draws.record(rng)
    while len([r for r in record.facts if r in material.phrases.relations and r != TYPE]) < 2:
        record = draws.record(rng)
    known = [r for r in record.facts if r in material.phrases.relations and r != TYPE]
    first, second = rng.sample(known, 2)
    name = draws.name(rng, record.entity)
    answers = {r: draws.answer(rng, r, record.facts[r]) for r in (first, second)}
    topic = Topic(name, answers, {first: first, second: second})
    template = fill_names(
        rng.choice(material.phrases.general["two_questions"]),
        noun=material.phrases.relations[first].noun,
        other_noun=material.phrases.relations[second].noun,
    )
    text = [sentences.statement(rng, topic, relation) for relation in (first, second)]
    return fill_prompt(template, name), join_sentences(text)


def comparison(material: Material, rng: random.Random) -> tuple[str, str]:
    """One fact of two entities, side by side."""
    draws, sentences = material.draws, material.sentences
    relation = draws.relation(rng)
    while relation == TYPE:
        relation = draws.relation(rng)
    held = draws.by_relation[relation]
    topics = []
    for record in (rng.choice(held), rng.choice(held)):
        answers = {relation: draws.answer(rng, relation, record.facts[relation])}
        name = draws.name(rng, record.entity)
        topics.append(Topic(name, answers, {relation: relation}))
    if topics[0].name == topics[1].name:
        return comparison(material, rng)
    template = fill_names(
        rng.choice(material.phrases.general["comparisons"]),
        noun=material.phrases.relations[relation].noun,
        other=topics[1].name,
    )
    text = join_sentences([sentences.statement(rng, topic, relation) for topic in topics])
    return fill_prompt(template, topics[0].name), text


KINDS: tuple[Kind, ...] = (
    Kind("question", 0.20, question),
    Kind("completion", 0.02, completion),
    Kind("general question", 0.07, general_question),
    Kind("either question", 0.02, either_question),
    Kind("two questions", 0.025, two_questions),
    Kind("comparison", 0.02, comparison),
)
