"""The decoder, driven by scripted models and by tiny random ones."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from model.engine.decoder import Decoder
from model.engine.events import DoneEvent, LookupEvent, TokenEvent
from model.prompts import PromptError
from model.roles import END, ENTITY, RELATIONSHIP, RETURN, MarkerIds, Role, token_roles
from model.settings import DecodingSettings
from model.trace import Trace
from tests.model.model_fakes import (
    Graph,
    ScriptedModel,
    fixed,
    random_llama,
    scripted,
    sequence,
    tokenizer,
    writer,
)

FRANCE: dict[str, Any] = {
    "France": {"instance of": "country", "capital": "Paris", "currency": "euro"},
    "Paris": {"instance of": "city", "mayor": "Anne Hidalgo"},
}
PARAGRAPH = (
    "[France|relations] France is[France|instance of] a {1}. "
    "Its capital is[France|capital] {2}, where[{2}|mayor] {3} is mayor. It pays in"
    "[France|currency] {4}."
)
ASK = "Tell me about France."


def done(events: Any) -> Trace:
    *_, last = events
    assert isinstance(last, DoneEvent)
    return last.trace


def other(**changes: str) -> Graph:
    """France with other values, at a later revision."""
    return Graph({**FRANCE, "France": {**FRANCE["France"], **changes}}, revision=2)


def check_whole(trace: Trace) -> None:
    """What holds of every trace: roles as the grammar has them, and lookups where they say."""
    roles = token_roles(
        torch.tensor([trace.ids]), MarkerIds.of(tokenizer()), torch.tensor([len(trace.prompt_ids)])
    )
    assert [token.role for token in trace.tokens] == roles[0, len(trace.prompt_ids) :].tolist()
    for token in trace.tokens:
        assert token.forced == (token.probability is None)
        assert token.role != Role.VALUE or token.forced
    for index, entry in enumerate(trace.lookups):
        assert entry.index == index
        span = trace.tokens[entry.start : entry.end]
        assert span[-1].text == END
        values = "".join(token.text for token in span if token.role == Role.VALUE)
        assert values == " " + entry.lookup.value


def test_a_paragraph_with_lookups_a_chain_among_them() -> None:
    graph = Graph(FRANCE)
    trace = done(Decoder(writer({ASK: PARAGRAPH})).generate(ASK, graph))
    assert trace.text == (
        "France is a country. Its capital is Paris, where Anne Hidalgo is mayor. It pays in euro."
    )
    assert graph.asked[0] == ("France", "relations")
    assert graph.asked[3] == ("Paris", "mayor")
    assert trace.raw.startswith(
        f"{ENTITY} France{RELATIONSHIP} relations{RETURN} instance of; capital; currency{END} Fr"
    )
    assert trace.finish == "end"
    assert (trace.revision, trace.state, trace.model) == (1, "test@1", "scripted")
    check_whole(trace)


def test_events_stream_in_the_order_of_the_trace() -> None:
    events = list(Decoder(writer({ASK: PARAGRAPH})).generate(ASK, Graph(FRANCE)))
    trace = done(events)
    tokens = [event for event in events if isinstance(event, TokenEvent)]
    assert [event.token for event in tokens] == trace.tokens
    assert [event.index for event in tokens] == list(range(len(trace.tokens)))
    for before, event, after in zip(events, events[1:], events[2:], strict=False):
        if isinstance(event, LookupEvent):  # between its query and its value
            assert isinstance(before, TokenEvent)
            assert before.token.text == RETURN
            assert isinstance(after, TokenEvent)
            assert after.token.role == Role.VALUE


def test_forced_tokens_enter_the_cache_in_one_pass_without_a_second_prefill() -> None:
    checkpoint = writer({ASK: PARAGRAPH})
    trace = done(Decoder(checkpoint, guess=False).generate(ASK, Graph(FRANCE)))
    calls = checkpoint.model.calls
    assert calls[0] == len(trace.prompt_ids)
    chosen = sum(not token.forced for token in trace.tokens)
    assert len(calls) == chosen  # one pass a choice
    assert sum(calls) == len(trace.ids) - 1  # each token once; the last need not be fed


def test_forced_ids_are_those_of_the_encoded_document() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    alphabet = "abc XY12.,;:'\"!?()-–_€%éżÆ東京Київ‎Αθقا दि🙂\u200d/&<>|{}$"
    for _ in range(100):
        value = "".join(draw.choice(alphabet) for _ in range(draw.randint(1, 40)))
        value = " ".join(value.split()) or "x"
        graph = Graph({"France": {"capital": value}})
        trace = done(Decoder(writer({ASK: "It is[France|capital] {0}, yes."})).generate(ASK, graph))
        document = f"<|begin|>{ASK}\n{trace.raw}<|end|>"
        assert trace.ids == tokenizer().encode(document, add_special_tokens=False), value
        assert trace.text == f"It is {value}, yes."


def test_text_is_the_same_however_its_bytes_are_cut_into_tokens() -> None:
    text = "東京 🙂 Zażółć – “quoted” \u0939\u093f."
    ids = [i for byte in text.encode() for i in tokenizer().convert_tokens_to_ids([_byte(byte)])]
    prompt = len(fixed([], 0).encode_prompt(ASK))
    events = list(Decoder(fixed(ids, prompt)).generate(ASK, Graph({})))
    assert done(events).text == text
    assert "\ufffd" not in "".join(e.token.text for e in events if isinstance(e, TokenEvent))


def _byte(byte: int) -> str:
    """How byte-level vocabularies spell one byte."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return bytes_to_unicode()[byte]


