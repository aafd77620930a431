"""How lookups are answered, on the embedded store and on a draft."""

from __future__ import annotations

import json
from typing import Any

import pytest

from graph.core.edits import Add, AddAlias, AddSynonym, ChangeSetting, Delete, RemoveSynonym
from graph.core.errors import StoreError
from graph.lookup.result import Lookup
from graph.lookup.retriever import Retriever
from tests.graph.helpers import fact_of, id_of, said


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
        ("France", "capital punishment"),
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


def test_a_name_finds_the_homonyms_that_a_qualifier_are_different(store: Any) -> None:
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


ELEMENTS = [
    Add("Czech Republic", "capital", "Prague"),
    Add("Marie Curie", "field", "physics", value_is_link=False),
    Add("Apollo 11", "crew", "3"),
    Add("São Paulo", "country", "Brazil"),
    Add("Zambia", "capital", "Lusaka"),
]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Frnace", "France"),
        ("Farnce", "France"),
        ("Frrance", "France"),
        ("marie cuire", "Marie Curie"),
        ("Curie Marie", "Marie Curie"),
        ("Curie, Marie", "Marie Curie"),
        ("Republic Czech", "Czech Republic"),
        ("Czech Repubilc", "Czech Republic"),
        ("CzechRepublic", "Czech Republic"),
        ("Fra nce", "France"),
        ("Sao Paolo", "São Paulo"),
        ("Zmabia", "Zambia"),
    ],
)
def test_a_slip_in_a_name_is_fuzzy(store: Any, asked: str, meant: str) -> None:
    store.apply(ELEMENTS, author="Ada")
    retriever = Retriever(store)
    relation = store.relation_names(id_of(store, meant))[0]
    lookup = retriever.lookup(asked, relation)
    assert (lookup.resolved_entity, lookup.how, lookup.entity_by) == (meant, "fuzzy", "spelling")
    assert lookup.threshold <= lookup.score < 1
    assert lookup.value == retriever.lookup(meant, relation).value
    assert meant not in [other.entity for other in lookup.runners_up]


@pytest.mark.parametrize("asked", ["Myaa Lin", "aMya Lin", "Maay Lin"])
def test_exchanged_letters_of_a_short_word_are_found(store: Any, asked: str) -> None:
    """Hardly a trigram of "Maya" is left in "Myaa", and a hundred other words share more."""
    others = [
        Add(f"Mya{letter}{end}", "sort", "thing") for letter in "bcdfghklmn" for end in "aeiou"
    ]
    store.apply([Add("Maya Lin", "occupation", "architect"), *others], author="Ada")
    found = Retriever(store).lookup(asked, "occupation")
    assert (found.resolved_entity, found.value) == ("Maya Lin", "architect")


@pytest.mark.parametrize(
    "asked", ["Apollo 12", "Gambia", "Frankfurt", "Ruritania", "Marie", "Spoon", "Czech", "Fra"]
)
def test_another_name_is_no_slip(store: Any, asked: str) -> None:
    store.apply([*ELEMENTS, Add("the Gambia river", "length", "1,120 km")], author="Ada")
    for relation in ("capital", "crew", "relations"):
        lookup = Retriever(store).lookup(asked, relation)
        assert (lookup.how, lookup.value, lookup.entity_id) == ("miss", "unknown", None)


def test_a_deleted_entity_is_not_taken_for_its_neighbour(store: Any) -> None:
    """Nor is one whose addition was undone, for its name was known once."""
    store.apply([Add("Gambia", "capital", "Banjul")], author="Ada")
    store.apply([Add("Zambia", "capital", "Lusaka")], author="Ada")
    assert Retriever(store).lookup("Zambia", "capital").value == "Lusaka"
    if not hasattr(store, "publish"):  # a draft forgets what it undid
        store.undo(author="Ada")
        assert Retriever(store).lookup("Zambia", "capital").is_miss
        store.redo(author="Ada")
    store.apply([Delete(fact_of(store, "Zambia", "capital").id)], author="Ada")
    assert Retriever(store).lookup("Zambia", "capital").is_miss
    assert Retriever(store).lookup("Zamiba", "capital").is_miss


