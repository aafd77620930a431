"""What every store promises, run on each kind and on a draft laid over it."""

from __future__ import annotations

from typing import Any

import pytest

from graph.core.edits import (
    Add,
    AddAlias,
    Change,
    ChangeSetting,
    Delete,
    Merge,
    RemoveAlias,
    Rename,
)
from graph.core.errors import Conflict, StoreError
from graph.core.ids import LARGEST_ID
from graph.core.names import fold
from graph.core.protocol import Draft, TripletStore
from tests.graph.helpers import fact_of, id_of, said


def test_follows_the_protocol(store: Any) -> None:
    assert isinstance(store, TripletStore)
    assert isinstance(store, Draft) == hasattr(store, "publish")


def test_facts_come_in_stored_order_and_both_ways(store: Any) -> None:
    france = id_of(store, "France")
    facts = store.facts(france)
    assert [(f.relation, f.value) for f in facts] == [
        ("capital", "Paris"),
        ("population", "68,400,000"),
        ("borders", "Spain"),
        ("borders", "Italy"),
    ]
    assert [f.is_link for f in facts] == [True, False, True, True]
    assert facts[1].year == 2024
    assert facts[0].source == "factbook"
    assert [(f.entity, f.relation) for f in store.facts_to(france)] == [
        ("Paris", "country"),
        ("Spain", "borders"),
    ]
    assert [f.value for f in store.facts(france, limit=2)] == ["Paris", "68,400,000"]
    assert len(store.facts_to(france, limit=1)) == 1
    assert store.fact(facts[0].id) == facts[0]
    assert [f.id for f in store.all_facts()] == sorted(f.id for f in store.all_facts())
    assert len(list(store.all_facts())) == 7


def test_a_relation_is_found_in_any_spelling(store: Any) -> None:
    france = id_of(store, "France")
    for spelling in ("borders", "Borders", "BORDERS", "_borders_", " borders "):
        assert [f.value for f in store.facts(france, spelling)] == ["Spain", "Italy"]
    assert store.facts(france, "border") == []
    assert store.relation("CAPITAL").kind == "link"
    assert store.relation("motto") is None


def test_exact_spelling_wins_over_folded_and_alias(store: Any) -> None:
    store.apply(
        [
            Add("RED", "director", "Robert Schwentke"),
            Add("red", "instance of", "colour"),
            Add("Red", "a", "1"),
            Add("Red", "b", "2"),
        ],
        author="Ada",
    )

    def first(name: str) -> tuple[str, str]:
        entity, how = store.find_entities(name)[0]
        return entity.name, how

    assert first("RED") == ("RED", "exact")
    assert first("red") == ("red", "exact")
    # None is spelt so: the one with most facts, then the older.
    assert [e.name for e, _ in store.find_entities("rEd")] == ["Red", "RED", "red"]
    assert {how for _, how in store.find_entities("rEd")} == {"folded"}
    store.apply([AddAlias(id_of(store, "France"), "rEd")], author="Ada")
    assert first("rEd") == ("France", "alias")
    assert store.find_entities("nobody") == []


def test_undeclared_values_are_links_only_if_spelt_like_an_entity(store: Any) -> None:
    store.apply([Add("2012", "instance of", "film")], author="Ada")
    edits = [
        Add("France", "neighbour", "Spain"),
        Add("France", "visited", "spain"),
        Add("France", "year", "2012"),
        Add("France", "sequel", "2012", value_is_link=True),
        Add("France", "motto", "Paris", value_is_link=False),
    ]
    store.apply(edits, author="Ada")
    kinds = [fact_of(store, "France", edit.relation).is_link for edit in edits]
    assert kinds == [True, False, False, True, False]


def test_an_entity_may_be_its_own_value(store: Any) -> None:
    store.apply([Add("Singapore", "capital", "Singapore")], author="Ada")
    fact = fact_of(store, "Singapore", "capital")
    assert fact.value_id == fact.entity_id
    assert len(store.find_entities("Singapore")) == 1


