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
from model.guided.stated_name import NO_END, begun_name, is_sure
from model.guided.trie import NameTrie
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
            ("Cart 2", "kept by", "Bea"),
            ("The Old Cart", "kept by", "Bea"),
        ]
        opened.apply([Add(*fact) for fact in facts], author="test")
        yield opened


def wishing(
    relation: str, *wishes: str, second: str = "", entity: str = "Cart 2", guess: str = "-"
) -> Checkpoint:
    """A model that looks a relation up, and then goes on with the first wish that still fits.

    With a `second` wish it is unsure: it likes that one nearly as much. After the text `guess` it
    knows nothing better than its wish.
    """
    encode = tokenizer().encode
    query = f"{ENTITY} {entity}{RELATIONSHIP} {relation}{RETURN}"
    prompt = PROMPT.replace("Cart 2", entity)
    asked = encode(f"<|begin|>{prompt}\n{query}", add_special_tokens=False)
    end = encode(END, add_special_tokens=False)[0]

    def wished(ids: list[int], *texts: str) -> int | None:
        said = ids[ids.index(end) + 1 :]
        for wish in texts:
            planned = encode(wish, add_special_tokens=False)
            if planned[: len(said)] == said and len(planned) > len(said):
                return int(planned[len(said)])
        return None

    def next_id(ids: list[int]) -> int:
        if end not in ids:
            return asked[len(ids)] if len(ids) < len(asked) else 0
        token = wished(ids, *wishes, second)
        return int(tokenizer().eos_token_id) if token is None else token

    def guesses(ids: list[int]) -> bool:
        return end in ids and tokenizer().decode(ids[ids.index(end) + 1 :]) == guess

    def second_id(ids: list[int]) -> int | None:
        return wished(ids, second) if end in ids else None

    return scripted(next_id, second=second_id, guesses=guesses)


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


@pytest.mark.parametrize(
    ("relation", "wish", "second", "stated"),
    [
        (
            "roomLocation",
            " The area of Cart 2 is Bay B.",
            " The room location of Cart 2 is Bay B.",
            " The room location of Cart 2 is Bay B.",
        ),
        (
            "roomLocation",
            " Cart 2's area is Bay B.",
            " Cart 2's room location is Bay B.",
            " Cart 2's room location is Bay B.",
        ),
        (  # no noun: a model that has another word for it may be right
            "kept by",
            " The owner of Cart 2 is Bea.",
            " The kept by of Cart 2 is Bea.",
            " The owner of Cart 2 is Bea.",
        ),
        (  # later in a sentence
            "roomLocation",
            " It is in the area of Bay B.",
            " It is in the room location of Bay B.",
            " It is in the area of Bay B.",
        ),
    ],
)
def test_a_sentence_begins_with_the_name_where_the_model_is_unsure(
    store: Any, relation: str, wish: str, second: str, stated: str
) -> None:
    checkpoint = wishing(relation, wish, second=second)
    settings = DecodingSettings(guided=True)
    *_, last = Decoder(checkpoint).generate(PROMPT, Retriever(store), settings)
    assert isinstance(last, DoneEvent)
    assert last.trace.text == stated.strip()
    if wish != stated:
        sure = wishing(relation, wish)
        *_, last = Decoder(sure).generate(PROMPT, Retriever(store), settings)
        assert isinstance(last, DoneEvent)
        assert last.trace.text == wish.strip()


@pytest.mark.parametrize(
    ("wish", "guess"),
    [
        (" It is in Bath.", "-"),  # it knows better
        (" It is in Bath.", " It is in Ba"),  # it has not seen a rare name's middle
        (" It is in Oslo.", "-"),
        (" It is in Oslo.", " It is in"),  # nor its beginning
    ],
)
def test_a_guess_takes_no_values_place(store: Any, wish: str, guess: str) -> None:
    whole = " It is in Bay B."
    checkpoint = wishing("roomLocation", wish, whole, guess=guess)
    *_, last = Decoder(checkpoint).generate(PROMPT, Retriever(store), DecodingSettings(guided=True))
    assert isinstance(last, DoneEvent)
    assert last.trace.text == (wish if guess == "-" else whole).strip()


def test_a_name_with_an_article_is_a_name(store: Any) -> None:
    wish, second = " The Old Cart is kept by Bea.", " The kept by of The Old Cart is Bea."
    checkpoint = wishing("kept by", wish, second=second, entity="The Old Cart")
    prompt = PROMPT.replace("Cart 2", "The Old Cart")
    *_, last = Decoder(checkpoint).generate(prompt, Retriever(store), DecodingSettings(guided=True))
    assert isinstance(last, DoneEvent)
    assert last.trace.text == wish.strip()


def test_nothing_is_called_by_its_name_twice_in_a_row(store: Any) -> None:
    wish, other = " Cart 2 Cart 2 Cart 2.", " Cart 2 is in Bay B."
    checkpoint = wishing("roomLocation", wish, second=other)
    *_, last = Decoder(checkpoint).generate(PROMPT, Retriever(store), DecodingSettings(guided=True))
    assert isinstance(last, DoneEvent)
    assert last.trace.text == other.strip()


def test_one_letter_begins_a_name_that_one_may_ask_about() -> None:
    """Not elsewhere, where it may begin anything: "its l" goes on with "library card"."""
    trie = NameTrie({(7, 8): "library card"}, NO_END)
    assert begun_name([1, 7], [" You can ask about its", " l"], trie) == (7,)
    assert begun_name([1, 7], [" It has a", " l"], trie) is None


def test_a_name_without_words_is_a_name() -> None:
    assert not is_sure(0.5, [" The"], "__")
    assert is_sure(0.95, [" The"], "__")
