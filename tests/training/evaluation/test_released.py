"""A checkpoint in the layout of the released ones runs as it is, with an LMLM database."""

from __future__ import annotations

import json

import pytest

from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model.__main__ import main as model_main
from model.checkpoint import load_checkpoint
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent
from model.roles import Role
from model.settings import DecodingSettings
from tests.training.released import (
    LEARNT,
    PROMPT,
    imported_database,
    released_tokenizer,
    write_taught,
)
from training.__main__ import main as training_main
from training.annotation.annotated_text import parse
from training.evaluation.case_measures import measures
from training.evaluation.cases import generate_cases
from training.evaluation.working_store import working_store


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The checkpoint, taught one sentence by heart, so that it makes a lookup of its own."""
    return write_taught(tmp_path_factory.mktemp("released") / "LMLM-llama2-small")


@pytest.fixture(scope="module")
def url(tmp_path_factory) -> str:
    """The database, imported as it is published."""
    return imported_database(tmp_path_factory.mktemp("database"))


def test_it_is_taken_for_what_it_is(folder):
    checkpoint = load_checkpoint(folder)
    assert not checkpoint.relations
    assert (checkpoint.form.lead, checkpoint.form.after) == ("", "")
    assert checkpoint.form.before == checkpoint.tokenizer.bos_token
    assert checkpoint.encode_prompt(PROMPT) == checkpoint.tokenizer(PROMPT)["input_ids"]
    lookup = parse(LEARNT).lookups[0]
    assert lookup.value == "Spice Girls"


def test_forced_ids_are_those_of_the_reference(folder, url):
    """The whole document has the ids to which the reference's spacing is encoded."""
    decoder = Decoder(load_checkpoint(folder))
    with open_store(url) as store:
        *_, done = decoder.generate(PROMPT, Retriever(store), DecodingSettings(max_tokens=60))
    assert isinstance(done, DoneEvent)
    trace = done.trace
    assert [entry.lookup.how for entry in trace.lookups] == ["exact"]
    assert trace.lookups[0].lookup.value == "Spice Girls"
    expected = released_tokenizer()(LEARNT)["input_ids"]
    assert trace.ids[: len(expected)] == expected
    assert trace.finish == "end"


def test_the_text_has_single_spaces(folder, url):
    decoder = Decoder(load_checkpoint(folder))
    with open_store(url) as store:
        (trace,) = decoder.generate_batch([PROMPT], [Retriever(store)])
    assert trace.text == "Spice Girls, of course."
    start, end = trace.token_spans[-2]
    assert trace.text[start:end] == "."
    assert any(token.role == Role.VALUE and token.forced for token in trace.tokens)


def test_it_runs_on_the_command_line(folder, url, capsys):
    command = ["generate", PROMPT, "--model", str(folder), "--store", url, "--max-tokens", "60"]
    assert model_main(command) == 0
    out = capsys.readouterr().out
    assert "Spice Girls, of course." in out
    assert "Geri Halliwell · Famous For → Spice Girls" in out


def test_it_is_evaluated(folder, url):
    decoder = Decoder(load_checkpoint(folder))
    with working_store(url) as store:
        cases = generate_cases(decoder, store, frozenset(), 3, seed=1)
        found = measures(cases)
    assert found["question_validity"]["n"] == 3
    assert found["coverage"]["n"] == 3  # it asks for no list, so what the graph holds is missed


def test_suites_measure_it_by_the_command(folder, url, tmp_path):
    """It learnt one document by heart and answers no question; all of them are asked."""
    out = tmp_path / "found.json"
    command = ["evaluate", "lookup", "edit", "forget", "closed-book", "completion"]
    command += ["--model", str(folder), "--store", url, "--entities", "3", "--out", str(out)]
    assert training_main(command) == 0
    found = json.loads(out.read_text("utf-8"))
    assert found["question_validity"]["n"] == 3
    assert found["coverage"]["value"] == 0.0
    assert found["edit_question"]["n"] == found["edits_at_once_1"]["n"] == 3
    assert found["edit_question"]["value"] == 0.0
    assert "forgotten_del_on" not in found  # it stated no fact that could be forgotten
