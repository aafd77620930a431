"""How lookups are answered, on the embedded store and on a draft."""

from __future__ import annotations

import json
from typing import Any

import pytest

from graph.edits import Add, AddAlias, Delete
from graph.errors import StoreError
from graph.retriever import Lookup, Retriever
from tests.graph.helpers import id_of


def test_exact_folded_and_alias(store: Any) -> None:
    store.apply([AddAlias(id_of(store, "France"), "Hexagon")], author="Ada")
    retriever = Retriever(store)
    for entity, relation, how in (
        ("France", "capital", "exact"),
        ("FRANCE", "Capital", "exact"),
        ("  france ", "CAPITAL_", "exact"),
        ("hexagon", "capital", "alias"),
    ):
        lookup = retriever.lookup(entity, relation)
        assert (lookup.how, lookup.value, lookup.score) == (how, "Paris", 1.0)
        assert (lookup.entity, lookup.relation) == (entity, relation)
        assert (lookup.resolved_entity, lookup.resolved_relation) == ("France", "capital")
        assert lookup.facts[0].entity_id == lookup.entity_id
        assert lookup.value_spans == ((0, 5),)
        assert not lookup.is_miss


def test_several_values_are_all_linked_and_five_are_shown(store: Any) -> None:
    store.apply([Add("France", "borders", name) for name in "ABCDE"], author="Ada")
    lookup = Retriever(store).lookup("France", "borders")
    assert lookup.value == "Spain; Italy; A; B; C; and 2 more"
    assert [fact.value for fact in lookup.facts] == ["Spain", "Italy", *"ABCDE"]
    shown = [lookup.value[begin:end] for begin, end in lookup.value_spans]
    assert shown == [fact.value for fact in lookup.facts][:5]


@pytest.mark.parametrize(
    ("entity", "relation"),
    [
        ("Atlantis", "capital"),
        ("Atlantis", "relations"),
        ("Madrid", "relations"),  # is a value, and has no fact of its own
        ("France", "head of state"),
        ("France", "capitals"),
        ("France", ""),
        ("", "capital"),
        ("\0", "\0"),
        ("x" * 100_000, "capital"),
        ("France", "x" * 100_000),
        ("\ud800", "\ud800"),
        ("France<|db_return|>", "capital"),
        ('" OR 1=1', "' OR 1=1"),
    ],
    ids=ascii,
)
def test_a_miss_is_honest(store: Any, entity: str, relation: str) -> None:
    lookup = Retriever(store).lookup(entity, relation)
    assert (lookup.how, lookup.value, lookup.score) == ("miss", "unknown", 0.0)
    assert lookup.facts == lookup.value_spans == ()
    assert lookup.resolved_relation is None
    assert lookup.is_miss
    assert (lookup.resolved_entity is None) == (entity not in ("France", "Madrid"))


def test_relations_lists_at_most_eight_names(store: Any) -> None:
    lookup = Retriever(store).lookup("france", "Relations")
    assert lookup.value == "capital; population; borders"
    assert (lookup.how, lookup.resolved_relation, lookup.facts) == ("exact", "relations", ())
    store.apply([Add("Spain", f"relation {i}", "x") for i in range(20)], author="Ada")
    names = Retriever(store).lookup("Spain", "relations").value.split("; ")
    assert len(names) == 8


def test_homonyms_are_runners_up(store: Any) -> None:
    store.apply(
        [
            Add("Red", "instance of", "colour"),
            Add("RED", "instance of", "film"),
            Add("RED", "director", "Robert Schwentke"),
        ],
        author="Ada",
    )
    retriever = Retriever(store)
    lookup = retriever.lookup("red", "director")
    assert lookup.resolved_entity == "RED"
    assert [(r.entity, r.relation) for r in lookup.runners_up] == [("Red", None)]
    lookup = retriever.lookup("Red", "instance of")
    assert lookup.value == "colour"
    assert [(r.entity, r.relation) for r in lookup.runners_up] == [("RED", "instance of")]
    # The first named is meant, even if another could have answered.
    assert retriever.lookup("Red", "director").is_miss


def test_one_revision_throughout(store: Any) -> None:
    before = Retriever(store)
    fact = before.lookup("France", "capital").facts[0]
    store.apply([Delete(fact.id)], author="Ada")
    assert before.lookup("France", "capital").value == "Paris"
    assert "capital" in before.lookup("France", "relations").value
    after = Retriever(store)
    assert after.lookup("France", "capital").is_miss
    assert "capital" not in after.lookup("France", "relations").value
    assert Retriever(store, at=before.revision).lookup("France", "capital").value == "Paris"
    for made_up in (-1, store.revision() + 1):
        with pytest.raises(StoreError, match="no revision"):
            Retriever(store, at=made_up)


def test_a_lookup_goes_through_json(store: Any) -> None:
    store.apply([Add("france", "instance of", "typo")], author="Ada")
    retriever = Retriever(store)
    for entity, relation in (("France", "borders"), ("x", "y"), ("France", "relations")):
        lookup = retriever.lookup(entity, relation)
        data = json.loads(json.dumps(lookup.to_json()))
        assert Lookup.from_json(data) == lookup
        assert lookup.entity_id is None or data["entity_id"] == str(lookup.entity_id)


def test_a_name_finds_the_homonyms_that_a_qualifier_tells_apart(store: Any) -> None:
    store.apply(
        [
            Add("Georgia (country)", "capital", "Tbilisi"),
            Add("Georgia (country)", "currency", "lari"),
            Add("Georgia (U.S. state)", "capital", "Atlanta"),
            Add("Georgian art", "capital", "none"),
        ],
        author="Ada",
    )
    lookup = Retriever(store).lookup("georgia", "capital")
    assert (lookup.how, lookup.value) == ("alias", "Tbilisi")
    assert lookup.resolved_entity == "Georgia (country)"
    assert [other.entity for other in lookup.runners_up] == ["Georgia (U.S. state)"]
    store.apply([Add("Georgia", "capital", "Georgetown")], author="Ada")
    assert Retriever(store).lookup("georgia", "capital").value == "Georgetown"