def test_markers_that_a_person_types_stay_text() -> None:
    prompt = f"Say {ENTITY} France{RELATIONSHIP} capital{RETURN} Rome{END} <|end|><|begin|>"
    checkpoint = scripted(lambda ids: tokenizer().eos_token_id)
    ids = checkpoint.encode_prompt(prompt)
    special = set(tokenizer().all_special_ids)
    assert ids[0] == tokenizer().bos_token_id
    assert not special & set(ids[1:])
    assert tokenizer().decode(ids[1:]) == prompt + "\n"
    trace = done(Decoder(checkpoint).generate(prompt, Graph(FRANCE)))
    assert trace.prompt == prompt
    assert trace.lookups == []


def test_markers_in_a_value_stay_text() -> None:
    hostile = f"Paris{END} and {ENTITY} x<|end|>"
    graph = Graph({"France": {"capital": hostile}})
    script = iter(sequence(f"{ENTITY} France{RELATIONSHIP} capital{RETURN}"))
    checkpoint = scripted(lambda ids: next(script, tokenizer().eos_token_id))
    trace = done(Decoder(checkpoint, guess=False).generate(ASK, graph))
    assert trace.lookups[0].lookup.value == hostile
    assert sum(token.text == END for token in trace.tokens) == 1
    check_whole(trace)


@pytest.mark.parametrize(
    ("parts", "closed", "query"),
    [
        ([ENTITY, " France", RELATIONSHIP, " capital", " of" * 200], "length", "France"),
        ([ENTITY, " France" * 200], "length", None),
        ([ENTITY, " France", RETURN], "order", "France"),
        ([ENTITY, " France", ENTITY], "order", "France"),
        ([ENTITY, " France", END], "order", "France"),
        ([ENTITY, " France", "<|end|>"], "order", "France"),
        ([ENTITY, " France", RELATIONSHIP, " capital", RELATIONSHIP], "order", "France"),
        ([ENTITY, " France", RELATIONSHIP, " capital", "<|end|>"], "order", "France"),
        ([ENTITY, RELATIONSHIP, RETURN], "order", ""),
        ([" It is", RETURN], "order", ""),
        ([" It is", RELATIONSHIP], "order", ""),
    ],
)
def test_a_broken_lookup_is_closed_as_a_miss(
    parts: list[str], closed: str, query: str | None
) -> None:
    graph = Graph(FRANCE)
    prompt = len(fixed([], 0).encode_prompt(ASK))
    checkpoint = fixed(sequence(*parts), prompt)
    trace = done(Decoder(checkpoint).generate(ASK, graph, DecodingSettings(max_tokens=120)))
    first = trace.lookups[0]
    assert first.closed == closed
    assert first.lookup.is_miss
    assert first.lookup.value == "unknown"
    assert query is None or first.lookup.entity == query
    assert graph.asked == []
    assert first.end - first.start < 80
    check_whole(trace)


def test_a_stray_end_marker_is_just_a_marker() -> None:
    prompt = len(fixed([], 0).encode_prompt(ASK))
    checkpoint = fixed(sequence(" It is", END, " Paris."), prompt)
    trace = done(Decoder(checkpoint).generate(ASK, Graph({})))
    assert trace.text == "It is Paris."
    assert trace.lookups == []
    check_whole(trace)


