"""`closed-book`: whether the weights prefer the true value, with lookups forbidden.

For a statement cut before its value ("The capital of France is"), p(true value) is compared with
p(another value), the value that another entity of the same type has under the same relation. A
name can give a value away without any memory (France and .fr), so trained entities are divided by
held-out ones, of which no document spoke.

| measure | what |
| --- | --- |
| closed_book_ratio | geometric mean of p(true) / p(another), trained entities over held-out ones |
| closed_book_trained, _held_out | the same geometric mean of each group |
| closed_book_shuffled | the same of trained entities, with another value for the true one |
| closed_book_first_trained, _held_out | share where the true value is the most probable of all |
| ..._baseline | the same of a model that was trained on the same texts without lookups |
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from graph.facts import Fact
from model.checkpoint import Checkpoint, load_checkpoint
from training.corpus.phrases import definite
from training.corpus.writer import ask
from training.evaluate import RESAMPLES, EvaluationError
from training.scoring import log_probabilities
from training.suites.completion import is_completable
from training.suites.tally import Measures, Tally
from training.suites.world import World

OTHERS = 8  # values that a true one is compared with


@dataclass(frozen=True)
class Question:
    """A statement without its end, the true value, and others."""

    prompt: str
    beginning: str
    fact: Fact
    others: tuple[str, ...]
    held_out: bool


def closed_book(world: World) -> Measures:
    """All measures of the table above; the ratio needs entities that were held out."""
    checkpoint = getattr(world.decoder, "checkpoint", None)
    if not isinstance(checkpoint, Checkpoint):
        raise EvaluationError("The suite closed-book needs a checkpoint, to see its probabilities.")
    questions = list(draw(world, world.rng("closed-book")))
    world.say(f"{len(questions)} statements cut before their value")
    found = measure(checkpoint, questions, world.seed)
    if world.baseline:
        baseline = measure(load_checkpoint(world.baseline), questions, world.seed)
        found |= {f"{name}_baseline": row for name, row in baseline.items()}
    return found


def draw(world: World, rng: random.Random) -> list[Question]:
    """One statement for each entity drawn, half of them held out where there are enough."""
    phrases = world.writer.phrases.relations
    pool: dict[tuple[str, str], list[str]] = {}
    for record in world.records.values():
        for relation, values in record.facts.items():
            if len(values) == 1 and not definite(values[0]):
                pool.setdefault((relation, record.type), []).append(values[0])
    apart = [key for key in world.by_entity if key[0] in world.held_out]
    known = [key for key in world.by_entity if key[0] not in world.held_out]
    half = world.entities // 2 if apart else 0
    keys = rng.sample(sorted(apart), min(len(apart), half))
    keys += rng.sample(sorted(known), min(len(known), world.entities - len(keys)))
    found = []
    for key in keys:
        record = world.records[key[0]]
        choices = []
        for relation, values in record.facts.items():
            templates = (
                [t for t in phrases[relation].statements_for(record.type) if is_completable(t)]
                if relation in phrases and len(values) == 1 and not definite(values[0])
                else []
            )
            others = sorted(set(pool.get((relation, record.type), ())) - set(values))
            if templates and len(others) >= OTHERS // 2:
                choices.append((relation, rng.choice(templates), others))
        if not choices:
            continue
        relation, template, others = rng.choice(choices)
        beginning = ask(template.removesuffix(" {value}."), key[0])
        found.append(
            Question(
                world.writer.question_for(rng, relation, key[0], record.type),
                beginning[:1].upper() + beginning[1:],
                next(f for f in world.by_entity[key] if f.relation == relation),
                tuple(rng.sample(others, min(OTHERS, len(others)))),
                key[0] in world.held_out,
            )
        )
    return found


def measure(checkpoint: Checkpoint, questions: list[Question], seed: int) -> Measures:
    """The figures of one checkpoint."""
    rows = []
    for question in questions:
        before = checkpoint.encode_prompt(question.prompt)
        before = [*before, *checkpoint.encode_text(" " + question.beginning)]
        for value in (question.fact.value, *question.others):
            rows.append((before, checkpoint.encode_value(value)))
    scores = iter(log_probabilities(checkpoint, rows, [checkpoint.markers.entity]))
    gains: dict[bool, list[float]] = {True: [], False: []}
    shuffled: list[float] = []
    tally = Tally()
    for question in questions:
        true, *others = (next(scores) for _ in range(1 + len(question.others)))
        gains[question.held_out].append(true - float(np.mean(others)))
        if not question.held_out:
            shuffled.append(others[0] - float(np.mean([true, *others[1:]])))
        group = "held_out" if question.held_out else "trained"
        tally.add(
            f"closed_book_first_{group}",
            true > max(others),
            entity=question.fact.entity,
            relation=question.fact.relation,
        )
    found: Measures = {}
    if gains[True] and gains[False]:
        found["closed_book_ratio"] = _ratio(gains[False], gains[True], seed)
    for name, values in (
        ("closed_book_trained", gains[False]),
        ("closed_book_held_out", gains[True]),
        ("closed_book_shuffled", shuffled),
    ):
        if values:
            found[name] = _ratio(values, None, seed)
    return found | tally.measures(seed)


def _ratio(above: list[float], below: list[float] | None, seed: int) -> dict[str, float]:
    """exp of a mean, or of the difference of two, with a bootstrap interval over statements."""
    generator = np.random.default_rng(seed)

    def resampled(values: list[float]) -> np.ndarray:
        values_N = np.array(values)
        return values_N[generator.integers(0, len(values_N), (RESAMPLES, len(values_N)))].mean(1)

    drawn_S = resampled(above)
    value = float(np.mean(above))
    if below is not None:
        drawn_S = drawn_S - resampled(below)
        value -= float(np.mean(below))
    low, high = np.exp(np.percentile(drawn_S, [2.5, 97.5]))
    number = len(above) + len(below or ())
    return {"value": float(np.exp(value)), "low": float(low), "high": float(high), "n": number}
