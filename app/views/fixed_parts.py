"""The parts of *Inspect* that never change: its header, its legend and the head of the facts."""

from __future__ import annotations

from markupsafe import Markup

from app.views import tour
from app.views.masthead import masthead
from app.views.templates import render

SENTENCE = (
    "The words that light up were copied from a graph of facts. Change one, and the text follows."
)


def header() -> Markup:
    """The head of the page, with the tour."""
    return masthead("inspect", SENTENCE, tour=True) + tour.render()


def legend() -> Markup:
    """What lit and unlit words mean, and the states that a word can be in."""
    return render("legend.html")


def facts_head() -> Markup:
    """Above the facts: graph or table, what the signs mean, and *Enlarge*."""
    return render("facts_head.html")
