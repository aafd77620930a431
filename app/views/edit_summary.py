"""What the last edit did to the text: the summary below it, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.state.comparison import Comparison, StillSaid, describe
from graph.core.deltas import Delta
from graph.core.facts import Fact
from graph.core.names import fold

UNDO = ' <button type="button" class="quiet" id="undo-here" data-action="undo">Undo</button>'


def ask_button(name: str, words: str = "") -> str:
    """A button that asks about an entity; it bears the name unless there are other words."""
    return (
        f'<button type="button" class="quiet" data-action="try" data-name="{escape(name)}">'
        f"{escape(words or name)}</button>"
    )


def unread_html(deltas: Sequence[Delta], prompt: str) -> str:
    """That the last edit was read by no lookup of the text, and what to ask to see it."""
    causes = "; ".join(describe(delta) for delta in deltas[:3])
    why = f' <span class="why">Your edit: {escape(causes)}.</span>' if causes else ""
    names = [
        delta.after.entity
        for delta in deltas
        if isinstance(delta.after, Fact) and fold(delta.after.entity) not in fold(prompt)
    ]
    ask = " " + ask_button(names[0], f"Ask about {names[0]}") if names else ""
    return (
        '<p class="summary" id="summary"><b>No lookup of this text read the edited fact, so the '
        f"text stands as it was.</b>{ask}{UNDO}{why}</p>"
    )


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


def summary_html(comparison: Comparison) -> str:
    """What the edit changed in the text, why, and which values are said all the same."""
    deltas = comparison.deltas
    causes = "; ".join(describe(delta) for delta in deltas[:3])
    causes += f"; and {len(deltas) - 3} more" if len(deltas) > 3 else ""
    if not comparison.changed:
        line = "The model wrote the same words again."
    else:
        line = (
            f"{_plural(len(deltas), 'fact')} changed → {_plural(comparison.words, 'word')}; "
            f"{_plural(comparison.unchanged, 'other value')} unchanged; "
            f"{comparison.seconds:.1f}\u00a0s"
        )
    html = f"<b>{escape(line)}</b>{UNDO}"
    if causes:
        follows = any(each.follows for each in comparison.changes)
        told = (
            " ↳ marks what only follows from it: words that changed because those before them did. "
            "Where a fact is gone, the next of the graph's list is told."
            if follows
            else ""
        )
        html += f' <span class="why">Your edit: {escape(causes)}.{told}</span>'
    html = f'<p class="summary" id="summary">{html}</p>'
    for number, still in enumerate(comparison.still_said):
        html += _still_html(number, still)
    return html


def _still_html(number: int, still: StillSaid) -> str:
    value = f"“{escape(still.value)}” is still said"
    if still.fact is None:
        return (
            f'<p class="still" id="still-{number}">{value}, and no looked-up fact holds it: '
            "these words are the model's own.</p>"
        )
    fact = still.fact
    return (
        f'<p class="still" id="still-{number}">{value}, through another fact: '
        f'<button type="button" class="quiet" data-action="fact" data-id="{fact.id}">'
        f"{escape(fact.entity)} · {escape(fact.relation)}</button>"
        f'<button type="button" class="quiet" data-action="delete" data-id="{fact.id}">'
        "Delete that fact</button></p>"
    )
