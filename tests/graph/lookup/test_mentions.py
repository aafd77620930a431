"""The entities that a prompt mentions, however it names them, on every kind of store."""

from __future__ import annotations

from typing import Any

import pytest

from graph.core.edits import Add, AddAlias, Change
from graph.lookup.mentions import find_mentions, short_form, unknown_names
from graph.lookup.retriever import Retriever
from tests.graph.helpers import fact_of, id_of

WORLD = [
    Add("Albert Einstein", "birthplace", "Ulm", value_is_link=True),
    Add("Nile River", "length", "6,650 km"),
    Add("Mount Kilimanjaro", "elevation", "5,895 m"),
    Add("Napoleon I", "occupation", "emperor"),
    Add("Marie Curie", "occupation", "physicist"),
    Add("Marie Curie", "field", "chemistry"),
    Add("Pierre Curie", "occupation", "physicist"),
    Add("South Korea", "currency", "won"),
    Add("Korea", "instance of", "peninsula"),
    Add("Czech Republic", "currency", "koruna"),
    Add("Kuwait City", "country", "elsewhere"),
    Add("Kenya", "demonym", "Kenyan"),
    Add("Netherlands", "demonym", "Dutch"),
    Add("Georgia (country)", "currency", "lari"),
    Add("Long Beach", "country", "United States"),
    Add("iron", "symbol", "Fe"),
    Add("capital", "instance of", "concept"),
    Add("Up", "director", "Pete Docter"),
]


@pytest.mark.parametrize(
    ("prompt", "text", "entity", "by"),
    [
        ("What is FRANCE's capital?", "FRANCE", "France", "name"),
        ("the capital of france", "france", "France", "name"),
        ("who borders the hexagon", "hexagon", "France", "alias"),
        ("How long is the Nile?", "Nile", "Nile River", "short"),
        ("how high is kilimanjaro", "kilimanjaro", "Mount Kilimanjaro", "short"),
        ("Was Einstein married?", "Einstein", "Albert Einstein", "short"),
        ("Tell me about Napoleon.", "Napoleon", "Napoleon I", "short"),
        ("What do Kenyans speak?", "Kenyans", "Kenya", "demonym"),
        ("the dutch capital", "dutch", "Netherlands", "demonym"),
        ("Currency of Georgia?", "Georgia", "Georgia (country)", "qualifier"),
        ("currency of South Korea", "South Korea", "South Korea", "name"),
        ("captial of farnce", "farnce", "France", "spelling"),
        ("symbol iron", "iron", "iron", "name"),
        ("Who directed Up?", "Up", "Up", "name"),
    ],
)
def test_a_name_as_people_write_it(
    store: Any, prompt: str, text: str, entity: str, by: str
) -> None:
    store.apply([*WORLD, AddAlias(id_of(store, "France"), "Hexagon")], author="Ada")
    (mention,) = find_mentions(store, prompt)
    assert (mention.text, mention.entities[0].name, mention.by) == (text, entity, by)
    assert prompt[mention.start : mention.end] == text


@pytest.mark.parametrize(
    "prompt",
    ["How long is it?", "What's up?", "Tell me about Atlantis.", "2+2", "", "Marie", "Kuwait"],
)
def test_no_name_is_made_up(store: Any, prompt: str) -> None:
    store.apply(WORLD, author="Ada")
    assert find_mentions(store, prompt) == []


@pytest.mark.parametrize(
    ("prompt", "texts", "unknown"),
    [
        ("Where was Frida Kahlo born?", [], ["Frida Kahlo"]),
        ("Who is Guido van Napoleon Rossum?", [], ["Guido van Napoleon Rossum"]),
        ("Was Frida Kahlo in France?", ["France"], ["Frida Kahlo"]),
        ("Is Napoleon Kahlo Dutch?", ["Dutch"], ["Napoleon Kahlo"]),
        ("Where did Marie Curie Sklodowska live?", ["Marie Curie"], []),
        ("Is Emperor Napoleon Dutch?", ["Emperor Napoleon", "Dutch"], []),
        ("Is Marie Curíe Dutch?", ["Marie Curíe", "Dutch"], []),
        ("Captial France?", ["France"], []),
        ("When was Van Gogh born?", ["Van Gogh"], []),
        ("Who is St. Napoleon?", ["Napoleon"], []),
        ("THE CURRENCY OF FRANCE PLZ", ["FRANCE"], []),
        ("Give me Italy's Currency and Area.", ["Italy"], []),
    ],
)
def test_a_part_of_somebody_elses_name_is_not_meant(
    store: Any, prompt: str, texts: list[str], unknown: list[str]
) -> None:
    others = [Add("Curíe", "instance of", "unit"), Add("Frida", "director", "Julie Taymor")]
    others += [Add("Van", "instance of", "city"), Add("Vincent van Gogh", "birth year", "1853")]
    store.apply([*WORLD, *others], author="Ada")
    found = find_mentions(store, prompt)
    assert [mention.text for mention in found if mention.by != "literal"] == texts
    assert unknown_names(store, prompt, found) == unknown


