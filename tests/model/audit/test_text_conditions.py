"""A whole text with the graph, without the facts it used, and without lookups."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.core.edits import Add
from graph.opening import open_store
from graph.world import make_world
from model import __main__ as command
from model.audit.text_conditions import (
    NO_LOOKUPS,
    WITH_FACTS,
    WITHOUT_FACTS,
    TextConditions,
    text_conditions,
)
from model.audit.verification import canonical
from model.checkpoint import load_checkpoint
from model.engine.decoder import Decoder
from model.prompts import PromptError
from tests.model.model_fakes import writer
from tests.workers import made_once

ASK = "Tell me about France."
FACTS = [
    Add("France", "instance of", "country"),
    Add("France", "capital", "Paris"),
    Add("France", "motto", "Liberté"),
]
PLAIN = " Its capital is[France|capital] {0}, its motto is[France|motto] {1}."


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    opened = open_store(f"sqlite:///{tmp_path}/test.db", create=True)
    opened.apply(FACTS, author="test")
    yield opened
    opened.close()


def conditions(store: Any, script: str = PLAIN, prompt: str = ASK) -> TextConditions:
    found = text_conditions(Decoder(writer({prompt: script})), store, prompt)
    assert found is not None
    return found


def said(result: TextConditions, key: str) -> dict[str, list[str]]:
    """What a text says of the values, and the relations of the facts that returned each."""
    return {
        each.value.text: [fact.relation for fact in each.through]
        for each in result.column(key).shown
    }


def test_what_the_graph_alone_holds_is_gone_without_it(store: Any) -> None:
    before = (store.revision(), list(store.all_facts()))
    result = conditions(store)
    assert [fact.relation for fact in result.deleted] == ["capital", "motto"]
    assert said(result, WITH_FACTS) == {"Paris": ["capital"], "Liberté": ["motto"]}
    assert said(result, WITHOUT_FACTS) == said(result, NO_LOOKUPS) == {}
    assert result.column(NO_LOOKUPS).trace.lookups == []
    assert result.sentence == (
        "Of 2 values that the text took from the graph, 0 are said without their facts, and 0 are "
        "said without lookups."
    )
    assert (store.revision(), list(store.all_facts())) == before


def test_lists_of_relations_are_no_facts_of_the_text(store: Any) -> None:
    listed = conditions(store, "[France|relations] Its capital is[France|capital] {1}.")
    assert [fact.relation for fact in listed.deleted] == ["capital"]


def test_a_value_comes_back_through_a_fact_that_the_text_did_not_use(store: Any) -> None:
    # Without its capital the model asks about what it got in its place, and finds another fact.
    store.apply([Add("unknown", "city", "Paris")], author="test")
    result = conditions(store, " It is[France|capital] {0}; its city is[{0}|city] {1}.")
    assert [fact.relation for fact in result.deleted] == ["capital"]
    assert said(result, WITHOUT_FACTS) == {"Paris": ["city"]}
    assert result.sentence == (
        "The one value that the text took from the graph is said without its facts (other facts "
        "returned it), and not said without lookups."
    )


def test_all_values_of_a_lookup_are_deleted_at_once(store: Any) -> None:
    store.apply([Add("France", "border", f"Land {n}") for n in range(7)], author="test")
    result = conditions(store, " It borders on[France|border] {0}.")
    assert len(result.deleted) == 7
    assert result.column(WITHOUT_FACTS).trace.lookups[0].lookup.is_miss


def test_a_value_that_the_weights_hold_is_said_without_its_fact(store: Any) -> None:
    result = conditions(store, " Paris is it, as[France|capital] {0} is.[France|motto] {1}!")
    assert said(result, WITHOUT_FACTS) == {"Paris": []}
    assert said(result, NO_LOOKUPS) == {"Paris": []}
    assert "1 is said without their facts, and 1 is said without lookups" in result.sentence


def test_what_the_prompt_or_a_name_says_is_not_counted(store: Any) -> None:
    result = conditions(store, prompt="Is Paris the capital of France?")
    assert said(result, WITH_FACTS) == {"Liberté": ["motto"]}
    assert result.sentence.startswith("The one value that the text took from the graph is not said")
    assert "1 more is not counted" in result.sentence
    store.apply([Add("New York City", "instance of", "city")], author="test")
    of_a_name = conditions(
        store,
        " New York City is a[New York City|instance of] {0}.",
        "Tell me about New York City.",
    )
    assert said(of_a_name, WITH_FACTS) == {"city": ["instance of"]}
    begin, _ = of_a_name.column(WITH_FACTS).said[0].places[0]
    assert of_a_name.column(WITH_FACTS).trace.text[:begin].endswith("is a ")
    assert said(of_a_name, NO_LOOKUPS) == {}, "“New York City” does not say “city”"


def test_a_text_that_took_nothing(store: Any) -> None:
    without_facts = conditions(store, " It is[France|currency] not known.")
    assert without_facts.deleted == ()
    assert without_facts.sentence.startswith("No lookup of this text returned a fact")
    unsaid = conditions(store, " It has[France|capital] one.")
    assert len(unsaid.deleted) == 1
    assert unsaid.sentence.startswith("The text says no value that its lookups returned, so")
    with pytest.raises(PromptError):
        text_conditions(Decoder(writer({})), store, "  ")


def test_it_can_be_stopped_at_any_step(store: Any) -> None:
    decoder, steps = Decoder(writer({ASK: PLAIN})), 0

    def never() -> bool:
        nonlocal steps
        steps += 1
        return False

    assert text_conditions(decoder, store, ASK, cancelled=never) is not None
    for last in range(steps):
        left = iter([False] * last)
        assert text_conditions(decoder, store, ASK, cancelled=lambda: next(left, True)) is None  # noqa: B023


def test_the_json_has_nothing_that_differs(store: Any) -> None:
    draft = store.draft("visitor-1")
    first = canonical(conditions(store).to_json())
    assert canonical(conditions(draft).to_json()) == first
    for fact in store.all_facts():
        assert str(fact.id) not in first
    for name in ("seconds", "id", "state", "visitor", "sqlite"):
        assert f'"{name}"' not in first
    draft.apply([Add("France", "capital", "Lyon")], author="test")
    edited = conditions(draft)
    assert edited.edits == 1
    assert "Lyon" in said(edited, WITH_FACTS), "the visitor's own draft is read"


# -- the shipped model


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "world.db", lambda path: make_world(f"sqlite:///{path}"))


def test_the_command_prints_the_same_json_twice(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{world}"
    arguments = ["audit", "--json", "--store", url, "--prompt", ASK]
    assert command.main(arguments) == 0
    first = capsys.readouterr().out
    with open_store(url, read_only=True) as store:
        again = text_conditions(Decoder(load_checkpoint()), store, ASK)
        assert again is not None
        assert canonical(again.to_json()) + "\n" == first
        assert "major city" in said(again, WITHOUT_FACTS)["Paris"], "the value came back"
    data = json.loads(first)
    assert [column["column"] for column in data["columns"]] == [
        WITH_FACTS,
        WITHOUT_FACTS,
        NO_LOOKUPS,
    ]
    assert data["columns"][2]["lookups"] == data["columns"][2]["says"] == []


@pytest.mark.parametrize(
    "words",
    [
        ["France"],
        ["--prompt", ASK, "France", "capital"],
        ["--prompt", ASK, "--value", "Paris"],
        ["a", "b", "c", "d"],
        ["--prompt", " "],
    ],
)
def test_what_is_neither_a_fact_nor_a_text_is_one_sentence(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["audit", *words]) == 1
    refusal = capsys.readouterr().err
    assert refusal.count("\n") == 1, refusal
    assert "Traceback" not in refusal