def test_a_value_occurs_once_and_gains_sources(store: Any) -> None:
    store.apply([Add("France", "capital", "Paris", source="geonames")], author="Ada")
    assert said(store, "France", "capital") == ["Paris"]
    assert fact_of(store, "France", "capital").source == "factbook; geonames"
    with pytest.raises(StoreError, match="already has the capital “Paris”"):
        store.apply([Add("France", "Capital", "Paris", source="geonames")], author="Ada")
    other = fact_of(store, "France", "borders", "Italy")
    with pytest.raises(StoreError, match="already has the borders “Spain”"):
        store.apply([Change(other.id, "Spain")], author="Ada")


def test_a_literal_and_a_link_of_one_spelling_are_one_value(store: Any) -> None:
    store.apply([Add("France", "friend", "Ruritania")], author="Ada")  # a literal: no such entity
    store.apply([Add("Ruritania", "capital", "Strelsau")], author="Ada")
    with pytest.raises(StoreError, match="already has the friend “Ruritania”"):
        store.apply([Add("France", "friend", "Ruritania")], author="Ada")
    # A rename can make two look alike; undo still walks all the way back through that.
    store.apply([Add("France", "friend", "Spain")], author="Ada")
    store.apply([Rename(id_of(store, "Ruritania"), "Zenda")], author="Ada")
    store.apply([Rename(id_of(store, "Spain"), "Ruritania")], author="Ada")
    assert said(store, "France", "friend") == ["Ruritania", "Ruritania"]
    store.apply([Delete(fact_of(store, "France", "friend").id)], author="Ada")
    for _ in range(6):
        store.undo(author="Ada")
    assert said(store, "France", "friend") == []


def test_change_keeps_the_id_and_makes_new_links(store: Any) -> None:
    before = fact_of(store, "France", "capital")
    store.apply([Change(before.id, "Lyon", source="me", year=2030)], author="Ada")
    after = store.fact(before.id)
    assert (after.value, after.source, after.year, after.is_link) == ("Lyon", "me", 2030, True)
    assert [f.id for f in store.facts_to(id_of(store, "Lyon"))] == [before.id]
    assert store.facts_to(id_of(store, "Paris")) == []


def test_delete_takes_a_fact_out_of_every_read(store: Any) -> None:
    fact = fact_of(store, "France", "capital")
    store.apply([Delete(fact.id)], author="Ada")
    assert store.fact(fact.id) is None
    assert said(store, "France", "capital") == []
    assert "capital" not in store.relation_names(fact.entity_id)
    assert fact.id not in {f.id for f in store.all_facts()}
    assert fact.id not in {f.id for f in store.neighbourhood([fact.entity_id])}


def test_rename_shows_through_links_and_never_through_literals(store: Any) -> None:
    paris = id_of(store, "Paris")
    store.apply([Add("France", "motto", "Paris", value_is_link=False)], author="Ada")
    store.apply([Rename(paris, "Lutetia")], author="Ada")
    assert said(store, "France", "capital") == ["Lutetia"]
    assert said(store, "France", "motto") == ["Paris"]
    assert store.facts(paris)[0].entity == "Lutetia"
    assert [(e.name, how) for e, how in store.find_entities("Paris")] == [("Lutetia", "alias")]
    assert store.entity(paris).aliases == ("Paris",)
    assert [e.name for e in store.search("lute")] == ["Lutetia"]
    with pytest.raises(StoreError, match="Another entity is named “Spain”"):
        store.apply([Rename(paris, "Spain")], author="Ada")
    store.apply([Rename(paris, "Paris")], author="Ada")
    assert store.entity(paris).aliases == ("Lutetia",)


def test_merge_moves_facts_and_names(store: Any) -> None:
    edits = [
        Add("French Republic", "capital", "Paris", source="cldr"),
        Add("French Republic", "motto", "Liberté"),
        Add("Italy", "borders", "French Republic"),
        Add("French Republic", "borders", "France"),
        Add("Spain", "borders", "French Republic", source="cldr"),
    ]
    store.apply(edits, author="Ada")
    france, republic = id_of(store, "France"), id_of(store, "French Republic")
    store.apply([Merge(republic, france)], author="Ada")
    assert store.entity(republic) is None
    assert store.entity(france).aliases == ("French Republic",)
    assert said(store, "French Republic", "capital") == ["Paris"]
    assert fact_of(store, "France", "capital").source == "factbook; cldr"
    assert said(store, "France", "motto") == ["Liberté"]
    assert said(store, "Italy", "borders") == ["France"]
    assert said(store, "France", "borders") == ["Spain", "Italy"]  # not France itself
    assert fact_of(store, "Spain", "borders").source == "geonames; cldr"
    store.undo(author="Ada")
    assert store.entity(republic).name == "French Republic"
    assert said(store, "French Republic") == ["Paris", "Liberté", "France"]
    assert store.entity(france).aliases == ()
    assert said(store, "Spain", "borders") == ["France", "French Republic"]
    with pytest.raises(StoreError, match="cannot be merged with itself"):
        store.apply([Merge(france, france)], author="Ada")


