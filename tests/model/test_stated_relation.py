"""Sentences that speak of another relation than the one that was looked up."""

from __future__ import annotations

import pytest

from model.grounding import ground
from tests.model.frozen_texts import frozen_texts
from tests.model.model_fakes import trace_of


def says(document: str) -> list[str]:
    """What the sentences say instead of what was asked."""
    return [each.says for each in ground(trace_of("Tell me about X.", document)).other_relations]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("X is a thing with an area of[X|weight|3 kg] 3 kg.", ["area"]),
        ("[X|weight|3 kg] X has a weight of 3 kg.", []),
        ("[X|weight|3 kg] X weighs 3 kg.", []),
        ("[X|weight|3 kg] X has 3 kg.", []),
        ("[X|voting district|B4] The voting age of X is B4.", ["voting age"]),
        ("[X|memberSince|1942] X is a member of 1942.", ["member of"]),
        ("[X|member_since|1942] X is a member since 1942.", []),
        ("[X|written in|Rust] X's screenwriter is Rust.", ["screenwriter"]),
        ("[X|displacement|9 tonnes] X replacement 9 tonnes.", ["replacement"]),
        ("[X|gate code|B4] X is in B4.", ["location"]),
        ("[X|home port|Ulm] X is in Ulm.", []),
        ("[X|opened|1999] X is in 1999.", []),
        # a shorter name of the same thing, another form of a word, a synonym
        ("[X|length of stay|a week] X has a length of a week.", []),
        ("[X|language used|Rust] The language of X is Rust.", []),
        ("[X|release date|3 May 1999] The release of X was on 3 May 1999.", []),
        ("[X|supplier|Belmora] X is supplied by Belmora.", []),
        ("[X|named for|Ada] X was named after Ada.", []),
        ("[X|named by|Ada] X was named after Ada.", ["named after"]),
        ("[X|price|3 euros] X costs 3 euros.", []),
        # nothing is said about any relation
        ("[X|weight|3 kg] There is one: 3 kg.", []),
        ("[X|weight|3 kg] For X, the graph gives 3 kg.", []),
        # each end in its place
        ("[X|Capital Of|Mexico] Mexico is the capital of X.", ["capital"]),
        ("[X|Capital Of|Mexico] The capital of X is Mexico.", ["capital"]),
        ("[X|Capital Of|Mexico] X is the capital of Mexico.", []),
        ("[X|Capital Of|Mexico] The capital of Mexico is X.", []),
        ("[X|capital|Ulm] X is the capital of Ulm.", ["capital of"]),
        ("[X|capital|Ulm] Ulm is the capital of X.", []),
        ("[X|capital|Ulm] Its capital is Ulm.", []),
        ("[X|spouse|Y] Y is the spouse of X.", []),
        ("[X|child of|Y] The child of X is Y.", ["parent of"]),
        # a chain: the sentence is about another entity than the lookup
        ("[X|born in|Warsaw][Warsaw|country|Poland] X was born in Poland.", []),
        # several values and several lookups in one sentence
        ("[X|borders|Y; Z] X borders on Y and Z.", []),
        ("[X|capital|Ulm][X|largest city|Ulm] The capital and largest city of X is Ulm.", []),
        ("X is a[X|type|ship] ship with an elevation of[X|weight|3 kg] 3 kg.", ["elevation"]),
        ("[X|weight|서울] X is 서울은.", []),
    ],
)
def test_what_a_sentence_says(document: str, expected: list[str]) -> None:
    assert says(document) == expected


def test_the_verdict_on_the_lookup_is_of_its_own_kind() -> None:
    found = ground(
        trace_of("X", "[X|weight|3 kg] The area of X is 3 kg. [X|price|3] Its price is 3.")
    )
    assert found.by_lookup == ("other relation", "faithful")
    assert len(found.marks) == 2


@pytest.mark.parametrize("half", ["tune", "report"])
def test_false_sentences_of_frozen_texts_are_found(half: str) -> None:
    """Precision and recall are at least .9; garbled sentences do not count."""
    found = right = false = 0
    for text in frozen_texts("other_relations"):
        if not text.group.startswith(half):
            continue
        flagged = {each.lookup for each in ground(text.trace).other_relations}
        for (lookup, _), label in text.labels.items():
            if label is None or label == "unclear":
                continue
            is_false = label.startswith("other: ")
            false += is_false
            found += lookup in flagged
            right += is_false and lookup in flagged
    assert false >= 48
    assert right / found >= 0.9
    assert right / false >= 0.9


def test_sentences_about_the_shipped_world_are_not_flagged() -> None:
    texts = [text for text in frozen_texts("marks") if text.group == "world"]
    assert len(texts) > 200
    assert [text.trace.text for text in texts if ground(text.trace).other_relations] == []
