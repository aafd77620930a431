"""Stand-ins for the tests of this room: a graph in a dictionary, a tokenizer trained on a few
lines in the project's own way, and models whose next token is a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from graph.core.facts import Fact, join_values
from graph.lookup.result import Lookup
from model.checkpoint import Checkpoint, make_checkpoint
from model.roles import END, ENTITY, RELATIONSHIP, RETURN, Role
from model.settings import DecodingSettings
from model.trace import Trace, TraceLookup, TraceToken
from training.data.tokenizer import train_tokenizer

SENTENCES = (
    "Tell me about France.\nFrance is a country in Western Europe. Its capital is Paris.",
    "Où est Kraków? 東京 is the capital of Japan; Київ, Αθήνα, القاهرة, दिल्ली.",
    "It has 67,413,000 inhabitants (2021), 3.5 % more than in 1999. That is not recorded.",
    "Washington, D.C. O'Hara x7 new-found €40 snake_case camelCase Marie Curie was born in",
)


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    """A small tokenizer made by the project's own code."""
    return train_tokenizer(list(SENTENCES) * 3, vocab_size=600)


class Graph:
    """Answers from `{entity: {relation: value or values}}`; remembers what it was asked."""

    def __init__(self, facts: dict[str, dict[str, str | list[str]]], revision: int = 1) -> None:
        self.facts, self.revision, self.state = facts, revision, f"test@{revision}"
        self.asked: list[tuple[str, str]] = []

    def lookup(self, entity: str, relation: str, context: str | None = None) -> Lookup:
        self.asked.append((entity, relation))
        known = self.facts.get(entity, {})
        if relation == "relations" and known:
            return answer(entity, relation, ["; ".join(known)], facts=False)
        values = known.get(relation, [])
        return answer(entity, relation, [values] if isinstance(values, str) else values)


def answer(entity: str, relation: str, values: list[str], facts: bool = True) -> Lookup:
    """The lookup that returns these values; a miss if there are none."""
    joined = join_values(values) if values else None
    made = tuple(
        Fact(
            id=1000 * abs(hash((entity, relation))) % 10**12 + i,
            entity_id=1,
            entity=entity,
            relation=relation,
            value=value,
            value_id=None,
            source="test",
            year=None,
            since=1,
        )
        for i, value in enumerate(values)
    )
    return Lookup(
        entity=entity,
        relation=relation,
        how="exact" if joined else "miss",
        score=1.0 if joined else 0.0,
        threshold=0.6,
        runners_up=(),
        facts=made if facts else (),
        entity_id=1 if joined else None,
        resolved_entity=entity if joined else None,
        resolved_relation=relation if joined else None,
        value=joined.text if joined else "unknown",
        value_spans=tuple(joined.spans) if joined and facts else (),
    )


class ScriptedModel(torch.nn.Module):
    """A causal language model whose next token is `next_id(ids so far)`.

    It sees its ids only through the key-value cache that the decoder keeps, so a decoder that
    loses, repeats or misplaces a token in the cache is found out. Where `second_id` names another
    token, the model is unsure: .62 to .38. Where it `guesses`, its choice has hardly more than any
    other token.
    """

    def __init__(
        self,
        next_id: Callable[[list[int]], int],
        context: int = 4096,
        second_id: Callable[[list[int]], int | None] | None = None,
        guesses: Callable[[list[int]], bool] | None = None,
    ) -> None:
        super().__init__()
        self.next_id, self.second_id, self.guesses = next_id, second_id, guesses
        self.config = SimpleNamespace(
            max_position_embeddings=context, lamplight={"prompt_suffix": "\n", "relations": True}
        )
        self.calls: list[int] = []  # tokens fed in each call

    def forward(
        self,
        input_ids: Tensor,
        past_key_values: Any,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        logits_to_keep: int = 1,
        **_: Any,
    ) -> SimpleNamespace:
        self.calls.append(input_ids.shape[1])
        states = input_ids[:, None, :, None].float()
        seen_BT = past_key_values.update(states, states, 0)[0][:, 0, :, 0].long()
        logits = torch.zeros((len(seen_BT), logits_to_keep, len(tokenizer())))
        logits[..., tokenizer().eos_token_id] = 5.0  # where the script's choice is forbidden
        for row, seen in enumerate(seen_BT):
            ids = (seen if attention_mask is None else seen[attention_mask[row].bool()]).tolist()
            if position_ids is not None:
                assert position_ids[row, -1] == len(ids) - 1
            for place in range(logits_to_keep):
                end = len(ids) - logits_to_keep + 1 + place
                try:
                    second = self.second_id(ids[:end]) if self.second_id else None
                    if second is not None:
                        logits[row, place, second] = 9.5
                    logits[row, place, self.next_id(ids[:end])] = 10.0
                    if self.guesses and self.guesses(ids[:end]):
                        logits[row, place] /= 10
                except (AssertionError, IndexError):
                    if place == 0:  # after a wrong guess the script has nothing to say
                        raise
        return SimpleNamespace(logits=logits)


