"""Lookups that ask about a literal, and literals in prompts, on every kind of store."""

from __future__ import annotations

from typing import Any

import pytest

from graph.core.edits import Add, AddSynonym, Change, Delete
from graph.core.import_rows import FactRow, RelationRow
from graph.core.protocol import SharedStore
from graph.lookup.mentions import find_mentions
from graph.lookup.retriever import Retriever
from graph.sqlite.reads import SqliteReads
from graph.sqlite.store import SqliteStore
from tests.graph.helpers import fact_of

ELEMENTS = [
    Add("Sodium", "symbol", "Na"),
    Add("Sodium", "atomic number", "11"),
    Add("Gold", "symbol", "Au"),
    Add("Gold", "atomic number", "79"),
    Add("Albert Einstein", "birth date", "1879-03-14"),
    Add("Monaco", "official language", "French"),
    Add("France", "official language", "French"),
    Add("Uranium", "note", "Heavy, and much spoken of. " * 20),
]


def answer(store: Any, entity: str, relation: str, at: int | None = None) -> tuple[str, str]:
    lookup = Retriever(store, at, embeddings=False).lookup(entity, relation)
    return lookup.how, lookup.value


def test_whose_value_it_is(store: Any) -> None:
    store.apply([*ELEMENTS, AddSynonym("sign", "symbol")], author="Ada")
    at = store.revision()
    for asked, relation, found in (
        ("Na", "symbol of", "Sodium"),
        ("na", "Symbol_of", "Sodium"),
        ("N\u200ba", "symbol of", "Sodium"),
        ("Na", "sign of", "Sodium"),
        ("79", "atomic number of", "Gold"),
        ("1879-03-14", "birth date of", "Albert Einstein"),
        ("French", "official language of", "Monaco; France"),
        ("68,400,000", "population of", "France"),
        ("heavy, and much spoken of. " * 20, "note of", "Uranium"),
    ):
        assert answer(store, asked, relation) == ("inverse", found), asked
    lookup = Retriever(store, embeddings=False).lookup("na", "symbol of")
    assert (lookup.entity_by, lookup.relation_by) == ("literal", "inverse")
    assert (lookup.entity_id, lookup.resolved_entity) == (None, "Na")
    assert (lookup.resolved_relation, lookup.score) == ("symbol of", 1.0)
    assert lookup.from_json(lookup.to_json()) == lookup
    assert [lookup.value[begin:end] for begin, end in lookup.value_spans] == ["Sodium"]
    for asked, relation in (("Na", "symbol"), ("Na", "atomic number of"), ("Nay", "symbol of")):
        assert answer(store, asked, relation)[0] == "miss", asked
    # It is edited at its fact, and an earlier revision still says what it said.
    store.apply([Change(lookup.facts[0].id, "Nt")], author="Ada")
    assert answer(store, "Na", "symbol of")[0] == "miss"
    assert answer(store, "Nt", "symbol of") == ("inverse", "Sodium")
    store.apply([Delete(fact_of(store, "Gold", "symbol").id)], author="Ada")
    assert answer(store, "Au", "symbol of")[0] == "miss"
    store.undo(author="Ada")
    assert answer(store, "Au", "symbol of") == ("inverse", "Gold")
    assert answer(store, "Na", "symbol of", at) == ("inverse", "Sodium")
    assert answer(store, "Nt", "symbol of", at)[0] == "miss"


def test_five_are_shown_and_the_others_counted(store: Any) -> None:
    store.apply([Add(f"Film {i}", "year", "1999") for i in range(1, 8)], author="Ada")
    lookup = Retriever(store).lookup("1999", "year of")
    assert lookup.value == "Film 1; Film 2; Film 3; Film 4; Film 5; and 2 more"
    assert (len(lookup.facts), len(lookup.value_spans)) == (7, 5)
    store.apply([Add(f"Song {i}", "year", "1999") for i in range(60)], author="Ada")
    lookup = Retriever(store).lookup("1999", "year of")
    assert lookup.value.endswith("; and 62 more")
    assert len(lookup.facts) == 50


