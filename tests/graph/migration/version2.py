"""What the stores of schema version 2 in this folder hold, and what they answered.

`fill` wrote them with the program's last version of that schema, and `answers` recorded what that
version answered. The tests migrate copies of them and ask again.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from graph.core.edits import (
    Add,
    AddAlias,
    AddSynonym,
    Change,
    ChangeSetting,
    Delete,
    Merge,
    RemoveAlias,
    Rename,
)
from graph.core.import_rows import AliasRow, FactRow, RelationRow, SynonymRow
from graph.core.protocol import SharedStore
from graph.lookup.retriever import Retriever
from tests.graph.helpers import fact_of, id_of

FOLDER = Path(__file__).parent
SQLITE = FOLDER / "version2.db.gz"
NEO4J = FOLDER / "version2-neo4j.json.gz"
ANSWERS = FOLDER / "version2-answers.json.gz"

LONG = "It says much, " + "and more " * 40 + "at last"
FACTS = [
    ("Sodium", "instance of", "element"),
    ("Sodium", "symbol", "Na"),
    ("Sodium", "atomic number", "11"),
    ("Gold", "symbol", "Au"),
    ("Gold", "atomic number", "79"),
    ("Gold", "note", LONG),
    ("Albert Einstein", "birth date", "1879-03-14"),
    ("Albert Einstein", "birthplace", "Ulm"),
    ("Ulm", "country", "Germany"),
    ("France", "official language", "French"),
    ("France", "capital", "Paris"),
    ("Monaco", "official language", "French"),
    ("Łódź", "country", "Poland"),
    ("Køge", "country", "Denmark"),
    ("München", "country", "Germany"),
    ("Đà Nẵng", "country", "Vietnam"),
    ("Straße", "country", "Germany"),
    ("Georgia (country)", "capital", "Tbilisi"),
    ("Georgia (state)", "capital", "Atlanta"),
    ("Zero\u200bWidth", "symbol", "ZW"),
    ("می\u200cخواهم", "symbol", "م"),
    ("New York", "instance of", "city"),
    ("2012", "instance of", "film"),
    ("Ann", "release_year", "2012"),
]
ASKED = [
    ("Sodium", "symbol"),
    ("sodium", "atomic number"),
    ("Gold", "note"),
    ("Einstein", "birthplace"),
    ("Ulm", "birthplace of"),
    ("Farnce", "capital"),
    ("France", "seat of government"),
    ("Łódź", "country"),
    ("łódź", "country"),
    ("München", "country"),
    ("Georgia", "capital"),
    ("Zero\u200bWidth", "symbol"),
    ("می\u200cخواهم", "symbol"),
    ("Mozart", "birthplace"),
    ("W. A. Mozart", "birthplace"),
    ("Big Apple", "instance of"),
    ("Spain", "capital"),
    ("Ann", "release year"),
    ("France", "relations"),
]


def fill(store: SharedStore) -> None:
    """Make twelve revisions of every kind, and a draft."""
    store.load(
        [
            *(
                RelationRow(i, name, kind, "")
                for i, (name, kind) in enumerate(
                    [("country", "link"), ("capital", "link"), ("birthplace", "link")]
                )
            ),
            RelationRow(9, "symbol", "literal", "its letters"),
            *(FactRow(i, *row, "a source") for i, row in enumerate(FACTS, start=10)),
            AliasRow(99, "Big Apple", "New York"),
            SynonymRow(100, "seat of government", "capital"),
        ],
        author="Ada",
        reason="the first facts",
    )
    store.apply(
        [
            Add("W. A. Mozart", "birthplace", "Salzburg", "a book", 1756),
            Add("Wolfgang Mozart", "birthplace", "Salzburg"),
            Add("Wolfgang Mozart", "occupation", "composer"),
        ],
        author="Ada",
        reason="two for one",
    )
    store.apply([Rename(id_of(store, "Wolfgang Mozart"), "Mozart")], author="Bob")
    store.apply([Merge(id_of(store, "W. A. Mozart"), id_of(store, "Mozart"))], author="Bob")
    store.apply([Add("Spain", "capital", "Seville")], author="Bob")
    store.apply([Change(fact_of(store, "Spain", "capital").id, "Madrid")], author="Ada")
    store.apply([Change(fact_of(store, "Gold", "symbol").id, "Or")], author="Bob")
    store.undo(author="Ada", reason="it is Au")
    store.apply([Delete(fact_of(store, "Monaco", "official language").id)], author="Ada")
    store.apply([AddAlias(id_of(store, "Ulm"), "Ulma")], author="Ada")
    store.apply([RemoveAlias(id_of(store, "Ulm"), "Ulma")], author="Ada")
    store.apply([AddSynonym("sign", "symbol"), ChangeSetting("on-miss", "unknown")], author="Ada")
    draft = store.draft("kept")
    draft.apply([Add("Argon", "symbol", "Ar")], author="Eve")
    draft.apply([Delete(fact_of(draft, "Sodium", "symbol").id)], author="Eve")
    draft.undo(author="Eve")
    draft.apply([Rename(id_of(draft, "Paris"), "Lutetia")], author="Eve")


def answers(store: SharedStore) -> dict[str, Any]:
    """What a store answers at every revision, and in its draft, as plain data."""
    revisions = range(store.revision() + 1)
    draft = store.draft("kept")
    return {
        "statistics": str(store.statistics()),
        "facts": [[fact.to_json() for fact in store.all_facts(at)] for at in revisions],
        "lookups": [
            [Retriever(store, at, embeddings=False).lookup(*asked).to_json() for asked in ASKED]
            for at in revisions
        ],
        "rules": [rule.to_json() for rule in store.rules()],
        "history": [entry.to_json() for entry in store.history()],
        "draft": [
            Retriever(draft, embeddings=False).lookup(*asked).to_json()
            for asked in (*ASKED, ("Argon", "symbol"), ("Lutetia", "relations"))
        ],
        "search": [[e.name for e in store.search(text)] for text in ("geo", "mozrat", "ein")],
    }


def recorded(kind: str) -> dict[str, Any]:
    """What the store of a kind, "sqlite" or "neo4j", answered before it was migrated."""
    with gzip.open(ANSWERS, "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)[kind]
    return found