@pytest.mark.parametrize("refuses", ["on", "off"])
def test_no_neighbour_answers_for_a_deleted_fact(store: Any, refuses: str) -> None:
    store.apply(
        [
            Add("Lions", "head coach", "Ann"),
            Add("Lions", "assistant coach", "Bob"),
            Add("Lions", "Birthplace", "Leeds"),
            Add("Lions", "Birth Places", "York"),
        ],
        author="Ada",
    )
    store.apply([AddSynonym("trainer", "head coach")], author="Ada")
    store.apply([AddSynonym("trainer", "assistant coach")], author="Ada")
    if refuses == "on":
        store.apply([ChangeSetting("refuse-lacking", "on")], author="Ada")
    assert Retriever(store).lookup("Lions", "trainer").value == "Ann"
    for relation in ("head coach", "Birthplace"):
        store.apply([Delete(fact_of(store, "Lions", relation).id)], author="Ada")
    for policy in ("unknown", "nearest"):
        retriever = Retriever(store, policy=policy)
        for phrase in ("head coach", "Head Coach", "haed coach", "coach head", "trainer"):
            assert retriever.lookup("Lions", phrase).is_miss, phrase
        assert retriever.lookup("Lions", "birthplace").is_miss
        assert retriever.lookup("Lions", "birthplaces").value in ("unknown", "York")
        assert retriever.lookup("Lions", "asistant coach").value == "Bob"


def test_a_relation_that_the_entity_lacks_is_refused_where_set(store: Any) -> None:
    store.apply([Add("Spain", "capitals", "Madrid and Toledo")], author="Ada")
    # France has no "capitals", and its "capital" is a letter away.
    assert Retriever(store).lookup("France", "capitals").value == "Paris"
    assert Retriever(store).lookup("France", "capitalls").value == "Paris"
    store.apply([ChangeSetting("refuse-lacking", "on")], author="Ada")
    assert Retriever(store).lookup("France", "capitals").is_miss
    assert Retriever(store).lookup("France", "capitalls").is_miss
    lookup = Retriever(store).lookup("France", "captial")
    assert (lookup.value, lookup.how, lookup.relation_by) == ("Paris", "fuzzy", "spelling")


def test_a_synonym_is_an_edit_like_any(store: Any) -> None:
    seat = "seat of government"
    assert Retriever(store).lookup("France", seat).is_miss
    store.apply([AddSynonym(seat, "Capital")], author="Ada", reason="they mean the same")
    at = store.revision()
    for phrase in (seat, "Seat of  Government", "seat_of_government"):
        lookup = Retriever(store).lookup("France", phrase)
        assert (lookup.value, lookup.how, lookup.relation_by) == ("Paris", "alias", "synonym")
        assert (lookup.resolved_relation, lookup.score) == ("capital", 1.0)
    assert Retriever(store).lookup("France", "saet of government").how == "fuzzy"
    newest = store.history(limit=1)[0]
    assert (newest.kind, newest.reason) == ("add synonym", "they mean the same")
    assert [rule.value for rule in store.rules("synonym", seat)] == ["capital"]
    assert store.rules("setting") == []
    store.apply([RemoveSynonym(seat, "capital")], author="Ada")
    assert Retriever(store).lookup("France", seat).is_miss
    assert Retriever(store, at=at).lookup("France", seat).value == "Paris"
    store.undo(author="Ada")
    assert Retriever(store).lookup("France", seat).value == "Paris"
    for edit, message in (
        (AddSynonym(seat, "capital"), "already means"),
        (AddSynonym("Capital", "capital"), "own name"),
        (AddSynonym("x", "no such"), "has no relation"),
        (AddSynonym("relations", "capital"), "is reserved"),
        (RemoveSynonym("x", "capital"), "is not a synonym"),
        (ChangeSetting("x", "on"), "There is no setting"),
        (ChangeSetting("refuse-lacking", "maybe"), "choose from off, on"),
    ):
        with pytest.raises(StoreError, match=message):
            store.apply([edit], author="Ada")


