"""A guided text holds words that there are, and writes a value to its end."""

from __future__ import annotations

import pytest

from graph.lookup.english import begins_english
from model.guided.word_check import WordCheck, begun_value

CHECK = WordCheck(
    [
        "Who teaches Hana Sato?",
        "Mr Bellamy",
        "targetAudience",
        "lizardfolk",
        "planted_yr",
        "KX61 OBD",
    ]
)


@pytest.mark.parametrize(
    ("text", "piece", "in_value", "breaks"),
    [
        (" The teacher is Mr", "elephone", True, True),
        (" The teacher is Mr", " Bell", True, False),
        (" Moira Kell k", "ept", False, False),
        (" Moira Kell", " kar", False, False),  # a word of English may begin so
        (" Moira Kell kart", "ed", False, True),
        (" Moira Kell start", "ed", False, False),
        (" She is runn", "ing", False, False),
        (" It has two countr", "ies", False, False),
        (" It is lizard", "folk", False, False),  # of a lookup
        (" It is lizard", "ally", False, True),
        (" The gr", " of it", False, True),  # a word ends
        (" The target", " audience", False, False),
        (" The target", "Audience", False, False),
        (" It lies in Ober", "ammergau", False, False),  # a name is the model's own
        (" It has 12", " rooms", False, False),
        (" its set yr", "97", False, True),
        (" its set yr", " 97", False, False),
        (" The reg is KX", "61", False, False),
        (" The reg is KX", "6", False, False),
        (" The reg is KX", "62", False, True),
        (" The reg is KX6", "1", False, False),
        (" The reg is KX", "6.", False, True),
        (" in the 198", "0s", False, False),
        (" It is", "", False, False),
        ("", " The", False, False),
    ],
)
def test_a_token_may_not_make_a_word_that_there_is_not(
    text: str, piece: str, in_value: bool, breaks: bool
) -> None:
    assert CHECK.breaks(text, piece, in_value=in_value) is breaks


def test_the_longest_value_that_was_begun_counts() -> None:
    values = [(5, 6, 7), (6, 8)]
    assert begun_value([1, 5, 6], values) == (0, 2)
    assert begun_value([1, 6], values) == (1, 1)
    assert begun_value([5, 6, 7], values) is None  # it is written
    assert begun_value([], values) is None


def test_beginnings_of_english_words() -> None:
    for letters in ("cannot", "becam", "carrie", "stopp", "coloure", "bigge"):
        assert begins_english(letters), letters
    for letters in ("kart", "teyh", "elephone", "bigac"):
        assert not begins_english(letters), letters
