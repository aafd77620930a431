"""Cases: an entity, what was asked about it, and what a model wrote before and after an edit.

For each entity of a random sample (a third of it held out from training): a paragraph; a question
for one fact; the paragraph again after a random edit; and again after a random deletion. Edits go
through drafts, so the store stays as it is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from graph.core.edits import Change, Delete, Edit
from graph.core.facts import Fact
from graph.core.names import fold
from graph.lookup.retriever import Retriever
from model.grounding import Grounding, ground, says
from model.settings import DecodingSettings
from model.trace import Trace
from training.corpus.made_up_values import SCRIPTS, made_up_value
from training.corpus.phrase_book import load_phrases
from training.corpus.records import Record
from training.corpus.templates import fill_prompt
from training.corpus.writer import Writer
from training.errors import EvaluationError

SETTINGS = DecodingSettings(max_tokens=800)  # greedy
FEWEST_HELD_OUT = 100
AUTHOR = "evaluation"
KINDS = (*SCRIPTS, "number", "symbolic", "words")  # of made-up values, in turn


class BatchDecoder(Protocol):
    """What an evaluation needs of a decoder."""

    def generate_batch(
        self, prompts: Sequence[str], retrievers: Sequence[Any], settings: DecodingSettings
    ) -> list[Trace]: ...


@dataclass
class Case:
    """One entity of the sample, and what was generated about it."""

    entity: str
    entity_id: int
    facts: list[Fact]  # stored order
    held_out: bool
    paragraph: Trace
    question: Trace
    asked: str  # the relation that the question asks for
    edited: Fact | None = None  # before the edit
    new_value: str = ""
    novel: bool = False  # whether the new value is made up
    after_edit: Trace | None = None
    deleted: Fact | None = None
    elsewhere: bool = False  # whether the deleted value is reachable without the fact
    after_delete: Trace | None = None
    _groundings: dict[int, Grounding] = field(default_factory=dict, repr=False)

    def ground(self, trace: Trace) -> Grounding:
        """The grounding of one of this case's traces, computed once."""
        if id(trace) not in self._groundings:
            self._groundings[id(trace)] = ground(trace)
        return self._groundings[id(trace)]

    def said(self, trace: Trace) -> set[int]:
        """The ids of the facts whose values `trace` repeats."""
        return {mark.fact_id for mark in self.ground(trace).marks}


def generate_cases(
    decoder: BatchDecoder,
    store: Any,
    held_out: frozenset[str],
    entities: int = 600,
    seed: int = 0,
    say: Any = lambda message: None,
    share: float = 1 / 3,
) -> list[Case]:
    """Draw the entities, a share of them held out, and generate everything about them.

    `store` takes drafts.
    """
    rng = random.Random(seed)
    by_entity: dict[tuple[str, int], list[Fact]] = {}
    for fact in store.all_facts():
        by_entity.setdefault((fact.entity, fact.entity_id), []).append(fact)
    if not by_entity:
        raise EvaluationError(f"The store {store.url} holds no facts, so nothing can be measured.")
    drawn = draw_entities(list(by_entity), held_out, entities, rng, share)
    writer = Writer(_records(by_entity), load_phrases())
    prompts = [
        fill_prompt(rng.choice(writer.phrases.general["paragraph_prompts"]), name)
        for name, _ in drawn
    ]
    retriever = Retriever(store)

    say(f"{len(drawn)} paragraphs")
    paragraphs = decoder.generate_batch(prompts, [retriever] * len(drawn), SETTINGS)
    asked, questions = [], []
    for key in drawn:
        record = record_of(key[0], by_entity[key])
        relation = rng.choice([*record.facts])
        asked.append(relation)
        questions.append(writer.prompts.question_for(rng, relation, key[0], record.type))
    say(f"{len(drawn)} questions")
    answers = decoder.generate_batch(questions, [retriever] * len(drawn), SETTINGS)
    cases = [
        Case(*key, by_entity[key], key[0] in held_out, paragraph, answer, relation)
        for key, paragraph, answer, relation in zip(drawn, paragraphs, answers, asked, strict=True)
    ]
    values: dict[str, list[str]] = {}
    for facts in by_entity.values():
        for fact in facts:
            values.setdefault(fact.relation, []).append(fact.value)
    for number, case in enumerate(cases):
        _choose_edit(case, number, values, rng)
        _choose_deletion(case, rng)

    edits = [(case, Change(case.edited.id, case.new_value)) for case in cases if case.edited]
    say(f"{len(edits)} edits")
    for (case, _), trace in zip(edits, _regenerate(decoder, store, edits, seed), strict=True):
        case.after_edit = trace
    deletions = [(case, Delete(case.deleted.id)) for case in cases if case.deleted]
    say(f"{len(deletions)} deletions")
    for (case, _), trace in zip(
        deletions, _regenerate(decoder, store, deletions, seed), strict=True
    ):
        case.after_delete = trace
    return cases


