"""The cards of the examples."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from app.state.examples import Example
from app.views.templates import KEPT
from app.views.templates import render as render_template


@lru_cache(KEPT)
def render(examples: tuple[Example, ...], prompt: str = "", edited: bool = False) -> Markup:
    """The four cards as HTML; the one that is played is shown as chosen.

    A card that only reads is no longer shown as chosen once the visitor has `edited` something.
    """
    chosen = {
        example.name
        for example in examples
        if example.prompt == prompt and (example.edits or not edited)
    }
    return render_template("example_cards.html", examples=examples, chosen=chosen)