def test_of_several_of_a_name_the_one_asked_for_is_meant(store: Any) -> None:
    more = [
        Add("Jupiter", "diameter", "142,984 km"),
        Add("Jupiter (god)", "father", "Saturn"),
        Add("Lincoln", "population", "291,000"),
        Add("Lincoln (film)", "director", "Steven Spielberg"),
        Add("Abraham Lincoln", "birth year", "1809"),
    ]
    store.apply(more, author="Ada")
    for prompt, name, meant in (
        ("What is Jupiter's diameter?", "Jupiter", "Jupiter"),
        ("Who was the father of Jupiter?", "Jupiter", "Jupiter (god)"),
        ("Tell me about Jupiter.", "Jupiter", "Jupiter"),
        ("What is the population of Lincoln?", "Lincoln", "Lincoln"),
        ("Who was the director of Lincoln?", "Lincoln", "Lincoln (film)"),
        ("In which year of birth was Lincoln born?", "Lincoln", "Abraham Lincoln"),
        ("Who was the director of Jupiter?", "Jupiter", "Jupiter"),
    ):
        listed = Retriever(store, embeddings=False).lookup(name, "relations", prompt)
        assert listed.resolved_entity == meant, prompt
        assert listed.how == ("exact" if name == meant else "alias")
        others = {other.entity for other in listed.runners_up}
        assert (meant == name) or name in others


def test_a_language_is_also_what_a_people_is_called(store: Any) -> None:
    more = [Add("Kenyan", "official language of", "Kenya"), Add("Kenya", "capital", "Nairobi")]
    store.apply([*WORLD, *more], author="Ada")
    retriever = Retriever(store, embeddings=False)
    for prompt, meant, by in (
        ("What is the Kenyan capital?", "Kenya", "demonym"),
        ("What has Kenyan as its official language?", "Kenyan", "name"),
        ("Tell me about Kenyan.", "Kenyan", "name"),
    ):
        listed = retriever.lookup("Kenyan", "relations", prompt)
        assert (listed.resolved_entity, listed.entity_by) == (meant, by), prompt
    assert retriever.lookup("Kenyan", "capital").resolved_entity == "Kenyan"  # only in a context


@pytest.mark.parametrize(
    ("prompt", "meant"),
    [
        ("What is the IP of web-03?", {"web-03": "Server web-03"}),
        ("how much RAM does db-01 have", {"db-01": "Server db-01"}),
        ("Does Heron depend on Otter?", {"Heron": "Project Heron", "Otter": "Project Otter"}),
        ("What is the deadline of Gamma?", {}),  # two projects end in it
        ("What is the RAM of web-04?", {}),
        ("What is the height of Tall?", {}),  # no other name begins with "Rather"
    ],
)
def test_what_a_thing_is_may_be_left_out_of_its_name(
    store: Any, prompt: str, meant: dict[str, str]
) -> None:
    names = ["Server web-03", "Server db-01", "Project Heron", "Project Otter", "Rather Tall"]
    names += ["Project Alpha Gamma", "Project Beta Gamma"]
    store.apply([Add(name, "status", "fine") for name in names], author="Ada")
    found = find_mentions(store, prompt)
    assert {m.text: m.entities[0].name for m in found} == meant
    for text, name in meant.items():
        listed = Retriever(store, embeddings=False).lookup(text, "relations", prompt)
        assert (listed.resolved_entity, listed.entity_by) == (name, "short")


