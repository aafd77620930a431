"""The form of a fact that is drawn in the picture: a sentence with a relation to choose."""

from __future__ import annotations

from collections.abc import Sequence

from app.state.session import DrawnFact
from app.views.templates import macro
from graph.core.names import MAX_NAME, MAX_VALUE

_PICKER = macro("fact_picker.html", "picker")


def render(drawn: DrawnFact | None, suggestions: Sequence[str], note: str) -> str:
    """The form as HTML; "" while no fact is drawn. `note` says why it was refused."""
    if drawn is None:
        return ""
    return _PICKER(drawn, suggestions, note, MAX_NAME, MAX_VALUE)
