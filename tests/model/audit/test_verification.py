"""The verdict of one fact: on scripted models for each kind, and on the shipped one."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from graph.core.edits import Add, Delete
from graph.core.errors import StoreError
from graph.opening import open_store
from graph.world import make_world
from model import __main__ as command
from model.audit import closed_book, verification
from model.audit.closed_book import OTHERS, Bar, Paired, closed_book_bar
from model.audit.verification import (
    COMPLETED,
    ELSEWHERE,
    GRAPH,
    GUESSABLE,
    NO_LOOKUPS,
    UNTESTABLE,
    WEIGHTS,
    WITH_FACT,
    WITHOUT_CLOSURE,
    WITHOUT_FACT,
    Verification,
    canonical,
    shares_a_word,
    verify,
)
from model.checkpoint import load_checkpoint
from model.engine.decoder import Decoder
from model.prompts import PromptError
from tests.model.model_fakes import writer
from tests.workers import made_once

ASK = "What is the capital of France?"
CUT = "The capital of France is"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    opened = open_store(f"sqlite:///{tmp_path}/test.db", create=True)
    facts = [Add("France", "instance of", "country"), Add("France", "capital", "Paris")]
    opened.apply(facts, author="test")
    yield opened
    opened.close()


def capital(store: Any) -> int:
    entity = store.find_entities("France")[0][0]
    found: int = store.facts(entity.id, "capital")[0].id
    return found


def bar(ratio: float, control: float | None = None) -> Any:
    """Stands for a closed-book bar of this ratio."""
    others = tuple(Paired(f"Name {i}", f"value {i}") for i in range(OTHERS))
    gains = (float(torch.tensor(ratio).log()),) * OTHERS
    fact: Any = SimpleNamespace(entity="France", relation="capital", value="Paris")
    return lambda *given: Bar(fact, "country", others, gains, control, ())


def verified(
    store: Any,
    monkeypatch: pytest.MonkeyPatch,
    answer: str = " It is[France|capital] {0}.",
    completed: str = f" {CUT} not recorded.",
    measured: Any = None,
    alike: str = " The capital of {name} is unknown.",
) -> Verification:
    """The verification with a model that writes `answer`, or `completed` where it must begin so."""
    script = {ASK: completed}
    for i in range(OTHERS):
        script[f"What is the capital of Name {i}?"] = alike.format(name=f"Name {i}")
    plain = writer({ASK: answer})
    cut = writer(script)

    def step(ids: list[int]) -> int:
        written = plain.tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        begun = "\n The capital of" in written
        chosen: int = (cut if begun else plain).model.next_id(ids)
        return chosen

    both = writer({})
    both.model.next_id = step
    monkeypatch.setattr(verification, "closed_book_bar", measured or bar(1.0))
    return verify(Decoder(both), store, capital(store))


def states(result: Verification) -> dict[str, bool]:
    return {column.key: column.states for column in result.columns}


def test_a_fact_in_the_graph_only(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (store.revision(), list(store.all_facts()))
    result = verified(store, monkeypatch)
    assert result.verdict.kind == GRAPH
    assert states(result) == {
        WITH_FACT: True,
        WITHOUT_FACT: False,
        WITHOUT_CLOSURE: False,
        NO_LOOKUPS: False,
        COMPLETED: False,
    }
    assert result.column(COMPLETED).beginning == CUT
    assert result.column(COMPLETED).text == "not recorded."
    assert result.column(NO_LOOKUPS).trace.lookups == []
    assert (store.revision(), list(store.all_facts())) == before


def test_a_value_that_another_fact_returns(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store.apply([Add("France", "largest city", "Paris")], author="test")
    answer = " It is[France|capital] {0}, its largest city is[France|largest city] {1}."
    result = verified(store, monkeypatch, answer)
    assert result.verdict.kind == ELSEWHERE
    assert [fact.relation for fact in result.verdict.where] == ["largest city"]
    assert "France · largest city" in result.verdict.sentence
    assert states(result)[WITHOUT_FACT]
    assert not states(result)[WITHOUT_CLOSURE]
    assert [leak.kind for leak in result.leaks] == ["relation"]


def test_a_value_that_the_weights_hold(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    knows = " It is[France|capital] {0}, that is Paris."
    assert verified(store, monkeypatch, knows).verdict.kind == WEIGHTS
    completes = verified(store, monkeypatch, completed=f" {CUT} Paris.")
    assert completes.verdict.kind == WEIGHTS
    assert "with lookups forbidden" in completes.verdict.sentence
    prefers = verified(store, monkeypatch, measured=bar(500.0))
    assert prefers.verdict.kind == WEIGHTS
    assert "500 times as likely" in prefers.verdict.sentence


def test_a_value_that_the_name_suggests(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    result = verified(store, monkeypatch, measured=bar(500.0, control=300.0))
    assert result.verdict.kind == GUESSABLE
    assert "no training saw" in result.verdict.sentence
    assert verified(store, monkeypatch, measured=bar(500.0, control=1.2)).verdict.kind == WEIGHTS
    assert shares_a_word("Eritrea", "Eritrean")
    assert not shares_a_word("Peru", "sol")


def test_what_cannot_be_tested(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    none = verified(store, monkeypatch, measured=lambda *given: None)
    assert none.verdict.kind == UNTESTABLE
    assert "fewer than 4 other names" in none.verdict.sentence
    silent = verified(store, monkeypatch, " It has[France|capital] one.")
    assert silent.verdict.kind == UNTESTABLE
    assert "with the fact in the graph either" in silent.verdict.sentence
    decoder = Decoder(writer({"Is Paris it?": "Yes.", ASK: f" {CUT} so."}))
    prompted = verify(decoder, store, capital(store), "Is Paris it?")
    assert prompted.verdict.kind == UNTESTABLE
    assert "the prompt itself says" in prompted.verdict.sentence
    with pytest.raises(PromptError):
        verify(decoder, store, capital(store), " ")
    gone = capital(store)
    store.apply([Delete(gone)], author="test")
    with pytest.raises(StoreError, match="no longer in the graph"):
        verify(decoder, store, gone)


def test_a_common_value_shows_nothing(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said, elsewhere = f" {CUT} Paris.", " The capital of {name} is Paris."
    result = verified(store, monkeypatch, completed=said)
    assert (result.verdict.kind, result.common) == (WEIGHTS, ())
    result = verified(store, monkeypatch, completed=said, alike=elsewhere)
    assert result.verdict.kind == UNTESTABLE
    assert "4 of 4 other names" in result.verdict.sentence


def test_the_json_has_nothing_that_differs(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = store.draft("visitor-1")
    first = canonical(verified(store, monkeypatch).to_json())
    assert canonical(verified(draft, monkeypatch).to_json()) == first
    data = json.loads(first)
    assert (data["verdict"], data["draft_changes"]) == (GRAPH, 0)
    assert str(capital(store)) not in first
    for name in ("seconds", "id", "state", "visitor", "sqlite"):
        assert f'"{name}"' not in first
    draft.apply([Add("France", "motto", "Liberté")], author="test")
    assert verified(draft, monkeypatch).to_json()["draft_changes"] == 1


# -- the shipped model


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "world.db", lambda path: make_world(f"sqlite:///{path}"))


@pytest.fixture(scope="module")
def shipped(world: Path) -> Iterator[Any]:
    torch.set_num_threads(1)
    store = open_store(f"sqlite:///{world}", read_only=True)
    yield store
    store.close()


def fact(store: Any, entity: str, relation: str) -> Any:
    found = store.find_entities(entity)[0][0]
    return store.facts(found.id, relation)[0]


def test_the_bar_compares_with_four_names_of_the_kind(shipped: Any) -> None:
    checkpoint = load_checkpoint()
    measured = closed_book_bar(checkpoint, shipped, fact(shipped, "Kenya", "currency"))
    assert measured is not None
    assert len(measured.others) == OTHERS == len({other.value for other in measured.others})
    assert measured.kind == "country"
    assert not measured.is_sign
    assert all(name in closed_book.read_held_out(checkpoint.name) for name in measured.controls)
    again = closed_book_bar(checkpoint, shipped, fact(shipped, "Kenya", "currency"))
    assert again == measured


def test_the_kind_of_a_thing_is_compared_with_other_kinds(shipped: Any) -> None:
    measured = closed_book_bar(load_checkpoint(), shipped, fact(shipped, "iridium", "instance of"))
    assert measured is not None
    assert "chemical element" not in {other.value for other in measured.others}


def test_the_command_prints_what_the_page_exports(
    shipped: Any, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = fact(shipped, "Kenya", "currency")
    expected = canonical(verify(Decoder(load_checkpoint()), shipped, one.id).to_json())
    arguments = ["audit", "--json", "--store", f"sqlite:///{world}", "Kenya", "currency"]
    assert command.main(arguments) == 0
    assert capsys.readouterr().out == expected + "\n"
    assert json.loads(expected)["verdict"] == GRAPH


def test_the_shipped_model_holds_almost_no_fact(shipped: Any) -> None:
    seed = 11
    print(f"seed {seed}")
    decoder = Decoder(load_checkpoint())
    facts = sorted(shipped.all_facts(), key=lambda each: each.id)
    drawn = random.Random(seed).sample(facts, 20)
    kinds = [verify(decoder, shipped, each.id).verdict.kind for each in drawn]
    assert kinds.count(WEIGHTS) <= 1
    assert kinds.count(GRAPH) >= 8