@pytest.mark.parametrize(
    ("prompt", "meant"),
    [
        ("When is Priya's birthday?", {"Priya": "Priya Raman"}),
        ("when is priya's birthday", {"priya": "Priya Raman"}),
        ("What does Rose do?", {"Rose": "Rose Ode"}),
        ("How old is Nora?", {}),  # there are two
        ("how old a rose is", {}),
        ("How many pupils are in 4B?", {"4B": "Class 4B"}),
        ("what is the room of 5a", {"5a": "Class 5A"}),
        ("Who directed Godzilla?", {}),  # a film of a longer name is another film
        ("When was Marie born?", {}),  # nobody's colleague
        ("What is 17?", {}),
    ],
)
def test_a_first_name_or_a_code_stands_for_the_only_one_of_it(
    store: Any, prompt: str, meant: dict[str, str]
) -> None:
    people = ["Priya Raman", "Rose Ode", "Nora Ade", "Nora Bo"]
    things = ["Class 4B", "Class 5A", "Godzilla Minus One", "Room 17"]
    store.apply([Add(name, "reports_to", "Ann") for name in people], author="Ada")
    store.apply([Add("Marie Curie", "occupation", "physicist")], author="Ada")
    store.apply([Add(name, "state", "fine") for name in things], author="Ada")
    assert {m.text: m.entities[0].name for m in find_mentions(store, prompt)} == meant
    for text, name in meant.items():
        listed = Retriever(store, embeddings=False).lookup(text, "relations", prompt)
        assert (listed.resolved_entity, listed.entity_by) == (name, "short")


def test_a_literal_within_a_longer_name_is_not_meant(store: Any) -> None:
    store.apply([Add("Ada Osei", "role", "Star"), Add("sodium", "symbol", "Na")], author="Ada")
    assert [m.text for m in find_mentions(store, "Who is a Star?")] == ["Star"]
    assert find_mentions(store, "Who directed Star Wars?") == []
    assert [m.text for m in find_mentions(store, "What has the symbol Na?")] == ["Na"]


def test_several_names_and_names_within_names(store: Any) -> None:
    store.apply(WORLD, author="Ada")
    found = find_mentions(store, "Does South Korea border France, and Spain?\nOr Italy?")
    assert [mention.text for mention in found] == ["South Korea", "France", "Spain", "Italy"]
    assert [[e.name for e in inner.entities] for inner in found[0].inner] == [["Korea"]]
    (curie,) = find_mentions(store, "Who was Curie?")
    assert [entity.name for entity in curie.entities] == ["Marie Curie", "Pierre Curie"]


def test_a_very_long_prompt_is_read_at_its_end(store: Any) -> None:
    prompt = "Spain " * 2000 + "and " * 100 + "Italy?"
    assert [mention.text for mention in find_mentions(store, prompt)] == ["Italy"]


def test_a_demonym_is_a_fact_like_any(store: Any) -> None:
    store.apply(WORLD, author="Ada")
    at = store.revision()
    store.apply([Change(fact_of(store, "Kenya", "demonym").id, "Wakenya")], author="Ada")
    assert find_mentions(store, "Kenyans") == []
    assert find_mentions(store, "Kenyans", at)[0].entities[0].name == "Kenya"


def test_a_list_is_asked_for_by_a_short_form_or_demonym(store: Any) -> None:
    store.apply(WORLD, author="Ada")
    retriever = Retriever(store, embeddings=False)
    for asked, name, by in (
        ("Einstein", "Albert Einstein", "short"),
        ("the Nile", "Nile River", "short"),
        ("Kenyans", "Kenya", "demonym"),
        ("dutch", "Netherlands", "demonym"),
    ):
        lookup = retriever.lookup(asked, "relations", f"What of {asked}?")
        assert (lookup.resolved_entity, lookup.how, lookup.entity_by) == (name, "alias", by)
        assert lookup.value.startswith(f"{name}: ")
        assert retriever.lookup(asked, "relations").is_miss  # no list is ranked
    curie = retriever.lookup("Curie", "relations", "Who was Curie?")
    assert [other.entity for other in curie.runners_up] == ["Pierre Curie"]
    assert [entity.name for entity in short_form(store, "Korea")] == []
