"""What a guide asks of a retriever: the names in a prompt, and what lookups find under a name."""

from __future__ import annotations

from typing import Any

from graph.core.edits import Add, Delete
from graph.lookup.retriever import Retriever
from tests.graph.helpers import fact_of, id_of


def _learn(store: Any) -> None:
    store.apply(
        [
            Add("Albert Einstein", "birthplace", "Ulm", value_is_link=True),
            Add("Albert Einstein", "occupation", "physicist"),
            Add("Nile River", "length", "6,650 km"),
        ],
        author="Ada",
    )


def test_names_are_given_as_the_prompt_spells_them(store: Any) -> None:
    _learn(store)
    mentioned = Retriever(store).mentioned("was Einstein born in ulm, or on the Nile?")
    assert {"Einstein", "ulm", "Nile"} <= set(mentioned)
    assert Retriever(store).mentioned("Why is that?") == ()


def test_everything_askable_is_found(store: Any) -> None:
    _learn(store)
    retriever = Retriever(store)
    for name in ("Albert Einstein", "ulm", "the Nile River", "France"):
        askable = retriever.askable(name)
        assert askable is not None
        assert askable.entity_id == retriever.lookup(name, "relations", "?").entity_id
        for relation in askable.relations:
            assert not retriever.lookup(name, relation).is_miss, (name, relation)
    assert "birthplace of" in (retriever.askable("Ulm") or askable).relations
    assert retriever.askable("Atlantis") is None


def test_under_a_short_form_only_a_list_is_found(store: Any) -> None:
    _learn(store)
    retriever = Retriever(store)
    askable = retriever.askable("Einstein", "Where was Einstein born?")
    assert askable is not None
    assert (askable.entity, askable.listed) == ("Albert Einstein", True)
    assert retriever.lookup("Einstein", "birthplace").entity_id is None or askable.relations


def test_an_entity_without_facts_is_not_askable(store: Any) -> None:
    _learn(store)
    store.apply([Delete(fact_of(store, "Nile River", "length").id)], author="Ada")
    assert Retriever(store).askable("Nile River") is None
    assert id_of(store, "Nile River")


def test_held_names_are_those_of_entities(store: Any) -> None:
    _learn(store)
    assert Retriever(store).held(["Ulm", "6,650 km", "nile river", "x" * 5000]) == [
        "Ulm",
        "nile river",
    ]
