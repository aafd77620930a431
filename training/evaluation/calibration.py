"""`calibrate`: how much guided decoding trusts a checkpoint, and how much the ranking of a list.

    python -m training calibrate model/checkpoints/questions --data FOLDER

Questions are put to entities, many of them for relations that the entity lacks. They come from
three sources: wordings by people for every second property of those that no document of the
training asks for, questions about tables of people's own (training/table_questions.py), and
documents of the corpus under a seed of their own, which also have chains and questions for yes or
no. Each gives the model's probability to open a lookup after the list, its probability of each
relation's name, and the scores of the list.

`relevance` is the weight with which the most questions of the first two, whose words the model does
not know, choose the right name. The other three are a logistic regression on whether there is one,
with the threshold that is right most often about the first two. Each source counts the same,
because a model is surer of the corpus than of anything else, and three of four questions of each
have an answer, because people ask more often for what is there.

Letters in tensor names: N questions, F features.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graph.core.facts import RELATIONS, join_relations
from graph.lookup.encoder import Encoder, question_encoder
from graph.lookup.relevance import rank
from model.audit.scoring import continued
from model.base.adapter import SETTINGS, is_adapter, read_settings
from model.checkpoint import Checkpoint, load_checkpoint
from model.judgement import Judgement, log_odds
from training.corpus.held_out import NameFilter, held_out_entities, without
from training.corpus.phrase_book import load_phrases
from training.corpus.questions.listing import LOOKUP
from training.corpus.questions.question_stream import question_writer
from training.corpus.questions.stored_vectors import StoredVectors
from training.corpus.records import DEFAULT_FACTS, read_records
from training.corpus.wordings import Wordings, read_wordings
from training.corpus.writer import Writer
from training.errors import EvaluationError
from training.evaluation.suites.relation_choice import draw_choices
from training.table_questions import CALIBRATION, read_tables

KINDS = (
    *("single", "yes or no", "several", "pair", "count", "chain", "woven chain"),
    *("none fits", "absent", "qualified"),
)
"""Of the corpus's documents; the last three have no answer."""
PEOPLE, TABLES, CORPUS = "people", "tables", "corpus"
RELEVANCES = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0)
ANSWERED = 2 / 3  # of the questions that people ask, those that the graph can answer
_RIDGE = 1e-3
_NEARLY = 0.005  # of the readings that are right
_STEPS = 30


@dataclass(frozen=True)
class Question:
    """What a prompt asks of one entity."""

    prompt: str
    entity: str
    relations: tuple[str, ...]
    """Of its list, in any order."""
    right: str | None
    """The one that is asked for; None if it is not among them."""
    source: str = PEOPLE
    values: Mapping[str, Sequence[str]] | None = None
    """What the relations hold, as `rank` takes it; None if the values are invented."""


@dataclass(frozen=True)
class Reading:
    """What the model and the ranking say about a question."""

    opening: float
    """The model's probability to open a lookup after the list."""
    names: tuple[str, ...]
    logs: tuple[float, ...]
    """The logarithm of each name's probability, after the entity."""
    scores: tuple[float, ...]
    right: str | None
    source: str = PEOPLE

    @property
    def best(self) -> float:
        """The best score of the list."""
        return max(self.scores)

    def choice(self, relevance: float) -> str:
        """The name that weighs most."""
        weights = [log + relevance * s for log, s in zip(self.logs, self.scores, strict=True)]
        return self.names[weights.index(max(weights))]


