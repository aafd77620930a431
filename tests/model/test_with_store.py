"""Decoder, audit and command line on a real store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graph.core.edits import Add, Change, Delete
from graph.core.errors import StoreError
from graph.lookup import encoder
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model import __main__ as command
from model.audit.conditions import audit_fact
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent
from model.grounding import ground
from model.settings import DecodingSettings
from model.trace import Trace
from tests.model.model_fakes import random_llama, tokenizer, writer

ASK = "Tell me about France."
PARAGRAPH = (
    "[France|relations] France is[France|instance of] a {1}. Its capital is[France|capital] {2}."
    " It borders[France|borders] {3}."
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    opened = open_store(f"sqlite:///{tmp_path}/test.db", create=True)
    opened.apply(
        [
            Add("France", "instance of", "country"),
            Add("France", "capital", "Paris"),
            Add("France", "borders", "Spain"),
            Add("France", "borders", "Italy"),
        ],
        author="test",
    )
    yield opened
    opened.close()


def done(events: Any) -> Trace:
    *_, last = events
    assert isinstance(last, DoneEvent)
    return last.trace


def fact_id(store: Any, relation: str) -> int:
    entity = store.find_entities("France")[0][0]
    return store.facts(entity.id, relation)[0].id


def test_a_trace_on_a_store_survives_json_and_names_its_facts(store: Any) -> None:
    trace = done(Decoder(writer({ASK: PARAGRAPH})).generate(ASK, Retriever(store)))
    assert trace.text == "France is a country. Its capital is Paris. It borders Spain; Italy."
    again = Trace.from_json(json.loads(json.dumps(trace.to_json())))
    assert again == trace
    grounding = ground(again)
    assert grounding.by_lookup == ("unused", "faithful", "faithful", "faithful")
    assert [trace.text[mark.start : mark.end] for mark in grounding.marks] == [
        "country", "Paris", "Spain", "Italy",
    ]  # fmt: skip
    assert grounding.marks[1].fact_id == fact_id(store, "capital")


def test_an_edit_in_a_draft_rewrites_the_text_and_leaves_the_store_alone(store: Any) -> None:
    decoder = Decoder(writer({ASK: PARAGRAPH}))
    before = done(decoder.generate(ASK, Retriever(store)))
    draft = store.draft("session-1")
    for value in ("Zürich", "東京 2", "<img src=x onerror=alert(1)>", "${7*7}{{7*7}}", "D.C."):
        draft.apply([Change(fact_id(draft, "capital"), value)], author="test")
        after = done(decoder.regenerate(before, Retriever(draft)))
        assert f"Its capital is {value}" in after.text
        assert after.reused > 20
        assert ground(after).by_lookup[2] == "faithful"
    assert done(decoder.regenerate(before, Retriever(store))).text == before.text


def test_a_ranked_checkpoint_asks_with_its_prompt_and_counts_what_it_chose(store: Any) -> None:
    ask = "What is the capital of France?"
    store.apply([Add("France", f"sort {i}", "x") for i in range(20)], author="test")
    checkpoint = writer({ask: "[france|relations] It is[France|capital] {1}."})
    decoder = Decoder(replace(checkpoint, ranked=True))
    trace = done(decoder.generate(ask, Retriever(store, embeddings=False)))
    listed = trace.lookups[0].lookup
    assert listed.value.startswith("France: capital; ")
    assert listed.value.endswith("; and 11 more")
    chosen = sum(not token.forced for token in trace.tokens)
    settings = DecodingSettings(max_tokens=chosen)
    same = done(decoder.generate(ask, Retriever(store, embeddings=False), settings))
    assert (same.text, same.finish) == (trace.text, "end")
    assert done(Decoder(checkpoint).generate(ask, Retriever(store), settings)).finish == "length"
    # A rewrite asks in the same way, and sees what the list has become.
    again = done(decoder.regenerate(trace, Retriever(store, embeddings=False)))
    assert (again.reused, again.lookups) == (len(trace.tokens), trace.lookups)
    store.apply([Delete(fact_id(store, "capital"))], author="test")
    after = done(decoder.regenerate(trace, Retriever(store, embeddings=False)))
    assert after.lookups[0].lookup.ranking != listed.ranking
    assert Trace.from_json(json.loads(json.dumps(trace.to_json()))) == trace


def test_a_generation_reads_one_revision_throughout(store: Any) -> None:
    decoder = Decoder(writer({ASK: PARAGRAPH}))
    retriever = Retriever(store)
    events = decoder.generate(ASK, retriever)
    first = [next(events) for _ in range(12)]
    store.apply([Change(fact_id(store, "capital"), "Lyon")], author="somebody else")
    trace = done([*first, *events])
    assert "Its capital is Paris." in trace.text
    assert trace.revision == retriever.revision < store.revision()
    assert "Its capital is Lyon." in done(decoder.regenerate(trace, Retriever(store))).text


def test_audit_of_a_fact_that_lives_in_the_graph_alone(store: Any) -> None:
    result = audit_fact(
        Decoder(writer({ASK: PARAGRAPH})), ASK, store, fact_id(store, "instance of")
    )
    assert result.says("full")
    assert not result.says("del_on")
    assert not result.recovered
    assert "Paris" in result.del_on.text
    assert all(entry.lookup.relation for entry in result.del_on.lookups)
    assert result.del_off.lookups == []
    json.dumps(result.to_json())
    assert store.fact(fact_id(store, "instance of")) is not None


def test_audit_tells_recovery_from_leakage(store: Any) -> None:
    store.apply([Add("France", "largest city", "Paris")], author="test")
    template = "The capital is[France|capital] {0}; the largest city is[France|largest city] {1}."
    result = audit_fact(Decoder(writer({ASK: template})), ASK, store, fact_id(store, "capital"))
    assert result.says("del_on")
    assert [fact.relation for fact in result.recovered_through] == ["largest city"]
    assert result.recovered
    assert not result.leaked

    knows = "The capital is[France|capital] {0}, that is Paris."
    result = audit_fact(Decoder(writer({ASK: knows})), ASK, store, fact_id(store, "capital"))
    assert result.leaked
    assert not result.recovered


def test_audit_of_a_fact_that_is_gone(store: Any) -> None:
    gone = fact_id(store, "capital")
    store.apply([Delete(gone)], author="test")
    with pytest.raises(StoreError, match="no fact"):
        audit_fact(Decoder(writer({ASK: PARAGRAPH})), ASK, store, gone)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    random_llama(7).model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def test_generate_on_the_command_line(
    store: Any, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--store", store.url, "--model", str(checkpoint), "--max-tokens", "20"]
    assert command.main(["generate", ASK, *options]) == 0
    printed = capsys.readouterr()
    assert "lookups at revision 1" in printed.err
    assert command.main(["generate", ASK, "--json", *options]) == 0
    trace = Trace.from_json(json.loads(capsys.readouterr().out))
    assert trace.prompt == ASK
    assert 20 <= len(trace.tokens) < 120


def test_generate_says_that_the_encoder_is_missing(
    store: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LAMPLIGHT_ENCODER", raising=False)
    monkeypatch.setattr(encoder, "_loaded", [])
    monkeypatch.setattr(encoder, "PACKAGE", "no_such_package_is_installed")
    monkeypatch.setattr(command, "load_checkpoint", lambda name: writer({ASK: PARAGRAPH}))
    assert command.main(["generate", ASK, "--store", store.url]) == 0
    assert "The sentence encoder is not installed" in capsys.readouterr().err
    assert command.main(["generate", ASK, "--store", store.url, "--no-lookups"]) == 0
    assert "encoder" not in capsys.readouterr().err


def test_generate_shows_lookups_in_a_readable_way(
    store: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paragraph = "[France|relations] France: capital[France|capital] {1}, mayor[France|mayor] {2}."
    monkeypatch.setattr(command, "load_checkpoint", lambda name: writer({ASK: paragraph}))
    assert command.main(["generate", ASK, "--store", store.url]) == 0
    assert capsys.readouterr().out == (
        "[1]France: capital[2] Paris, mayor[3] unknown.\n\n"
        "[1] France · relations → instance of; capital; borders\n"
        "[2] France · capital → Paris\n"
        "[3] France · mayor → unknown (miss)\n"
    )
    script = {
        ASK: "France: capital[France|capital] {0}.",
        "What is the capital of France?": " The capital of France is not recorded.",
    }
    monkeypatch.setattr(command, "load_checkpoint", lambda name: writer(script))
    assert command.main(["audit", ASK, "France", "capital", "--store", store.url]) == 0
    printed = capsys.readouterr().out
    assert "DEL-ON (does not say the value)" in printed
    assert "Not in the weights, by this prompt." in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", ""], "The prompt is empty"),
        (["generate", "x" * 50_000], "50,000 characters"),
        (["generate", "a\x07"], "control character"),
        (["generate", ASK, "--temperature", "-1"], "temperature must be"),
        (["generate", ASK, "--model", "/nowhere/at/all"], "no checkpoint folder"),
        (["generate", ASK, "--store", "sqlite:////nowhere/at/all.db"], "all.db"),
        (["generate", ASK, "--store", "http://example.org"], "is not the URL of a store"),
        (["audit", ASK, "France", "mayor"], "no fact with the relation 'mayor' for 'France'"),
    ],
)
def test_errors_are_one_sentence(
    store: Any,
    checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    defaults = ["--store", store.url] if "--store" not in arguments else []
    defaults += ["--model", str(checkpoint)] if "--model" not in arguments else []
    assert command.main([*arguments, *defaults]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1
