"""600 perturbed lookups over the shipped world, each with its right answer.

The kinds are typing errors, words in another order, aliases, relations in other words, and
questions that the graph cannot answer. Half of the reworded relations are in the synonym table. The
others come from `paraphrases.csv` and are not in it. The same seed draws the same queries. Every
second one is for calibration, so that each half has as many of each kind.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.core.names import fold
from graph.core.rules import SYNONYM

PARAPHRASES = Path(__file__).parent / "paraphrases.csv"
COUNTS = {
    "typo": 90,
    "typo in relation": 30,
    "reordering": 70,
    "alias": 70,
    "synonym": 90,
    "paraphrase": 90,
    "lacks the relation": 80,
    "unknown entity": 40,
    "unknown relation": 40,
}
UNANSWERABLE = ("lacks the relation", "unknown entity", "unknown relation")

# Phrases that are not similar to any relation of the world.
_NO_RELATION = """
favourite dish|shoe size|blood type|shirt number|password|number of followers|star sign
first pet|middle name|batting average|horsepower|top speed|wing span|number of legs
preferred tea|dress code|opening hours|ticket price|wifi code|parking fees|barcode
hair colour|allergies|bench press record|guitar tuning|knitting pattern|spice level
cooking time|calories|number of pages|publisher|ISBN|chess rating|golf handicap
driver's seat|tyre pressure|battery life|screen resolution|bus route|train platform
""".replace("\n", "|").strip("|")
_BEGINNINGS = [
    "Vol",
    "Tren",
    "Qua",
    "Mirz",
    "Ostel",
    "Bran",
    "Hulm",
    "Jexa",
    "Plor",
    "Ygge",
    "Sant",
    "Dov",
    "Karst",
    "Wimb",
]
_MIDDLES = ("ando", "ipa", "ure", "oster", "ilka", "umbe", "arro", "enti")
_ENDS = ("via", "stan", "burg", "mouth", "dotter", "inski", "ville", "heim", "ora", "land", "ius")


@dataclass(frozen=True)
class Query:
    """One lookup and the values that answer it; none if the graph has no answer."""

    kind: str
    entity: str
    relation: str
    values: frozenset[str]
    pair: tuple[str, str] | None
    """The entity and relation that the lookup means; None if the graph has no answer."""


def draw(store: Any, seed: int = 0) -> list[Query]:
    """The queries, drawn from a store of the shipped world."""
    rng = random.Random(seed)
    pairs: dict[tuple[str, str], set[str]] = {}
    own: dict[str, set[str]] = {}
    for fact in store.all_facts():
        pairs.setdefault((fact.entity, fact.relation), set()).add(fact.value)
        own.setdefault(fact.entity, set()).add(fact.relation)
    names = sorted(own)
    known = {fold(name) for name in names}
    by_relation: dict[str, list[str]] = {}
    for entity, relation in pairs:
        by_relation.setdefault(relation, []).append(entity)

    def query(kind: str, entity: str, relation: str, asked: tuple[str, str]) -> Query:
        return Query(kind, *asked, frozenset(pairs[entity, relation]), (entity, relation))

    def pick(names: Sequence[str]) -> tuple[str, str]:
        entity = rng.choice(names)
        return entity, rng.choice(sorted(own[entity]))

    def reworded(rows: Sequence[tuple[str, str]], kind: str) -> Query:
        while True:
            phrase, relation = rng.choice(rows)
            if relation in by_relation:
                entity = rng.choice(by_relation[relation])
                return query(kind, entity, relation, (entity, phrase))

    synonyms = [(rule.name, rule.value) for rule in store.rules(SYNONYM)]
    with PARAPHRASES.open(encoding="utf-8") as file:
        paraphrases = [(row["phrase"], row["relation"]) for row in csv.DictReader(file)]
    seeded = {fold(phrase) for phrase, _ in synonyms}
    assert not seeded & {fold(phrase) for phrase, _ in paraphrases}
    long_ones = [name for name in names if 5 <= len(name) <= 40 and "(" not in name]
    several = [name for name in long_ones if len(name.split()) in (2, 3)]
    aliased = [
        (alias, name)
        for name in names
        for alias in store.find_entities(name)[0][0].aliases
        if store.find_entities(alias)[0][0].name == name
    ]
    unrelated = [phrase.strip() for phrase in _NO_RELATION.split("|") if phrase.strip()]
    queries: list[Query] = []
    while _lacks(queries, "typo"):
        entity, relation = pick(long_ones)
        wrong = mistyped(entity, rng)
        if fold(wrong) not in known:
            queries.append(query("typo", entity, relation, (wrong, relation)))
    while _lacks(queries, "typo in relation"):
        entity, relation = pick(names)
        if len(relation) >= 5 and fold(wrong := mistyped(relation, rng)) not in by_relation:
            queries.append(query("typo in relation", entity, relation, (entity, wrong)))
    for _ in range(COUNTS["reordering"]):
        entity, relation = pick(several)
        words = entity.split()
        comma = ", " if rng.random() < 0.5 else " "
        turned = words[-1] + comma + " ".join(words[:-1])
        queries.append(query("reordering", entity, relation, (turned, relation)))
    for alias, entity in rng.sample(aliased, COUNTS["alias"]):
        relation = rng.choice(sorted(own[entity]))
        queries.append(query("alias", entity, relation, (alias, relation)))
    queries += [reworded(synonyms, "synonym") for _ in range(COUNTS["synonym"])]
    queries += [reworded(paraphrases, "paraphrase") for _ in range(COUNTS["paraphrase"])]
    while (
        len([q for q in queries if q.kind == "lacks the relation"]) < COUNTS["lacks the relation"]
    ):
        entity, relation = rng.choice(names), rng.choice(sorted(by_relation))
        if relation not in own[entity]:
            queries.append(Query("lacks the relation", entity, relation, frozenset(), None))
    for _ in range(COUNTS["unknown entity"]):
        parts = (_BEGINNINGS, _MIDDLES, _ENDS)
        made = "".join(rng.choice(part) for part in parts)
        asked = rng.choice(sorted(by_relation))
        queries.append(Query("unknown entity", made, asked, frozenset(), None))
    for phrase in rng.sample(unrelated, COUNTS["unknown relation"]):
        queries.append(Query("unknown relation", rng.choice(names), phrase, frozenset(), None))
    return queries


def _lacks(queries: Sequence[Query], kind: str) -> bool:
    return sum(query.kind == kind for query in queries) < COUNTS[kind]


def mistyped(text: str, rng: random.Random) -> str:
    """The text with one typing error, or sometimes two if it has ten letters or more."""
    for _ in range(2 if len(text) >= 10 and rng.random() < 0.5 else 1):
        place = rng.randrange(1, len(text) - 1)
        letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
        text = rng.choice(
            [
                text[:place] + text[place + 1 :],
                text[:place] + letter + text[place:],
                text[:place] + letter + text[place + 1 :],
                text[:place] + text[place + 1] + text[place] + text[place + 2 :],
            ]
        )
    return text
