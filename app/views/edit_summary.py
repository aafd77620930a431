"""What the last edit did to the text: the summary below it, as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from app.state.comparison import Comparison, describe
from app.views.templates import macro, plural
from graph.core.deltas import Delta
from graph.core.facts import Fact
from graph.core.names import fold

MOST_CAUSES = 3
_UNREAD = macro("edit_summary.html", "unread")
_INVENTED = macro("edit_summary.html", "invented")
_COMPARED = macro("edit_summary.html", "compared")
FOLLOWS = (
    " ↳ marks words that changed only because the words before them did. Where a fact is gone, "
    "the model goes on to the next one that the graph lists."
)


def unread_html(deltas: Sequence[Delta], prompt: str) -> Markup:
    """That no lookup of the text read the last edit, and what to ask to see it."""
    names = [
        delta.after.entity
        for delta in deltas
        if isinstance(delta.after, Fact) and fold(delta.after.entity) not in fold(prompt)
    ]
    return _UNREAD(_causes(deltas), names[0] if names else "")


def invented_html(name: str, count: int) -> Markup:
    """That an example made up an entity with so many facts."""
    return _INVENTED(count, name)


def summary_html(comparison: Comparison) -> Markup:
    """What the edit changed in the text, why, and which values still appear."""
    deltas = comparison.deltas
    causes = _causes(deltas)
    if len(deltas) > MOST_CAUSES:
        causes += f"; and {len(deltas) - MOST_CAUSES} more"
    line = "The model wrote the same words again."
    if comparison.changed:
        line = (
            f"{plural(len(deltas), 'fact')} changed → {plural(comparison.words, 'word')}; "
            f"{plural(comparison.unchanged, 'other value')} unchanged; "
            f"{comparison.seconds:.1f}\u00a0s"
        )
    follows = any(each.follows for each in comparison.changes)
    return _COMPARED(line, causes, FOLLOWS if follows else "", comparison.still_said)


def _causes(deltas: Sequence[Delta]) -> str:
    return "; ".join(describe(delta) for delta in deltas[:MOST_CAUSES])
