"""Questions that describe a thing by another take the second step too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.core.edits import Add, Delete
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model.engine.decoder import Decoder
from model.guided.description import asked_of_described
from model.guided.guide import Guides
from model.settings import DecodingSettings
from tests.model.guided.test_guided_decoding import WordVectors, done, fact_id, judging, written

TANK = "What is the size of the tank Lockkeeper is in?"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    with open_store(f"sqlite:///{tmp_path}/test.db", create=True) as opened:
        facts = [
            ("Lockkeeper", "tank", "FV1"),
            ("Lockkeeper", "style", "bitter"),
            ("Lockkeeper", "brewer", "Jens"),
            ("FV1", "size", "1200 litres"),
            ("FV1", "fault", "slow valve"),
            ("Jens", "phone", "5501"),
        ]
        opened.apply([Add(*fact) for fact in facts], author="test")
        yield opened


@pytest.mark.parametrize(
    ("prompt", "name", "rest"),
    [
        ("What curse is on the weapon Brannoc carries?", "Brannoc", "What curse is on"),
        ("Who owns the building the Boathouse is in?", "Boathouse", "Who owns"),
        (
            "What's the phone number of the person who looks after the lavender?",
            "lavender",
            "What's the phone number of",
        ),
        ("what's the mobile of whoever keeps Old Dairy", "Old Dairy", "what's the mobile of"),
        ("What day does the firm that sends the malt for IPA come?", "IPA", "What day does come"),
        ("Who teaches the pupil in the Cello class?", "Cello", "Who teaches class"),
        ("What's the call sign of Skye's handler?", "Skye", "What's the call sign of"),
        # One step, though there is a noun before the name.
        ("Who is the keeper of Orchard 2?", "Orchard 2", None),
        ("What is the weapon Brannoc carries called?", "Brannoc", None),
        ("What's the name of the firm that supplies the Olive Tree?", "Olive Tree", None),
        ("How heavy is Stretcher A?", "Stretcher A", None),
        # Two parts about one thing.
        ("What's Lockkeeper's number and which tank is it in?", "Lockkeeper", None),
        ("How big is it?", "Lockkeeper", None),
    ],
)
def test_what_is_asked_of_the_thing_described(prompt: str, name: str, rest: str | None) -> None:
    assert asked_of_described(prompt, name) == rest


def test_a_text_goes_on_if_something_of_that_thing_fits(store: Any) -> None:
    retriever = Retriever(store, encoder=WordVectors())
    checkpoint = judging(2, best=10.0, bias=-3.0)

    def leads(prompt: str, *asked: tuple[str, str]) -> str:
        lookups = [retriever.lookup(entity, relation, prompt) for entity, relation in asked]
        return Guides(checkpoint).guide(retriever, prompt).leads_on(lookups)

    tank = [("Lockkeeper", "relations"), ("Lockkeeper", "tank")]
    assert leads(TANK, *tank) == "FV1"
    assert leads(TANK) == leads(TANK, *tank[:1]) == ""
    assert leads(TANK, *tank, ("FV1", "relations")) == ""  # it is on its way
    assert leads("What is the tank Lockkeeper is in?", *tank) == ""
    assert leads("What is the age of the tank Lockkeeper is in?", *tank) == ""  # nothing fits
    assert leads(TANK, ("Lockkeeper", "style")) == ""  # no entity
    guide = Guides(checkpoint).guide(retriever, TANK)
    factors = guide.entity_factors([retriever.lookup(*one, TANK) for one in tank])
    assert set(factors) == {"Lockkeeper"}
    assert factors["Lockkeeper"] < -30


def test_both_steps_of_the_path_are_taken(store: Any) -> None:
    """Although the judgement finds that nothing fits, and the second list is ranked for it all."""
    retriever = Retriever(store, encoder=WordVectors())
    checkpoint = judging(2, best=1.0, bias=-30.0, relevance=1.0)
    prompt = "What is the size of the tank of Lockkeeper now?"
    guide = Guides(checkpoint).guide(retriever, prompt)
    assert guide.entities(()) == ("Lockkeeper",)
    lookups = [retriever.lookup("Lockkeeper", "relations", prompt)]
    assert guide.opens((), 0.1)
    assert guide.opens(lookups, 0.01)
    factors = guide.factors("Lockkeeper", lookups)
    assert max(factors, key=lambda name: factors[name]) == "tank"
    assert factors["tank"] > 30
    lookups.append(retriever.lookup("Lockkeeper", "tank", prompt))
    assert guide.leads_on(lookups) == "FV1"
    lookups.append(retriever.lookup("FV1", "relations", prompt))
    assert guide.opens(lookups, 0.01)
    factors = guide.factors("FV1", lookups)
    assert max(factors, key=lambda name: factors[name]) == "size"
    assert guide.opens([retriever.lookup("Jens", "relations", prompt)], 0.01) is False
    work = Guides(checkpoint).guide(retriever, "Draw a picture of the tank Lockkeeper is in.")
    assert work.opens((), 0.1) is None  # the model's own choice


def test_no_text_ends_half_way_and_edits_are_noticed(store: Any) -> None:
    retriever = Retriever(store, encoder=WordVectors())
    settings = DecodingSettings(guided=True, max_tokens=60, max_lookups=6)
    halfway = 0
    for seed in range(6):
        decoder = Decoder(judging(seed, best=10.0, bias=-3.0, relevance=5.0))
        trace = done(decoder.generate(TANK, retriever, settings))
        lookups = [entry.lookup for entry in trace.lookups]
        guide = Guides(decoder.checkpoint).guide(retriever, TANK)
        if trace.finish == "end" and len(lookups) < settings.max_lookups:
            assert not guide.leads_on(lookups)
        halfway += any(guide.leads_on(lookups[:end]) for end in range(1, len(lookups) + 1))
        size = fact_id(store, "FV1", "size")
        for edits in ([Delete(size)], [Add("FV1", "size", f"{seed} litres")]):
            store.apply(edits, author="test")
            now = Retriever(store, encoder=WordVectors())
            again = done(decoder.regenerate(trace, now, settings))
            fresh = done(Decoder(decoder.checkpoint).generate(TANK, now, settings))
            assert written(again) == written(fresh)
            trace = again
        retriever = Retriever(store, encoder=WordVectors())
    assert halfway
