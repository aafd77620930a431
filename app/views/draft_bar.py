"""The bar of the draft: what this session edited, undo and redo, publish and discard."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup

from app.state.comparison import describe
from app.views.templates import KEPT
from app.views.templates import render as render_template
from graph.core.deltas import Delta
from graph.core.errors import Conflict, Difference

LISTED = 20  # edits that are listed one by one


def render(
    deltas: Sequence[Delta],
    *,
    can_undo: bool,
    can_redo: bool,
    note: str = "",
    done: str = "",
    conflict: Conflict | None = None,
    publishes: bool = True,
) -> Markup:
    """The bar as HTML; empty if there are no edits and nothing to report.

    `publishes` is whether this server lets drafts be published.
    """
    return _bar(
        len(deltas),
        tuple(describe(delta) for delta in deltas[:LISTED]),
        can_undo,
        can_redo,
        note,
        done,
        tuple(conflict.differences) if conflict is not None else (),
        publishes,
    )


@lru_cache(KEPT)
def _bar(
    count: int,
    listed: tuple[str, ...],
    can_undo: bool,
    can_redo: bool,
    note: str,
    done: str,
    differences: tuple[Difference, ...],
    publishes: bool,
) -> Markup:
    return render_template(
        "draft_bar.html",
        count=count,
        listed=listed,
        can_undo=can_undo,
        can_redo=can_redo,
        note=note,
        done_words=done,
        differences=differences,
        publishes=publishes,
    )
