"""Annotated text: nothing is lost between its forms, and what is broken is reported."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from training.annotation.annotated_text import (
    Annotated,
    Placed,
    parse,
    write_brackets,
    write_markers,
)
from training.errors import CorpusError

ONE = Placed(7, "Ada Lovelace", "Birth Date", "10 December 1815")


def test_both_forms_say_the_same():
    bracket = (
        "Ada was born [dblookup('Ada Lovelace', 'Birth Date') -> 10 December 1815] 10 December "
        "1815 in [dblookup('Ada Lovelace', 'Birth Place') -> London] London."
    )
    document = parse(bracket)
    assert document.text == "Ada was born 10 December 1815 in London."
    assert [text_after(document, i, 6) for i in (0, 1)] == ["10 Dec", "London"]
    assert write_brackets(document) == bracket
    reference = write_markers(document, "reference")
    assert reference == (
        "Ada was born <|db_entity|> Ada Lovelace<|db_relationship|> Birth Date<|db_return|> "
        "10 December 1815<|db_end|> 10 December 1815 in <|db_entity|> Ada Lovelace"
        "<|db_relationship|> Birth Place<|db_return|> London<|db_end|> London."
    )
    ours = write_markers(document)
    assert "born<|db_entity|> Ada" in ours
    assert "<|db_end|> London." in ours
    assert parse(reference) == parse(ours) == document


def text_after(document: Annotated, index: int, length: int) -> str:
    start = document.lookups[index].position
    return document.text[start : start + length]


@pytest.mark.parametrize(
    ("written", "slots"),
    [
        (r"[dblookup('Domino\'s Pizza', 'Founder') -> Tom]", ("Domino's Pizza", "Founder", "Tom")),
        ("[dblookup('President's House', 'City') -> Ulm]", ("President's House", "City", "Ulm")),
        (r"[dblookup('A', 'Inhabitants\' Name') -> b]", ("A", "Inhabitants' Name", "b")),
        ("[dblookup('Paris, Texas', 'Cast') -> A, B]", ("Paris, Texas", "Cast", "A, B")),
        ("[dblookup('A', 'r') -> x [y] z]", ("A", "r", "x [y] z")),
        (r"[dblookup('A', 'r') -> x \] z]", ("A", "r", "x ] z")),
        ('[dblookup("A", "r") -> "q"]', ("A", "r", '"q"')),
        ("[dblookup('A', 'r') -> O\\'Neal]", ("A", "r", "O'Neal")),
        (
            "<|db_entity|>A<|db_relationship|> r <|db_return|>v]'s<|db_end|>",
            ("A", "r", "v]'s"),
        ),
    ],
)
def test_quotes_brackets_and_commas_survive(written, slots):
    document = parse(f"It is {written} so.")
    assert document.problems == ()
    (found,) = document.lookups
    assert (found.entity, found.relation, found.value) == slots
    assert document.text == "It is so."
    assert parse(write_brackets(document)) == document
    assert parse(write_markers(document)) == document


def test_a_bracket_left_open_in_a_value_is_told_and_takes_no_text_with_it():
    document = parse("A [dblookup('A', 'r') -> x [y] z. B [dblookup('B', 'r') -> w] w.")
    assert [found.value for found in document.lookups] == ["w"]
    assert [problem.offset for problem in document.problems] == [2]
    assert "unbalanced bracket" in document.problems[0].reason
    assert document.text == "A z. B w."


@pytest.mark.parametrize(
    ("broken", "reason", "text"),
    [
        ("[dblookup(A, 'r') -> v]", "not quoted", "a b"),
        ("[dblookup('A') -> v]", "no relation", "a b"),
        ("[dblookup('A', 'r')]", "no value", "a b"),
        ("[dblookup('A', 'r') -> ]", "value is empty", "a b"),
        ("[dblookup('A', 'r') -> v", "never closes", "a"),
        ("<|db_entity|> A<|db_return|> v<|db_end|>", "out of order", "a b"),
        (
            "<|db_entity|> A<|db_relationship|> <|db_return|> v<|db_end|>",
            "relation is empty",
            "a b",
        ),
        ("<|db_end|>", "outside a lookup", "a b"),
    ],
)
def test_what_is_broken_is_told_with_its_place(broken, reason, text):
    document = parse(f"a {broken} b")
    assert document.text == text
    assert document.lookups == ()
    (problem,) = document.problems
    assert problem.offset == 2
    assert reason in str(problem)
    assert broken[:20] in str(problem)


def test_a_lookup_inside_a_lookup_is_told_and_the_inner_one_kept():
    inner = "<|db_entity|> B<|db_relationship|> r<|db_return|> w<|db_end|>"
    document = parse(f"a<|db_entity|> A<|db_relationship|> {inner} w")
    assert len(document.problems) >= 1
    assert [found.entity for found in document.lookups] == ["B"]


def test_text_with_a_marker_in_it_is_refused():
    with pytest.raises(CorpusError, match=r"holds the marker <\|db_end\|>"):
        write_markers(Annotated("a <|db_end|> b"))


CHARACTERS = "ab ([\"'\\],.-\n;日é"
SLOTS = st.text("ab [\"'\\],.日", min_size=1, max_size=6).map(str.strip).filter(bool)


@st.composite
def documents(draw) -> Annotated:
    text = draw(st.text(CHARACTERS, max_size=20))
    starts = [i for i in range(len(text) + 1) if not text.startswith(" ", i)]
    places = sorted(draw(st.lists(st.sampled_from(starts), max_size=4)))
    return Annotated(text, tuple(Placed(p, *(draw(SLOTS) for _ in range(3))) for p in places))


@given(documents(), st.sampled_from(["brackets", "lamplight", "reference"]))
@example(Annotated(";", (Placed(0, "',", "[", "["),)), "brackets")
@settings(max_examples=300, deadline=None)
def test_text_to_annotated_to_text(document, form):
    written = write_brackets(document) if form == "brackets" else write_markers(document, form)
    again = parse(written)
    assert again.problems == ()
    assert again == document