def trace_of(prompt: str, document: str) -> Trace:
    """The trace of a document that is written out with its lookups, as if a model had written it:
    "It is[France|capital|Paris] Paris." Several values are parted by "; "; "unknown" is a miss.
    The long form with markers is read too."""
    for marker, short in ((ENTITY, "["), (RELATIONSHIP, "|"), (RETURN, "|"), (END, "]")):
        document = document.replace(marker, short)
    tokens: list[TraceToken] = []
    lookups: list[TraceLookup] = []
    for index, part in enumerate(re.split(r"\[(.*?\|.*?\|.*?)\]", document)):
        if index % 2 == 0:
            tokens += [TraceToken(0, piece, Role.TEXT, 0.5, False) for piece in _pieces(part)]
            continue
        entity, relation, value = (slot.strip() for slot in part.split("|"))
        start = len(tokens)
        for marker, role, slot in (
            (ENTITY, Role.ENTITY, entity),
            (RELATIONSHIP, Role.RELATION, relation),
            (RETURN, Role.VALUE, value),
        ):
            tokens.append(TraceToken(0, marker, Role.MARKER, 0.5, False))
            probability = None if role == Role.VALUE else 0.5
            tokens.append(TraceToken(0, " " + slot, role, probability, role == Role.VALUE))
        tokens.append(TraceToken(0, END, Role.MARKER, None, True))
        listed = relation == "relations"
        values = [value] if listed else value.split("; ")
        more = re.fullmatch(r"and (\d+) more", values[-1])
        if more:
            values[-1:] = [f"hidden {n}" for n in range(int(more[1]))]
        found = answer(entity, relation, [] if value == "unknown" else values, facts=not listed)
        assert found.value == value
        lookups.append(TraceLookup(len(lookups), start, len(tokens), found))
    return Trace(
        prompt=prompt,
        prompt_ids=[],
        tokens=tokens,
        lookups=lookups,
        model="test",
        settings=DecodingSettings(),
        revision=1,
        state="test@1",
        finish="end",
        seconds=0.0,
    )


def _pieces(text: str) -> list[str]:
    """Text as tokens cut it: each word with the space before it."""
    return re.findall(r" ?[^\W\d]+| ?.", text, re.DOTALL)


def scripted(
    script: Callable[[list[int]], int],
    context: int = 4096,
    second: Callable[[list[int]], int | None] | None = None,
    guesses: Callable[[list[int]], bool] | None = None,
) -> Checkpoint:
    """A checkpoint around a scripted model."""
    model = ScriptedModel(script, context, second, guesses)
    return make_checkpoint(model, tokenizer(), "scripted")


def writer(templates: dict[str, str], context: int = 4096) -> Checkpoint:
    """A model that writes its template for each prompt, as a well-trained one would.

    In a template `[E|R]` is a lookup and `{0}`, `{1}` ... the values that were returned, in text
    or in later lookups: "It is[France|capital] {0}."
    """
    encode = tokenizer().encode

    def next_id(ids: list[int]) -> int:
        document = tokenizer().decode(ids, clean_up_tokenization_spaces=False)
        prompt, _, text = document.removeprefix("<|begin|>").partition("\n")
        values = re.findall(rf"{re.escape(RETURN)} (.*?){re.escape(END)}", text, re.DOTALL)
        planned = encode(f"<|begin|>{prompt}\n", add_special_tokens=False)
        for index, part in enumerate(re.split(r"\[(.*?)\]", templates[prompt])):
            part = re.sub(r"\{(\d+)\}", lambda m: values[int(m[1])], part)
            if index % 2 == 0:
                planned += encode(part, add_special_tokens=False)
                continue
            entity, relation = part.split("|")
            query = f"{ENTITY} {entity}{RELATIONSHIP} {relation}{RETURN}"
            planned += encode(query, add_special_tokens=False)
            if index // 2 == len(values):  # not answered yet
                if len(ids) >= len(planned):  # in the middle of a value: nobody reads the choice
                    return 0
                return planned[len(ids)]
            value = f" {values[index // 2]}{END}"
            planned += encode(value, add_special_tokens=False)
        assert ids == planned[: len(ids)], "the decoder's ids differ from the encoded document"
        return [*planned, tokenizer().eos_token_id][len(ids)]

    return scripted(next_id, context)


def sequence(*parts: str | int) -> list[int]:
    """Ids of texts and of ids one after another."""
    ids: list[int] = []
    for part in parts:
        if isinstance(part, int):
            ids.append(part)
        else:
            ids += tokenizer().encode(part, add_special_tokens=False)
    return ids


def fixed(generated: list[int], prompt_tokens: int) -> Checkpoint:
    """A model that wants these ids at these places, forced ids in between or not; then it ends."""

    def next_id(ids: list[int]) -> int:
        at = len(ids) - prompt_tokens
        return generated[at] if at < len(generated) else tokenizer().eos_token_id

    return scripted(next_id)


@cache
def random_llama(seed: int = 0, layers: int = 2, width: int = 32, context: int = 512) -> Checkpoint:
    """A tiny Llama with random weights, large enough in scale for its choices to differ."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer()),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        max_position_embeddings=context,
        initializer_range=0.3,
        bos_token_id=tokenizer().bos_token_id,
        eos_token_id=tokenizer().eos_token_id,
        pad_token_id=tokenizer().pad_token_id,
    )
    config.lamplight = {"prompt_suffix": "\n", "relations": True}
    return make_checkpoint(LlamaForCausalLM(config), tokenizer(), f"random-{seed}")
