"""An exported trace written again: the same comes out, or the first difference is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace as with_other
from pathlib import Path
from typing import Any

import pytest

from graph.core.edits import Add, Change, Delete, Rename
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model import __main__ as command
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent
from model.exported_trace import ExportedTrace, public_name
from model.replay import Replay, replay
from model.settings import DecodingSettings
from model.trace import Trace, TraceError
from model.weight_hashes import checkpoint_hash
from tests.graph.helpers import fact_of, id_of
from tests.model.model_fakes import random_llama, tokenizer, writer

ASK = "Tell me about France."
TEMPLATES = {ASK: "France has the capital[France|capital] {0}. It borders[France|borders] {1}."}
WEIGHTS = {"model.safetensors": "a" * 64}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    with open_store(f"sqlite:///{tmp_path}/test.db", create=True) as opened:
        opened.apply([Add("France", "capital", "Paris", "atlas")], author="test")
        opened.apply([Add("France", "borders", "Spain")], author="test")
        yield opened


@pytest.fixture
def decoder() -> Decoder:
    return Decoder(with_other(writer(TEMPLATES), weights=WEIGHTS))


def written(decoder: Decoder, source: Any, **settings: Any) -> Trace:
    *_, last = decoder.generate(ASK, Retriever(source), DecodingSettings(**settings))
    assert isinstance(last, DoneEvent)
    return last.trace


def sent(trace: Trace, draft: Any = None) -> ExportedTrace:
    """A trace that went through a file."""
    steps: dict[int, list[Any]] = {}
    for entry in reversed(draft.history(limit=100) if draft else []):
        steps.setdefault(entry.revision, []).extend(entry.deltas)
    data = ExportedTrace(trace, list(steps.values())).to_json()
    return ExportedTrace.from_json(json.loads(json.dumps(data)))


def test_the_same_model_over_the_same_graph_writes_the_same(store: Any, decoder: Decoder) -> None:
    exported = sent(written(decoder, store))
    assert replay(decoder, store, exported) == Replay(
        True, f"Same: all {len(exported.trace.tokens)} tokens and 2 lookups, at revision 2."
    )


def test_a_trace_is_replayed_at_its_revision_and_no_other(store: Any, decoder: Decoder) -> None:
    exported = sent(written(decoder, store))
    store.apply([Change(fact_of(store, "France", "capital").id, "Lyon")], author="test")
    assert replay(decoder, store, exported).same
    newest = sent(written(decoder, store))
    assert "Lyon" in newest.trace.text
    assert replay(decoder, store, newest).same


def test_an_export_has_the_hash_the_store_and_the_revision(store: Any, decoder: Decoder) -> None:
    trace = with_other(written(decoder, store), model="/srv/models/mine")
    data = ExportedTrace(trace).to_json()
    assert data["model"] == "mine"
    assert data["checkpoint"] == checkpoint_hash(WEIGHTS)
    assert data["store"] == {"id": store.store_id, "revision": 2}
    assert data["edits"] == []
    assert data["written"].endswith("Z")
    assert "/srv" not in json.dumps(data)
    assert public_name("kilian-group/LMLM") == "kilian-group/LMLM"


def test_a_text_over_a_draft_is_replayed_with_its_edits(store: Any, decoder: Decoder) -> None:
    draft = store.draft("reader")
    draft.apply([Change(fact_of(draft, "France", "capital").id, "Lyon")], author="Ada")
    draft.apply([Add("France", "borders", "Italy")], author="Ada")
    draft.apply([Delete(fact_of(draft, "France", "borders", "Spain").id)], author="Ada")
    draft.apply([Add("Italy", "capital", "Rome"), Add("Italy", "motto", "none")], author="Ada")
    draft.apply([Rename(id_of(draft, "Italy"), "Italia")], author="Ada")
    draft.undo(author="Ada")
    trace = written(decoder, draft)
    assert "Lyon" in trace.text
    assert "Italy" in trace.text
    exported = sent(trace, draft)
    revision = store.revision()
    draft.discard()
    assert replay(decoder, store, exported).same
    assert store.revision() == revision  # nothing was written
    assert written(decoder, store).text != trace.text


def test_a_trace_over_a_draft_without_its_edits_is_refused(store: Any, decoder: Decoder) -> None:
    draft = store.draft("reader")
    draft.apply([Add("France", "borders", "Italy")], author="Ada")
    with pytest.raises(TraceError, match="does not have its edits"):
        ExportedTrace.from_json(written(decoder, draft).to_json())


def test_the_first_lookup_that_differs_is_named(store: Any, decoder: Decoder) -> None:
    exported = sent(written(decoder, store))
    data = ExportedTrace(exported.trace).to_json()
    data["edits"] = [
        [
            {
                "kind": "fact",
                "before": fact_of(store, "France", "capital").to_json(),
                "after": {**fact_of(store, "France", "capital").to_json(), "value": "Lyon"},
            }
        ]
    ]
    found = replay(decoder, store, ExportedTrace.from_json(data))
    assert found == Replay(
        False,
        "Lookup 1, “France · capital”, returns “Lyon” here and “Paris” in the trace.",
    )


def test_the_same_words_from_another_source_are_a_difference(store: Any, decoder: Decoder) -> None:
    exported = sent(written(decoder, store))
    lookups = list(exported.trace.lookups)
    facts = tuple(with_other(fact, source="a rumour") for fact in lookups[0].lookup.facts)
    lookups[0] = with_other(lookups[0], lookup=with_other(lookups[0].lookup, facts=facts))
    forged = ExportedTrace(with_other(exported.trace, lookups=lookups))
    sentence = replay(decoder, store, forged).sentence
    assert "same words from other facts" in sentence
    assert "(atlas)” here, “France · capital (a rumour)” in the trace" in sentence


def test_the_first_token_that_differs_is_named(store: Any, decoder: Decoder) -> None:
    exported = sent(written(decoder, store))
    other = writer({ASK: TEMPLATES[ASK].replace("has the", "was the")})
    found = replay(Decoder(with_other(other, weights=WEIGHTS)), store, exported)
    assert not found.same
    assert found.sentence.startswith("Token ")
    assert " in the trace, after “France" in found.sentence


def test_a_longer_and_a_shorter_text_are_different(store: Any, decoder: Decoder) -> None:
    exported = sent(written(decoder, store))
    short = with_other(exported.trace, tokens=exported.trace.tokens[:-3])
    for trace in (short, with_other(short, settings=DecodingSettings(max_tokens=4))):
        found = replay(decoder, store, ExportedTrace(trace))
        assert not found.same
        assert "tokens here and" in found.sentence


def test_a_stopped_text_is_replayed_as_far_as_it_goes(store: Any, decoder: Decoder) -> None:
    trace = written(decoder, store)
    stopped = with_other(trace, tokens=trace.tokens[:4], lookups=[], finish="cancelled")
    assert replay(decoder, store, ExportedTrace(stopped)).same


def test_another_model_another_store_and_a_later_revision_are_named(
    store: Any, decoder: Decoder, tmp_path: Path
) -> None:
    exported = sent(written(decoder, store))
    other = Decoder(with_other(writer(TEMPLATES), weights={"model.safetensors": "b" * 64}))
    found = replay(other, store, exported)
    assert not found.same
    assert "model.safetensors has the hash bbbbbbbbbbbb here and aaaaaaaaaaaa" in found.sentence
    later = with_other(exported.trace, state=f"{store.store_id}@77")
    found = replay(decoder, store, ExportedTrace(later))
    assert found == Replay(
        False, "The store has no revision 77, which the trace read; its newest is 2."
    )
    with open_store(f"sqlite:///{tmp_path}/other.db", create=True) as second:
        second.apply([Add("France", "capital", "Paris", "atlas")], author="test")
        second.apply([Add("France", "borders", "Spain")], author="test")
        found = replay(decoder, second, exported)
        assert not found.same
        assert found.sentence.startswith("The store is another: its id is")
        assert found.sentence.endswith("The text is the same.")


@pytest.mark.parametrize(
    "edits",
    [
        5,
        [5],
        [[{}]],
        [[{"kind": "fact", "before": None, "after": None}]],
        [[{"kind": "entity", "before": None, "after": {"id": "7", "name": 7}}]],
    ],
)
def test_damaged_edits_are_refused_in_one_sentence(
    store: Any, decoder: Decoder, edits: object
) -> None:
    data = {**ExportedTrace(written(decoder, store)).to_json(), "edits": edits}
    with pytest.raises(TraceError, match="The edits in the trace cannot be read") as error:
        ExportedTrace.from_json(data)
    assert "\n" not in str(error.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint on disk: random weights, which write nonsense and always the same."""
    random_llama().model.save_pretrained(tmp_path / "mine")
    tokenizer().save_pretrained(tmp_path / "mine")
    return tmp_path / "mine"


def test_the_command_says_same_or_names_the_difference(
    store: Any, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, given = tmp_path / "trace.json", ["--store", store.url, "--model", str(folder)]
    asked = ["generate", ASK, "--json", "--temperature", "0.8", "--seed", "7"]
    assert command.main([*asked, "--max-tokens", "24", *given]) == 0
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert command.main(["replay", str(path), *given]) == 0
    assert capsys.readouterr().out.startswith("Same: all 24 tokens and ")
    data = json.loads(path.read_text("utf-8"))
    data["settings"]["seed"] = 8
    path.write_text(json.dumps(data), encoding="utf-8")
    assert command.main(["replay", str(path), *given]) == 1
    assert "Token " in capsys.readouterr().out
    assert command.main(["replay", str(path), "--store", store.url]) == 1
    assert "not a shipped one; name its folder with --model" in capsys.readouterr().err
    for text, words in (
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"version": 0}', "not a trace of version 1 (its version is 0)"),
    ):
        path.write_text(text, encoding="utf-8")
        assert command.main(["replay", str(path), *given]) == 1
        problem = capsys.readouterr().err
        assert words in problem
        assert len(problem.splitlines()) == 1
    assert command.main(["replay", str(tmp_path / "none.json"), *given]) == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
