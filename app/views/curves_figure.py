"""Curves by role as a Plotly figure, drawn by `assets/curves.js`, and their twin as a table.

The roles differ by colour and by dash, and each line has its name at its end. Validation has dots;
training is thinner. The figure names colours as `var(--…)`, which the browser looks up in
the theme.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from app.views.templates import render as render_template
from training.report.runs import ROLES, Points, Run, thinned

HEIGHT = 330  # pixels, as `.curves-host` has it
MARGIN = {"l": 52, "r": 68, "t": 12, "b": 48}
LABEL = 17  # pixels from one name at the end of a line to the next
MOST_POINTS = 300  # of a line; more would be denser than the screen
MOST_ROWS = 10
COLOURS = {
    "text": "var(--ink)",
    "entity": "var(--focus)",
    "relation": "var(--good)",
    "marker": "var(--ink-soft)",
}
DASHES = {"text": "solid", "entity": "dash", "relation": "dot", "marker": "dashdot"}
AXIS_TITLES = {"perplexity": "perplexity", "loss": "loss, nats per token"}


def figure(run: Run, measure: str) -> dict[str, Any] | None:
    """`data` and `layout` for Plotly, or None where no value by role was logged yet."""
    curves = {
        stage: run.by_role(stage, perplexity=measure == "perplexity")
        for stage in ("train", "validation")
    }
    main = curves["validation"] or curves["train"]
    if not main:
        return None
    data = []
    for stage, found in curves.items():
        for role, points in found.items():
            data.append(_line(stage, role, points, alone=found is main))
    log = measure == "perplexity"
    axis = _scale(
        [value for found in curves.values() for p in found.values() for _, value in p], log
    )
    places = [place for found in curves.values() for p in found.values() for place, _ in p]
    return {"data": data, "layout": _layout(measure, axis, places, main)}


def _line(stage: str, role: str, points: Points, alone: bool) -> dict[str, Any]:
    """One line; `alone` if its stage is the one that the names stand at."""
    few = thinned(points, MOST_POINTS)
    validation = stage == "validation"
    return {
        "type": "scatter",
        "mode": "lines+markers" if validation else "lines",
        "name": f"{role}, {'validation' if validation else 'training'}",
        "x": [round(place) for place, _ in few],
        "y": [float(f"{value:.5g}") for _, value in few],
        "line": {"color": COLOURS[role], "dash": DASHES[role], "width": 2 if alone else 1},
        "marker": {"size": 5, "color": COLOURS[role]},
        "opacity": 1 if alone else 0.45,
        "hovertemplate": "%{y:.4g}",
    }


def _scale(values: list[float], log: bool) -> tuple[float, float]:
    """Least and greatest of the axis, in powers of ten if `log`, with room around."""
    if log:
        values = [math.log10(max(value, 1e-3)) for value in values]
    low, high = min(0.0, *values), max(values)
    room = max(0.04 * (high - low), 0.02)
    return low - room, high + room


def _layout(
    measure: str, scale: tuple[float, float], places: list[float], main: Mapping[str, Points]
) -> dict[str, Any]:
    log = measure == "perplexity"
    first, last = min(places), max(places)
    axis = {
        "fixedrange": True,
        "gridcolor": "var(--line)",
        "linecolor": "var(--line-strong)",
        "zeroline": False,
        "ticks": "",
        "tickfont": {"color": "var(--ink-soft)", "size": 12},
    }
    title = {"font": {"color": "var(--ink-soft)", "size": 12}}
    return {
        "xaxis": {
            **axis,
            "range": [first if last / 2 < first < last else 0, max(last, 1)],
            "tickformat": "~s",
            "nticks": 7,
            "title": {**title, "text": "tokens seen", "standoff": 8},
        },
        "yaxis": {
            **axis,
            "type": "log" if log else "linear",
            "range": list(scale),
            "dtick": 1 if log and scale[1] - scale[0] > 1 else None,
            "tickformat": "~s" if log else "~g",
            "title": {**title, "text": AXIS_TITLES[measure]},
        },
        "annotations": _names(main, scale, log),
        "margin": MARGIN,
        "showlegend": False,
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": "var(--surface)",
            "bordercolor": "var(--line-strong)",
            "font": {"color": "var(--ink)", "size": 12},
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "dragmode": False,
        "uirevision": "kept",
    }


def _names(
    main: Mapping[str, Points], scale: tuple[float, float], log: bool
) -> list[dict[str, Any]]:
    """The roles' names at the ends of their lines, moved apart where they would overlap."""
    low, high = scale
    inner = HEIGHT - MARGIN["t"] - MARGIN["b"]
    ends = sorted(
        (((math.log10(max(p[-1][1], 1e-3)) if log else p[-1][1]) - low) / (high - low), role)
        for role, p in main.items()
    )
    gap, least, names = LABEL / inner, 0.0, []
    for share, role in ends:
        share = max(share, least)
        least = share + gap
        names.append((share, role))
    over = max(0.0, (names[-1][0] if names else 0.0) - 1)
    return [
        {
            "xref": "paper",
            "yref": "paper",
            "x": 1,
            "y": share - over,
            "xanchor": "left",
            "yanchor": "middle",
            "xshift": 6,
            "showarrow": False,
            "text": role,
            "font": {"color": COLOURS[role], "size": 13},
        }
        for share, role in names
    ]


def table_html(run: Run, measure: str) -> Markup:
    """The same values as a table, at most `MOST_ROWS` places evenly over the run."""
    stage = "validation" if run.by_role("validation", False) else "train"
    curves = run.by_role(stage, perplexity=measure == "perplexity")
    roles = [role for role in ROLES if role in curves]
    by_place = {role: dict(curves[role]) for role in roles}
    places = sorted({place for role in roles for place in by_place[role]})
    step = max(1, -(-len(places) // MOST_ROWS))
    kept = places[::-1][::step][::-1]  # the newest among them
    named = "Validation" if stage == "validation" else "Training"
    return render_template(
        "curves_table.html",
        caption=f"{named}, {AXIS_TITLES[measure]}",
        roles=roles,
        rows=[(place, [number(by_place[role].get(place)) for role in roles]) for place in kept],
    )


def number(value: float | None) -> str:
    """A measured value for a reader: three digits are enough to compare."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"