def test_aliases_are_added_and_removed(store: Any) -> None:
    france = id_of(store, "France")
    store.apply([AddAlias(france, "La France"), AddAlias(france, "Hexagon")], author="Ada")
    assert store.entity(france).aliases == ("La France", "Hexagon")
    assert [(e.name, how) for e, how in store.find_entities("hexagon")] == [("France", "alias")]
    store.apply([Add("Hexagon", "motto", "Liberté")], author="Ada")  # a name that is known
    assert said(store, "France", "motto") == ["Liberté"]
    store.apply([RemoveAlias(france, "Hexagon")], author="Ada")
    assert store.find_entities("hexagon") == []
    with pytest.raises(StoreError, match="has no alias “Hexagon”"):
        store.apply([RemoveAlias(france, "Hexagon")], author="Ada")
    with pytest.raises(StoreError, match="already called “France”"):
        store.apply([AddAlias(france, "France")], author="Ada")


def test_apply_is_all_or_nothing(store: Any) -> None:
    revision, facts = store.revision(), list(store.all_facts())
    with pytest.raises(StoreError, match="is not in the graph"):
        store.apply([Add("France", "motto", "Liberté"), Delete(123)], author="Ada")
    assert store.revision() == revision
    assert list(store.all_facts()) == facts
    assert store.relation("motto") is None
    with pytest.raises(StoreError, match="No edits were given"):
        store.apply([], author="Ada")


def test_a_later_edit_of_one_call_sees_an_earlier_one(store: Any) -> None:
    fact = fact_of(store, "France", "capital")
    store.apply([Change(fact.id, "Lyon"), Change(fact.id, "Nice")], author="Ada")
    assert said(store, "France", "capital") == ["Nice"]
    store.undo(author="Ada")
    assert said(store, "France", "capital") == ["Paris"]


def test_reads_at_a_revision_never_change(store: Any) -> None:
    france, paris = id_of(store, "France"), id_of(store, "Paris")
    capital = fact_of(store, "France", "capital")
    first = store.revision()
    expected = (
        store.facts(france, at=first),
        store.facts_to(paris, at=first),
        store.entity(paris, at=first),
        store.find_entities("paris", at=first),
        store.relation_names(france, at=first),
        store.neighbourhood([france], 2, at=first),
        store.search("par", at=first),
        store.state(first),
        [f.value for f in store.all_facts(first)],
    )
    store.apply([Change(capital.id, "Lyon")], author="Ada")
    store.apply([Rename(paris, "Lutetia")], author="Ada")
    store.apply([Delete(capital.id), Add("France", "motto", "x")], author="Ada")
    store.apply([Merge(paris, france)], author="Ada")
    store.undo(author="Ada")
    values = [said(store, "France", "capital", at=at) for at in range(first, store.revision())]
    assert values == [["Paris"], ["Lyon"], ["Lyon"], [], []]

    assert store.facts(france, at=first) == expected[0]
    assert store.facts_to(paris, at=first) == expected[1]
    assert store.entity(paris, at=first) == expected[2]
    assert store.find_entities("paris", at=first) == expected[3]
    assert store.relation_names(france, at=first) == expected[4]
    assert store.neighbourhood([france], 2, at=first) == expected[5]
    assert store.search("par", at=first) == expected[6]
    assert store.state(first) == expected[7] != store.state()
    assert [f.value for f in store.all_facts(first)] == expected[8]


