"""The parts of *Inspect* that never change: its header, its legend and the head of the facts."""

from __future__ import annotations

from app.views import tour
from app.views.masthead import masthead

SENTENCE = (
    "The words that light up were copied from a graph of facts. Change one, and the text follows."
)


def header() -> str:
    """The head of the page, with the tour."""
    button = '<button type="button" id="tour-start" class="quiet" data-page="tour">Tour</button>'
    return masthead("inspect", SENTENCE, button) + tour.render()


def legend() -> str:
    """What lit and unlit words mean, and the states that a word can be in."""
    states = (
        ("legend-edit", "✎", "lit, from your edit"),
        ("legend-bad", "≠", "not what the graph says"),
        ("legend-miss", "dashed", "not recorded"),
    )
    shown = " ".join(
        f'<span class="legend-state"><span class="{name}">{sign}</span> {words}</span>'
        for name, sign, words in states
    )
    return (
        '<p class="legend" id="legend"><span class="mark" data-number="1">Lit</span>: copied from '
        "the graph. Unlit: the model's own words. Lit does not mean true. "
        '<span class="legend-states"><span class="legend-state">Choose a lit word to see or change '
        f"its fact.</span> {shown}</span></p>"
    )


def facts_head() -> str:
    """Above the facts: graph or table, what the signs mean, and *Enlarge*."""
    return (
        '<div class="facts-head"><div class="tabs" role="group" aria-label="Graph or table">'
        '<button type="button" data-page="facts-view" data-view="graph" aria-pressed="true">Graph'
        '</button><button type="button" data-page="facts-view" data-view="table" '
        'aria-pressed="false">Table</button></div>'
        '<span class="key" id="graph-key"><span aria-hidden="true">●</span> entity '
        '<span aria-hidden="true">◆</span> plain value '
        '<span aria-hidden="true">○</span>&nbsp;nearby, not&nbsp;looked&nbsp;up</span>'
        '<button type="button" class="quiet" id="enlarge" data-page="enlarge" '
        'aria-pressed="false">Enlarge</button></div>'
    )
