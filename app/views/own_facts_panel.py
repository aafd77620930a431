"""The panel of *Your facts*: where a file is pasted or dropped, and what became of it."""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from app.state.file_import import ENCODINGS, MOST_ROWS, ImportResult
from app.views.templates import KEPT
from app.views.templates import render as render_template

LINES_SHOWN = 100
NAMES_SHOWN = 3


@lru_cache(KEPT)
def render(result: ImportResult | None = None) -> Markup:
    """The panel as HTML; the browser opens it, and closes it when something was added."""
    bad = result.bad if result else ()
    others = result.entities[1:] if result else ()  # the text is about the first
    return render_template(
        "own_facts_panel.html",
        most_rows=MOST_ROWS,
        result=result,
        problem=_named_problem(result) if result else "",
        others=others[:NAMES_SHOWN],
        more_others=len(others) - NAMES_SHOWN,
        bad=bad[:LINES_SHOWN],
        more_bad=len(bad) - LINES_SHOWN,
        encodings=ENCODINGS,
        columns=[
            (number, f"{number}: {cell[:40]}" if cell.strip() else str(number))
            for number, cell in enumerate(result.header if result else (), start=1)
        ],
    )


def _named_problem(result: ImportResult) -> str:
    """What is wrong with a file, with its name."""
    if result.name in result.problem:
        return result.problem
    return f"{result.name}: {result.problem}"