def main(argv: Sequence[str] | None = None) -> int:
    """Fit a checkpoint's judgement and write it into its configuration."""
    parser = argparse.ArgumentParser(prog="python -m training calibrate", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="folder of a model trained list first")
    parser.add_argument("--data", type=Path, required=True, help="folder with the wordings")
    parser.add_argument("--questions", type=int, default=150, help="questions by people")
    about = "questions of each kind of document (50); 0 spares the time to encode the wordings"
    parser.add_argument("--corpus-questions", type=int, default=50, help=about)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args(argv)
    checkpoint = load_checkpoint(options.checkpoint)
    if not checkpoint.ranked:
        raise EvaluationError(
            f"{options.checkpoint} was not trained on ranked lists; there is nothing to calibrate."
        )
    if (encoder := question_encoder()) is None:
        raise EvaluationError("Calibration needs the encoder of requirements-embeddings.txt.")
    wordings = read_wordings(options.data)
    rng = random.Random(options.seed)
    questions = [
        *asked_by_people(wordings, rng, options.questions),
        *asked_of_tables(),
        *asked_by_corpus(wordings, encoder, rng, options.corpus_questions),
    ]
    readings = [read(checkpoint, encoder, question) for question in questions]
    judgement = fit(readings)
    print(report(readings, judgement))
    write_judgement(options.checkpoint, judgement)
    return 0


def asked_by_people(wordings: Wordings, rng: random.Random, number: int) -> Iterator[Question]:
    """Questions over every second property that no document asks for."""
    held_out = sorted(p.id for p in wordings.properties if p.held_out)
    used = set(held_out[::2])
    for one in draw_choices(wordings, rng, 3 * number):
        if one.asked.id in used:
            right = one.asked.label if one.value else None
            yield Question(one.question, one.entity, tuple(one.facts), right)


def asked_of_tables(folder: Path = CALIBRATION) -> Iterator[Question]:
    """Questions for one relation of one entity, which its table has or lacks."""
    for table in read_tables(folder):
        for case in table.cases:
            entity = table.about(case)
            if entity is None or not ("any" in case or "none" in case):
                continue
            right = table.answering(case, entity)
            if right or "none" in case:
                names, values = table.relations_of(entity), table.values_of(entity)
                first = right[0] if right else None
                yield Question(case["q"], entity, names, first, TABLES, values)


def asked_by_corpus(
    wordings: Wordings, encoder: Encoder, rng: random.Random, number: int
) -> Iterator[Question]:
    """The first list of documents that no training has read."""
    if not number:
        return
    records = read_records(DEFAULT_FACTS)
    names = NameFilter(held_out_entities(records))
    worlds = Writer(without(records, names), load_phrases())
    writer = question_writer(worlds, wordings, StoredVectors(encoder))
    for kind in KINDS:
        for _ in range(number):
            document = writer.document(rng, kind)
            found = LOOKUP.findall(document.text)
            if not found or found[0][1] != RELATIONS or ": " not in found[0][2]:
                continue
            name, _, listed = found[0][2].partition(": ")
            relations = tuple(r for r in listed.split("; ") if not r.startswith("and "))
            right = found[1][1] if len(found) > 1 else None
            if right is None or right in relations:
                yield Question(document.prompt, name, relations, right, CORPUS)


def read(checkpoint: Checkpoint, encoder: Encoder, question: Question) -> Reading:
    """The probabilities after the list as the graph would rank it."""
    ranked = rank(
        question.prompt, [question.entity], question.relations, encoder, {}, question.values
    )
    names, scores = zip(*ranked, strict=True)
    markers, encode = checkpoint.markers, checkpoint.encode_value
    opened = [markers.entity, *encode(question.entity), markers.relationship]
    listed = encode(join_relations(question.entity, names))
    ids = [*checkpoint.encode_prompt(question.prompt), *opened, *encode(RELATIONS)]
    ids += [markers.return_, *listed, markers.end]
    (opening,) = continued(checkpoint, ids, [[markers.entity]])
    named = [[*encode(name), markers.return_] for name in names]
    logs = continued(checkpoint, ids + opened, named)
    return Reading(math.exp(opening), names, tuple(logs), scores, question.right, question.source)


def fit(readings: Sequence[Reading]) -> Judgement:
    """The judgement that is right about the most of these questions."""
    asked = [one for one in readings if one.right is not None and one.source != CORPUS]
    relevance = max(
        RELEVANCES, key=lambda weight: sum(one.choice(weight) == one.right for one in asked)
    )
    features_NF = torch.tensor(
        [[log_odds(r.opening), r.best, 1.0] for r in readings], dtype=torch.float64
    )
    answers_N = torch.tensor([float(r.right is not None) for r in readings], dtype=torch.float64)
    share_N = shares(readings)
    weights_F = logistic(features_NF, answers_N, share_N)
    opening, best, bias = weights_F.tolist()
    unknown_N = torch.tensor([r.source != CORPUS for r in readings])
    bias -= threshold(features_NF @ weights_F, answers_N, share_N * unknown_N)
    return Judgement(relevance, *(round(weight, 3) for weight in (opening, best, bias)))