def test_an_entity_comes_before_a_literal_and_a_guess_after_it(store: Any) -> None:
    store.apply(
        [
            *ELEMENTS,
            Add("Frenchy", "official language", "Frankish"),
            Add("French", "instance of", "language"),
        ],
        author="Ada",
    )
    assert answer(store, "French", "instance of") == ("exact", "language")
    retriever = Retriever(store, embeddings=False)
    assert set(retriever.lookup("French", "official language of").value.split("; ")) == {
        "Monaco",
        "France",
    }
    assert retriever.lookup("french", "official language of").entity_by == "literal"
    # Literals are neither searched nor guessed.
    assert retriever.lookup("Sodum", "symbol").resolved_entity == "Sodium"
    assert not any(entity.name == "Na" for entity in store.search("Na"))
    assert answer(store, "1879-03-15", "birth date of")[0] == "miss"


def test_the_reads_of_a_draft_count_what_it_changes(store: Any) -> None:
    store.apply(ELEMENTS, author="Ada")
    assert store.count_facts_with("FRENCH", "Official Language") == 2
    assert [fact.entity for fact in store.facts_with("french")] == ["Monaco", "France"]
    assert [fact.entity for fact in store.facts_with("french", limit=1)] == ["Monaco"]
    assert store.facts_with("french", relation="symbol") == []
    assert store.relation_names_with("french") == ["official language"]
    assert store.find_literals(["french", "au", "nothing", "Paris"]) == {
        "french": "French",
        "au": "Au",
    }
    store.apply([Change(fact_of(store, "Monaco", "official language").id, "Latin")], author="Ada")
    assert store.count_facts_with("French", "official language") == 1
    assert [fact.entity for fact in store.facts_with("french")] == ["France"]
    store.apply([Delete(fact_of(store, "France", "official language").id)], author="Ada")
    assert store.find_literals(["French", "latin"]) == {"latin": "Latin"}
    assert store.relation_names_with("French") == []
    assert store.count_facts_with("French", "official language") == 0
    # A number that is many things.
    store.apply([Add("Apollo", "number", "11"), Add("Team", "size", "11")], author="Ada")
    assert set(store.relation_names_with("11")) == {"atomic number", "number", "size"}


def test_an_import_and_its_undo(public: SharedStore) -> None:
    rows = [
        FactRow(1, "Iron", "symbol", "Fe"),
        FactRow(2, "Iron", "alloy", "steel"),
        FactRow(3, "steel", "use", "bridges"),  # makes the value before it a link
        RelationRow(4, "use", "literal", ""),
    ]
    public.load(rows, author="Ada")
    assert answer(public, "Fe", "symbol of") == ("inverse", "Iron")
    assert list(public.find_literals(["steel", "bridges"])) == ["bridges"]
    public.load([FactRow(1, "Iron", "symbol", "Fe", "another source")], author="Ada")
    assert public.count_facts_with("Fe", "symbol") == 1
    public.undo(author="Ada")
    public.undo(author="Ada")
    assert answer(public, "Fe", "symbol of")[0] == "miss"
    public.redo(author="Ada")
    assert answer(public, "Fe", "symbol of") == ("inverse", "Iron")
    assert public.check() == []
    public.purge([fact_of(public, "Iron", "symbol").id], author="Ada")
    assert public.find_literals(["Fe"]) == {}
    assert public.check() == []


def mentioned(store: Any, prompt: str) -> list[tuple[str, str]]:
    return [(mention.text, mention.by) for mention in find_mentions(store, prompt)]