def test_the_first_synonym_that_is_there_is_meant(store: Any) -> None:
    store.apply(
        [
            Add("France", "head of state", "Ann"),
            Add("Spain", "head of government", "Bob"),
            AddSynonym("leader", "head of government"),
            AddSynonym("leader", "head of state"),
            ChangeSetting("refuse-lacking", "on"),
        ],
        author="Ada",
    )
    retriever = Retriever(store)
    assert retriever.lookup("France", "leader").value == "Ann"
    assert retriever.lookup("Spain", "leader").value == "Bob"
    assert retriever.lookup("Paris", "leader").is_miss


def test_a_miss_may_be_answered_by_the_nearest(store: Any) -> None:
    store.apply([Add("Francesco Totti", "country", "Italy")], author="Ada")
    asked = ("Franko Toti", "country")
    miss = Retriever(store).lookup(*asked)
    assert (miss.how, miss.policy) == ("miss", "unknown")
    assert [other.entity for other in miss.runners_up] == ["Francesco Totti"]
    lookup = Retriever(store, policy="nearest").lookup(*asked)
    assert (lookup.value, lookup.how, lookup.policy) == ("Italy", "fuzzy", "nearest")
    assert lookup.score < lookup.threshold
    store.apply([ChangeSetting("on-miss", "nearest")], author="Ada")
    assert Retriever(store).lookup(*asked).value == "Italy"
    assert Retriever(store, policy="unknown").lookup(*asked).is_miss
    assert Retriever(store).lookup("Xyzzy Qwop", "country").is_miss
    with pytest.raises(StoreError, match="no policy"):
        Retriever(store, policy="guess")


def test_a_name_that_is_only_a_value_names_its_namesakes(store: Any) -> None:
    """Nothing is recorded of New York, and whether the state is meant nobody can tell."""
    store.apply(
        [
            Add("Battle of Saratoga", "location", "New York", value_is_link=True),
            Add("New York (state)", "capital", "Albany"),
        ],
        author="Ada",
    )
    lookup = Retriever(store).lookup("New York", "capital")
    assert (lookup.how, lookup.value, lookup.resolved_entity) == ("miss", "unknown", "New York")
    assert [(r.entity, r.relation) for r in lookup.runners_up] == [("New York (state)", "capital")]


def test_rules_of_a_draft_stay_private_until_published(filled: Any) -> None:
    draft = filled.draft("one")
    draft.apply([AddSynonym("seat", "capital")], author="Ada")
    draft.apply([ChangeSetting("refuse-lacking", "on")], author="Ada")
    assert filled.rules() == []
    draft.publish(author="Ada")
    assert [(rule.name, rule.value) for rule in filled.rules()] == [
        ("seat", "capital"),
        ("refuse-lacking", "on"),
    ]
    draft.apply([ChangeSetting("refuse-lacking", "off")], author="Ada")
    filled.apply([RemoveSynonym("seat", "capital")], author="Bob")
    draft.publish(author="Ada")  # another rule: no conflict
    draft.apply([ChangeSetting("refuse-lacking", "on")], author="Ada")
    filled.apply([ChangeSetting("on-miss", "nearest")], author="Bob")
    filled.apply([ChangeSetting("refuse-lacking", "on")], author="Bob")
    with pytest.raises(StoreError, match="the setting refuse-lacking was “off”"):
        draft.publish(author="Ada")
    filled.revert(filled.revision(), author="Bob")
    assert said(filled, "France", "capital") == ["Paris"]