def test_undo_and_redo_walk_back_and_forth(store: Any) -> None:
    fact = fact_of(store, "France", "capital")
    for value in ("A", "B", "C"):
        store.apply([Change(fact.id, value)], author="Ada")
    seen = []
    for _ in range(3):
        store.undo(author="Ada")
        seen += said(store, "France", "capital")
    for _ in range(3):
        store.redo(author="Ada")
        seen += said(store, "France", "capital")
    assert seen == ["B", "A", "Paris", "A", "B", "C"]
    with pytest.raises(StoreError, match="nothing to redo"):
        store.redo(author="Ada")
    store.undo(author="Ada")
    store.apply([Change(fact.id, "D")], author="Ada")
    with pytest.raises(StoreError, match="nothing to redo"):
        store.redo(author="Ada")
    store.undo(author="Ada")
    assert said(store, "France", "capital") == ["B"]
    assert store.fact(fact.id).id == fact.id
    for _ in range(3):  # B, A, and the facts of the beginning
        revision = store.revision()
        assert store.undo(author="Ada") > revision
    with pytest.raises(StoreError, match="nothing to undo"):
        store.undo(author="Ada")
    assert list(store.all_facts()) == []
    assert store.find_entities("France") == []


def test_undo_of_an_added_fact_takes_its_new_entities_too(store: Any) -> None:
    store.apply([Add("Ruritania", "capital", "Strelsau")], author="Ada")
    strelsau = id_of(store, "Strelsau")
    store.undo(author="Ada")
    assert store.find_entities("Ruritania") == store.find_entities("Strelsau") == []
    assert store.search("strel") == []
    store.redo(author="Ada")
    assert id_of(store, "Strelsau") == strelsau


def test_a_write_id_is_written_once(store: Any) -> None:
    first = store.apply([Add("France", "motto", "Liberté")], author="Ada", write_id="w1")
    store.apply([Add("France", "motto", "Égalité")], author="Ada", write_id="w2")
    assert store.apply([Add("France", "motto", "Liberté")], author="Ada", write_id="w1") == first
    assert said(store, "France", "motto") == ["Liberté", "Égalité"]


def test_history_tells_who_what_when_and_why(store: Any) -> None:
    fact = fact_of(store, "France", "capital")
    store.apply([Change(fact.id, "Lyon")], author="Bob", reason="moved")
    newest = store.history()[0]
    assert (newest.kind, newest.author, newest.reason) == ("change", "Bob", "moved")
    assert newest.time.endswith("Z")
    assert newest.edit["value"] == "Lyon"
    delta = next(d for d in newest.deltas if d.id == fact.id)
    assert (delta.before.value, delta.after.value) == ("Paris", "Lyon")
    assert [e.kind for e in store.history(fact_id=fact.id)] == ["change", "add"]
    spain = store.history(entity_id=id_of(store, "Spain"))
    assert {e.edit["entity"] for e in spain} == {"Spain", "France"}
    assert len(store.history(limit=1)) == 1
    assert store.history(limit=0) == []
    store.apply([Add("France", "motto", f"{n}") for n in range(9)], author="Ada")
    paged, before = [], None
    while page := store.history(limit=4, before=before):
        paged += page
        before = page[-1].revision
    assert paged == store.history(limit=1000)
    assert len(store.history(limit=4)) == 9  # a revision is never cut in two
    assert all(e.revision < newest.revision for e in store.history(before=newest.revision))
    assert store.history(fact_id=1) == []
    for not_an_id in (0, -1, 2**70, "1"):
        assert store.history(fact_id=not_an_id) == store.history(entity_id=not_an_id) == []
    assert newest.to_json()["deltas"]


def test_search_as_one_types(store: Any) -> None:
    store.apply(
        [
            Add("Frankfurt", "country", "Germany"),
            Add("São Paulo", "country", "Brazil"),
            Add("AC/DC", "genre", "rock"),
            Add("Czech Republic", "capital", "Prague"),
        ],
        author="Ada",
    )
    names = {
        typed: [e.name for e in store.search(typed)]
        for typed in ("fr", "FRANC", "sao", "paulo", "ac/dc", "repub", "zech", "cze rep", "Germny")
    }
    assert set(names["fr"]) == {"France", "Frankfurt"}
    assert names["FRANC"] == ["France"]
    assert names["sao"] == names["paulo"] == ["São Paulo"]
    assert names["ac/dc"] == ["AC/DC"]
    assert names["repub"] == names["zech"] == ["Czech Republic"]
    assert len(store.search("a", limit=2)) <= 2
    without = {typed: [e.name for e in store.search(typed, guesses=False)] for typed in names}
    assert without == {**names, "repub": ["Czech Republic"], "zech": [], "Germny": []}


