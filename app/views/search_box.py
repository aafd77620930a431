"""The entity search: an input and, while one types, the entities that fit."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from app.views.templates import KEPT
from app.views.templates import render as render_template
from graph.core.facts import Entity


@lru_cache(KEPT)
def render(found: tuple[Entity, ...] = (), text: str = "") -> Markup:
    """The search as HTML."""
    return render_template("search_box.html", found=found, text=text)
