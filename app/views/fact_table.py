"""The table twin of the graph: the same facts, numbers and actions, for the keyboard and for
screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from app.state.scene import Scene, bounded
from graph.core.facts import Fact
from graph.world import source_names

MAX_ROWS = 60


def render(scene: Scene) -> str:
    """The table as escaped HTML."""
    strong, faint, left_out = bounded(scene)
    facts = sorted(strong, key=lambda fact: scene.numbers.get(fact.id, 999)) + faint
    if not facts:
        return '<p class="faint empty" id="facts-empty">No facts yet.</p>'
    # A hit beyond the twelve that the picture has room for is still a row.
    shown = {fact.id for fact in facts}
    facts = [*facts, *(fact for fact in scene.hits if fact.id not in shown)][:MAX_ROWS]
    rows = "".join(_row(fact, scene) for fact in facts)
    more = f'<p class="faint" id="facts-more">and {left_out} more</p>' if left_out else ""
    return (
        '<div class="table-scroll" id="facts-scroll" tabindex="0" role="region" '
        'aria-label="Facts as a table">'
        '<table id="facts-table"><thead><tr><th scope="col">No.</th><th scope="col">Entity</th>'
        '<th scope="col">Relation</th><th scope="col">Value</th><th scope="col">Source</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>{more}</div>"
    )


def _row(fact: Fact, scene: Scene) -> str:
    number = scene.numbers.get(fact.id)
    classes: Sequence[str] = [
        name
        for name, on in (
            ("hit", number is not None),
            ("edited", fact.id in scene.edited),
            ("selected", fact.id in scene.selected),
        )
        if on
    ]
    pressed = str(fact.id in scene.selected).lower()
    return (
        f'<tr id="row-{fact.id}" class="{" ".join(classes)}">'
        f"<td>{number or ''}</td><td>{escape(fact.entity)}</td><td>{escape(fact.relation)}</td>"
        f'<td><button type="button" class="cell" id="cell-{fact.id}" aria-pressed="{pressed}" '
        f'data-action="fact" data-id="{fact.id}">{escape(fact.value)}</button></td>'
        f"<td>{escape(source_names(fact.source))}</td></tr>"
    )