def test_limits_on_tokens_and_lookups() -> None:
    decoder = Decoder(writer({ASK: PARAGRAPH}))
    trace = done(decoder.generate(ASK, Graph(FRANCE), DecodingSettings(max_tokens=9)))
    assert trace.finish == "length"
    assert len(trace.tokens) >= 9
    check_whole(trace)

    forever = sequence(f"{ENTITY} France{RELATIONSHIP} capital{RETURN}")
    entity = tokenizer().convert_tokens_to_ids(ENTITY)

    def ask_again(ids: list[int]) -> int:
        last = max((i for i, token in enumerate(ids) if token == entity), default=None)
        tail = ids[last:] if last is not None else []
        return forever[len(tail)] if tail and len(tail) < len(forever) else entity

    settings = DecodingSettings(max_tokens=80, max_lookups=3)
    trace = done(Decoder(scripted(ask_again)).generate(ASK, Graph(FRANCE), settings))
    assert len(trace.lookups) == 3
    assert sum(token.id == entity for token in trace.tokens) == 3


def test_forbidden_lookups_never_happen() -> None:
    trace = done(
        Decoder(random_llama()).generate(ASK, Graph(FRANCE), DecodingSettings(lookups=False))
    )
    assert all(token.text != ENTITY for token in trace.tokens)


def test_the_context_is_never_exceeded() -> None:
    checkpoint = writer({ASK: PARAGRAPH}, context=60)
    trace = done(Decoder(checkpoint).generate(ASK, Graph(FRANCE)))
    assert trace.finish == "context"
    assert len(trace.ids) <= 60
    huge = Graph({"France": {"instance of": "x " * 500}})
    trace = done(Decoder(writer({ASK: PARAGRAPH}, context=200)).generate(ASK, huge))
    assert trace.finish == "context"
    assert len(trace.ids) <= 200
    assert [entry.lookup.relation for entry in trace.lookups] == ["relations"]


def test_cancelling_stops_at_once_and_keeps_what_was_written() -> None:
    seen: list[Any] = []
    decoder = Decoder(writer({ASK: PARAGRAPH}))
    events = decoder.generate(
        ASK, Graph(FRANCE), cancelled=lambda: any(isinstance(e, LookupEvent) for e in seen)
    )
    for event in events:
        seen.append(event)
    trace = done(seen)
    assert trace.finish == "cancelled"
    assert len(trace.lookups) == 1
    check_whole(trace)
    finished = done(decoder.regenerate(trace, Graph(FRANCE)))  # goes on where it stopped
    assert finished.finish == "end"
    assert finished.text.endswith("It pays in euro.")
    assert finished.reused == len(trace.tokens)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "empty"),
        (" \n\t ", "empty"),
        ("x" * 50_000, "50,000 characters"),
        ("France\x00", r"control character \(U\+0000"),
        ("France\x1b[31m", r"U\+001B"),
        ("France \ud800", r"U\+D800"),
        ("é" * 1990, "tokens and the model takes fewer than 512"),
    ],
)
def test_a_bad_prompt_is_one_clear_sentence(prompt: str, message: str) -> None:
    with pytest.raises(PromptError, match=message) as error:
        Decoder(random_llama()).generate(prompt, Graph({}))
    assert "\n" not in str(error.value)


def test_regeneration_reuses_text_and_cache_before_the_edit() -> None:
    checkpoint = writer({ASK: PARAGRAPH})
    decoder = Decoder(checkpoint, guess=False)
    before = done(decoder.generate(ASK, Graph(FRANCE)))
    checkpoint.model.calls.clear()
    events = list(decoder.regenerate(before, other(currency="franc")))
    after = done(events)
    assert after.text == before.text.replace("euro", "franc")
    assert after.revision == 2
    assert (
        after.reused
        == before.lookups[4].start
        + sequence(f"{ENTITY} France{RELATIONSHIP} currency{RETURN}").__len__()
    )
    assert after.tokens[: after.reused] == before.tokens[: after.reused]
    reused = [e for e in events if isinstance(e, TokenEvent | LookupEvent) and e.reused]
    assert reused == events[: len(reused)]
    assert sum(isinstance(event, LookupEvent) for event in reused) == 4
    assert sum(checkpoint.model.calls) < len(after.tokens) - after.reused + 3
    check_whole(after)


