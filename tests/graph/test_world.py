"""The guard of the shipped world: what graph/data promises holds for every single fact.

Run: ``pytest tests/graph/test_world.py``. Each test names the facts that break its rule.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from graph.core.names import fold
from graph.data.relations import PERSONAL

ROOT = Path(__file__).parents[2]
DATA = ROOT / "graph" / "data"

# Countries with more than one capital, or none in the graph, each with its reason.
SEVERAL_CAPITALS = {
    "Benin": {"Porto-Novo", "Cotonou"},  # official capital; seat of government
    "Bolivia": {"La Paz", "Sucre"},  # seat of government; constitutional capital
    "Eswatini": {"Mbabane", "Lobamba"},  # administrative; royal and legislative
    "South Africa": {"Pretoria", "Cape Town", "Bloemfontein"},  # executive, legislative, judicial
    "Sri Lanka": {"Colombo", "Sri Jayewardenepura Kotte"},  # commercial; legislative
}
NO_CAPITAL = {
    "Nauru": "has no official capital; its offices are in Yaren District",
    "Monaco": "is a city, and so its own capital",
    "Singapore": "is a city, and so its own capital",
    "Vatican City": "is a city, and so its own capital",
}
# One capital here by the source, though another city has a claim that readers may know.
ONE_OF_TWO_SEATS = {
    "Netherlands": "Amsterdam",  # by the constitution; the government sits in The Hague
    "Malaysia": "Kuala Lumpur",  # the administration sits in Putrajaya
    "Israel": "Jerusalem",  # as it proclaims; most embassies are in Tel Aviv
    "Ivory Coast": "Yamoussoukro",  # the government works in Abidjan
    "Tanzania": "Dodoma",  # some offices remain in Dar es Salaam
    "Burundi": "Gitega",  # the economic capital is Bujumbura
    "Chile": "Santiago",  # the congress sits in Valparaíso
    "Montenegro": "Podgorica",  # Cetinje is the old royal capital
    "Yemen": "Sanaa",  # the recognized government sits in Aden
}

# Relations whose value is a code, and what it looks like.
CODES = {
    "symbol": r"[A-Z][a-z]?",
    "postal abbreviation": r"[A-Z]{2}",
    "internet domain": r"\.[a-z]{2,3}",
    "calling code": r"\+\d{1,3}(-\d{2,4})?",
}
# Short or all-capital values that are names, not codes.
NAMES_LIKE_CODES = {
    "APEC", "ASEAN", "BRICS", "CERN", "ECOWAS", "G7", "G20", "NATO", "OECD", "OPEC", "OSCE",
    "SAARC", "RDC",
}  # fmt: skip

YEARS = {
    "birth year": (-2000, 2010),
    "death year": (-2000, 2026),
    "release year": (1890, 2026),
    "Nobel Prize year": (1901, 2010),
    "Cannes year": (1939, 2026),
    "discovery year": (1000, 2026),
    "in office since": (1960, 2026),
    "joined the Union": (1787, 1959),
    "first awarded": (1901, 2026),
    "year": (-1500, 2026),
    "start year": (-1500, 2026),
    "end year": (-1500, 2026),
}

PLACES = {
    "city", "town", "place", "country", "territory", "region", "island", "peninsula",
    "U.S. state", "World Heritage Site", "country of the United Kingdom", "former country",
}  # fmt: skip
STATES = {"country", "territory", "former country", "empire", "country of the United Kingdom"}

# For a link of this relation, the types that an entity it leads to may have (one is enough).
TYPES_OF_LINKED = {
    "appeared in": {"film"},
    "directed": {"film"},
    "director": {"person"},
    "cast member": {"person"},
    "screenwriter": {"person"},
    "head of state": {"person"},
    "head of government": {"person"},
    "discovered by": {"person", "institution"},  # seaborgium, by a university
    "head of state of": {"country", "territory"},
    "head of government of": {"country", "territory"},
    "borders": {"country", "territory"},
    "main export partner": {"country", "territory"},
    "main import partner": {"country", "territory"},
    "top producer": {"country"},
    "discovered in": {"country"},
    "flows through": {"country"},
    "country of birth": STATES,
    "country": STATES,
    "independence from": STATES,
    "capital": {"city"},
    "largest city": {"city"},
    "major city": {"city"},
    "birthplace": PLACES,
    "capital of": {
        "country", "territory", "U.S. state", "province", "province of Canada",
        "Australian state", "region",
    },
    "major river": {"river"},
    "major lake": {"lake", "sea"},
    "highest point": {"mountain", "volcano"},
    "flows into": {"river", "sea", "ocean", "lake", "bay", "gulf"},
    "coast on": {"sea", "ocean", "lake", "gulf"},
    "language": {"language"},
    "official language": {"language"},
    "language spoken": {"language"},
    "wrote in": {"language"},
    "currency": {"currency"},
    "main religion": {"religion"},
    "national anthem": {"anthem"},
    "award received": {"award"},
    "continent": {"continent"},
    "main export": {"chemical element"},
    "natural resource": {"chemical element"},
    "near constellation": {"constellation"},
    "space agency": {"space agency"},
}  # fmt: skip

INVERSE = {
    "capital": "capital of",
    "capital of": "capital",
    "parent of": "child of",
    "child of": "parent of",
    "spouse": "spouse",
    "sibling": "sibling",
    "counterpart": "counterpart",
    "borders": "borders",
    "head of state": "head of state of",
    "head of state of": "head of state",
    "head of government": "head of government of",
    "head of government of": "head of government",
    "cast member": "appeared in",
    "appeared in": "cast member",
    "director": "directed",
    "directed": "director",
}

AGEING = {
    "head of state", "head of government", "head of state of", "head of government of",
    "life expectancy", "main export", "main export partner", "main import partner",
    "main industry", "main crop", "main religion", "government type", "voting age",
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    entity: str
    relation: str
    value: str
    source: str
    year: str


def read(name: str) -> list[dict[str, str]]:
    with open(DATA / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    return [Fact(**row) for row in read("world.csv")]


@pytest.fixture(scope="module")
def relations() -> dict[str, str]:
    return {row["relation"]: row["kind"] for row in read("relations.csv")}


@pytest.fixture(scope="module")
def values(facts: list[Fact]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        found[fact.entity][fact.relation].append(fact.value)
    return {entity: dict(of) for entity, of in found.items()}


def of_type(values: dict[str, dict[str, list[str]]], kind: str) -> list[str]:
    return [entity for entity, of in values.items() if kind in types(of)]


def types(of: dict[str, list[str]]) -> set[str]:
    """What an entity is; of a person, an occupation or a birth says it."""
    told = set(of.get("instance of", ()))
    return told if told or PERSONAL.isdisjoint(of) else {"person"}


def test_files_are_utf8_with_line_feeds() -> None:
    for name in ("world.csv", "relations.csv", "aliases.csv"):
        data = (DATA / name).read_bytes()
        data.decode("utf-8")
        assert b"\r" not in data
        assert data.endswith(b"\n")


def test_number_of_facts(facts: list[Fact]) -> None:
    assert 40_000 <= len(facts) <= 80_000


def test_cinema_is_at_most_a_fifth(
    facts: list[Fact], values: dict[str, dict[str, list[str]]]
) -> None:
    """Facts of films, of film work, and of people of whom only film work is known."""
    films = set(of_type(values, "film"))
    known_otherwise = {
        f.entity for f in facts if f.source not in ("bokeh-wikidata", "great-tables-films")
    }
    cinema = [
        f
        for f in facts
        if f.entity in films
        or f.entity not in known_otherwise
        or f.relation in ("appeared in", "directed")
    ]
    assert len(cinema) <= len(facts) / 5


def test_every_border_is_symmetric(values: dict[str, dict[str, list[str]]]) -> None:
    one_sided = [
        (entity, other)
        for entity, of in values.items()
        for other in of.get("borders", [])
        if entity not in values.get(other, {}).get("borders", [])
    ]
    assert one_sided == []


def test_every_country_has_its_capital(values: dict[str, dict[str, list[str]]]) -> None:
    countries = of_type(values, "country")
    assert len(countries) >= 190
    for country in countries:
        capitals = values[country].get("capital", [])
        if country in SEVERAL_CAPITALS:
            assert set(capitals) == SEVERAL_CAPITALS[country], country
        elif country in NO_CAPITAL:
            assert capitals == [], f"{country} {NO_CAPITAL[country]}"
        else:
            assert len(capitals) == 1, f"{country}: {capitals}"
        if country in ONE_OF_TWO_SEATS:
            assert capitals == [ONE_OF_TWO_SEATS[country]], country
    listed = SEVERAL_CAPITALS.keys() | NO_CAPITAL.keys() | ONE_OF_TWO_SEATS.keys()
    assert listed <= set(countries)


def test_relations_with_a_counterpart_are_said_from_both_ends(
    values: dict[str, dict[str, list[str]]],
) -> None:
    """Where the other end is an entity of the graph that has the counterpart at all."""
    one_sided = [
        (entity, relation, other)
        for entity, of in values.items()
        for relation, back in INVERSE.items()
        for other in of.get(relation, [])
        if other in values and entity not in values[other].get(back, [])
    ]
    assert one_sided == []


def test_no_value_is_empty_or_damaged(facts: list[Fact]) -> None:
    damaged = re.compile(
        r"[<>{}\[\]|~^=\\`]"  # markup, template, quoting of old typesetters
        r"|&[a-zA-Z#0-9]+;"  # entities of HTML
        r"|https?:|www\."
        r"|Ã.|Â.|â€|ï»¿|\ufffd|\?\?"  # text decoded wrongly
        r"|\s\s|[\x00-\x1f\x7f-\x9f]"
        r"|^(?i:n/a|none|unknown|null|nan|negl)$"
    )
    for fact in facts:
        for text in (fact.entity, fact.value):
            assert text, fact
            assert text == text.strip(), fact
            assert len(text) <= 100, fact
            assert not damaged.search(text), fact
            assert unicodedata.normalize("NFC", text) == text, fact
            assert text[-1].lower() >= "a" or text[-1] in "0123456789.)!?'%+\"’", fact
            assert text.count("(") == text.count(")"), fact


def test_no_value_is_cut_short(facts: list[Fact]) -> None:
    """The patterns that read the sources sometimes stop in the middle of a phrase."""
    dangling = re.compile(r"[,;:(-]$| (of|the|and|or|in|for|an|to|with|by|was|is|that)$")
    titles = re.compile(
        r"(Prime Minister|President|Chief Executive|Caretaker|Minister of|Sr\. Gen\.|Co-prince"
        r"|Taliban Leader|King of) ",
    )
    people = {
        "head of state", "head of government", "director", "cast member", "spouse", "parent of",
        "child of", "sibling", "discovered by",
    }  # fmt: skip
    for fact in facts:
        assert not dangling.search(fact.value) or fact.relation == "local name", fact
        if fact.relation in people:
            assert not titles.match(fact.value), fact
            assert not re.search(r"[a-z]-?[A-Z]{4,}|[A-Z]{4,}-", fact.value), fact


def test_codes_only_where_the_value_is_a_code(facts: list[Fact]) -> None:
    code = re.compile(r"[A-Z]{2,5}\d?|[A-Z]{2}-[A-Z\d]+|Q\d+|[a-z]{2}_[A-Z]{2}|G\d+|0x.*")
    # names of films and of what people made are what they are: "MASH", "THX 1138"
    free = {"appeared in", "directed", "production company"}
    for fact in facts:
        if fact.relation in CODES:
            assert re.fullmatch(CODES[fact.relation], fact.value), fact
        elif fact.relation not in free and fact.value not in NAMES_LIKE_CODES:
            assert not code.fullmatch(fact.value), fact


def test_values_are_unique_for_an_entity_and_relation(facts: list[Fact]) -> None:
    seen = Counter((f.entity, f.relation, fold(f.value)) for f in facts)
    assert [key for key, count in seen.items() if count > 1] == []


def test_no_two_entities_fold_to_one_key(values: dict[str, dict[str, list[str]]]) -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for entity in values:
        names[fold(entity)].add(entity)
    assert [same for same in names.values() if len(same) > 1] == []


def test_a_link_value_that_means_an_entity_is_spelt_like_it(
    facts: list[Fact],
    relations: dict[str, str],
    values: dict[str, dict[str, list[str]]],
) -> None:
    keys = {fold(entity) for entity in values}
    assert [
        f
        for f in facts
        if relations[f.relation] == "link" and fold(f.value) in keys and f.value not in values
    ] == []


def test_every_relation_is_described_and_used(facts: list[Fact], relations: dict[str, str]) -> None:
    assert {fact.relation for fact in facts} == set(relations)
    assert set(relations.values()) == {"link", "literal"}
    assert all(row["description"].strip() for row in read("relations.csv"))
    assert len({fold(name) for name in relations}) == len(relations)
    assert "relations" not in relations, "the reserved relation is not stored"


def test_linked_entities_have_the_type_that_the_relation_asks_for(
    facts: list[Fact],
    relations: dict[str, str],
    values: dict[str, dict[str, list[str]]],
) -> None:
    wrong = [
        (fact.entity, fact.relation, fact.value, types(values[fact.value]))
        for fact in facts
        if fact.relation in TYPES_OF_LINKED
        and fact.value in values
        and not TYPES_OF_LINKED[fact.relation] & types(values[fact.value])
    ]
    assert wrong == []
    assert all(relations[relation] == "link" for relation in TYPES_OF_LINKED)


def test_numbers_dates_and_years_are_never_links(
    facts: list[Fact], relations: dict[str, str]
) -> None:
    """ "2012" is a year before it is a film."""
    months = "January|February|March|April|May|June|July|August|September|October|November|December"
    number = re.compile(rf"[\d.,½/ ]+( BC)?|\d{{1,2}} ({months})( \d{{4}})?")
    assert [f for f in facts if relations[f.relation] == "link" and number.fullmatch(f.value)] == []
    assert [f.entity for f in facts if number.fullmatch(f.entity)] == []


def test_every_entity_has_a_type_and_is_one_thing(
    values: dict[str, dict[str, list[str]]],
) -> None:
    kinds = [
        {"person"},
        {"film"},
        {"anthem"},
        {"chemical element"},
        {"language"},
        {"currency"},
        {"city", "town", "place"},
        {"river", "mountain", "lake"},
        {"battle"},
        {"country", "territory"},
        {"planet"},
    ]
    for entity, of in values.items():
        assert types(of), f"{entity}: nothing says what it is"
        stated = {"instance of", "occupation"} & set(of)
        assert not stated or next(iter(of)) in stated, f"{entity} does not begin with its type"
        assert len(of.get("instance of", ())) <= 2, f"{entity}: {of['instance of']}"
        mixed = [kind for kind in kinds if kind & types(of)]
        assert len(mixed) <= 1, f"{entity} is several things: {types(of)}"
        if not PERSONAL.isdisjoint(of):
            assert "person" not in of.get("instance of", ()), f"{entity} is a person twice"
    for film in of_type(values, "film"):
        assert not {"birth year", "population", "capital of", "occupation"} & set(values[film])
    for person in of_type(values, "person"):
        assert not {"population", "release year", "located in", "country"} & set(values[person])


def test_year_is_stated_where_a_fact_ages(facts: list[Fact]) -> None:
    for fact in facts:
        if fact.year:
            assert re.fullmatch(r"20(2[0-6])", fact.year), fact
        if fact.source == "factbook" and (fact.relation in AGEING or fact.relation == "population"):
            assert fact.year in ("2025", "2026"), fact
        if fact.source == "geonames":  # it does not say of which year a city's population is
            assert not fact.year, fact


def test_years_are_within_their_range(facts: list[Fact]) -> None:
    for fact in facts:
        if fact.relation in YEARS:
            match = re.fullmatch(r"(\d{1,4})( BC)?", fact.value)
            assert match, fact
            year = -int(match[1]) if match[2] else int(match[1])
            low, high = YEARS[fact.relation]
            assert low <= year <= high, fact


def test_lives_have_a_length_that_lives_have(
    values: dict[str, dict[str, list[str]]],
) -> None:
    def year(text: str) -> int:
        digits = int(text.removesuffix(" BC").split()[-1])
        return -digits if text.endswith("BC") else digits

    for entity, of in values.items():
        born = of.get("birth date") or of.get("birth year")
        if born and "death year" in of:
            age = year(of["death year"][0]) - year(born[0])
            assert 1 <= age <= 110, (entity, born, of["death year"])
        assert not ("birth date" in of and "birth year" in of), entity


def test_facts_stand_in_the_stated_order(facts: list[Fact], relations: dict[str, str]) -> None:
    """Entities by folded name, their facts by the order of relations.csv."""
    place = {relation: number for number, relation in enumerate(relations)}
    keys = [(fold(f.entity), f.entity, place[f.relation]) for f in facts]
    assert keys == sorted(keys)


def test_the_first_relations_of_a_country_make_a_paragraph(
    values: dict[str, dict[str, list[str]]],
) -> None:
    first = ["instance of", "region", "capital", "largest city", "population", "area"]
    assert list(values["France"])[:8] == [*first, "official language", "currency"]
    assert list(values["Marie Curie"])[:4] == [
        "occupation",
        "nationality",
        "birth date",
        "birthplace",
    ]
    assert list(values["Danube River"])[:2] == ["instance of", "length"]


def test_every_source_is_in_the_notice(facts: list[Fact]) -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for source in {fact.source for fact in facts}:
        assert f"\n{source}: " in notice, source


def test_readme_states_the_counts(facts: list[Fact]) -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert f"{len(facts):,} facts about {len({f.entity for f in facts}):,} entities" in readme
    for source, count in Counter(fact.source for fact in facts).items():
        assert f"| {source} | {count:,} |" in readme, source


def test_what_the_sources_lack_is_added(values: dict[str, dict[str, list[str]]]) -> None:
    planets = [name for name, own in values.items() if own.get("instance of") == ["planet"]]
    assert len(planets) == 8
    for name in planets:
        assert values[name]["orbits"] == ["Sun"]
        assert {"diameter", "day length", "average temperature"} <= set(values[name]), name
    assert values["Sun"]["instance of"] == ["star"]
    assert values["Jupiter (mythology)"]["mythology"] == ["Roman mythology"]
    assert values["Ludwig van Beethoven"]["birth year"] == ["1770"]


def test_aliases_lead_to_entities_and_are_no_names(
    values: dict[str, dict[str, list[str]]],
) -> None:
    keys = {fold(entity) for entity in values}
    aliases = read("aliases.csv")
    assert len({fold(row["alias"]) for row in aliases}) == len(aliases)
    for row in aliases:
        assert row["entity"] in values, row
        assert fold(row["alias"]) not in keys, row
    known = {row["alias"]: row["entity"] for row in aliases}
    assert known["USA"] == "United States"
    assert known["UK"] == "United Kingdom"
    assert "Holland" not in known  # two provinces of the Netherlands
