"""The cards of the examples."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.state.examples import Example


def render(examples: Sequence[Example], prompt: str = "", edited: bool = False) -> str:
    """The four cards as HTML; the one that is played is shown as chosen.

    One that only reads is no longer so once the visitor has `edited` something.
    """
    cards = "".join(
        f'<button type="button" class="example" id="example-{example.name}" '
        f'data-action="example" data-name="{example.name}" '
        f'aria-pressed="{_chosen(example, prompt, edited)}"><b>{escape(example.verb)}</b>'
        f"<span>{escape(example.words)}</span></button>"
        for example in examples
    )
    return f'<div class="examples" role="group" aria-label="Examples">{cards}</div>'


def _chosen(example: Example, prompt: str, edited: bool) -> str:
    return str(example.prompt == prompt and (bool(example.edits) or not edited)).lower()