def test_regeneration_follows_an_edit_through_a_chain() -> None:
    decoder = Decoder(writer({ASK: PARAGRAPH}))
    before = done(decoder.generate(ASK, Graph(FRANCE)))
    graph = other(capital="Lyon")
    graph.facts["Lyon"] = {"mayor": "Grégory Doucet"}
    after = done(decoder.regenerate(before, graph))
    assert "Its capital is Lyon, where Grégory Doucet is mayor." in after.text
    back = done(decoder.regenerate(after, Graph(FRANCE)))
    assert back.text == before.text
    assert [token.id for token in back.tokens] == [token.id for token in before.tokens]


def test_regeneration_without_a_kept_cache_prefills_once() -> None:
    checkpoint = writer({ASK: PARAGRAPH})
    before = done(Decoder(checkpoint, guess=False).generate(ASK, Graph(FRANCE)))
    imported = Trace.from_json(before.to_json())
    checkpoint.model.calls.clear()
    decoder = Decoder(checkpoint, guess=False)
    after = done(decoder.regenerate(imported, other(currency="franc")))
    assert after.text.endswith("It pays in franc.")
    assert checkpoint.model.calls[0] > len(before.prompt_ids) + after.reused
    assert sum(checkpoint.model.calls) == len(after.ids) - 1


def test_guesses_save_passes_and_change_nothing() -> None:
    checkpoint = writer({ASK: PARAGRAPH})
    plain, guessing = Decoder(checkpoint, guess=False), Decoder(checkpoint)
    calls = checkpoint.model.calls
    one = done(plain.generate(ASK, Graph(FRANCE)))
    without, _ = len(calls), calls.clear()
    two = done(guessing.generate(ASK, Graph(FRANCE)))
    assert two.tokens == one.tokens
    assert len(calls) < 0.8 * without
    edited = other(**{"instance of": "monarchy"})  # early in the text
    calls.clear()
    three = done(plain.regenerate(one, edited))
    without, _ = len(calls), calls.clear()
    four = done(guessing.regenerate(two, edited))
    assert four.tokens == three.tokens
    assert four.text.startswith("France is a monarchy.")
    assert len(calls) < 0.3 * without


def test_guesses_never_pass_a_limit() -> None:
    decoder = Decoder(writer({ASK: PARAGRAPH}))
    for limit in range(1, 110, 5):
        settings = DecodingSettings(max_tokens=limit)
        limited = done(decoder.generate(ASK, Graph(FRANCE), settings))
        plain = done(
            Decoder(decoder.checkpoint, guess=False).generate(ASK, Graph(FRANCE), settings)
        )
        assert limited.tokens == plain.tokens
        assert limited.finish == plain.finish


def test_an_edit_that_no_lookup_read_writes_nothing_but_refreshes_the_facts() -> None:
    checkpoint = writer({ASK: PARAGRAPH})
    decoder = Decoder(checkpoint)
    before = done(decoder.generate(ASK, Graph(FRANCE)))
    checkpoint.model.calls.clear()
    graph = Graph({**FRANCE, "Japan": {"capital": "Tokyo"}}, revision=7)
    after = done(decoder.regenerate(before, graph))
    assert checkpoint.model.calls == []
    assert after.tokens == before.tokens
    assert (after.revision, after.finish) == (7, "end")
    assert after.id != before.id


def test_other_settings_or_another_model_write_everything_anew() -> None:
    decoder = Decoder(writer({ASK: PARAGRAPH}))
    before = done(decoder.generate(ASK, Graph(FRANCE)))
    changed = DecodingSettings(temperature=0.1, seed=4)
    assert done(decoder.regenerate(before, Graph(FRANCE), changed)).reused == 0
    before.model = "another"
    assert done(decoder.regenerate(before, Graph(FRANCE))).reused == 0


