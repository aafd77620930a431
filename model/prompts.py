"""Prompts: each is checked once, before anything is computed."""

from __future__ import annotations

import unicodedata

from graph.core.errors import UserError

MAX_PROMPT_CHARACTERS = 2000


class PromptError(UserError, ValueError):
    """A prompt that cannot be answered."""


def clean_prompt(prompt: str) -> str:
    """`prompt` in NFC with each run of white space as one space, and stripped.

    Raises:
        PromptError: if it is empty, longer than 2,000 characters, or contains control characters.
    """
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise PromptError(
            f"The prompt has {len(prompt):,} characters; shorten it to at most "
            f"{MAX_PROMPT_CHARACTERS:,}."
        )
    text = " ".join(prompt.split())
    if not text:
        raise PromptError('The prompt is empty; type one, such as "Tell me about France."')
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise PromptError(
                f"The prompt contains a control character (U+{ord(character):04X}, at "
                f"position {position:,}); remove it."
            )
    return unicodedata.normalize("NFC", text)
