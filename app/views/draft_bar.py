"""The bar of the draft: what this session edited, undo and redo, publish and discard."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.state.comparison import describe
from graph.core.deltas import Delta
from graph.core.errors import Conflict

LISTED = 20  # edits that are told one by one


def render(
    deltas: Sequence[Delta],
    *,
    can_undo: bool,
    can_redo: bool,
    note: str = "",
    done: str = "",
    conflict: Conflict | None = None,
) -> str:
    """The bar as escaped HTML; empty where there is no edit and nothing to say."""
    message = ""
    if note:
        message = f'<p class="error" id="draft-note" role="alert">{escape(note)}</p>'
    elif done:
        message = f'<p class="done" id="draft-done">{escape(done)}</p>'
    if conflict is not None:
        message += _differences(conflict)
    if not (deltas or can_undo or can_redo):
        return f'<div class="draft-bar" id="draft-bar">{message}</div>' if message else ""
    count = len(deltas)
    words = f"{count:,} edit{'' if count == 1 else 's'}" if count else "No edits"
    listed = "".join(f"<li>{escape(describe(delta))}</li>" for delta in deltas[:LISTED])
    listed += f"<li>and {count - LISTED:,} more</li>" if count > LISTED else ""
    what = (
        f'<details id="draft-list"><summary><b>{words}</b> in your draft'
        '<span class="aside">, seen by you alone</span>'
        f"</summary><ul>{listed}</ul></details>"
        if deltas
        else f"<span><b>{words}</b> in your draft</span>"
    )
    publish = (
        '<button type="button" id="publish" class="publish" data-action="publish">'
        "Publish to all</button>"
        '<button type="button" id="discard" data-action="discard" '
        'data-confirm="Really discard?">Discard all</button>'
        if deltas
        else ""
    )
    off, off_redo = ("" if on else " disabled" for on in (can_undo, can_redo))
    return (
        f'<div class="draft-bar" id="draft-bar"><div class="draft-what">{what}</div>'
        f'<div class="row"><button type="button" id="undo" data-action="undo"{off}>Undo</button>'
        f'<button type="button" id="redo" data-action="redo"{off_redo}>Redo</button>'
        f"{publish}</div>{message}</div>"
    )


def _differences(conflict: Conflict) -> str:
    """Both versions of each thing that somebody else changed meanwhile."""
    rows = "".join(
        f'<tr><th scope="row">{escape(each.what)}</th><td>{_values(each.base)}</td>'
        f"<td>{_values(each.mine)}</td><td>{_values(each.theirs)}</td></tr>"
        for each in conflict.differences
    )
    if not rows:
        return ""
    return (
        '<table class="conflict" id="conflict"><thead><tr><th scope="col">Fact</th>'
        '<th scope="col">When you began</th><th scope="col">Yours</th>'
        f'<th scope="col">Published since</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _values(values: Sequence[str]) -> str:
    return escape("; ".join(values)) if values else '<span class="faint">nothing</span>'