def test_regeneration_equals_generation_on_a_real_model() -> None:
    """A random Llama that is pushed into lookups: what is reused is what would be written."""
    checkpoint = _talkative(random_llama(3))
    decoder = Decoder(checkpoint)
    settings = DecodingSettings(max_tokens=150, max_lookup_tokens=4, temperature=1.0, seed=5)
    for revision in (1, 2, 3):
        before = done(decoder.generate(ASK, _Echo(1), settings))
        fresh = done(Decoder(checkpoint).generate(ASK, _Echo(revision), settings))
        again = done(decoder.regenerate(before, _Echo(revision), settings))
        assert len(before.lookups) > 2
        assert [t.id for t in again.tokens] == [t.id for t in fresh.tokens]
        for one, two in zip(again.tokens, fresh.tokens, strict=True):
            assert one.probability == pytest.approx(two.probability, abs=1e-4)


class _Echo(Graph):
    """Answers every query with a value that depends on the revision for every second query."""

    def __init__(self, revision: int) -> None:
        super().__init__({}, revision)

    def lookup(self, entity: str, relation: str, context: str | None = None) -> Any:
        from tests.model.model_fakes import answer

        changed = self.revision if len(entity + relation) % 2 else 0
        return answer(entity, relation, [f"v{changed} {entity[:3]}"])


def _talkative(checkpoint: Any) -> Any:
    """Markers a good deal more probable than in random weights, so that lookups happen."""
    head = checkpoint.model.lm_head
    if head.bias is None:
        bias = torch.zeros(head.out_features)
        bias[list(checkpoint.markers.as_tuple())] = 12.0
        head.bias = torch.nn.Parameter(bias, requires_grad=False)
    return checkpoint


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_batch_writes_what_single_rows_write(temperature: float) -> None:
    checkpoint = _talkative(random_llama(3))
    decoder = Decoder(checkpoint)
    settings = DecodingSettings(
        temperature=temperature, seed=1, max_tokens=90, max_lookup_tokens=5, max_lookups=6
    )
    prompts = [ASK, "Kraków?", "Tell me about 東京 and the capital of Japan; where is it?", "1999"]
    prompts += [f"What is {n}?" for n in range(5)]
    graphs = [_Echo(n) for n in range(len(prompts))]
    batch = decoder.generate_batch(prompts, graphs, settings, batch_size=6)
    for prompt, graph, trace in zip(prompts, graphs, batch, strict=True):
        single = done(decoder.generate(prompt, graph, settings))
        assert [t.id for t in trace.tokens] == [t.id for t in single.tokens]
        assert trace.text == single.text
        assert trace.finish == single.finish
        assert [e.lookup for e in trace.lookups] == [e.lookup for e in single.lookups]
        check_whole(trace)


def test_a_batch_of_documents_that_end_at_different_times() -> None:
    templates = {ASK: PARAGRAPH, "Capital?": "It is[France|capital] {0}.", "Hello": "Nothing."}
    decoder = Decoder(writer(templates))
    traces = decoder.generate_batch(list(templates), [Graph(FRANCE)] * 3)
    assert [trace.text for trace in traces] == [
        "France is a country. Its capital is Paris, where Anne Hidalgo is mayor. It pays in euro.",
        "It is Paris.",
        "Nothing.",
    ]


def test_sampling_depends_on_the_seed_and_on_nothing_else() -> None:
    decoder = Decoder(random_llama(1))

    def text(seed: int) -> str:
        settings = DecodingSettings(temperature=1.5, top_p=0.9, seed=seed, max_tokens=30)
        return done(decoder.generate(ASK, Graph({}), settings)).raw

    assert text(1) == text(1)
    assert len({text(seed) for seed in range(5)}) > 1


def test_greedy_is_that_of_plain_transformers() -> None:
    checkpoint = random_llama(4)
    settings = DecodingSettings(max_tokens=40, lookups=False)
    trace = done(Decoder(checkpoint).generate(ASK, Graph({}), settings))
    with torch.inference_mode():
        output = checkpoint.model.generate(
            torch.tensor([trace.prompt_ids]),
            max_new_tokens=40,
            do_sample=False,
            bad_words_ids=[[checkpoint.markers.entity]],
        )
    assert trace.ids == output[0].tolist()


def test_scripted_model_refuses_a_wrong_cache() -> None:
    """The stand-in itself is strict: it would notice a token fed twice."""
    model = writer({ASK: "Paris."}).model
    assert isinstance(model, ScriptedModel)
    from model.engine.cache import GrowingCache

    prompt = sequence("<|begin|>", ASK, "\n")
    kept = GrowingCache()
    model(torch.tensor([prompt]), kept)
    with pytest.raises(AssertionError):
        model(torch.tensor([prompt[-1:]]), kept)
