"""The trace is plain data, and says where everything stands."""

from __future__ import annotations

import json

import pytest

from graph.version import VERSION
from model.engine.decoder import Decoder
from model.roles import Role
from model.settings import DecodingSettings
from model.trace import Trace
from tests.model.model_fakes import Graph, trace_of, writer

DOCUMENT = "France has[France|capital|Paris] Paris as its[France|colour|bleu; blanc] bleu, blanc."


def test_json_and_back() -> None:
    settings = DecodingSettings(temperature=0.0, max_tokens=200)
    decoder = Decoder(writer({"Ask.": "It is[France|capital] {0}, {0}."}))
    *_, last = decoder.generate("Ask.", Graph({"France": {"capital": "Kraków"}}), settings)
    text = json.dumps(last.trace.to_json(), allow_nan=False)
    again = Trace.from_json(json.loads(text))
    assert again == last.trace
    assert again.text == "It is Kraków, Kraków."


def test_the_export_names_the_version_and_a_trace_without_one_is_read() -> None:
    data = trace_of("Ask.", DOCUMENT).to_json()
    assert data["lamplight"] == VERSION
    del data["lamplight"]
    older = Trace.from_json(data)
    assert older.text == "France has Paris as its bleu, blanc."
    assert older.to_json()["lamplight"] is None  # not this version, which did not write it


@pytest.mark.parametrize("broken", [None, [], {}, {"version": 99}, {"version": 1}])
def test_what_is_no_trace_is_refused_in_one_sentence(broken: object) -> None:
    with pytest.raises(ValueError, match="trace") as error:
        Trace.from_json(broken)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_text_leaves_the_lookups_out_and_spans_say_where_tokens_stand() -> None:
    trace = trace_of("Ask.", " " + DOCUMENT)
    assert trace.text == "France has Paris as its bleu, blanc."
    for token, (start, end) in zip(trace.tokens, trace.token_spans, strict=True):
        expected = token.text if token.role == Role.TEXT else ""
        assert trace.text[start:end] in (expected, expected.lstrip())
    assert trace.text[trace.position(trace.lookups[0]) :].startswith(" Paris as")
    assert trace.text[trace.position(trace.lookups[1]) :] == " bleu, blanc."


def test_probability_of_a_stretch_is_the_product_over_its_tokens() -> None:
    trace = trace_of("Ask.", DOCUMENT)
    start = trace.text.index("bleu")
    assert trace.probability(start, start + 4) == 0.5
    assert trace.probability(start, len(trace.text)) == 0.5**4
    assert trace.probability(0, 0) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -1},
        {"top_p": 0},
        {"max_tokens": 0},
        {"max_lookups": -1},
        {"max_lookup_tokens": 0},
        {"temperature": float("nan")},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DecodingSettings(**wrong)  # type: ignore[arg-type]
