"""Lookups against the direction in which a graph stores its facts, on every kind of store."""

from __future__ import annotations

from typing import Any

from graph.core.edits import Add, AddSynonym, Change, Delete
from graph.lookup.retriever import Retriever
from tests.graph.helpers import fact_of, id_of

BORN = [Add(f"Person {i}", "birthplace", "Ulm", value_is_link=True) for i in range(1, 8)]


def test_who_was_born_there(store: Any) -> None:
    store.apply([*BORN[:2], AddSynonym("native town", "birthplace")], author="Ada")
    at = store.revision()
    lookup = Retriever(store).lookup("ulm", "Birthplace of")
    assert (lookup.value, lookup.how, lookup.relation_by) == (
        "Person 1; Person 2",
        "inverse",
        "inverse",
    )
    assert [lookup.value[begin:end] for begin, end in lookup.value_spans] == [
        fact.entity for fact in lookup.facts
    ]
    assert {fact.value for fact in lookup.facts} == {"Ulm"}
    assert (lookup.resolved_entity, lookup.resolved_relation) == ("Ulm", "birthplace of")
    assert Retriever(store).lookup("Ulm", "native town of").value == lookup.value
    # It is edited at its fact.
    store.apply([Change(lookup.facts[0].id, "Bern")], author="Ada")
    assert Retriever(store).lookup("Ulm", "birthplace of").value == "Person 2"
    store.apply([Delete(lookup.facts[1].id)], author="Ada")
    assert Retriever(store).lookup("Ulm", "birthplace of").is_miss
    assert Retriever(store, at=at).lookup("Ulm", "birthplace of") == Retriever(store, at=at).lookup(
        "Ulm", "birthplace of"
    )
    assert Retriever(store, at=at).lookup("Ulm", "birthplace of").value == "Person 1; Person 2"


def test_five_are_shown_and_the_others_counted(store: Any) -> None:
    store.apply(BORN, author="Ada")
    lookup = Retriever(store).lookup("Ulm", "birthplace of")
    assert lookup.value == "Person 1; Person 2; Person 3; Person 4; Person 5; and 2 more"
    assert (len(lookup.facts), len(lookup.value_spans)) == (7, 5)
    more = [Add(f"Citizen {i}", "birthplace", "Ulm", value_is_link=True) for i in range(60)]
    store.apply(more, author="Ada")
    lookup = Retriever(store).lookup("Ulm", "birthplace of")
    assert lookup.value.endswith("; and 62 more")
    assert len(lookup.facts) == 50


def test_what_is_stored_comes_first(store: Any) -> None:
    store.apply([Add("Paris", "capital of", "Gaul")], author="Ada")
    assert Retriever(store).lookup("Paris", "capital of").value == "Gaul"
    assert Retriever(store).lookup("Madrid", "capital of").value == "Spain"
    # What the entity had and lost, no inverse answers.
    store.apply([Delete(fact_of(store, "Paris", "capital of").id)], author="Ada")
    assert Retriever(store).lookup("Paris", "capital of").is_miss
    listed = Retriever(store).lookup("Paris", "relations", "Paris capital").ranking
    assert "capital of" not in [ranked.name for ranked in listed or ()]


def test_one_inverse_under_several_names(store: Any) -> None:
    store.apply(
        [
            Add("Ann", "instance of", "person"),
            Add("Bob", "directed", "Noon"),
            Add("Dusk", "director", "Ann"),
            Add("Italy", "located in", "Europe", value_is_link=True),
        ],
        author="Ada",
    )
    retriever = Retriever(store)
    for phrase in ("directed", "director of"):
        assert retriever.lookup("Ann", phrase).value == "Dusk", phrase
        assert retriever.lookup("Bob", phrase).value == "Noon", phrase
    assert retriever.lookup("Europe", "contains").value == "Italy"
    assert retriever.lookup("Italy", "borders").value == "France"
    assert retriever.lookup("Italy", "contains").is_miss


def test_every_inverse_name_of_a_list_answers(store: Any) -> None:
    store.apply([*BORN, Add("Lyon", "country", "France")], author="Ada")
    retriever = Retriever(store, embeddings=False)
    for entity in ("Ulm", "France", "Madrid", "Italy", "Paris"):
        listed = retriever.lookup(entity, "relations", f"What of {entity} is known as that?")
        assert listed.ranking
        for ranked in listed.ranking:
            assert not retriever.lookup(entity, ranked.name).is_miss, (entity, ranked.name)
    assert id_of(store, "Ulm")