def test_neighbourhood_is_bounded_and_nearest_first(store: Any) -> None:
    store.apply([Add(f"Town {i}", "country", "France") for i in range(50)], author="Ada")
    paris = id_of(store, "Paris")
    one = store.neighbourhood([paris])
    assert {(f.entity, f.value) for f in one} == {("Paris", "France"), ("France", "Paris")}
    two = store.neighbourhood([paris], hops=2, limit=20)
    assert len(two) == 20
    assert two[:2] == one
    assert store.neighbourhood([paris], hops=0) == []
    assert store.neighbourhood([]) == []
    # Two seeds take turns, so a hub does not crowd out the other.
    both = store.neighbourhood([id_of(store, "France"), id_of(store, "Spain")], limit=6)
    assert {"Madrid"} <= {f.value for f in both}


def test_relation_names_in_stated_order(store: Any) -> None:
    france = id_of(store, "France")
    assert store.relation_names(france) == ["capital", "population", "borders"]
    store.apply([Add("France", "Population", "69,000,000")], author="Ada")
    assert [n.lower() for n in store.relation_names(france)].count("population") == 1


def test_facts_to_an_entity_by_their_relation(store: Any) -> None:
    france, spain = id_of(store, "France"), id_of(store, "Spain")
    first = store.revision()
    assert store.relation_names_to(france) == ["country", "borders"]
    assert [f.entity for f in store.facts_to(france, relation="Borders")] == ["Spain"]
    assert store.facts_to(france, relation="borders", limit=0) == []
    assert store.count_facts_to(france, "Borders") == 1
    assert store.count_facts_to(france, "capital") == 0
    store.apply(
        [
            Add("Italy", "borders", "France"),
            Add("Lyon", "Located_In", "France"),
            Delete(fact_of(store, "Paris", "country").id),
            Change(fact_of(store, "Spain", "borders").id, "Italy"),
        ],
        author="Ada",
    )
    assert {fold(name) for name in store.relation_names_to(france)} == {"borders", "located in"}
    assert [f.entity for f in store.facts_to(france, relation="borders")] == ["Italy"]
    assert store.count_facts_to(france, "borders") == 1
    assert store.count_facts_to(france, "located in") == 1
    assert store.count_facts_to(id_of(store, "Italy"), "borders") == 2
    assert store.relation_names_to(spain) == ["borders"]
    assert store.relation_names_to(france, at=first) == ["country", "borders"]
    assert [f.entity for f in store.facts_to(france, first, relation="country")] == ["Paris"]
    assert store.count_facts_to(france, "country", at=first) == 1


def test_many_names_are_found_as_one_by_one(store: Any) -> None:
    first = store.revision()
    store.apply(
        [
            AddAlias(id_of(store, "France"), "Hexagon"),
            Add("RED", "director", "Ann"),
            Add("Red", "instance of", "colour"),
            Rename(id_of(store, "Spain"), "España"),
        ],
        author="Ada",
    )
    names = ["france", "HEXAGON", "red", "Red", "Spain", "españa", "Nowhere", "", "\0", "\ud800"]
    found = store.find_names(names)
    assert found == {name: each for name in names if (each := store.find_entities(name))}
    assert store.find_names(["Spain"], at=first)["Spain"][0][0].name == "Spain"
    assert store.find_names([]) == {}


def test_facts_of_a_relation(store: Any) -> None:
    store.apply([Delete(fact_of(store, "Spain", "borders").id)], author="Ada")
    store.apply([Add("Italy", "Borders", "France")], author="Ada")
    assert [(f.entity, f.value) for f in store.facts_of("borders")] == [
        ("France", "Spain"),
        ("France", "Italy"),
        ("Italy", "France"),
    ]
    assert len(store.facts_of("borders", limit=1)) == 1
    assert store.facts_of("no such") == []


def test_statistics_count_what_is_there(store: Any) -> None:
    before = store.statistics()
    assert (before.facts, before.links, before.entities) == (7, 6, 5)
    store.apply([Delete(fact_of(store, "France", "capital").id)], author="Ada")
    store.apply([Rename(id_of(store, "Spain"), "España")], author="Ada")
    after = store.statistics()
    assert (after.facts, after.links, after.entities, after.aliases) == (6, 5, 5, 1)


