"""Guided lookups: random models hit the graph, and texts do not depend on how they are written."""

from __future__ import annotations

import copy
import json
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from graph.core.edits import Add, AddAlias, Change, Delete
from graph.core.names import fold
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model.checkpoint import Checkpoint
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent
from model.engine.row import Row
from model.guided.guide import FITTING, Guides
from model.judgement import Judgement
from model.prompts import ANSWER_FORM
from model.roles import END, ENTITY, RELATIONSHIP, RETURN
from model.settings import DecodingSettings
from model.trace import Trace
from tests.model.model_fakes import random_llama

GUIDED = DecodingSettings(max_tokens=160, max_lookups=8, guided=True)
PROMPTS = [
    "what's the capital of france",
    "Tell me about Paris.",
    "Is the Seine longer than the Rhine?",
    "Where was Marie Curie born, and where is Warsaw?",
    "A: Paris\nQ: currency of the French Republic",
    f"Say {ENTITY} France{RELATIONSHIP} capital{RETURN} Rome{END} of Spain",
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    opened = open_store(f"sqlite:///{tmp_path}/test.db", create=True)
    facts = [
        ("France", "instance of", "country"),
        ("France", "capital", "Paris"),
        ("France", "capital role", "seat of government"),
        ("France", "currency", "euro"),
        ("Spain", "capital", "Madrid"),
        ("Spain", "currency", "euro"),
        ("Seine", "length", "777 km"),
        ("Seine", "flows through", "Paris"),
        ("Rhine", "length", "1,233 km"),
        ("Marie Curie", "birthplace", "Warsaw"),
        ("Warsaw", "country", "Poland"),
        ("Paris", "mayor", "Anne Hidalgo"),
    ]
    opened.apply([Add(*fact) for fact in facts], author="test")
    opened.apply([AddAlias(entity_id(opened, "France"), "French Republic")], author="test")
    yield opened
    opened.close()


def ranked(seed: int) -> Checkpoint:
    """A random model that asks for ranked lists, and that opens lookups often."""
    checkpoint = random_llama(seed, context=700)
    head = checkpoint.model.lm_head
    if head.bias is None:
        bias = torch.zeros(head.out_features)
        bias[checkpoint.markers.entity] = 9.0
        head.bias = torch.nn.Parameter(bias, requires_grad=False)
    return replace(checkpoint, form=ANSWER_FORM, relations=True, ranked=True)


class WordVectors:
    """An encoder that compares words alone."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        vectors_ND = np.full((len(texts), 64), 0.01, dtype=np.float32)
        for vector_D, text in zip(vectors_ND, texts, strict=True):
            for word in text.casefold().split():
                vector_D[zlib.crc32(word.encode()) % 64] += 1
        return vectors_ND / np.linalg.norm(vectors_ND, axis=1, keepdims=True)


def judging(seed: int, **weights: float) -> Checkpoint:
    """`ranked` with a judgement."""
    given = {"relevance": 0.0, "opening": 0.0, "best": 0.0, "bias": 0.0, **weights}
    return replace(ranked(seed), judgement=Judgement.from_json(given))


def done(events: Any) -> Trace:
    *_, last = events
    assert isinstance(last, DoneEvent)
    return last.trace


def written(trace: Trace) -> Any:
    """What must not depend on how a text is written."""
    return [t.id for t in trace.tokens], trace.finish, [e.lookup for e in trace.lookups]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_every_lookup_finds_something(store: Any, seed: int, temperature: float) -> None:
    decoder = Decoder(ranked(seed))
    settings = DecodingSettings(
        max_tokens=160, max_lookups=8, guided=True, temperature=temperature, seed=seed
    )
    found = 0
    for prompt in PROMPTS:
        trace = done(decoder.generate(prompt, Retriever(store), settings))
        for entry in trace.lookups:
            assert entry.closed == "model", (prompt, trace.raw)
            assert not entry.lookup.is_miss, (prompt, trace.raw)
            found += 1
        lists = [
            e.lookup.entity_id for e in trace.lookups if fold(e.lookup.relation) == "relations"
        ]
        assert len(lists) == len(set(lists))
    assert found > 12


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_texts_depend_on_neither_guesses_nor_the_batch(
    store: Any, seed: int, temperature: float
) -> None:
    checkpoint = ranked(seed)
    settings = DecodingSettings(
        max_tokens=160, max_lookups=6, guided=True, temperature=temperature, seed=seed
    )
    retriever = Retriever(store)
    single = [done(Decoder(checkpoint).generate(p, retriever, settings)) for p in PROMPTS]
    plain = Decoder(checkpoint, guess=False)
    batch = plain.generate_batch(PROMPTS, [retriever] * len(PROMPTS), settings, batch_size=4)
    for prompt, trace, other in zip(PROMPTS, single, batch, strict=True):
        alone = done(plain.generate(prompt, retriever, settings))
        assert written(alone) == written(trace)
        assert written(other) == written(trace)
        for one, two in zip(trace.tokens, other.tokens, strict=True):
            assert one.probability == pytest.approx(two.probability, abs=1e-4)


def test_the_chosen_name_is_the_likeliest(store: Any) -> None:
    """Against the probability of every whole name, computed without a cache."""
    checkpoint = ranked(2)
    trace = done(Decoder(checkpoint).generate(PROMPTS[0], Retriever(store), GUIDED))
    (first,) = [entry for entry in trace.lookups if entry.index == 0]
    start = next(i for i in range(first.start, first.end) if trace.tokens[i].text == RELATIONSHIP)
    before = trace.prompt_ids + [token.id for token in trace.tokens[: start + 1]]
    logs = {}
    for name in ("relations", "instance of", "capital", "capital role", "currency"):
        ids = [*checkpoint.encode_value(name), checkpoint.markers.return_]
        with torch.inference_mode():
            logits_TV = checkpoint.model(torch.tensor([before + ids])).logits[0].log_softmax(-1)
        logs[name] = sum(float(logits_TV[len(before) - 1 + i, t]) for i, t in enumerate(ids))
    assert first.lookup.relation == max(logs, key=lambda name: logs[name])
    assert first.considered[0][0] == first.lookup.relation
    (probability,) = [p for name, p in first.considered if name == first.lookup.relation]
    assert probability == pytest.approx(
        float(torch.tensor(logs[first.lookup.relation]).exp()), abs=1e-3
    )


def test_the_trace_goes_through_json(store: Any) -> None:
    trace = done(Decoder(ranked(2)).generate(PROMPTS[0], Retriever(store), GUIDED))
    assert trace.settings.guided
    assert any(entry.considered for entry in trace.lookups)
    data = json.loads(json.dumps(trace.to_json()))
    assert Trace.from_json(data) == trace
    for lookup in data["lookups"]:  # as an older version wrote it
        lookup.pop("considered", None)
        lookup.pop("guidance", None)
    del data["settings"]["guided"]
    old = Trace.from_json(data)
    assert not old.settings.guided
    assert not any(entry.considered or entry.guidance for entry in old.lookups)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_regeneration_equals_generation(store: Any, temperature: float) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    settings = DecodingSettings(
        max_tokens=160, max_lookups=8, guided=True, temperature=temperature, seed=3
    )
    edits: list[Any] = [
        lambda: Add("France", "motto", f"motto {draw.random()}"),
        lambda: Change(fact_id(store, "France", "currency"), f"coin {draw.random()}"),
        lambda: Add(f"Say {draw.randrange(10**9)}", "instance of", "word"),
        lambda: AddAlias(entity_id(store, "Spain"), f"Q{draw.random()}"),
        lambda: Add("currency", "instance of", f"word {draw.random()}"),
    ]
    for model in range(3):
        checkpoint = ranked(model)
        decoder = Decoder(checkpoint)
        for prompt in PROMPTS:
            before = done(decoder.generate(prompt, Retriever(store), settings))
            store.apply([draw.choice(edits)()], author="test")
            fresh = done(Decoder(checkpoint).generate(prompt, Retriever(store), settings))
            again = done(decoder.regenerate(before, Retriever(store), settings))
            assert written(again) == written(fresh)
            assert [e.considered for e in again.lookups] == [e.considered for e in fresh.lookups]
            third = done(decoder.regenerate(again, Retriever(store), settings))
            assert written(third) == written(fresh)
            assert third.reused == len(third.tokens)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("opens", [True, False])
def test_a_judgement_decides_right_after_a_list(
    store: Any, opens: bool, temperature: float
) -> None:
    decoder = Decoder(judging(2, bias=50.0 if opens else -50.0))
    settings = replace(GUIDED, temperature=temperature)
    retriever = Retriever(store, encoder=WordVectors())
    lists = 0
    for prompt in [*PROMPTS, "How is the currency of France called?"]:
        trace = done(decoder.generate(prompt, retriever, settings))
        for entry in trace.lookups:
            if not any(one.score for one in entry.lookup.ranking or ()):
                continue  # a list in stated order, for a paragraph
            lists += 1
            after = trace.tokens[entry.end :]
            full = entry.index + 1 == settings.max_lookups or trace.finish == "context"
            if opens and after and not full:
                assert after[0].text == ENTITY
            if not opens:
                assert not any(token.text == ENTITY for token in after)
    assert lists > 1


def test_without_an_encoder_nothing_is_judged(store: Any) -> None:
    plain, judged = Decoder(ranked(2)), Decoder(judging(2, bias=-50.0, relevance=90.0))
    retriever = Retriever(store, embeddings=False)
    for prompt in PROMPTS:
        trace = done(plain.generate(prompt, retriever, GUIDED))
        assert written(done(judged.generate(prompt, retriever, GUIDED))) == written(trace)


def test_what_is_relevant_counts_more_and_is_looked_up_once(store: Any) -> None:
    retriever = Retriever(store, encoder=WordVectors())
    prompt = "What is the currency of France?"
    guide = Guides(judging(2, relevance=10.0)).guide(retriever, prompt)
    listed = retriever.lookup("France", "relations", prompt)
    assert guide.factors("France", []) == {}
    factors = guide.factors("France", [listed])
    assert set(factors) == {"instance of", "capital", "capital role", "currency"}
    assert max(factors, key=lambda name: factors[name]) == "currency"
    assert guide.factors("Spain", [listed]) == {}
    looked_up = [listed, retriever.lookup("France", "currency", prompt)]
    assert "currency" in guide.relations("France", [listed])
    assert set(guide.relations("France", looked_up)) == set(factors) - {"currency"}
    assert Guides(ranked(2)).guide(retriever, prompt).factors("France", [listed]) == {}


def test_yes_or_no_asks_about_what_has_the_relation(store: Any) -> None:
    more = [("Lyon", "instance of", "city"), ("Paris", "capital of", "France")]
    store.apply([Add(*fact) for fact in more], author="test")
    retriever = Retriever(store, encoder=WordVectors())
    for prompt in ("Is Lyon the capital of France?", "Is Paris the capital of France?"):
        factors = Guides(judging(2, relevance=10.0)).guide(retriever, prompt).entity_factors([])
        (other,) = factors  # the other name counts less
        assert other in ("Lyon", "Paris")
        assert factors[other] < 0
    guide = Guides(judging(2, relevance=10.0)).guide(retriever, "Compare Lyon and France.")
    assert guide.entity_factors([]) == {}  # not asked for yes or no


@pytest.mark.parametrize(
    ("prompt", "relations", "first"),
    [
        ("What is the currency of France?", ["currency"], True),
        ("What is the currency of France?", [], False),  # only a list
        ("What is the currency of France?", ["mayor"], False),  # nothing was found
        ("Is Paris the capital of France?", ["capital"], True),  # what is named was found
        ("Is the currency of France that of Spain?", ["currency"], False),
        ("Is the currency of France that of Spain?", ["currency", "capital"], False),
    ],
)
def test_a_value_is_stated_before_anything_else_is_looked_up(
    store: Any, prompt: str, relations: list[str], first: bool
) -> None:
    retriever = Retriever(store, encoder=WordVectors())
    lookups = [retriever.lookup("France", name, prompt) for name in ("relations", *relations)]
    assert Guides(judging(2)).guide(retriever, prompt).states_first(lookups) is first
    assert not Guides(ranked(2)).guide(retriever, prompt).states_first(lookups)


@pytest.mark.parametrize(
    ("prompt", "entity", "relation", "affirms"),
    [
        ("Is Paris the capital of France?", "France", "capital", True),
        ("isn't PARIS France's capital", "France", "capital", True),
        ("Is Lyon the capital of France?", "France", "capital", False),
        ("The capital of France is Paris, right?", "France", "capital", True),
        ("Is the Seine 777 km long?", "Seine", "length", True),
        ("Is the Seine 77 km long?", "Seine", "length", False),
        ("Is Madrid the capital of France?", "Madrid", "capital of", False),
        ("Is Madrid the capital of Spain?", "Madrid", "capital of", True),
        ("Do people in the French Republic pay in euros or pounds?", "France", "motto", None),
        ("Was Marie Curie born in Warschau?", "Marie Curie", "birthplace", True),
        ("What is the capital of France?", "France", "capital", None),
        ("Was Marie Curie Polish?", "Marie Curie", "nationality", True),
        ("Was Marie Curie French?", "Marie Curie", "nationality", False),
        ("Did Marie Curie work on radium?", "Marie Curie", "fields", True),
        ("Is the Seine navigable?", "Seine", "navigable", True),  # whose value is yes
        ("Is the Rhine navigable?", "Rhine", "navigable", False),
    ],
)
def test_the_values_decide_between_yes_and_no(
    store: Any, prompt: str, entity: str, relation: str, affirms: bool | None
) -> None:
    store.apply([AddAlias(entity_id(store, "Warsaw"), "Warschau")], author="test")
    more = [
        ("Marie Curie", "nationality", "Poland"),
        ("Marie Curie", "fields", "polonium; radium"),  # one value, as a table had it
        ("Poland", "demonym", "Polish"),
        ("France", "demonym", "French"),
        ("Seine", "navigable", "Yes"),
        ("Rhine", "navigable", "no"),
    ]
    store.apply([Add(*fact) for fact in more], author="test")
    retriever = Retriever(store, encoder=WordVectors())
    lookup = retriever.lookup(entity, relation)
    assert Guides(judging(2)).guide(retriever, prompt).affirms([lookup]) is affirms
    assert Guides(ranked(2)).guide(retriever, prompt).affirms([lookup]) is None


def test_no_chain_goes_back_to_where_it_came_from(store: Any) -> None:
    retriever = Retriever(store)
    for prompt, back in (
        ("Who is the mayor of the capital of France?", False),
        ("Is Paris the capital of France?", True),  # which asks about Paris itself
    ):
        guide = Guides(ranked(2)).guide(retriever, prompt)
        guide.entities([])
        lookups = [retriever.lookup("France", "capital", prompt)]
        lookups.append(retriever.lookup("Paris", "relations", prompt))
        offered = guide.relations("Paris", lookups)
        assert ("capital of" in offered) is back
        assert "mayor" in offered


def unwilling(seed: int) -> Checkpoint:
    """`judging` that opens no lookup by itself, but chooses from any list."""
    judged = judging(seed, bias=50.0)
    checkpoint = replace(judged, model=copy.deepcopy(judged.model))  # other tests share it
    with torch.no_grad():
        checkpoint.model.lm_head.bias[checkpoint.markers.entity] = -99.0
    return checkpoint


def test_a_text_begins_with_the_list_if_the_prompt_plainly_asks(store: Any) -> None:
    """Also where the model would rather not, and from the edit on that makes it plain."""
    decoder, prompt = Decoder(unwilling(2)), "Is the Seine navigable or not?"

    def retriever() -> Retriever:
        return Retriever(store, encoder=WordVectors())

    for other in (prompt, "Why is the Seine so?", "Write a poem about France."):
        assert done(decoder.generate(other, retriever(), GUIDED)).lookups == [], other
    before = done(decoder.generate(prompt, retriever(), GUIDED))
    assert decoder.unchanged(before, retriever()) is not None
    store.apply([Add("Seine", "navigable", "no")], author="test")
    assert Guides(unwilling(2)).guide(retriever(), prompt).asks_plainly()
    assert not Guides(ranked(2)).guide(retriever(), prompt).asks_plainly()
    assert decoder.unchanged(before, retriever()) is None
    fresh = done(Decoder(unwilling(2)).generate(prompt, retriever(), GUIDED))
    assert fresh.lookups[0].lookup.resolved_entity == "Seine"
    again = done(decoder.regenerate(before, retriever(), GUIDED))
    assert written(again) == written(fresh)
    store.apply([Delete(fact_id(store, "Seine", "navigable"))], author="test")
    assert done(decoder.regenerate(again, retriever(), GUIDED)).lookups == []


def test_nothing_is_affirmed_where_two_things_are_compared(store: Any) -> None:
    retriever = Retriever(store, encoder=WordVectors())
    prompt = "Is the Rhine longer than the Seine with its 777 km?"
    guide = Guides(judging(2)).guide(retriever, prompt)
    lookups = [retriever.lookup(river, "length") for river in ("Rhine", "Seine")]
    assert guide.affirms(lookups) is None
    assert guide.affirms(lookups[1:]) is True


def test_a_name_at_the_end_is_said_of_the_one_before(store: Any) -> None:
    store.apply([Add("French", "instance of", "language")], author="test")
    retriever = Retriever(store, encoder=WordVectors())
    for prompt, said in (
        ("Was Marie Curie French?", "French"),
        ("Is the capital of France Paris", "Paris"),
        ("Is Paris the capital of France?", ""),
    ):
        factors = Guides(judging(2)).guide(retriever, prompt).entity_factors([])
        assert [name for name, factor in factors.items() if factor <= -FITTING] == [said] * bool(
            said
        ), prompt


def test_a_name_that_the_graph_does_not_know_may_be_meant(store: Any) -> None:
    retriever = Retriever(store)
    guide = Guides(ranked(2)).guide(retriever, "Did Frida Kahlo work in Paris?")
    assert guide.entities([]) == ("Paris", "Frida Kahlo")
    assert guide.relations("Frida Kahlo", []) == ("relations",)
    missed = retriever.lookup("Frida Kahlo", "relations", "Did Frida Kahlo work in Paris?")
    assert missed.is_miss
    assert guide.entities([missed]) == ("Paris",)


def test_a_text_says_yes_where_the_values_do(store: Any) -> None:
    retriever = Retriever(store, encoder=WordVectors())
    checkpoint = judging(2)
    yes, no = (checkpoint.encode_text(letter)[-1] for letter in ("Y", "N"))
    checkpoint.__dict__["yes_and_no"] = (yes, no)  # this tokenizer has no words
    other = checkpoint.encode_text("T")[-1]
    logits_V = torch.zeros(checkpoint.model.config.vocab_size)
    for prompt, right in (
        ("Is Paris the capital of France?", {yes: yes, no: yes, other: other}),
        ("Is Lyon the capital of France?", {yes: no, no: no, other: other}),
        ("What is the capital of France?", {yes: yes, no: no, other: other}),
    ):
        for token, expected in right.items():
            row = Row(checkpoint, prompt, retriever, GUIDED)
            row.guide = Guides(checkpoint).guide(retriever, prompt)
            row.answer(retriever.lookup("France", "capital"))
            given = logits_V.clone()
            given[token] = 50.0
            row.step(given)
            assert row.tokens[-1].id == expected
            row.step(given)  # only right after the lookup
            assert row.tokens[-1].id == token


def test_a_part_of_a_name_counts_less(store: Any) -> None:
    store.apply([Add("Marie", "instance of", "name")], author="test")
    retriever = Retriever(store, encoder=WordVectors())
    guide = Guides(judging(2)).guide(
        retriever, "Where was the Marie Curie of France born, in Warsaw?"
    )
    factors = guide.entity_factors([])
    assert factors.get("Marie", 0.0) < -1
    assert "France" not in factors
    assert "Marie Curie" not in factors
    assert "Warsaw" not in factors


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_judged_texts_depend_on_neither_guesses_nor_the_batch(
    store: Any, temperature: float
) -> None:
    retriever = Retriever(store, encoder=WordVectors())
    settings = replace(GUIDED, temperature=temperature, seed=5)
    for seed in range(2):
        checkpoint = judging(seed, relevance=4.0, opening=0.5, best=6.0, bias=-2.0)
        plain = Decoder(checkpoint, guess=False)
        batch = plain.generate_batch(PROMPTS, [retriever] * len(PROMPTS), settings, batch_size=4)
        for prompt, other in zip(PROMPTS, batch, strict=True):
            trace = done(Decoder(checkpoint).generate(prompt, retriever, settings))
            assert written(done(plain.generate(prompt, retriever, settings))) == written(trace)
            assert written(other) == written(trace)
            again = done(Decoder(checkpoint).regenerate(trace, retriever, settings))
            assert written(again) == written(trace)


def entity_id(store: Any, name: str) -> int:
    return store.find_entities(name)[0][0].id


def fact_id(store: Any, entity: str, relation: str) -> int:
    return store.facts(entity_id(store, entity), relation)[0].id


def test_a_cancelled_text_can_be_written_on(store: Any) -> None:
    decoder = Decoder(ranked(1))
    whole = done(Decoder(ranked(1)).generate(PROMPTS[0], Retriever(store), GUIDED))
    for steps in range(0, 30, 3):
        left = iter(range(steps))
        cancelled = lambda left=left: next(left, None) is None  # noqa: E731
        part = done(decoder.generate(PROMPTS[0], Retriever(store), GUIDED, cancelled))
        again = done(decoder.regenerate(part, Retriever(store), GUIDED))
        assert written(again) == written(whole)


def test_free_text_where_the_prompt_names_nothing(store: Any) -> None:
    settings = DecodingSettings(max_tokens=60, max_lookups=2, max_lookup_tokens=4, guided=True)
    trace = done(Decoder(ranked(1)).generate("1999?", Retriever(store), settings))
    assert all(entry.lookup.is_miss for entry in trace.lookups)


def test_markers_in_a_prompt_are_no_markers(store: Any) -> None:
    checkpoint = ranked(0)
    retriever = Retriever(store)
    assert {"France", "Spain"} <= set(retriever.mentioned(PROMPTS[-1]))
    store.apply([Add(f"{ENTITY} x", f"{RETURN} of", "y")], author="test")
    prompt = f"What is {ENTITY} x?"
    for seed in range(3):
        trace = done(Decoder(ranked(seed)).generate(prompt, Retriever(store), GUIDED))
        for entry in trace.lookups:
            ids = [token.id for token in trace.tokens[entry.start : entry.end]]
            assert [i for i in ids if i in checkpoint.markers.as_tuple()] == list(
                checkpoint.markers.as_tuple()
            )


def test_without_guidance_nothing_is_recorded(store: Any) -> None:
    settings = DecodingSettings(max_tokens=40)
    trace = done(Decoder(ranked(1)).generate(PROMPTS[0], Retriever(store), settings))
    for data in trace.to_json()["lookups"]:
        assert not {"considered", "guidance"} & set(data)


def test_an_edit_of_what_was_allowed_leaves_no_text_unchanged(store: Any) -> None:
    decoder = Decoder(ranked(2))
    trace = done(decoder.generate(PROMPTS[0], Retriever(store), GUIDED))
    assert trace.lookups
    store.apply([Add("Spain", "motto", "Plus ultra")], author="test")
    kept = decoder.unchanged(trace, Retriever(store))
    assert kept is not None
    assert (kept.text, kept.revision) == (trace.text, store.revision())
    store.apply([Add("France", "motto", "Liberty")], author="test")
    assert decoder.unchanged(trace, Retriever(store)) is None
