"""Names, keys, ids and joined values."""

from __future__ import annotations

import json
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graph.core.edits import (
    Add,
    AddAlias,
    Change,
    Delete,
    Edit,
    Merge,
    RemoveAlias,
    Rename,
    edit_from_json,
    edit_to_json,
)
from graph.core.errors import InvalidText, StoreError
from graph.core.facts import Entity, Fact, join_values
from graph.core.ids import LARGEST_ID, new_id, parse_id
from graph.core.names import clean_name, clean_sources, clean_value, fold, is_number_or_date, quoted


def test_clean_name() -> None:
    assert clean_name("  New \t\n York ") == "New York"
    assert clean_name("e\u0301") == "é"
    assert clean_name("שלום") == "שלום"
    for bad in ("", " ", "a\0", "\u200d", "x" * 513, "\udc80", "a\u202e"):
        with pytest.raises(ValueError, match=r"^The name .*\.$"):
            clean_name(bad)
    with pytest.raises(InvalidText, match="1,000,000 characters; at most 4,096"):
        clean_value("x" * 1_000_000)
    with pytest.raises(InvalidText, match="is not text"):
        clean_name(7)  # type: ignore[arg-type]


INVISIBLE = st.text(
    st.sampled_from("ae日ا \u200b\u200c\u200d\u3000\u0301\ufe0f\U0001f680"), max_size=12
)


@given(st.one_of(st.text(max_size=100), INVISIBLE))
@example("ا\u200d\u200d")
@example("ا\u200d\u200b")
@example("ا\u200d\u3000b")
@example("e\u200b\u0301")
def test_cleaning_twice_changes_nothing(text: str) -> None:
    try:
        once = clean_name(text)
    except ValueError:
        return
    assert clean_name(once) == once
    assert fold(once)


@given(st.text(st.sampled_from("ab;  \n\u200b\u0301"), max_size=12))
@example(";\n1")
@example(";\u200b a")
def test_cleaning_sources_twice_changes_nothing(text: str) -> None:
    try:
        once = clean_sources(text)
    except ValueError:
        return
    assert clean_sources(once) == once


def test_fold() -> None:
    assert fold("New_York  CITY") == fold("new york city") == "new york city"
    assert fold("Straße") == fold("STRASSE")
    assert fold("ﬁlm") == "film"
    assert fold("Ｔｏｋｙｏ") == "tokyo"
    assert fold("São") != fold("Sao")
    assert fold("___") == "___"


@given(st.text(max_size=50))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_join_values() -> None:
    assert join_values([]).text == ""
    assert join_values(["A"]).text == "A"
    assert join_values(list("ABCDE")).text == "A; B; C; D; E"
    assert join_values(list("ABCDEF")).text == "A; B; C; D; E; and 1 more"
    assert join_values(list("ABCDEFGH")).text == "A; B; C; D; E; and 3 more"


@given(st.lists(st.text(min_size=1, max_size=10), max_size=9))
def test_spans_are_where_the_values_are(values: list[str]) -> None:
    joined = join_values(values)
    assert [joined.text[begin:end] for begin, end in joined.spans] == values[:5]


@pytest.mark.parametrize(
    "value",
    [
        "2012",
        "-5",
        "3,000.5",
        "68 400 000",
        "12:30",
        "1867-11-07",
        "7 November 1867",
        "November 1867",
        "July 4, 1776",
        "50%",
        "1964–1968",
        "14 July",
        "44 BC",
        "3rd May 1950",
        "8/1/2020",
    ],
)
def test_numbers_and_dates(value: str) -> None:
    assert is_number_or_date(value)


@pytest.mark.parametrize("value", ["Paris", "12 Monkeys", "May", "U2", "1984 (novel)", "68 km", ""])
def test_what_is_neither(value: str) -> None:
    assert not is_number_or_date(value)


def test_ids_are_unique_and_ordered_across_threads() -> None:
    found: list[list[int]] = [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda own=own: own.extend(new_id() for _ in range(5000)))  # type: ignore[misc]
        for own in found
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(own == sorted(own) for own in found)
    everything = [number for own in found for number in own]
    assert len(set(everything)) == 20_000
    assert 0 < min(everything) < max(everything) <= LARGEST_ID


def test_parse_id() -> None:
    assert parse_id("7") == parse_id(7) == 7
    assert parse_id(str(LARGEST_ID)) == LARGEST_ID
    for made_up in ("", "0", "-1", "1.5", "x", "٣", "9" * 19, "1" * 5000, None, "<b>", "7 "):
        with pytest.raises(StoreError, match="is not an id"):
            parse_id(made_up)


def test_shown_is_short_and_harmless() -> None:
    assert quoted("Paris") == "“Paris”"
    assert quoted("a\x1b[31m\n") == "“a\\u001b[31m\\u000a”"
    assert len(quoted("x" * 10**6)) < 70


def test_json_has_ids_as_text() -> None:
    fact = Fact(new_id(), 2, "France", "capital", "Paris", 3, "atlas", 2024, 5)
    data = json.loads(json.dumps(fact.to_json()))
    assert data["id"] == str(fact.id)
    assert (data["entity_id"], data["value_id"]) == ("2", "3")
    assert Fact.from_json(data) == fact
    literal = Fact(1, 2, "France", "motto", "Liberté")
    assert Fact.from_json(literal.to_json()) == literal
    entity = Entity(7, "France", ("Hexagon",))
    assert Entity.from_json(json.loads(json.dumps(entity.to_json()))) == entity


EDITS: list[Edit] = [
    Add("a", "b", "c", "d", 1, True),
    Change(1, "x"),
    Delete(2),
    Rename(3, "y"),
    Merge(4, 5),
    AddAlias(6, "z"),
    RemoveAlias(7, "z"),
]


@pytest.mark.parametrize("edit", EDITS)
def test_edits_go_through_json(edit: Edit) -> None:
    assert edit_from_json(json.loads(json.dumps(edit_to_json(edit)))) == edit


@pytest.mark.parametrize(
    "data", [{}, {"kind": "drop"}, {"kind": "delete"}, {"kind": "delete", "fact_id": "x"}]
)
def test_made_up_edits_are_refused(data: dict[str, str]) -> None:
    with pytest.raises(StoreError, match=r"\.$"):
        edit_from_json(data)
