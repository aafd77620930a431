"""The tour on request: four steps, each next to the part of the page that it is about."""

from __future__ import annotations

from markupsafe import Markup

from app.views.templates import render as render_template

# The part of the page, a heading, and what to know about it.
STEPS = (
    (
        "#trace",
        "Read",
        "The model wrote this. Each lit word repeats a value that it looked up in the graph while "
        "writing; point at one to see which. The rest is its own wording.",
    ),
    (
        "#facts",
        "See where it comes from",
        "Each fact is an edge. Its number is the same on the word, the edge and the row of the "
        "table: the order in which the facts were used.",
    ),
    (
        "#card",
        "Change it",
        "Choose a lit word or an edge and its fact opens here. Type another value and save, or "
        "delete it: the text is rewritten at once.",
    ),
    (
        "#examples",
        "Keep it to yourself, or publish",
        "Your edits are a draft that nobody else sees. Undo, Publish and Discard are at the foot "
        "of the page. Each of these four cards shows one edit. Add your own facts below them.",
    ),
)


def render() -> Markup:
    """The tour as HTML, hidden until it is asked for."""
    return render_template("tour.html", steps=STEPS)
