"""The order in which an entity's relations are offered, and the lists that the graph answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from graph.core.edits import Add, AddAlias
from graph.lookup.relevance import asks_for_paragraph, blank, clauses, rank
from graph.lookup.result import Lookup
from graph.lookup.retriever import Retriever
from tests.graph.helpers import id_of

NAMES = ["capital", "largest_city", "birthDate", "birthplace", "countries bordered", "currency"]


@pytest.mark.parametrize(
    ("prompt", "first"),
    [
        ("What is the capital of Ruritania?", "capital"),
        ("Its largest cities", "largest_city"),
        ("the birth date of the king", "birthDate"),
        ("Which country does Ruritania border?", "countries bordered"),
        ("captial of ruritania", "capital"),
        ("What money do they use in Ruritania?", "currency"),
    ],
)
def test_shared_words_and_synonyms_order_the_names(prompt: str, first: str) -> None:
    ranked = rank(prompt, ["Ruritania"], NAMES, None, {"currency": ["money"]})
    assert ranked[0][0] == first
    assert sorted(name for name, _ in ranked) == sorted(NAMES)
    assert [score for _, score in ranked] == sorted((score for _, score in ranked), reverse=True)


def test_equals_keep_their_order() -> None:
    assert rank("Why?", ["Ruritania"], NAMES, None, {}) == [(name, 0.0) for name in NAMES]
    assert rank("", [], NAMES, None, {}) == [(name, 0.0) for name in NAMES]
    assert rank("Why?", [], [], None, {}) == []


HELD = {
    "flag": ["yes"],
    "post": ["treasurer"],
    "deputy": ["Odile Fennick"],
    "joined": ["May 2019"],
    "fee": ["£14"],
    "tools": ["saw", "axe"],
}


class Alike:
    """An encoder for which all texts mean the same."""

    def encode(self, texts: Sequence[str]) -> Any:
        return np.ones((len(texts), 1), np.float32)


@pytest.mark.parametrize(
    ("prompt", "listed", "first"),
    [
        ("When did Iggy start?", "flag post fee joined", "joined"),
        ("Who stands in when Iggy is away?", "flag fee joined deputy", "deputy"),
        ("Where is Iggy at?", "flag fee post", "post"),
        ("How much is Iggy's?", "flag post fee", "fee"),
        ("How many has Iggy?", "flag post tools", "tools"),  # two can be counted
        ("What about Iggy?", "flag post fee", "flag"),  # any kind of answer will do
        (
            "When did Iggy start?",
            "unread flag",
            "unread",
        ),  # without values
    ],
)
def test_values_that_cannot_be_an_answer_count_less(prompt: str, listed: str, first: str) -> None:
    ranked = rank(prompt, ["Iggy"], listed.split(), Alike(), {}, HELD)
    assert ranked[0][0] == first


def test_examples_before_the_entity_do_not_count() -> None:
    prompt = "Q: What is the currency of Spain?\nA: euro\n\nQ: What is the capital of Italy?\nA:"
    assert rank(prompt, ["Italy"], NAMES, None, {})[0][0] == "capital"
    assert all("currency" not in part for part in clauses(prompt, ["Italy"]))
    two = rank("What is the capital and the currency of Italy?", ["Italy"], NAMES, None, {})
    assert {name for name, _ in two[:2]} == {"capital", "currency"}


def test_the_name_of_the_entity_is_no_hint() -> None:
    assert blank("Where is Capital City's mayor in Capital City?", ["Capital City"]) == (
        "Where is mayor in ?"
    )
    assert blank("the_danube is long", ["The Danube"]) == "is long"
    assert blank("Japanese food", ["Japan"]) == "Japanese food"


@pytest.mark.parametrize(
    ("prompt", "paragraph"),
    [
        ("Tell me about Japan.", True),
        ("JAPAN", True),
        ("who is japan?", True),
        ("Please give me an overview of Japan", True),
        ("Tell me about Japan's currency.", False),
        ("What is Japan known for?", False),
        ("How big is Japan?", False),
    ],
)
def test_a_request_of_a_paragraph(prompt: str, paragraph: bool) -> None:
    assert asks_for_paragraph(prompt, ["Japan"]) == paragraph


def test_a_list_reads_what_the_relations_hold(store: Any) -> None:
    """Only words are compared here, so an encoder is given."""
    rows = [("sign", "yes"), ("keeper", "Ada Reed"), ("shuts", "at dusk")]
    store.apply([Add("Lock 9", relation, value) for relation, value in rows], author="Ada")
    retriever = Retriever(store, encoder=Alike())
    for prompt, first in (("When does Lock 9 go?", "shuts"), ("Who has Lock 9?", "keeper")):
        ranking = retriever.lookup("Lock 9", "relations", prompt).ranking
        assert ranking is not None
        assert ranking[0].name == first


def test_a_list_is_ordered_by_the_prompt(store: Any) -> None:
    more = [Add("France", f"sort {letter}", "x") for letter in "abcdefghijklmn"]
    store.apply([*more, Add("Spain", "neighbour", "France")], author="Ada")
    retriever = Retriever(store, embeddings=False)
    lookup = retriever.lookup("france", "relations", "what is the population of france")
    names = lookup.value.removeprefix("France: ").split("; ")
    assert names[0] == "population"
    assert len(names) == 13
    assert lookup.ranking is not None
    assert names[-1] == f"and {len(lookup.ranking) - 12} more"
    assert "neighbour of" in [ranked.name for ranked in lookup.ranking]
    assert names[:12] == lookup.listed
    assert names[:12] == [ranked.name for ranked in lookup.ranking][:12]
    assert (lookup.how, lookup.resolved_relation, lookup.facts) == ("exact", "relations", ())
    same = Retriever(store, embeddings=False, context="population of france?", ranked=True)
    assert same.lookup("France", "relations").value.startswith("France: population; ")
    assert Lookup.from_json(json.loads(json.dumps(lookup.to_json()))) == lookup
    assert "ranking" not in retriever.lookup("France", "relations").to_json()
    assert retriever.lookup("France", "relations").value.count(";") == 7
    assert len(retriever.lookup("France", "relations").listed) == 8
    assert retriever.lookup("France", "borders").listed == []


def test_a_paragraph_gets_the_first_own_relations_as_they_stand(store: Any) -> None:
    lookup = Retriever(store).lookup("France", "relations", "Tell me about France.")
    own = store.relation_names(id_of(store, "France"))
    assert lookup.value == f"France: {'; '.join(own)}"
    store.apply([Add("Spain", f"sort {i}", "x") for i in range(10)], author="Ada")
    value = Retriever(store).lookup("Spain", "relations", "Spain").value
    assert value.startswith("Spain: ")
    assert value.endswith(" more")
    assert value.count(";") == 8


def test_an_entity_that_is_only_a_value_has_inverse_relations(store: Any) -> None:
    lookup = Retriever(store).lookup("Madrid", "relations", "Tell me about Madrid.")
    assert lookup.value == "Madrid: capital of"
    missed = Retriever(store).lookup("Atlantis", "relations", "Tell me about Atlantis.")
    assert (missed.value, missed.ranking) == ("unknown", ())


@pytest.mark.parametrize("asked", ["the France", "France's", "The Hexagon's", "hexagon’s", "Gaul"])
def test_an_article_or_possessive_is_no_part_of_a_name(store: Any, asked: str) -> None:
    store.apply(
        [AddAlias(id_of(store, "France"), name) for name in ("Hexagon", "The Gaul")], author="Ada"
    )
    lookup = Retriever(store).lookup(asked, "capital")
    assert (lookup.resolved_entity, lookup.value) == ("France", "Paris")
    assert (lookup.how, lookup.entity_by) == ("alias", "form")
