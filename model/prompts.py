"""Prompts: each is checked once, before anything is computed, and joined to its answer in a form.

A form is what surrounds a prompt in a document. The model and the corpus that it learns from use
the same one, so both take it from here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graph.core.errors import UserError

MAX_PROMPT_CHARACTERS = 2000

BEGIN, ANSWER = "<|begin|>", "<|answer|>"  # special tokens of our own tokenizers
CHAT_START, CHAT_END = "<|im_start|>", "<|im_end|>"  # special tokens of chat models


class PromptError(UserError, ValueError):
    """A prompt that cannot be answered."""


@dataclass(frozen=True)
class PromptForm:
    """What surrounds a prompt in a document."""

    before: str = ""
    """A control string in front of the prompt: special tokens in it are recognised."""
    lead: str = ""
    """Plain text in front of the prompt."""
    after: str = ""
    """A control string between the prompt and the answer."""
    keep_lines: bool = True
    """Whether line breaks of a prompt are kept; otherwise they become spaces."""

    def to_json(self) -> dict[str, Any]:
        """The form as `config.json` holds it."""
        form: dict[str, Any] = {"before": self.before, "lead": self.lead, "after": self.after}
        return form if self.keep_lines else {**form, "keep_lines": False}

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> PromptForm:
        """The form that `to_json` wrote."""
        return cls(
            str(form.get("before", "")),
            str(form.get("lead", "")),
            str(form.get("after", "")),
            bool(form.get("keep_lines", True)),
        )


LINE_FORM = PromptForm(BEGIN, " ", "\n", keep_lines=False)
"""A line break ends the prompt: the form of tokenizers without `<|answer|>`."""
ANSWER_FORM = PromptForm(BEGIN, " ", ANSWER)
"""A marker of its own ends the prompt."""
CHAT_FORM = PromptForm(f"{CHAT_START}user\n", "", f"{CHAT_END}\n{CHAT_START}assistant\n")
"""One turn of a chat, without a system message."""


def form_of(vocabulary: Container[str]) -> PromptForm:
    """The form in which documents are encoded with a tokenizer of this vocabulary."""
    if BEGIN in vocabulary:
        return ANSWER_FORM if ANSWER in vocabulary else LINE_FORM
    if CHAT_START in vocabulary and CHAT_END in vocabulary:
        return CHAT_FORM
    return PromptForm(keep_lines=False)


def split_control(text: str, special: Iterable[str]) -> list[str]:
    """A control string cut into its special tokens and the plain text between them."""
    known = "|".join(map(re.escape, sorted(special, key=len, reverse=True)))
    pieces = re.split(f"({known})", text) if known else [text]
    return [piece for piece in pieces if piece]


def clean_prompt(prompt: str, *, keep_lines: bool = False) -> str:
    """`prompt` in NFC with each run of white space as one space, and stripped.

    With `keep_lines`, each line is cleaned so, and lines stay lines: at most one empty line in a
    row is kept.

    Raises:
        PromptError: if it is empty, longer than 2,000 characters, or contains control characters.
    """
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise PromptError(
            f"The prompt has {len(prompt):,} characters; shorten it to at most "
            f"{MAX_PROMPT_CHARACTERS:,}."
        )
    text = _join_lines(prompt) if keep_lines else " ".join(prompt.split())
    if not text:
        raise PromptError('The prompt is empty; type one, such as "Tell me about France."')
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character) in ("Cc", "Cs") and character != "\n":
            raise PromptError(
                f"The prompt contains a control character (U+{ord(character):04X}, at "
                f"position {position:,}); remove it."
            )
    return unicodedata.normalize("NFC", text)


def _join_lines(prompt: str) -> str:
    lines: list[str] = []
    for line in prompt.splitlines():
        cleaned = " ".join(line.split())
        if cleaned or (lines and lines[-1]):
            lines.append(cleaned)
    return "\n".join(lines).strip("\n")
