"""`closed-book`: whether the weights prefer the true value, with lookups forbidden.

For a statement cut before its value ("The capital of France is"), p(true value) is compared with
p(another value), the value that another entity of the same type has under the same relation. Some
values are likely after any name (United States as a nationality), and probabilities differ by many
powers of ten. So two entities are always compared crosswise, each with both values: the effect of
each value and of each name cancels out, and what remains is how well the two go together. A name
can suggest a value without any memory (France and .fr), so trained entities are divided by held-out
ones, which no document names. Probability, rank and first place are not compared crosswise: a
frequent value is likelier after any name, and more often the true one. There too only the
difference from held-out entities is a sign of memory.

| measure | what |
| --- | --- |
| closed_book_ratio | geometric mean of p(true) / p(another), trained entities over held-out ones |
| closed_book_trained, _held_out | the same geometric mean of each group |
| closed_book_shuffled | the same of trained entities, with other entities' values for both |
| closed_book_first_trained, _held_out | share where the true value is the most probable of all |
| closed_book_rank_trained, _held_out | mean rank of the true value among five |
| closed_book_probability_trained, _held_out | geometric mean of p(token) in the true value |
| ..._unmasked | the same of a model that was trained alike, on the looked-up values too |
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graph.core.facts import Fact
from model.audit import statements as neutral
from model.audit.scoring import log_probabilities
from model.checkpoint import Checkpoint, load_checkpoint
from training.corpus.english import definite_article
from training.corpus.phrase_book import RelationPhrases
from training.corpus.templates import fill_prompt
from training.errors import EvaluationError
from training.evaluation.statistics import Measures, percentiles, resampled_sums
from training.evaluation.suite_context import SuiteContext
from training.evaluation.suites.completion import is_completable
from training.evaluation.tally import Tally

OTHERS = 4  # entities that one is compared with, each of another value
GROUPS = (
    *("trained", "held_out", "shuffled", "rank_trained", "rank_held_out"),
    *("probability_trained", "probability_held_out"),
)

Sample = list[tuple[str, float]]
"""What each statement gave, with the entity that it is about."""


@dataclass(frozen=True)
class Statement:
    """A question and its answer without its end, and the true value."""

    prompt: str
    beginning: str
    value: str


@dataclass(frozen=True)
class Question:
    """A statement, and statements of the same wording about others with other values."""

    own: Statement
    others: tuple[Statement, ...]
    fact: Fact
    held_out: bool


def closed_book(context: SuiteContext) -> Measures:
    """All measures of the table above; the ratio needs entities that were held out."""
    checkpoint = getattr(context.decoder, "checkpoint", None)
    if not isinstance(checkpoint, Checkpoint):
        raise EvaluationError("The suite closed-book needs a checkpoint, to see its probabilities.")
    questions = list(draw(context, context.rng("closed-book")))
    context.say(f"{len(questions)} statements cut before their value")
    found = measure(checkpoint, questions, context.seed)
    if context.against.unmasked:
        unmasked = measure(load_checkpoint(context.against.unmasked), questions, context.seed)
        found |= {f"{name}_unmasked": row for name, row in unmasked.items()}
    return found


def draw(context: SuiteContext, rng: random.Random) -> list[Question]:
    """All statements of single values about the entities drawn, half of them held out if they can.

    Each is compared with others of its group: held-out entities with held-out ones. Held-out
    entities are few, so that one statement for each would say little of them.
    """
    phrases = context.writer.phrases.relations
    pool: dict[tuple[str, str, bool], dict[str, str]] = {}  # the single values by entity
    for record in context.records.values():
        for relation, values in record.facts.items():
            if len(values) == 1 and not definite_article(values[0]):
                group = relation, record.type, record.entity in context.held_out
                pool.setdefault(group, {})[record.entity] = values[0]
    apart = [key for key in context.by_entity if key[0] in context.held_out]
    known = [key for key in context.by_entity if key[0] not in context.held_out]
    half = context.entities // 2 if apart else 0
    keys = rng.sample(sorted(apart), min(len(apart), half))
    keys += rng.sample(sorted(known), min(len(known), context.entities - len(keys)))
    found = []
    for key in keys:
        record, held_out = context.records[key[0]], key[0] in context.held_out
        for relation in record.facts:
            of = pool.get((relation, record.type, held_out), {})
            if record.entity not in of:
                continue
            templates, asks = wordings(phrases, relation, record.type)
            others: dict[str, list[str]] = {}  # entities by their value
            for entity, value in sorted(of.items()):
                if value != of[record.entity]:
                    others.setdefault(value, []).append(entity)
            if not templates or len(others) < OTHERS:
                continue
            template = rng.choice(templates).removesuffix(" {value}.")
            asked = rng.choice(asks)

            def statement(
                entity: str,
                asked: str = asked,
                template: str = template,
                of: dict[str, str] = of,
            ) -> Statement:
                beginning = fill_prompt(template, entity)
                beginning = beginning[:1].upper() + beginning[1:]
                return Statement(fill_prompt(asked, entity), beginning, of[entity])

            fact = next(f for f in context.by_entity[key] if f.relation == relation)
            chosen = rng.sample(sorted(others), OTHERS)
            drawn = tuple(statement(rng.choice(others[value])) for value in chosen)
            found.append(Question(statement(record.entity), drawn, fact, held_out))
    return found


def wordings(
    phrases: Mapping[str, RelationPhrases], relation: str, entity_type: str
) -> tuple[Sequence[str], Sequence[str]]:
    """The statements that can be cut before their value, and the questions, of a relation.

    A relation without phrases has the neutral ones of an audit.
    """
    if relation not in phrases:
        name = relation.replace("{", "").replace("}", "")
        statement = neutral.beginning("{entity}", name)
        return [f"{statement} {{value}}."], [neutral.question("{entity}", name)]
    statements = phrases[relation].statements_for(entity_type)
    templates = [template for template in statements if is_completable(template)]
    return templates, phrases[relation].questions_for(entity_type)


def measure(checkpoint: Checkpoint, questions: list[Question], seed: int) -> Measures:
    """The figures of one checkpoint."""
    wanted: dict[tuple[str, str, str], int] = {}  # statement and value -> place of the score

    def want(statement: Statement, value: str) -> int:
        return wanted.setdefault((statement.prompt, statement.beginning, value), len(wanted))

    def crosswise(a: Statement, b: Statement, one: str, other: str) -> tuple[int, ...]:
        return want(a, one), want(a, other), want(b, other), want(b, one)

    pairs, controls = [], []
    for question in questions:
        own, others = question.own, question.others
        pairs.append([crosswise(own, other, own.value, other.value) for other in others])
        controls.append(crosswise(own, others[0], others[1].value, others[2].value))
    rows = []
    for prompt, beginning, value in wanted:
        before = [*checkpoint.encode_prompt(prompt), *checkpoint.encode_text(" " + beginning)]
        rows.append((before, checkpoint.encode_value(value)))
    scores = log_probabilities(checkpoint, rows, [checkpoint.markers.entity])

    def gain(places: tuple[int, ...]) -> float:
        a_one, a_other, b_other, b_one = (scores[place] for place in places)
        return (a_one - a_other + b_other - b_one) / 2

    gained: dict[str, Sample] = {}  # by group: entities and what each statement gave
    tally = Tally()
    together = sorted(zip(questions, pairs, controls, strict=True), key=lambda one: one[0].held_out)
    for question, places, control in together:
        group = "held_out" if question.held_out else "trained"
        entity, relation = question.fact.entity, question.fact.relation

        def keep(name: str, value: float, entity: str = entity) -> None:
            gained.setdefault(name, []).append((entity, value))

        keep(group, float(np.mean([gain(each) for each in places])))
        if not question.held_out:
            keep("shuffled", gain(control))
        truth = places[0][0]
        above = sum(scores[each[1]] > scores[truth] for each in places)
        keep(f"rank_{group}", 1.0 + above)
        keep(f"probability_{group}", scores[truth] / len(rows[truth][1]))
        tally.add(f"closed_book_first_{group}", above == 0, entity=entity, relation=relation)
    found: Measures = {}
    if "held_out" in gained and "trained" in gained:
        found["closed_book_ratio"] = _exponential(
            interval(gained["trained"], seed, below=gained["held_out"])
        )
    for name in GROUPS:
        if values := gained.get(name):
            row = interval(values, seed)
            found[f"closed_book_{name}"] = row if name.startswith("rank") else _exponential(row)
    return found | tally.measures(seed)


def interval(values: Sample, seed: int, below: Sample | None = None) -> dict[str, float]:
    """The mean over statements, less that of `below`, with a bootstrap interval over entities."""
    generator = np.random.default_rng(seed)

    def drawn(sample: Sample) -> tuple[float, np.ndarray]:
        places = {entity: place for place, entity in enumerate(dict.fromkeys(e for e, _ in sample))}
        sums_E2 = np.zeros((len(places), 2))
        for entity, value in sample:
            sums_E2[places[entity]] += (value, 1)
        sums_S2 = resampled_sums(sums_E2, generator)
        return sums_E2[:, 0].sum() / sums_E2[:, 1].sum(), sums_S2[:, 0] / sums_S2[:, 1]

    value, resampled_S = drawn(values)
    if below is not None:
        less, less_S = drawn(below)
        value, resampled_S = value - less, resampled_S - less_S
    low, high = percentiles(resampled_S)
    return {"value": value, "low": low, "high": high, "n": len(values) + len(below or ())}


def _exponential(row: dict[str, float]) -> dict[str, float]:
    return {name: x if name == "n" else float(np.exp(x)) for name, x in row.items()}
