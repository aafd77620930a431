"""One IRI is one entity or relation, on every kind of store: import, lookups, merges and undo."""

from __future__ import annotations

import re
from typing import Any

import pytest

from graph.core.edits import Add, Merge, Rename
from graph.core.errors import StoreError
from graph.core.identifiers import clean_iri, looks_like_iri, qualified
from graph.core.import_rows import AliasRow, FactRow, RelationRow, Row
from graph.core.protocol import SharedStore
from graph.lookup.retriever import Retriever
from tests.graph.helpers import id_of, said

FILM, SPECIES = "http://example.org/film/Heron", "http://example.org/species/Heron"
HERONS = """
<http://example.org/film/Heron> <http://example.org/p/year> "1999" .
<http://example.org/species/Heron> <http://example.org/p/order> "Pelecaniformes" .
<http://example.org/film/Heron> <http://example.org/p/about> <http://example.org/species/Heron> .
<http://example.org/person/Ann> <http://example.org/p/made> <http://example.org/film/Heron> .
"""


def called(store: Any, iri: str, at: int | None = None) -> str:
    """The name of the entity of an identifier."""
    found = store.identified(iri, at)
    return found.name if found else ""


def ntriples(text: str) -> list[Row]:
    """The rows of lines of N-Triples, named by the last part of each IRI."""
    rows: list[Row] = []
    for number, line in enumerate(filter(str.strip, text.splitlines()), start=1):
        terms = [m[1] or m[2] for m in re.finditer(r'<([^>]+)>|"([^"]*)"', line)]
        iris = [term if ":" in term else "" for term in terms]
        rows.append(FactRow(number, *(t.rsplit("/", 1)[-1] for t in terms), "", "", *iris))
    return rows


def test_two_things_of_one_name_stay_two(public: SharedStore) -> None:
    report = public.load(ntriples(HERONS), author="Ada")
    assert (report.qualified, report.qualifications) == (["Heron (species)"], 1)
    assert said(public, "Heron", "year") == ["1999"]
    assert said(public, "Heron", "about") == ["Heron (species)"]
    assert said(public, "Heron (species)", "order") == ["Pelecaniformes"]
    assert said(public, "Ann", "made") == ["Heron"]
    assert called(public, FILM) == "Heron"
    assert called(public, SPECIES) == "Heron (species)"
    assert public.identifiers(id_of(public, "Heron")) == [FILM]
    again = public.load(ntriples(HERONS), author="Ada")
    assert (again.facts, again.entities, again.qualifications) == (0, 0, 0)
    assert public.check() == []
    # A third file, in another order, means the same things.
    more = '<http://example.org/species/Heron> <http://example.org/p/size> "large" .'
    public.load(ntriples(more), author="Bob")
    assert said(public, "Heron (species)", "size") == ["large"]


def test_an_identifier_is_looked_up_exactly(public: SharedStore) -> None:
    public.load(ntriples(HERONS), author="Ada")
    retriever = Retriever(public, embeddings=False)
    lookup = retriever.lookup(SPECIES, "http://example.org/p/order")
    assert (lookup.value, lookup.entity_by, lookup.how) == (
        "Pelecaniformes",
        "identifier",
        "alias",
    )
    assert retriever.lookup(SPECIES, "order").value == "Pelecaniformes"
    assert retriever.lookup("http://example.org/film/Heton", "year").is_miss
    assert retriever.lookup(FILM.upper(), "year").is_miss
    # It is not a name: no search and no guess finds it.
    assert public.search("example.org") == []
    assert public.find_entities(FILM) == []


def test_an_entity_without_an_identifier_is_adopted(public: SharedStore) -> None:
    public.apply([Add("Heron", "colour", "grey")], author="Ada")
    public.load(ntriples(HERONS), author="Ada")
    assert said(public, "Heron", "colour") == ["grey"]
    assert said(public, "Heron", "year") == ["1999"]
    assert said(public, "Heron (species)", "order") == ["Pelecaniformes"]


def test_two_relations_of_one_name_stay_two(public: SharedStore) -> None:
    rows = ntriples(
        '<http://a.org/x> <http://a.org/p/head> "A" .\n'
        '<http://a.org/x> <http://a.org/q/Head> "B" .\n'
    )
    report = public.load(rows, author="Ada")
    assert report.qualified == ["Head (q)"]
    assert said(public, "x", "head") == ["A"]
    assert said(public, "x", "head (q)") == ["B"]
    assert public.relation_identified("http://a.org/q/Head") == "Head (q)"
    retriever = Retriever(public, embeddings=False)
    assert retriever.lookup("x", "http://a.org/q/Head").value == "B"
    assert public.load(rows, author="Ada").facts == 0