def shares(readings: Sequence[Reading]) -> Tensor:
    """How much each reading counts, float64 [N], in all 1."""
    kinds = [(one.source, one.right is not None) for one in readings]
    numbers = Counter(kinds)
    sources = len({source for source, _ in kinds})
    parts = {True: ANSWERED / sources, False: (1 - ANSWERED) / sources}
    return torch.tensor([parts[kind[1]] / numbers[kind] for kind in kinds], dtype=torch.float64)


def threshold(odds_N: Tensor, answers_N: Tensor, share_N: Tensor) -> float:
    """The log-odds above which a lookup should open, so that the most readings are right.

    It is the middle of the thresholds that are nearly as good as the best, because there are few
    readings.
    """
    tried_T = torch.linspace(-3, 3, 241, dtype=torch.float64)
    opened_TN = odds_N > tried_T[:, None]
    right_T = ((opened_TN == (answers_N > 0)) * share_N).sum(1)
    return float(tried_T[right_T >= right_T.max() - _NEARLY].median())


def logistic(features_NF: Tensor, answers_N: Tensor, share_N: Tensor) -> Tensor:
    """Weights of a logistic regression, the bias last."""
    weights_F = torch.zeros(features_NF.shape[1], dtype=torch.float64)
    ridge_F = torch.full_like(weights_F, 2 * _RIDGE)
    ridge_F[-1] = 0
    for _ in range(_STEPS):  # Newton's method
        chance_N = (features_NF @ weights_F).sigmoid()
        gradient_F = features_NF.T @ (share_N * (chance_N - answers_N)) + ridge_F * weights_F
        curved_NF = features_NF * (share_N * chance_N * (1 - chance_N))[:, None]
        hessian_FF = features_NF.T @ curved_NF + torch.diag(ridge_F + 1e-9)
        weights_F = weights_F - torch.linalg.solve(hessian_FF, gradient_F)
    return weights_F


def report(readings: Sequence[Reading], judgement: Judgement) -> str:
    """What the judgement gets right for each source, in lines."""
    lines = []
    for source in dict.fromkeys(one.source for one in readings):
        fitting = [r for r in readings if r.source == source and r.right is not None]
        missing = [r for r in readings if r.source == source and r.right is None]
        chosen = sum(r.choice(judgement.relevance) == r.right for r in fitting)
        alone = sum(r.choice(0) == r.right for r in fitting)
        opened = sum(judgement.fits(r.opening, r.best) > 0 for r in fitting)
        refused = sum(judgement.fits(r.opening, r.best) <= 0 for r in missing)
        own = sum(r.opening > 0.5 for r in fitting), sum(r.opening <= 0.5 for r in missing)
        lines += [
            f"{source}, right name: {_share(chosen, fitting)}; the model: {_share(alone, fitting)}",
            f"{source}, opened where one fits: {_share(opened, fitting)}; "
            f"the model: {_share(own[0], fitting)}",
            f"{source}, refused where none does: {_share(refused, missing)}; "
            f"the model: {_share(own[1], missing)}",
        ]
    return "\n".join([*lines, json.dumps(judgement.to_json())])


def _share(count: int, of: Sequence[Any]) -> str:
    return f"{count} of {len(of)} ({count / max(1, len(of)):.3f})"


def write_judgement(folder: Path, judgement: Judgement) -> None:
    """Put the judgement into a checkpoint's config.json, or an adapter's lamplight.json."""
    if is_adapter(folder):
        path, config = folder / SETTINGS, {**read_settings(folder)}
        config["judgement"] = judgement.to_json()
    else:
        path = folder / "config.json"
        config = json.loads(path.read_text("utf-8"))
        config["lamplight"]["judgement"] = judgement.to_json()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
