"""A model that writes by a grammar, for the page's tests without and next to the shipped one.

It drives the real decoder, the real store and the real page. As a trained model would, it looks up
`relations` of the entity in the prompt, then each listed relation, and says each value behind its
lookup. Some prompts make it err, so that every state of a mark can be reached:

    Contradict France.     says another value than the graph
    Mistake France.        says the last value of another relation
    Ramble about France.   writes without a single lookup, and names things
    Ask France for motto.  looks up one relation only
    Slowly France.         waits a little before each token
    Skip France.           looks everything up, and does not say the last value
    Waver over France.     looks the currency up, and nearly would have looked up the capital
"""

from __future__ import annotations

import re
import time
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from model.checkpoint import Checkpoint, make_checkpoint
from model.roles import END, ENTITY, RELATIONSHIP, RETURN
from training.data.tokenizer import train_tokenizer

ROOT = Path(__file__).parents[2]
BEGIN, FINISH = "<|begin|>", "<|end|>"
ABOUT = re.compile(
    r"(?:tell me about|contradict|mistake|slowly|skip|ramble about)\s+(.*?)[.?!]*$", re.IGNORECASE
)
WAVER = re.compile(r"waver over (.*?)[.?!]*$", re.IGNORECASE)
ONE = re.compile(r"ask (.*?) for (.*?)[.?!]*$", re.IGNORECASE)


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    """A small tokenizer, made by the project's own code from names of the world."""
    with (ROOT / "graph/data/world.csv").open(encoding="utf-8") as file:
        lines = [next(file).replace(",", " ") for _ in range(6000)]
    text = "The capital of France is Paris. It has a population, a currency and borders. "
    return train_tokenizer([*lines, *[text] * 50], vocab_size=2000)


def as_a_list(value: str) -> str:
    """Several values as a person lists them: "A, B and C"."""
    parts = re.sub(r"; and (\d+ more)$", r"; \1", value).split("; ")
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def document(prompt: str, answers: list[str], wavering: str = "currency") -> str:
    """What the model would write, as far as the answers to its lookups are known.

    `wavering` is the relation that it looks up where it wavers.
    """
    out: list[str] = []
    given = list(answers)

    def look_up(entity: str, relation: str) -> str | None:
        out.append(f"{ENTITY} {entity}{RELATIONSHIP} {relation}{RETURN}")
        if not given:
            return None
        out.append(f" {given[0]}{END}")
        return given.pop(0)

    one = ONE.match(prompt)
    about = ABOUT.match(prompt)
    waver = WAVER.match(prompt)
    about = waver or about
    entity = one[1] if one else about[1] if about else prompt.rstrip(".?!")
    if prompt.lower().startswith("ramble"):
        return f"{entity} was founded by Baldric in 1234. It is a fine place.{FINISH}"
    if one or waver:
        relations = [one[2] if one else wavering]
    else:
        listed = look_up(entity, "relations")
        if listed is None:
            return "".join(out)
        if listed == "unknown":
            return "".join(out) + f" Nothing about {entity} is recorded.{FINISH}"
        relations = listed.split("; ")
    for relation in relations:
        # Where it wavers, the words before the lookup do not give away which relation it will be.
        mistaken = prompt.lower().startswith("mistake") and relation == relations[-1]
        said = "area" if mistaken else relation
        out.append(f" For {entity} it is" if waver else f" The {said} of {entity} is")
        value = look_up(entity, relation)
        if value is None:
            return "".join(out)
        if value == "unknown":
            out.append(" not recorded.")
        elif prompt.lower().startswith("contradict") and relation == relations[-1]:
            out.append(" Atlantis.")
        elif prompt.lower().startswith("skip") and relation == relations[-1]:
            out.append(" well known.")
        else:
            out.append(f" {as_a_list(value)}.")
    return "".join(out).lstrip() + FINISH


class ScriptedModel(torch.nn.Module):
    """A causal language model, seen from the decoder; it reads its ids from the cache alone."""

    def __init__(self, context: int = 4096) -> None:
        super().__init__()
        self.config = SimpleNamespace(
            max_position_embeddings=context, lamplight={"prompt_suffix": "\n", "relations": True}
        )

    def forward(
        self, input_ids: Tensor, past_key_values: Any, logits_to_keep: int = 1, **_: Any
    ) -> SimpleNamespace:
        states = input_ids[:, None, :, None].float()
        seen = past_key_values.update(states, states, 0)[0][0, 0, :, 0].long().tolist()
        logits = torch.zeros((1, logits_to_keep, len(tokenizer())))
        for place in range(logits_to_keep):  # behind a guess of the decoder's, several at once
            known = seen[: len(seen) - logits_to_keep + 1 + place]
            if (second := self.second_id(known)) is not None:
                logits[0, place, second] = 11.0
            logits[0, place, self.next_id(known)] = 12.0
        return SimpleNamespace(logits=logits)

    def next_id(self, ids: list[int]) -> int:
        """The id that the grammar puts after these."""
        written = tokenizer().decode(ids, clean_up_tokenization_spaces=False)
        prompt, _, text = written.removeprefix(BEGIN).partition("\n")
        if prompt.lower().startswith("slowly"):
            time.sleep(0.03)
        answers = re.findall(rf"{re.escape(RETURN)} (.*?){re.escape(END)}", text, re.DOTALL)
        planned = encoded(prompt, tuple(answers))
        return planned[len(ids)] if len(ids) < len(planned) else tokenizer().eos_token_id

    def second_id(self, ids: list[int]) -> int | None:
        """The second likeliest id, where the prompt makes the model waver."""
        written = tokenizer().decode(ids, clean_up_tokenization_spaces=False)
        prompt, _, text = written.removeprefix(BEGIN).partition("\n")
        if RETURN in text or not WAVER.match(prompt):
            return None
        planned = encoded(prompt, (), "capital")
        return planned[len(ids)] if planned[: len(ids)] == ids != planned else None


@cache
def encoded(prompt: str, answers: tuple[str, ...], wavering: str = "currency") -> list[int]:
    """The ids of the document so far."""
    ids = tokenizer().encode(f"{BEGIN}", add_special_tokens=False)
    ids += tokenizer().encode(f"{prompt}\n", add_special_tokens=False)
    text = document(prompt, list(answers), wavering)
    return ids + tokenizer().encode(text, add_special_tokens=False)


def checkpoint() -> Checkpoint:
    """A checkpoint around the scripted model."""
    return make_checkpoint(ScriptedModel(), tokenizer(), "scripted")
