"""A prompt that describes a thing by another asks for two relations in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from graph.core.edits import Add
from graph.core.names import plain
from graph.lookup.relation_paths import MOST_STEPS, RelationPath, best_path, steps_from
from graph.lookup.retriever import Retriever
from tests.graph.helpers import id_of

FACTS = [
    ("Marzipan", "ip", "10.4.0.11"),
    ("Mail", "host", "Marzipan"),
    ("Mail", "owner", "Tarrant"),  # a literal, because nothing is called so yet
    ("Mail", "port", "993"),
    ("Mail", "admin", "Obi"),
    ("Mail", "admin", "Sanne"),
    ("Marzipan", "serves", "Mail"),
    ("Tarrant", "desk", "14"),
    ("Tarrant", "looks after", "Mail"),
    ("Obi", "phone", "4402"),
    ("Sanne", "phone", "4403"),
    ("Rack 2", "holds", "Marzipan"),
    ("Rack 2", "units free", "11"),
]
PROMPT = "What is the ip of the host Mail runs on?"


class Words:
    """An encoder for which texts are as alike as the words they share."""

    def encode(self, texts: Sequence[str]) -> Any:
        vectors = np.zeros((len(texts), 997), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in plain(text).replace("?", " ").split():
                row[sum(map(ord, word)) % 997] = 1 if len(word) > 3 or word == "ip" else 0.1
            row /= np.linalg.norm(row)
        return vectors


@pytest.fixture
def filled(store: Any) -> Any:
    store.apply([Add(*fact) for fact in FACTS], author="Ada")
    return store


def found_steps(store: Any, name: str, *relations: str) -> set[tuple[str, str, tuple[str, ...]]]:
    entity = store.entity(id_of(store, name))
    steps = steps_from(store, store.revision(), entity, relations)
    return {(step.relation, step.following, step.values) for step in steps}


def test_steps_lead_to_one_thing_and_not_back(filled: Any) -> None:
    steps = found_steps(filled, "Mail", "host", "owner", "port", "admin", "serves of")
    assert steps == {
        ("host", "ip", ("10.4.0.11",)),
        ("owner", "desk", ("14",)),
        ("serves of", "ip", ("10.4.0.11",)),
    }
    back = found_steps(filled, "Marzipan", "holds of", "host of", "serves")
    assert ("holds of", "units free", ("11",)) in back
    assert ("host of", "port", ("993",)) in back  # the service that runs on it
    assert not any(following == "holds" for _, following, _ in back)


def path(store: Any, prompt: str, asked: str = "What is the ip of") -> RelationPath | None:
    return Retriever(store, encoder=Words()).path("Mail", prompt, asked)


def test_the_path_that_fits_better_than_one_relation(filled: Any) -> None:
    found = path(filled, PROMPT)
    assert found is not None
    assert (found.relation, found.following) == ("host", "ip")
    assert path(filled, "What is the port of Mail?", "What is the port of") is None
    assert path(filled, "What is the ip of Mail?") is None  # it is asked of the name itself
    assert path(filled, "What colour is the sky over Mail?", "What colour is") is None


def test_a_text_without_an_encoder_or_an_entity_has_none(filled: Any) -> None:
    assert Retriever(filled, embeddings=False).path("Mail", PROMPT, "What is the ip of") is None
    assert Retriever(filled, encoder=Words()).path("Nobody", PROMPT, "What is") is None
    assert best_path(PROMPT, ["Mail"], "What is the ip of", [], Words(), 0.0) is None


def test_of_a_hub_the_likeliest_relations_are_read(filled: Any) -> None:
    filled.apply(
        [
            Add(*fact)
            for number in range(MOST_STEPS)
            for fact in (("Mail", f"a{number}", f"T{number}"), (f"T{number}", "size", "1"))
        ],
        author="Ada",
    )
    found = path(filled, PROMPT)
    assert found is not None
    assert (found.relation, found.following) == ("host", "ip")
