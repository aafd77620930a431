"""What a suite gets: a decoder, a graph that takes drafts, and random draws that a seed repeats."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml

from graph.core.edits import Edit
from graph.core.facts import Fact
from graph.lookup.retriever import Retriever
from model.grounding import says
from model.trace import Trace
from training.case_file import DEFAULT_CASES
from training.corpus.made_up_values import made_up_value
from training.corpus.phrase_book import load_phrases
from training.corpus.records import Record
from training.corpus.wordings import DEFAULT_DATA
from training.corpus.writer import Writer
from training.errors import EvaluationError
from training.evaluation.cases import (
    AUTHOR,
    KINDS,
    SETTINGS,
    BatchDecoder,
    Case,
    draw_entities,
    record_of,
)
from training.evaluation.finished import Finished

T = TypeVar("T")
Key = tuple[str, int]  # an entity's name and id
WORDINGS = Path(__file__).parent / "suites" / "wordings.yaml"


def single_valued(facts: Sequence[Fact]) -> list[Fact]:
    """The facts of an entity whose relation has only that one value, in their order."""
    counts = Counter(fact.relation for fact in facts)
    return [fact for fact in facts if counts[fact.relation] == 1]


@dataclass(frozen=True)
class References:
    """What a model is compared with, apart from the graph; each suite uses what it knows."""

    baseline: str | None = None
    """Folder or Hub name of a model trained on the same documents without lookups: perplexity."""
    unmasked: str | None = None
    """A model trained on them with the looked-up values as targets: it knows facts by heart."""
    annotated: str | None = None
    """An annotated corpus to measure perplexity on."""
    corpus: str | None = None
    """A corpus folder, to measure perplexity on its validation documents."""
    graphs: tuple[str, ...] = ()
    """Files or stores with graphs of other domains."""
    data: Path = DEFAULT_DATA
    """The folder of data sets of others: questions, audit prompts, wordings."""
    cases: Path = Path(DEFAULT_CASES)
    """The file of answers that somebody found wrong."""
    audit: Path | None = None
    """The folder of LMLMAudit; None for the one in `data`."""


@dataclass
class SuiteContext:
    """The decoder and the graph of one evaluation, and what suites derive from them."""

    decoder: BatchDecoder
    store: Any
    held_out: frozenset[str] = frozenset()
    entities: int = 600
    seed: int = 0
    say: Callable[[str], None] = lambda message: None
    against: References = field(default_factory=References)
    keep_cases: bool = False
    cases: list[Case] = field(default_factory=list, repr=False)
    """The cases that the suites generated, if `keep_cases`: for the list of failures."""
    limit: int | None = None
    """Prompts of each measure of natural prompts, at most; None for the suite's own number."""
    texts: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """Each natural prompt with its text, lookups and verdict, to be read."""
    tables: list[str] = field(default_factory=list, repr=False)
    """What a suite prints after its measures."""
    finished: Finished = field(default_factory=Finished, repr=False)
    """What an interrupted run has measured already."""
    model_name: str = "this model"
    _drafts: int = field(default=0, repr=False)

    @cached_property
    def by_entity(self) -> dict[Key, list[Fact]]:
        """The facts of each entity, in stored order."""
        facts: dict[Key, list[Fact]] = {}
        for fact in self.store.all_facts():
            facts.setdefault((fact.entity, fact.entity_id), []).append(fact)
        if not facts:
            raise EvaluationError(
                f"The store {self.store.url} holds no facts, so nothing can be measured."
            )
        return facts

    @cached_property
    def _by_name(self) -> dict[str, list[Fact]]:
        return {name: facts for (name, _), facts in self.by_entity.items()}

    def facts_of(self, name: str) -> list[Fact]:
        """The facts of the entity of that exact name; none if there is no such entity."""
        return self._by_name.get(name, [])

    @cached_property
    def records(self) -> dict[str, Record]:
        """The same as the corpus sees it."""
        return {name: record_of(name, facts) for (name, _), facts in self.by_entity.items()}

    @cached_property
    def writer(self) -> Writer:
        """The corpus's own wordings."""
        return Writer(self.records.values(), load_phrases())

    @cached_property
    def wordings(self) -> dict[str, Any]:
        """The evaluation's own wordings, which no corpus uses."""
        loaded: dict[str, Any] = yaml.safe_load(WORDINGS.read_text(encoding="utf-8"))
        return loaded

    @cached_property
    def values(self) -> dict[str, list[str]]:
        """All values of each relation."""
        values: dict[str, list[str]] = {}
        for facts in self.by_entity.values():
            for fact in facts:
                values.setdefault(fact.relation, []).append(fact.value)
        return values

    @cached_property
    def single(self) -> dict[str, list[Fact]]:
        """The facts of each relation that are their entity's only value for it."""
        single: dict[str, list[Fact]] = {relation: [] for relation in self.values}
        for facts in self.by_entity.values():
            for fact in single_valued(facts):
                single[fact.relation].append(fact)
        return single

    @cached_property
    def asked_about(self) -> frozenset[str]:
        """The relations that people ask about: those with phrases, or all if most have none."""
        known = self.values.keys() & self.writer.phrases.relations.keys()
        facts = sum(map(len, self.values.values()))
        most = 2 * sum(len(self.values[relation]) for relation in known) >= facts
        return frozenset(known if most else self.values)

    @cached_property
    def retriever(self) -> Retriever:
        """The graph as it is."""
        return Retriever(self.store)

    def rng(self, suite: str) -> random.Random:
        """A generator for one suite; it does not depend on which suites ran before."""
        return random.Random(f"{suite}:{self.seed}")

    def draw(self, rng: random.Random, number: int | None = None) -> list[Key]:
        """Random entities, a third of them held out; fewer if there are not enough."""
        return draw_entities(
            list(self.by_entity), self.held_out, self.entities if number is None else number, rng
        )

    def some(self, cases: Sequence[T]) -> list[T]:
        """The cases, or the same `limit` of them for each seed."""
        if self.limit is None or self.limit >= len(cases):
            return list(cases)
        chosen = self.rng("some").sample(range(len(cases)), self.limit)
        return [cases[place] for place in sorted(chosen)]

    def generate(
        self, prompts: Sequence[str], retrievers: Sequence[Any] | None = None, **settings: Any
    ) -> list[Trace]:
        """Generate texts greedily, in batches; without retrievers, from the graph as it is."""
        chosen = retrievers if retrievers is not None else [self.retriever] * len(prompts)
        if not prompts:
            return []
        return self.decoder.generate_batch(prompts, chosen, replace(SETTINGS, **settings))

    @contextmanager
    def drafts(self, edits: Sequence[Sequence[Edit]]) -> Iterator[list[Retriever]]:
        """A retriever for each group of edits, over a draft that is discarded afterwards."""
        drafts = []
        try:
            for group in edits:
                self._drafts += 1
                draft = self.store.draft(f"evaluation-{os.getpid()}-{self._drafts}")
                drafts.append(draft)
                draft.discard()
                draft.apply(list(group), author=AUTHOR)
            yield [Retriever(draft) for draft in drafts]
        finally:
            for draft in drafts:
                draft.discard()

    def another_value(
        self, rng: random.Random, fact: Fact, number: int, avoid: Sequence[str] = ()
    ) -> tuple[str, bool]:
        """A new value for a fact, and whether it is made up (every second one is).

        It is not contained in the entity's name, its facts or `avoid`.
        """
        held = [other.value for other in self.by_entity[fact.entity, fact.entity_id]]
        taken = [fact.entity, *held, *avoid]
        novel = number % 2 == 0 or len(set(self.values[fact.relation])) < 5
        for _ in range(50):
            if novel:
                value = made_up_value(rng, KINDS[number // 2 % len(KINDS)])
            else:
                value = rng.choice(self.values[fact.relation])
            if not any(says(text, value) for text in taken) and value not in taken:
                return value, novel
        return made_up_value(rng, "words"), True
