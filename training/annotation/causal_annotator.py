"""Annotation by a causal language model: it writes the text again, with lookups in brackets.

An instruction model is asked in its chat form; any other gets the same request as text to
continue. Only the lookups of its answer are used: they are inserted into the given text, so no word
of it can change. What cannot be used is reported in `problems` of each text: a lookup that cannot
be parsed, one whose place is not found again, an answer that was cut off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.annotation.alignment import Text
from training.annotation.annotated_text import Annotated, Placed, Unparsable, parse
from training.errors import CorpusError

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
        """Load the model. Raises CorpusError if there is none of that name."""
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
                f"There is no causal LM {name}, neither as a folder nor on the Hub."
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
                f"A text of {longest:,} tokens does not fit into the context of {self.name} "
                f"({context:,}): cut the texts into paragraphs."
            )
        limit = min(room, 3 * longest + 64)
        with torch.inference_mode():
            written = self.model.generate(
                **inputs,
                max_new_tokens=limit,
                do_sample=False,
                pad_token_id=self.tokenizer.pad_token_id,
            )
        new_BT = written[:, inputs["input_ids"].shape[1] :]
        answers = self.tokenizer.batch_decode(new_BT, skip_special_tokens=True)
        ended = [self._ends(row_T) for row_T in new_BT]
        return [
            graft(text.text, answer, "" if end else f"the answer was cut off at {limit:,} tokens")
            for text, answer, end in zip(texts, answers, ended, strict=True)
        ]

    def _ends(self, answer_T: torch.Tensor) -> bool:
        """Whether an answer is complete; padding may be the same token as the end."""
        stated = self.model.generation_config.eos_token_id
        ends = {self.tokenizer.eos_token_id, self.tokenizer.pad_token_id}
        ends |= set(stated) if isinstance(stated, list) else {stated}
        return int(answer_T[-1]) in ends

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
        return str(
            self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        )


def graft(text: str, answer: str, cut: str = "") -> Annotated:
    """Insert the lookups of a model's answer into the text that it was asked to copy.

    Args:
        text: the text given to the model.
        answer: what the model wrote.
        cut: why the answer is incomplete; empty if it is complete.

    Returns:
        The text with its lookups. Those that cannot be inserted are among its `problems`, by
        their place in the answer.
    """
    written = parse(answer.strip())
    lookups, problems, at = list[Placed](), list(written.problems), 0
    for lookup in written.lookups:
        following = written.text[lookup.position : lookup.position + CONTEXT]
        places = [text.find(piece, at) for piece in (following, lookup.value) if piece.strip()]
        place = next((place for place in places if place >= 0), -1)
        if place < 0 or (place and text[place - 1].isalnum() and text[place].isalnum()):
            slots = f"{lookup.entity} · {lookup.relation} -> {lookup.value}"
            problems.append(Unparsable(lookup.position, slots, "its place is not in the text"))
            continue
        lookups.append(Placed(place, lookup.entity, lookup.relation, lookup.value))
        at = place
    if cut:
        problems.append(Unparsable(len(answer), answer[-CONTEXT:], cut))
    return Annotated(text, tuple(lookups), tuple(problems))
