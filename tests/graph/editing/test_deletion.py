"""A graph without some of its facts, in memory."""

from __future__ import annotations

from typing import Any

import pytest

from graph.core.edits import Add
from graph.core.errors import StoreError
from graph.editing.closure import closure
from graph.editing.deletion import without
from graph.lookup.retriever import Retriever
from tests.graph.helpers import fact_of, id_of


def test_a_deletion_in_memory_leaves_the_store_and_its_drafts_alone(public: Any) -> None:
    public.apply([Add("Marie Curie", "birthplace", "Warsaw")], author="Ada")
    draft = public.draft("reader")
    draft.apply([Add("Marie Curie", "employer", "Sorbonne")], author="Ada")
    employer = fact_of(draft, "Marie Curie", "employer")
    revision, state, steps = public.revision(), public.state(), draft.revision()
    less = without(draft, [employer.id, fact_of(draft, "Marie Curie", "birthplace").id])
    retriever = Retriever(less)
    assert retriever.lookup("Marie Curie", "employer").is_miss
    assert retriever.lookup("Marie Curie", "birthplace").is_miss
    assert less.fact(employer.id) is None
    assert "employer" not in less.relation_names(id_of(draft, "Marie Curie"))
    assert less.statistics().facts == draft.statistics().facts - 2
    assert less.state() not in (state, draft.state())
    assert less.state() != without(draft, [employer.id]).state()
    assert (public.revision(), public.state(), draft.revision()) == (revision, state, steps)
    assert Retriever(draft).lookup("Marie Curie", "employer").value == "Sorbonne"


def test_a_deletion_reads_on_at_its_revision(store: Any) -> None:
    store.apply([Add("Ulm", "river", "Danube")], author="Ada")
    less = without(store, [fact_of(store, "Ulm", "river").id])
    store.apply([Add("Ulm", "mayor", "Martin Ansbacher")], author="Ada")
    assert Retriever(less).lookup("Ulm", "mayor").is_miss
    with pytest.raises(StoreError, match="is read at revision"):
        less.facts(id_of(store, "Ulm"), at=store.revision())


def test_only_facts_that_are_there_can_be_deleted(store: Any) -> None:
    with pytest.raises(StoreError):
        without(store, [12345])


def test_disguised_survivors_are_listed(store: Any) -> None:
    facts = {
        "capital": "Ulm-Mitte",
        "inside": "The old town of Ulm Mitte, rebuilt",
        "spaced": "UlmMitte",
        "reordered": "Mitte, Ulm",
        "apart": "Ulm and its Mitte",
        "longer": "Ulm-Mittelstadt",
    }
    store.apply([Add("Testland", name, value) for name, value in facts.items()], author="Ada")
    leaks = closure(store, fact_of(store, "Testland", "capital"))
    assert [(leak.kind, leak.facts[0].relation) for leak in leaks] == [
        ("disguised", "inside"),
        ("disguised", "spaced"),
        ("disguised", "reordered"),
    ]
