"""The panel of *Your facts*: where a CSV is pasted or dropped, and what was taken of it."""

from __future__ import annotations

from html import escape

from app.state.csv_import import MOST_ROWS, ImportResult
from app.views.edit_summary import ask_button

LINES_SHOWN = 100
NAMES_SHOWN = 3


def render(taken: ImportResult | None = None) -> str:
    """The panel as escaped HTML; the browser opens it, and closes it when something is taken."""
    return (
        '<details class="own" id="own-facts"><summary>Your facts: paste or drop a CSV, and ask '
        "about it</summary>"
        '<form id="own-form" data-action="take-facts" data-drop>'
        '<label for="own-text">One fact a line: <code>entity,relation,value</code>. They go into '
        f"your draft, at most {MOST_ROWS:,} at once; nobody else sees them before "
        "<i>Publish</i>.</label>"
        '<textarea id="own-text" name="text" rows="4" spellcheck="false" '
        'placeholder="Halcyon Light,keeper,Odile Marsh"></textarea>'
        '<div class="row"><button type="submit" class="primary" id="own-take">Take these facts'
        '</button><label class="file" for="own-file">Choose a file…</label>'
        '<input type="file" id="own-file" class="unseen" accept=".csv,.tsv,.txt,text/csv" '
        "data-file>"
        '<button type="button" id="own-example" data-action="take-facts" data-example="yes">'
        f"Take the example file</button></div></form></details>{report(taken)}"
    )


def report(taken: ImportResult | None) -> str:
    """What was taken and what was not, line by line."""
    if taken is None:
        return ""
    facts = f"{taken.facts:,} fact{'' if taken.facts == 1 else 's'}"
    lines = f"{len(taken.bad):,} line{'' if len(taken.bad) == 1 else 's'}"
    if taken.problem:
        said = f'<p class="error" id="own-note" role="alert">{escape(_of(taken))}</p>'
    else:
        rest = f"; {lines} left out" if taken.bad else "; no line was left out"
        said = (
            f'<p class="done" id="own-done">{facts} of {escape(taken.name)} in your draft{rest}.'
            '<button type="button" class="quiet" data-action="undo">Undo</button>'
            f"{_others(taken)}</p>"
        )
    rows = "".join(
        f'<li id="own-bad-{bad.line}"><b>Line {bad.line:,}</b> {escape(bad.reason)}</li>'
        for bad in taken.bad[:LINES_SHOWN]
    )
    more = len(taken.bad) - LINES_SHOWN
    rows += f"<li>and {more:,} more lines</li>" if more > 0 else ""
    listed = (
        '<ul class="bad-lines" id="own-bad" tabindex="0" aria-label="Lines that were left out">'
        f"{rows}</ul>"
        if rows
        else ""
    )
    return f'<div id="own-report">{said}{listed}</div>'


def _others(taken: ImportResult) -> str:
    """What else the facts are about than the entity that is told of first."""
    names = taken.entities[1:]
    tries = "".join(map(ask_button, names[:NAMES_SHOWN]))
    more = len(names) - NAMES_SHOWN
    rest = f" and {more:,} more" if more > 0 else ""
    return f'<span class="others" id="own-others">Also about {tries}{rest}</span>' if names else ""


def _of(taken: ImportResult) -> str:
    return taken.problem if taken.name in taken.problem else f"{taken.name}: {taken.problem}"
