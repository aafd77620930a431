"""The table twin of the graph: the same facts, numbers and actions, for the keyboard and for
screen readers."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from app.state.scene import Scene, bounded
from app.views.templates import render as render_template
from graph.core.facts import Fact
from graph.world import source_names

MAX_ROWS = 60


def render(scene: Scene) -> Markup:
    """The table as HTML."""
    strong, faint, left_out = bounded(scene)
    facts = sorted(strong, key=lambda fact: scene.numbers.get(fact.id, 999)) + faint
    if facts:
        # A hit beyond the twelve that the picture has room for is still a row.
        shown = {fact.id for fact in facts}
        facts = [*facts, *(fact for fact in scene.hits if fact.id not in shown)][:MAX_ROWS]
    rows = [_row(fact, scene) for fact in facts]
    return render_template("fact_table.html", rows=rows, left_out=left_out)


def _row(fact: Fact, scene: Scene) -> dict[str, Any]:
    number, selected = scene.numbers.get(fact.id), fact.id in scene.selected
    states = {"hit": number is not None, "edited": fact.id in scene.edited, "selected": selected}
    return {
        "fact": fact,
        "number": number,
        "selected": selected,
        "classes": " ".join(name for name, on in states.items() if on),
        "source": source_names(fact.source),
    }