def draw_entities(
    keys: list[tuple[str, int]],
    held_out: frozenset[str],
    entities: int,
    rng: random.Random,
    share: float = 1 / 3,
) -> list[tuple[str, int]]:
    """Entities in random order, a share of them held out (or all held-out ones, if fewer)."""
    apart = [key for key in keys if key[0] in held_out]
    known = [key for key in keys if key[0] not in held_out]
    wanted = max(int(entities * share), min(FEWEST_HELD_OUT, entities // 2))
    number = min(len(apart), wanted)
    drawn = rng.sample(apart, number)
    drawn += rng.sample(known, min(len(known), max(0, entities - number)))
    rng.shuffle(drawn)
    return drawn


def record_of(name: str, facts: Sequence[Fact]) -> Record:
    """An entity and its facts as the corpus sees them."""
    values: dict[str, tuple[str, ...]] = {}
    for fact in facts:
        values[fact.relation] = (*values.get(fact.relation, ()), fact.value)
    return Record(name, values)


def _records(by_entity: dict[tuple[str, int], list[Fact]]) -> Iterator[Record]:
    return (record_of(name, facts) for (name, _), facts in by_entity.items())


def _shown(case: Case) -> list[Fact]:
    """The entity's facts whose values the paragraph's lookups returned."""
    shown: dict[int, Fact] = {}
    for entry in case.paragraph.lookups:
        lookup = entry.lookup
        if lookup.entity_id == case.entity_id:
            shown |= {f.id: f for f in lookup.facts[: len(lookup.value_spans)]}
    return list(shown.values())


def _choose_edit(case: Case, number: int, values: dict[str, list[str]], rng: random.Random) -> None:
    """Choose any returned fact, and a value that the text does not say yet.

    Half of the values are another entity's, half are made up, in all scripts in turn.
    """
    shown = _shown(case)
    if not shown:
        return
    fact = rng.choice(shown)
    case.novel = number % 2 == 0
    for _ in range(50):
        if case.novel:
            value = made_up_value(rng, KINDS[number // 2 % len(KINDS)])
        else:
            value = rng.choice(values[fact.relation])
        known = any(fold(value) == fold(other.value) for other in case.facts)
        if not known and not says(case.paragraph.text, value) and not says(case.entity, value):
            case.edited, case.new_value = fact, value
            return
        if not case.novel and len(set(values[fact.relation])) < 5:
            case.novel = True


def _choose_deletion(case: Case, rng: random.Random) -> None:
    """Choose any fact that the paragraph said."""
    said = case.said(case.paragraph)
    candidates = [fact for fact in _shown(case) if fact.id in said]
    if not candidates:
        return
    case.deleted = fact = rng.choice(candidates)
    others = [other.value for other in case.facts if other.id != fact.id]
    places = [case.entity, case.paragraph.prompt, *others, *(f.relation for f in case.facts)]
    case.elsewhere = any(says(place, fact.value) for place in places)


def _regenerate(
    decoder: BatchDecoder, store: Any, edits: Sequence[tuple[Case, Edit]], seed: int
) -> list[Trace]:
    """Generate each case's paragraph again, on a draft with one edit."""
    drafts = []
    for number, (_, edit) in enumerate(edits):
        draft = store.draft(f"evaluation-{seed}-{type(edit).__name__.lower()}-{number}")
        draft.discard()
        draft.apply([edit], author=AUTHOR)
        drafts.append(draft)
    try:
        prompts = [case.paragraph.prompt for case, _ in edits]
        return decoder.generate_batch(prompts, [Retriever(d) for d in drafts], SETTINGS)
    finally:
        for draft in drafts:
            draft.discard()
