"""The head of each page: the name and version, a link to each page, one sentence, the theme."""

from __future__ import annotations

from markupsafe import Markup

from app.views.templates import render as render_template
from graph.version import VERSION

PAGES = (  # key, name, address
    ("inspect", "Inspect", "./"),
    ("verify", "Verify", "verify"),
    ("training", "Training", "training"),
)


def masthead(page: str, sentence: str, tour: bool = False) -> Markup:
    """The head of the page with this key, as HTML; with a button that starts the `tour`."""
    return render_template(
        "masthead.html", pages=PAGES, page=page, sentence=sentence, tour=tour, version=VERSION
    )