MADE_UP = [0, -1, 1, 42, LARGEST_ID, LARGEST_ID + 1, 10**40, "7", None, 1.5, True]


@pytest.mark.parametrize("made_up", MADE_UP)
def test_made_up_ids_are_not_there(store: Any, made_up: Any) -> None:
    revision = store.revision()
    assert store.entity(made_up) is None
    assert store.fact(made_up) is None
    assert store.facts(made_up) == store.facts_to(made_up) == store.relation_names(made_up) == []
    assert store.relation_names_to(made_up) == store.facts_to(made_up, relation="x") == []
    assert store.count_facts_to(made_up, "x") == 0
    assert store.neighbourhood([made_up]) == []
    for edit in (
        Change(made_up, "x"),
        Delete(made_up),
        Rename(made_up, "x"),
        Merge(made_up, id_of(store, "France")),
        AddAlias(made_up, "x"),
    ):
        with pytest.raises(StoreError, match="is not in the graph"):
            store.apply([edit], author="Ada")
    assert store.revision() == revision


def test_an_edit_to_a_fact_deleted_meanwhile_says_so(store: Any) -> None:
    fact = fact_of(store, "France", "capital")
    store.apply([Delete(fact.id)], author="Bob")
    with pytest.raises(StoreError, match="deleted meanwhile"):
        store.apply([Change(fact.id, "Lyon")], author="Ada")


BAD_TEXTS = [
    "",
    "   ",
    "\u200b",
    "a\0b",
    "a\x07b",
    "a\x1b[31mb",
    "\ud800",
    "a\u202eb",
    "x" * 1_000_000,
]


@pytest.mark.parametrize("bad", BAD_TEXTS, ids=lambda text: ascii(text[:8]))
def test_bad_text_is_refused_in_one_sentence(store: Any, bad: str) -> None:
    revision = store.revision()
    fact = fact_of(store, "France", "capital")
    for edit in (
        Add(bad, "motto", "x"),
        Add("France", bad, "x"),
        Add("France", "motto", bad),
        Change(fact.id, bad),
        Rename(fact.entity_id, bad),
        AddAlias(fact.entity_id, bad),
    ):
        with pytest.raises(StoreError) as caught:
            store.apply([edit], author="Ada")
        message = str(caught.value)
        assert message.isprintable()
        assert message.endswith(".")
        assert len(message) < 300
    assert store.find_entities(bad) == []
    assert store.facts(fact.entity_id, bad) == []
    store.search(bad)
    assert store.revision() == revision


ODD_TEXTS = [
    "Robert'); DROP TABLE fact;--",
    '" OR 1=1 --',
    "x'}) DETACH DELETE n //",
    "`) MATCH (n) DETACH DELETE n // $id",
    "AC/DC +a -b ~2 [x TO y] /.*/ bag:*",
    "NEAR(a b) AND * ^ : {text} : -x",
    "AND",
    "'''",
    '""""',
    "100% _under_ [x]",
    "<img src=x onerror=alert(1)>",
    "${alert(1)} {{7*7}}",
    "<|db_return|> x <|db_end|>",
    "שלום עולם",
    "مرحبا بالعالم",
    "e\u0301te\u0301",
    "日本国",
    "👩‍👩‍👧",
    "x" * 512,
]


@pytest.mark.parametrize("odd", ODD_TEXTS, ids=lambda text: ascii(text[:8]))
def test_odd_text_is_kept_found_and_searched_like_any(store: Any, odd: str) -> None:
    import unicodedata

    kept = unicodedata.normalize("NFC", odd)
    store.apply([Add(odd, odd, odd, value_is_link=False)], author=odd[:100], reason=odd[:100])
    found, how = store.find_entities(odd)[0]
    assert (found.name, how) == (kept, "exact")
    assert [f.value for f in store.facts(found.id, odd)] == [kept]
    assert len(store.search(odd)) <= 1
    if any(c.isalnum() for c in odd):
        assert [e.name for e in store.search(odd)] == [kept]
    assert said(store, "France", "capital") == ["Paris"]


