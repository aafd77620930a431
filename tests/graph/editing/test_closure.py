"""What would still give a deleted value back."""

from __future__ import annotations

from typing import Any

import pytest

from graph.__main__ import main
from graph.core.edits import Add, AddAlias, Delete
from graph.editing.closure import closure, elsewhere
from graph.lookup.retriever import Retriever
from tests.graph.helpers import fact_of, id_of

CURIE = [
    Add("Warsaw", "country", "Poland"),
    Add("Marie Curie", "country of birth", "Poland", value_is_link=True),
    Add("Marie Curie", "birthplace", "Warsaw", value_is_link=True),
    Add("Marie Curie", "nationality", "Poland", value_is_link=True),
    Add("Marie Curie", "language", "Polish"),
    Add("Poland", "famous daughter", "Marie Curie", value_is_link=True),
    Add("marie curie", "country of birth", "POLAND", value_is_link=False),
    Add("Marie Curie (film)", "country of birth", "Polska", value_is_link=False),
    Add("Pierre Curie", "nationality", "France"),
    Add("Joseph Conrad", "country of birth", "Poland", value_is_link=True),
]


def test_every_way_back_is_listed_surest_first(store: Any) -> None:
    store.apply(CURIE, author="Ada")
    store.apply([AddAlias(id_of(store, "Poland"), "Polska")], author="Ada")
    fact = fact_of(store, "Marie Curie", "country of birth")
    leaks = closure(store, fact)
    found = [(leak.kind, [(f.entity, f.relation) for f in leak.facts]) for leak in leaks]
    assert found[:2] == [
        ("relation", [("Marie Curie", "nationality")]),
        ("inverse", [("Poland", "famous daughter")]),
    ]
    assert sorted(entity for kind, [(entity, _), *_] in found if kind == "namesake") == [
        "Marie Curie (film)",
        "marie curie",
    ]
    assert found[-1] == ("chain", [("Marie Curie", "birthplace"), ("Warsaw", "country")])
    assert len(leaks) == 5
    assert len(closure(store, fact, limit=2)) == 2
    revision = store.revision()
    edits = [edit for leak in leaks for edit in leak.edits]
    store.apply([Delete(fact.id), *edits], author="Ada", reason="forget")
    assert closure(store, fact) == []
    assert next(leak.kind for leak in closure(store, fact, at=revision)) == "relation"
    retriever = Retriever(store)
    for relation in ("country of birth", "nationality"):
        assert retriever.lookup("Marie Curie", relation).is_miss
    assert retriever.lookup("Joseph Conrad", "country of birth").value == "Poland"


def test_a_fact_that_stands_alone_has_no_closure(store: Any) -> None:
    assert closure(store, fact_of(store, "France", "population")) == []


def test_other_entities_with_the_value_are_listed_apart(store: Any) -> None:
    facts = [
        ("The Isles", "Capital City", "Port Vane"),
        ("UIV", "Seat of Government", "Port Vane"),
        ("United Isles of Vane", "National Capital", "port vane"),
        ("The Isles", "Currency", "shell"),
    ]
    store.apply([Add(*fact) for fact in facts], author="Ada")
    fact = fact_of(store, "The Isles", "Capital City")
    assert closure(store, fact) == []
    found = [leak.facts[0].entity for leak in elsewhere(store, fact)]
    assert found == ["United Isles of Vane", "UIV"]  # the one that speaks of a capital first
    assert elsewhere(store, fact_of(store, "The Isles", "Currency")) == []


def test_a_hub_is_looked_through_only_so_far(store: Any) -> None:
    """Of an entity with more than two hundred facts the first two hundred are looked through."""
    cities = [Add("Hub", "city", f"City {i}", value_is_link=True) for i in range(230)]
    leak = Add("Hub", "old name of the centre", "Oz", value_is_link=True)
    late = Add("Hub", "other name of the centre", "Oz", value_is_link=True)
    capital = Add("Hub", "capital", "Oz", value_is_link=True)
    store.apply([capital, leak, *cities, late], author="Ada")
    found = closure(store, fact_of(store, "Hub", "capital"))
    assert [leak.facts[0].relation for leak in found] == ["old name of the centre"]


def test_on_the_command_line(
    public: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    public.apply(CURIE, author="Ada")
    monkeypatch.setenv("LAMPLIGHT_STORE", public.url)
    assert main(["closure", "Marie Curie", "country of birth"]) == 0
    printed = capsys.readouterr().out
    assert "Marie Curie | country of birth | Poland" in printed
    assert "chain: Marie Curie | birthplace | Warsaw, then Warsaw | country | Poland" in printed
    assert "--delete" in printed
    assert public.history(limit=1)[0].kind == "add"
    assert main(["closure", "Marie Curie", "country of birth", "--delete", "relation,inverse"]) == 0
    assert "deleted 3 facts" in capsys.readouterr().out
    assert public.facts(id_of(public, "Marie Curie"), "nationality") == []
    assert public.facts(id_of(public, "Warsaw"), "country")
    for wrong in (["Marie Curie", "no such"], ["Marie Curie", "language", "--delete", "all"]):
        assert main(["closure", *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