def test_literals_in_a_prompt(store: Any) -> None:
    store.apply(
        [
            *ELEMENTS,
            Add("Paris", "note", "capital"),
            Add("Radon", "group", "8"),
            Add("Spain", "motto", "France first"),
            Add("Paris", "nickname", "City of Light"),
            Add("Zoo", "share", "12 %"),
        ],
        author="Ada",
    )
    literal = "literal"
    for prompt, found in (
        ("Which element has the symbol Na?", [("Na", literal)]),
        ("which element has the symbol na", [("na", literal)]),
        ("What has 79 as its atomic number?", [("79", literal)]),
        ("Who was born on 1879-03-14?", [("1879-03-14", literal)]),
        ("Which zoo has 12 % of it?", [("zoo", "name"), ("12 %", literal)]),
        ("What is the capital of France?", [("France", "name")]),
        ("Which one is in group 8?", []),
        ('Which one is in group "8"?', [("8", literal)]),
        ("What is called the City of Light?", [("City of Light", literal)]),
        ("Whose motto is “France first”?", [("France first", literal)]),
        ("Which elements are there?", []),
        ("And this one, Nay?", []),
        ("Wo liegt na Norwegen?", []),  # a short word of another language, not Na
        ("79\n1879-03-14", [("79", literal), ("1879-03-14", literal)]),
    ):
        assert mentioned(store, prompt) == found, prompt
    retriever = Retriever(store, embeddings=False)
    prompt = "Which element has the symbol Na?"
    assert retriever.mentioned(prompt) == ("Na",)
    askable = retriever.askable("Na", prompt)
    assert askable is not None
    assert (askable.entity_id, askable.entity, askable.relations) == (None, "Na", ("symbol of",))
    listed = retriever.lookup("Na", "relations", prompt)
    assert (listed.value, listed.how, listed.listed) == ("Na: symbol of", "inverse", ["symbol of"])
    assert retriever.lookup("Na", "relations").is_miss
    for name in askable.relations:
        assert not retriever.lookup("Na", name).is_miss


def test_a_literal_is_found_by_its_index(
    sqlite: SqliteStore, neo4j_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for store in (sqlite, neo4j_store):
        rows = [FactRow(i, f"Thing {i}", "code", f"C{i}") for i in range(2000)]
        store.load(rows, author="Ada")
    plans: list[str] = []

    class Explained(SqliteReads):
        def _rows(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
            found = sqlite._rows(f"EXPLAIN QUERY PLAN {sql}", values)
            plans.append("; ".join(row[-1] for row in found))
            return sqlite._rows(sql, values)

    explained = Explained()
    assert len(explained.facts_with("c7")) == 1
    assert explained.count_facts_with("c7", "code") == 1
    assert explained.relation_names_with("c7") == ["code"]
    assert explained.find_literals(["c7"]) == {"c7": "C7"}
    for plan in plans:
        assert "l USING PRIMARY KEY (key=?)" in plan, plan
        assert "SCAN f" not in plan, plan
        assert "SCAN l" not in plan, plan
    asked: list[tuple[str, dict[str, Any]]] = []
    rows_of = neo4j_store.rows
    monkeypatch.setattr(
        neo4j_store, "rows", lambda cypher, **p: asked.append((cypher, p)) or rows_of(cypher, **p)
    )
    names = [f"C{i}" for i in range(500)]
    assert list(neo4j_store.find_literals(names)) == names
    [(cypher, parameters)] = [one for one in asked if "value_key" in one[0]]
    with neo4j_store.connection.driver.session(database="neo4j") as session:
        profile = session.run(f"PROFILE {cypher}", parameters).consume().profile
    assert hits(profile) < 20 * len(names)


def hits(plan: Any) -> int:
    return int(plan["dbHits"]) + sum(hits(child) for child in plan.get("children", ()))


@pytest.mark.parametrize("text", ["", " ", "\0", "\ud800", "x" * 5000, "\u200b"])
def test_no_text_is_an_error(store: Any, text: str) -> None:
    assert Retriever(store, embeddings=False).lookup(text, "symbol of").is_miss
    assert store.find_literals([text]) == {}
    assert find_mentions(store, text) == []
