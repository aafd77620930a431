"""Annotation by a causal language model: it writes the text again, with lookups in brackets.

An instruction model is asked in its chat form, any other is shown the same as text to go on with.
What it writes is only used for its lookups: they are put into the text that was given, so no word
of it can change. A lookup whose place cannot be found again is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.alignment import Text
from training.annotated import Annotated, Placed, parse
from training.tokenizer import CorpusError

INSTRUCTION = """\
Copy the text word for word. Before each name, date, number or other fact that one could look up in
a database, insert one call of the form [dblookup('Entity', 'Relation') -> Value], where Value is
what the text says next. Write the entity's full name, and the relation in one to three words.
Change nothing else, and add no remark."""
EXAMPLE = (
    "The Elbe rises in the Giant Mountains and is 1,094 kilometres long.",
    "The Elbe rises in the [dblookup('Elbe', 'Source') -> Giant Mountains] Giant Mountains and is "
    "[dblookup('Elbe', 'Length') -> 1,094 kilometres] 1,094 kilometres long.",
)
CONTEXT = 24  # characters after a lookup by which its place is found again


class CausalAnnotator:
    """Annotates with a causal LM or an instruction model of the Hub, greedily, in batches."""

    def __init__(self, name: str) -> None:
        """Raises CorpusError if there is no such model."""
        self.name = name
        try:
            self.tokenizer: Any = AutoTokenizer.from_pretrained(
                name, padding_side="left", trust_remote_code=False
            )
            loader: Any = AutoModelForCausalLM
            self.model = loader.from_pretrained(
                name, dtype="auto", use_safetensors=True, trust_remote_code=False
            )
        except (OSError, ValueError) as error:
            raise CorpusError(
                f"There is no causal LM {name}: no folder, nor on the Hub."
            ) from error
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.model.eval().to("cuda" if torch.cuda.is_available() else "cpu")

    def annotate(self, texts: Sequence[Text]) -> list[Annotated]:
        """Each text with the lookups that the model wrote and that fit into it."""
        prompts = [self._prompt(text.text) for text in texts]
        inputs = self.tokenizer(
            prompts, return_tensors="pt", padding=True, add_special_tokens=self._is_plain
        ).to(self.model.device)
        longest = max(len(self.tokenizer(text.text)["input_ids"]) for text in texts)
        context = getattr(self.model.config, "max_position_embeddings", 0) or 1 << 20
        room = context - inputs["input_ids"].shape[1]
        if room < longest:
            raise CorpusError(
                f"A text of {longest:,} tokens does not fit the {context:,} that {self.name} sees: "
                "cut the texts into paragraphs."
            )
        with torch.inference_mode():
            written = self.model.generate(
                **inputs,
                max_new_tokens=min(room, 3 * longest + 64),
                do_sample=False,
                pad_token_id=self.tokenizer.pad_token_id,
            )
        answers = self.tokenizer.batch_decode(
            written[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True
        )
        return [graft(text.text, answer) for text, answer in zip(texts, answers, strict=True)]

    @property
    def _is_plain(self) -> bool:
        return not getattr(self.tokenizer, "chat_template", None)

    def _prompt(self, text: str) -> str:
        if self._is_plain:
            shown = f"Text: {EXAMPLE[0]}\nWith calls: {EXAMPLE[1]}"
            return f"{INSTRUCTION}\n\n{shown}\n\nText: {text}\nWith calls:"
        messages = [
            {"role": "system", "content": INSTRUCTION},
            {"role": "user", "content": EXAMPLE[0]},
            {"role": "assistant", "content": EXAMPLE[1]},
            {"role": "user", "content": text},
        ]
        return self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )


def graft(text: str, answer: str) -> Annotated:
    """The lookups of a model's answer, put into the text that it was asked to copy."""
    written = parse(answer.strip())
    lookups, at = [], 0
    for lookup in written.lookups:
        following = written.text[lookup.position : lookup.position + CONTEXT]
        places = [text.find(piece, at) for piece in (following, lookup.value) if piece.strip()]
        place = next((place for place in places if place >= 0), -1)
        if place < 0 or (place and text[place - 1].isalnum() and text[place].isalnum()):
            continue
        lookups.append(Placed(place, lookup.entity, lookup.relation, lookup.value))
        at = place
    return Annotated(text, tuple(lookups))
