"""The parts of *Inspect* that never change: its header, its legend and the head of the facts."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from app.views import tour
from app.views.masthead import masthead
from app.views.templates import render
from model.checkpoint import SHIPPED, Checkpoint

SENTENCE = (
    "The words that light up were copied from a graph of facts. Change one, and the text follows."
)


def header() -> Markup:
    """The head of the page, with the tour."""
    return masthead("inspect", SENTENCE, tour=True) + tour.render()


def legend(checkpoint: Checkpoint) -> Markup:
    """What lit and unlit words mean, the states that a word can be in, and which model writes."""
    path = Path(checkpoint.name)
    kind = "pretrained" if checkpoint.base else "shipped" if path.parent == SHIPPED else "other"
    return render("legend.html", model=path.name, kind=kind)


def facts_head() -> Markup:
    """Above the facts: graph or table, what the signs mean, and *Enlarge*."""
    return render("facts_head.html")


def graph_frame() -> Markup:
    """The picture's host, and around it the buttons of its view and the place of its form."""
    return render("graph_frame.html")
