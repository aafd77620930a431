"""Questions through two or three lookups: the capital of the country of birth."""

from __future__ import annotations

import random

from training.corpus.draws import Topic
from training.corpus.held_out import chain_pair_held_out
from training.corpus.kinds.kind import Kind
from training.corpus.material import Material
from training.corpus.records import Record
from training.corpus.sentences import join_sentences
from training.corpus.templates import fill_prompt


def chain_of_two(material: Material, rng: random.Random) -> tuple[str, str]:
    """A question whose answer takes two lookups: the capital of the country of birth."""
    return _chain(material, rng, 1)


def chain_of_three(material: Material, rng: random.Random) -> tuple[str, str]:
    """A question whose answer takes three lookups."""
    return _chain(material, rng, 2)


def _chain(material: Material, rng: random.Random, passed: int) -> tuple[str, str]:
    """A question through `passed` entities in between."""
    draws, prompts, sentences = material.draws, material.prompts, material.sentences
    while (path := draw_path(material, rng, passed)) is None:
        pass
    names = [draws.name(rng, path[0][1].entity)]
    text = []
    reference = names[0]
    for i, (real, record) in enumerate(path):
        last = i == len(path) - 1
        relation = phrased = real
        # What lies between is named by any words: else "the country of the birthplace", a pair
        # that no chain had, was read as the relation "country of birth".
        if draws.exchange and rng.random() < 0.25:
            relation, phrased = draws.new_relation(rng), ""
            path[i] = relation, record
        answer: tuple[str, ...]
        if not last:
            answer = (draws.name(rng, record.facts[real][0]),)
            names.append(answer[0])
        elif phrased:
            answer = draws.answer(rng, real, record.facts[real])
        else:
            answer = draws.made_up_answer(rng)
        topic = Topic(names[i], {relation: answer}, {relation: phrased})
        if rng.random() < 0.02:  # the way breaks off where nothing is recorded
            text.append(sentences.missing_statement(rng, names[i], relation, phrased))
            if not last:
                rest = path[i + 1 :]
                for step, _ in path[i:-1]:
                    reference = _reference(material, step, reference)
                question = prompts.chain_question(rng, rest[-1][0], rest[-1][1].type, reference)
                return question, join_sentences(text)
        else:
            text.append(sentences.statement(rng, topic, relation))
        if not last:
            reference = _reference(material, relation, reference)
    relation, record = path[-1]
    question = prompts.chain_question(rng, relation, record.type, reference)
    return question, join_sentences(text)


def draw_path(
    material: Material, rng: random.Random, passed: int
) -> list[tuple[str, Record]] | None:
    """The steps of a chain, or None if the one that was drawn leads nowhere."""
    draws, described = material.draws, material.phrases.relations
    path = []
    relation, record = draws.chain_start(rng)
    for _ in range(passed):
        path.append((relation, record))
        if described[relation].reference is None or len(record.facts[relation]) != 1:
            return None
        record = draws.records.get(record.facts[relation][0], Record(""))
        steps = [
            r
            for r in record.facts
            if r in described
            and not chain_pair_held_out(relation, r)
            and (len(path) == passed or described[r].reference)
        ]
        if not steps:
            return None
        # Rare relations at the end, so that all are asked for; usual ones on the way, since
        # people ask for the country of a birthplace.
        power = -0.25 if len(path) == passed else 0.25
        relation = rng.choices(steps, [draws.counts[r] ** power for r in steps])[0]
    return [*path, (relation, record)]


def _reference(material: Material, relation: str, entity: str) -> str:
    """How a question names the entity that a step leads to, "the capital of Peru"."""
    described = material.phrases.relations.get(relation)
    reference = described.reference if described else "the {relation} of {entity}"
    assert reference is not None  # by the choice of the path
    # Written inside a sentence, so without a capital letter.
    return fill_prompt(reference, entity, relation)


KINDS: tuple[Kind, ...] = (
    Kind("chain of two", 0.075, chain_of_two),
    Kind("chain of three", 0.075, chain_of_three),
)
