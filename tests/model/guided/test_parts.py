"""Of a question in two parts, each relation answers its own part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from graph.core.edits import Add
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model.guided.guide import Guides
from tests.model.guided.test_guided_decoding import WordVectors, judging

PROMPT = "Who is the publisher of Locus Iste and in what language is it sung?"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    with open_store(f"sqlite:///{tmp_path}/test.db", create=True) as opened:
        facts = [
            ("Locus Iste", "publisher", "Peters"),
            ("Locus Iste", "publisher town", "Leipzig"),
            ("Locus Iste", "language", "Latin"),
            ("Locus Iste", "copies", "26"),
        ]
        opened.apply([Add(*fact) for fact in facts], author="test")
        yield opened


@pytest.mark.parametrize(
    ("prompt", "asked", "best"),
    [
        (PROMPT, (), "publisher"),
        (PROMPT, ("publisher",), "language"),  # and not "publisher town", which is next in the list
        (PROMPT, ("language",), "publisher"),
        ("Who is the publisher of Locus Iste?", ("publisher",), "publisher town"),
        ("Who is the publisher of Locus Iste, and who was?", ("copies",), "publisher"),
    ],
)
def test_the_part_that_is_left_decides(
    store: Any, prompt: str, asked: Sequence[str], best: str
) -> None:
    retriever = Retriever(store, encoder=WordVectors())
    guide = Guides(judging(2, relevance=1.0)).guide(retriever, prompt)
    assert guide.entities(()) == ("Locus Iste",)
    lookups = [retriever.lookup("Locus Iste", name, prompt) for name in ("relations", *asked)]
    factors = guide.factors("Locus Iste", lookups)
    left = [name for name in guide.relations("Locus Iste", lookups) if name not in asked]
    assert max(left, key=lambda name: factors[name]) == best
