"""Sentences call a relation by its name, and not by a word that the model likes better."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.core.edits import Add
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model.checkpoint import Checkpoint
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent
from model.roles import END, ENTITY, RELATIONSHIP, RETURN
from model.settings import DecodingSettings
from tests.model.model_fakes import scripted, tokenizer

PROMPT = "Where is Cart 2?"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    with open_store(f"sqlite:///{tmp_path}/test.db", create=True) as opened:
        facts = [
            ("Cart 2", "roomLocation", "Bay B"),
            ("Cart 2", "large city", "Ulm"),
            ("Cart 2", "large city", "Bonn"),
        ]
        opened.apply([Add(*fact) for fact in facts], author="test")
        yield opened


def wishing(relation: str, *wishes: str) -> Checkpoint:
    """A model that looks a relation up, and then goes on with the first wish that still fits."""
    encode = tokenizer().encode
    query = f"{ENTITY} Cart 2{RELATIONSHIP} {relation}{RETURN}"
    asked = encode(f"<|begin|>{PROMPT}\n{query}", add_special_tokens=False)
    end = encode(END, add_special_tokens=False)[0]

    def next_id(ids: list[int]) -> int:
        if end not in ids:
            return asked[len(ids)] if len(ids) < len(asked) else 0
        said = ids[ids.index(end) + 1 :]
        for wish in wishes:
            planned = encode(wish, add_special_tokens=False)
            if planned[: len(said)] == said and len(planned) > len(said):
                return int(planned[len(said)])
        return int(tokenizer().eos_token_id)

    return scripted(next_id)


@pytest.mark.parametrize(
    ("relation", "wishes", "stated"),
    [
        (
            "roomLocation",
            (" The room language is French.", " The room location of Cart 2 is Bay B."),
            " The room location of Cart 2 is Bay B.",
        ),
        ("roomLocation", (" It is in a room of its own.",), " It is in a room of its own."),
        ("roomLocation", (" It is the route of a cart.",), " It is the route of a cart."),
        ("large city", (" Its large cities are two.",), " Its large cities are two."),
    ],
)
def test_a_name_that_was_begun_is_written_to_its_end(
    store: Any, relation: str, wishes: tuple[str, ...], stated: str
) -> None:
    for guided in (True, False):
        checkpoint = wishing(relation, *wishes)
        settings = DecodingSettings(guided=guided)
        *_, last = Decoder(checkpoint).generate(PROMPT, Retriever(store), settings)
        assert isinstance(last, DoneEvent)
        assert last.trace.text == (stated if guided else wishes[0]).strip()
        decoder = Decoder(checkpoint, guess=False)
        (batch,) = decoder.generate_batch([PROMPT], [Retriever(store)], settings)
        assert batch.text == last.trace.text