def test_names_that_fold_to_one_key_stay_apart(store: Any) -> None:
    names = ["straße", "STRASSE", "strasse", "Strasse"]
    store.apply([Add(name, "spelt", name) for name in names], author="Ada")
    for name in names:
        assert store.find_entities(name)[0][0].name == name
        assert len(store.find_entities(name)) == 4
    # The same name in another normal form, or with other spaces, is the same entity.
    store.apply([Add("Cafe\u0301", "a", "1"), Add("  Caf\u00e9 ", "b", "2")], author="Ada")
    assert len(store.find_entities("Café")) == 1
    assert said(store, "Café") == ["1", "2"]


@pytest.mark.parametrize("name", ["relations", "Relations", " RELATIONS_"])
def test_the_reserved_relation_is_refused(store: Any, name: str) -> None:
    with pytest.raises(StoreError, match="is reserved"):
        store.apply([Add("France", name, "x")], author="Ada")


def test_state_names_store_and_revision(store: Any) -> None:
    states = [store.state()]
    for value in ("A", "B"):
        store.apply([Add("France", "motto", value)], author="Ada")
        states.append(store.state())
    store.undo(author="Ada")
    states.append(store.state())
    assert len(set(states)) == 4


def test_an_edit_forgets_what_could_be_redone(store: Any) -> None:
    """Also where that edit was itself undone: add, undo, add, undo, redo, and nothing is left."""
    before = store.revision()
    store.apply([Add("Ann", "knows", "Bob")], author="Ada")
    store.undo(author="Ada")
    store.apply([Add("Ann", "knows", "Cid")], author="Ada")
    store.undo(author="Ada")
    store.redo(author="Ada")
    assert said(store, "Ann") == ["Cid"]
    with pytest.raises(StoreError, match="nothing to redo"):
        store.redo(author="Ada")
    store.undo(author="Ada")
    store.redo(author="Ada")
    assert said(store, "Ann") == ["Cid"]
    store.undo(author="Ada")
    assert said(store, "Ann") == []
    assert store.revision() > before


# Of published history, which a draft has none of


def test_revert_takes_back_what_nothing_was_built_on(public: Any) -> None:
    capital = fact_of(public, "France", "capital").id
    changed = public.apply([Change(capital, "Lyon")], author="Ada")
    other = public.apply([Add("France", "motto", "Liberté")], author="Ada")
    public.apply([Rename(id_of(public, "Spain"), "España")], author="Bob")
    public.revert(changed, author="Bob", reason="no")
    assert said(public, "France", "capital") == ["Paris"]
    assert said(public, "France", "motto") == ["Liberté"]
    assert public.history(limit=1)[0].edit == {"kind": "revert", "revision": changed}
    with pytest.raises(Conflict, match="Nothing was reverted"):
        public.revert(changed, author="Bob")
    public.undo(author="Bob")
    assert said(public, "France", "capital") == ["Lyon"]
    public.apply([Change(fact_of(public, "France", "motto").id, "Égalité")], author="Bob")
    with pytest.raises(Conflict, match="motto of France") as caught:
        public.revert(other, author="Ada")
    assert caught.value.differences[0].theirs == ("Égalité",)
    for made_up in (0, 1, -1, 10**30, 999, None):  # 1 declared the relations: no edit
        with pytest.raises(StoreError, match="There is no revision"):
            public.revert(made_up, author="Ada")


def test_an_entity_that_others_use_is_not_undone(public: Any) -> None:
    made = public.apply([Add("Oz", "capital", "Emerald City")], author="Ada")
    public.apply([Add("Emerald City", "colour", "green")], author="Bob")
    with pytest.raises(Conflict, match="colour of Emerald City"):
        public.revert(made, author="Ada")
    assert said(public, "Oz", "capital") == ["Emerald City"]


def test_a_rule_that_was_brought_back_is_not_brought_back_again(public: Any) -> None:
    """As the state machine found: it stood twice afterwards, and an undo took both."""
    public.apply([ChangeSetting("refuse-lacking", "on")], author="Ada")
    removed = public.undo(author="Ada")
    public.revert(removed, author="Ada")
    with pytest.raises(Conflict, match="the setting refuse-lacking"):
        public.revert(removed, author="Ada")
    assert [rule.value for rule in public.rules("setting")] == ["on"]