def test_renamed_and_merged_entities_keep_their_identifiers(public: SharedStore) -> None:
    public.load(ntriples(HERONS), author="Ada")
    at = public.revision()
    species = id_of(public, "Heron (species)")
    public.apply([Rename(species, "Ardea")], author="Ada")
    assert called(public, SPECIES) == "Ardea"
    public.apply([Add("Grey heron", "order", "birds")], author="Ada")
    public.apply([Merge(species, id_of(public, "Grey heron"))], author="Ada")
    assert called(public, SPECIES) == "Grey heron"
    assert public.load(ntriples(HERONS), author="Ada").entities == 0
    assert called(public, SPECIES, at) == "Heron (species)"
    assert public.identified(SPECIES, at - 1) is None
    draft = public.draft("one")
    draft.apply([Merge(id_of(draft, "Grey heron"), id_of(draft, "France"))], author="Eve")
    assert called(draft, SPECIES) == "France"


def test_an_import_that_is_undone_and_repeated(public: SharedStore) -> None:
    public.load(ntriples(HERONS), author="Ada")
    public.undo(author="Ada")
    assert public.identified(FILM) is None
    assert Retriever(public, embeddings=False).lookup(FILM, "year").is_miss
    public.redo(author="Ada")
    assert public.identified(FILM) is not None
    public.undo(author="Ada")
    report = public.load(ntriples(HERONS), author="Ada")
    assert report.qualified == ["Heron (species)"]
    assert called(public, FILM) == "Heron"
    assert public.check() == []
    film = id_of(public, "Heron")
    facts = [fact.id for fact in (*public.facts(film), *public.facts_to(film))]
    public.purge(facts, author="Ada")
    assert public.identified(FILM) is None


def test_a_row_says_what_is_a_link(public: SharedStore) -> None:
    rows = [
        RelationRow(1, "code", "literal", ""),
        FactRow(2, "Ann", "knows", "2012", value_iri="http://a.org/2012"),
        FactRow(3, "Ann", "code", "Bob", value_iri="http://a.org/Bob"),
        FactRow(4, "Ann", "knows", "Bea", value_iri="http://a.org/Bea"),
        FactRow(4, "Ann", "knows", "Bea"),
        AliasRow(5, "The film", "another name", "http://a.org/2012"),
        FactRow(6, "Ann", "knows", "x", entity_iri="http://a.org/with space"),
    ]
    bad = []
    report = public.load(rows, author="Ada", skip_bad=True, on_bad=bad.append)
    assert [str(line) for line in bad] == [
        "line 6: The identifier “http://a.org/with space” is not an IRI."
    ]
    links = {(f.relation, f.value): f.is_link for f in public.facts(id_of(public, "Ann"))}
    assert links[("code", "Bob")] is False
    assert links[("knows", "2012")] is True
    assert links[("knows", "Bea")] is True
    assert (report.aliases, report.doubles) == (1, 1)
    assert public.find_entities("The film")[0][0].name == "2012"


def test_a_draft_names_things_apart(public: SharedStore) -> None:
    draft = public.draft("one")
    assert draft.load(ntriples(HERONS), author="Ada") == 4
    assert said(draft, "Heron (species)", "order") == ["Pelecaniformes"]
    assert said(draft, "Heron", "about") == ["Heron (species)"]
    draft.discard()
    public.load(ntriples(HERONS), author="Ada")
    draft = public.draft("two")
    rows = ntriples(
        '<http://example.org/species/Heron> <http://example.org/p/size> "large" .\n'
        '<http://example.org/club/Heron> <http://example.org/p/size> "small" .\n'
    )
    draft.load(rows, author="Ada")
    assert said(draft, "Heron (species)", "size") == ["large"]
    assert said(draft, "Heron (club)", "size") == ["small"]


def test_many_batches_agree(public: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.sqlite.load._CACHED", 20)
    monkeypatch.setattr("graph.neo4j.load._CACHED", 20)
    monkeypatch.setattr("graph.neo4j.load.BATCH", 10)

    def row(number: int) -> FactRow:
        kind = "ab"[number % 2]
        iri = f"http://x.org/{kind}/n{number // 2 % 30}"
        return FactRow(number, f"n{number // 2 % 30}", "is", kind, entity_iri=iri)

    report = public.load((row(n) for n in range(120)), author="Ada")
    assert (report.facts, report.doubles, report.qualifications) == (60, 60, 30)
    for number in range(30):
        for kind in "ab":
            name = called(public, f"http://x.org/{kind}/n{number}")
            assert said(public, name, "is") == [kind]
    assert public.check() == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("http://example.org/a", True),
        ("urn:isbn:0451450523", True),
        ("Star Wars: Episode IV", False),
        ("Heron", False),
        ("http://a b", False),
        ("x:" + "a" * 5000, False),
    ],
)
def test_what_an_identifier_is(text: str, is_one: bool) -> None:
    assert looks_like_iri(text) is is_one
    if not is_one:
        with pytest.raises(StoreError, match="is not an IRI"):
            clean_iri(text)


def test_the_rule_for_qualifiers() -> None:
    taken: set[Any] = set()
    for expected in ("film", "example.org", FILM, "2", "3"):
        name = qualified("Heron", FILM, taken.__contains__)
        assert name == f"Heron ({expected})"
        taken.add(name)
    assert qualified("age", "http://x.org/ns%20one#age", taken.__contains__) == "age (ns one)"
