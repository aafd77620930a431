"""What may be asked: a prompt is checked once, before anything is computed."""

from __future__ import annotations

import unicodedata

MAX_PROMPT_CHARACTERS = 2000


class PromptError(ValueError):
    """A prompt that cannot be answered; the message is one sentence for the interface."""


def clean_prompt(prompt: str) -> str:
    """`prompt` in NFC with each run of white space as one space, and stripped.

    Raises PromptError if it is empty, longer than 2,000 characters, or holds control characters.
    """
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise PromptError(
            f"The prompt has {len(prompt):,} characters; please shorten it to at most "
            f"{MAX_PROMPT_CHARACTERS:,}."
        )
    text = " ".join(prompt.split())
    if not text:
        raise PromptError('The prompt is empty; ask something, such as "Tell me about France."')
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise PromptError(
                f"The prompt holds a control character (U+{ord(character):04X}, the "
                f"{position:,}. character); please remove it."
            )
    return unicodedata.normalize("NFC", text)
