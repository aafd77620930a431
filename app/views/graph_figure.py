"""The facts as a Plotly figure: plain data, drawn by `assets/graph.js`.

    figure = draw(scene, layout)

A `GraphLayout` keeps where everything stands. Each fact has an edge of its own, also where several
join the same two nodes, and each edge has a badge that can be clicked.

The figure names colours as `var(--…)`, which the browser looks up in the theme; it gives labels
in the order of their importance, and the browser places those that have room.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from app.state.graph_layout import Extent, GraphLayout, Point, bounds
from app.state.scene import Scene, bounded, entity_node, node_of
from app.views.edge_curves import bends, curve, detour
from graph.core.facts import Fact

LABEL_LENGTH = 24
SHORT_UNITS = {"square kilometres": "km²", "kilometres": "km", "metres": "m"}  # in labels alone
UNITS = re.compile(r"(?<=\d )(?:square kilometres|kilometres|metres)$")


def plotly_text(text: str, length: int = LABEL_LENGTH) -> str:
    """Text for Plotly, which reads a little markup and entities in what it draws."""
    short = text if len(text) <= length else text[: length - 1].rstrip() + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass
class _Edge:
    fact: Fact
    points: list[Point]
    style: str


STYLES: dict[str, tuple[str, float, str]] = {  # colour, width in pixels, dash
    "faint": ("var(--edge)", 1.0, "solid"),
    "expected": ("var(--edge-strong)", 1.2, "dot"),
    "hit": ("var(--mark)", 2.0, "solid"),
    "edited": ("var(--edit)", 2.4, "solid"),
    "selected": ("var(--mark)", 4.0, "solid"),
    "selected edited": ("var(--edit)", 4.0, "solid"),
    "ghost": ("var(--edit)", 1.4, "dash"),  # deleted in the draft
}


def draw(scene: Scene, layout: GraphLayout) -> dict[str, Any]:
    """The figure: `data` and `layout` for Plotly, `labels` and `extent` for the browser to fit.

    A figure of another `question` is fitted once more; one that is `growing` still gains nodes.
    `ends` has each fact's two nodes, id, relation and value.
    """
    strong, faint, _ = bounded(scene)
    if not strong and not faint:
        return _figure(scene, [], [], (-1, 1, -1, 1))
    layout.expanded = frozenset(fact.id for fact in scene.expanded)
    if not strong and scene.centres:  # all that was asked was missed
        layout.positions.setdefault(entity_node(scene.centres[0]), (0.0, 0.0))
    graph = layout.arrange(strong, [*faint, *_ghosts(strong, faint, scene)])
    edges = _edges(graph, layout, scene)
    nodes = _nodes(graph, scene, {fact.id for fact in strong})
    data = [_lines(edges, style) for style in STYLES]
    data += [_paths(edges), _arrows(edges), _dots(edges, scene), _badges(edges, scene)]
    data.append(_points(nodes, layout))
    labels = _labels(nodes, edges, layout, scene)
    extent = bounds(layout.positions[node.key] for node in nodes)
    facts = [edge.fact for edge in edges]
    ends = [
        [entity_node(fact.entity_id), node_of(fact), str(fact.id)]
        + [plotly_text(word, len(word)) for word in (fact.relation, fact.value)]
        for fact in facts
    ]
    return _figure(scene, data, labels, extent) | {"ends": ends}


def _ghosts(strong: Sequence[Fact], faint: Sequence[Fact], scene: Scene) -> list[Fact]:
    """The deleted facts of what is drawn, unless they are drawn still."""
    drawn = {fact.id for fact in (*strong, *faint)}
    nodes = {entity_node(entity_id) for entity_id in scene.centres}
    for fact in (*strong, *faint):
        nodes |= {entity_node(fact.entity_id), node_of(fact)}
    return [
        fact
        for fact in scene.deleted
        if fact.id not in drawn and nodes & {entity_node(fact.entity_id), node_of(fact)}
    ]


def _figure(
    scene: Scene, data: list[dict[str, Any]], labels: list[dict[str, Any]], extent: Extent
) -> dict[str, Any]:
    return {
        "data": data,
        "layout": _layout(),
        "labels": labels,
        "extent": list(extent),
        "question": scene.question,
        "growing": scene.growing,
    }


def _edges(graph: nx.MultiDiGraph, layout: GraphLayout, scene: Scene) -> list[_Edge]:
    between: dict[frozenset[str], list[Fact]] = {}
    for start, end, fact in graph.edges(data="fact"):
        between.setdefault(frozenset((start, end)), []).append(fact)
    edges = []
    for pair, facts in between.items():
        low = min(pair)
        facts.sort(key=lambda fact: fact.id not in scene.numbers)  # the strong ones lie inside
        for fact, share in zip(facts, bends(facts, scene), strict=True):
            start, end = entity_node(fact.entity_id), node_of(fact)
            a, b = layout.positions[start], layout.positions[end]
            if start == end:
                b = (a[0] + 0.01, a[1] + 0.3)
            bend = share * 0.26 * max(math.dist(a, b), 0.6)
            if not share and (fact.id in scene.numbers or fact.id in scene.selected):
                others = [
                    place
                    for key, place in layout.positions.items()
                    if key in graph and key not in (start, end)
                ]
                bend = detour(a, b, others)
            edges.append(_Edge(fact, curve(a, b, bend if start == low else -bend), ""))
    deleted = {fact.id for fact in scene.deleted}
    for edge in edges:
        number = scene.numbers.get(edge.fact.id)
        style = "hit" if number else "faint"
        if not number and any(fact.id == edge.fact.id for fact in scene.expected):
            style = "expected"
        if edge.fact.id in scene.edited:
            style = "edited"
        if edge.fact.id in scene.selected:
            style = "selected edited" if edge.fact.id in scene.edited else "selected"
        if edge.fact.id in deleted:
            style = "ghost"
        edge.style = style
    return edges


def _lines(edges: Sequence[_Edge], style: str) -> dict[str, Any]:
    colour, width, dash = STYLES[style]
    x: list[float | None] = []
    y: list[float | None] = []
    for edge in edges:
        if edge.style == style:
            x += [*(px for px, _ in edge.points), None]
            y += [*(py for _, py in edge.points), None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": colour, "width": width, "dash": dash},
        "hoverinfo": "skip",
        "meta": "edges",
    }


def _paths(edges: Sequence[_Edge]) -> dict[str, Any]:
    """What is clicked along an edge, next to its badge; near its ends the node takes the click."""
    places = [
        (*edge.points[step], _click(edge), str(edge.fact.id))
        for edge in edges
        if edge.style != "faint"
        for step in (3, 4, 5, 7, 8, 9)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _, _, _ in places],
        "y": [y for _, y, _, _ in places],
        "customdata": [[click, fact_id] for _, _, click, fact_id in places],
        "hoverinfo": "none",
        "marker": {"size": 8, "opacity": 0},
        "meta": "paths",
    }


def _arrows(edges: Sequence[_Edge]) -> dict[str, Any]:
    edges = [edge for edge in edges if edge.style != "faint"]
    tips = [edge.points[9] for edge in edges]
    turns = [
        (edge.points[10][0] - edge.points[8][0], edge.points[10][1] - edge.points[8][1])
        for edge in edges
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _ in tips],
        "y": [y for _, y in tips],
        "hoverinfo": "skip",
        "marker": {
            "symbol": "triangle-up",
            "size": [7 if edge.style in ("faint", "expected") else 9 for edge in edges],
            "color": [STYLES[edge.style][0] for edge in edges],
            "line": {"width": 0},
            "opacity": 1,
        },
        "meta": "arrows",
        "meta_direction": turns,
    }


def _sentence(fact: Fact) -> str:
    return plotly_text(f"{fact.entity} · {fact.relation} · {fact.value}", 90)


def _click(edge: _Edge) -> str:
    """The action of a click on an edge: open its fact, or bring a deleted one back."""
    return "restore" if edge.style == "ghost" else "fact"


def _hover(edge: _Edge) -> str:
    sentence = _sentence(edge.fact)
    return f"You deleted this; click to restore: {sentence}" if edge.style == "ghost" else sentence


def _dots(edges: Sequence[_Edge], scene: Scene) -> dict[str, Any]:
    """Where to click the edge of a fact that has no number."""
    edges = [edge for edge in edges if edge.fact.id not in scene.numbers]
    sizes = [5 if edge.style == "faint" else 8 for edge in edges]
    return _middles(edges, "dots") | {
        "mode": "markers",
        "marker": {
            "size": sizes,
            "color": [STYLES[edge.style][0] for edge in edges],
            "line": {"width": 0},
            "opacity": 1,
        },
    }


def _badges(edges: Sequence[_Edge], scene: Scene) -> dict[str, Any]:
    """The numbers in order of use; apart from the dots, since Plotly mixes up empty texts."""
    edges = [edge for edge in edges if edge.fact.id in scene.numbers]
    chosen = [edge.style.startswith("selected") for edge in edges]
    colours = [STYLES[edge.style][0] for edge in edges]
    pairs = list(zip(chosen, colours, strict=True))
    return _middles(edges, "badges") | {
        "mode": "markers+text",
        "text": [str(scene.numbers[edge.fact.id]) for edge in edges],
        "textfont": {
            "size": 10.5,
            "color": ["var(--surface)" if on else colour for on, colour in pairs],
        },
        "marker": {
            "size": [18] * len(edges),
            "color": [colour if on else "var(--surface)" for on, colour in pairs],
            "line": {"width": 1.4, "color": colours},
            "opacity": 1,
        },
    }


def _middles(edges: Sequence[_Edge], meta: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [edge.points[6][0] for edge in edges],
        "y": [edge.points[6][1] for edge in edges],
        "customdata": [[_click(edge), str(edge.fact.id)] for edge in edges],
        "hovertext": [_hover(edge) for edge in edges],
        "hoverinfo": "text",
        "meta": meta,
    }


@dataclass
class _Node:
    key: str
    name: str
    kind: str  # "subject", "hit", "faint"
    literal: bool
    edited: bool
    selected: bool
    ghost: bool = False  # only a deleted fact leads to it
    was: str = ""  # the value before the draft changed it
    click: tuple[str, str] = ("", "")

    @property
    def size(self) -> int:
        """Diameter in pixels."""
        size = {"subject": 22, "hit": 13, "faint": 8}[self.kind]
        return size + (4 if self.selected else 0)


def _nodes(graph: nx.MultiDiGraph, scene: Scene, strong: set[int]) -> list[_Node]:
    nodes: dict[str, _Node] = {}
    hit_values = {node_of(fact) for fact in scene.hits}
    centres = {entity_node(entity_id) for entity_id in scene.centres}
    for start, end, fact in graph.edges(data="fact"):
        hit = fact.id in scene.numbers
        for key, name in ((start, fact.entity), (end, fact.value)):
            node = nodes.setdefault(key, _Node(key, name, "faint", key[0] == "f", False, False))
            asked = key in centres or (key == start and fact.id in strong)
            if asked and key not in hit_values:
                node.kind = "subject"
            elif hit and node.kind == "faint":
                node.kind = "hit"
            if key == end and fact.id in scene.edited:
                node.edited = True
            if key == end and fact.id in scene.selected:
                node.selected = True
            if scene.selected_entity is not None and key == entity_node(scene.selected_entity):
                node.selected = True
            if key == end and fact.id in scene.was:
                node.was = scene.was[fact.id]
    deleted = {fact.id for fact in scene.deleted}
    kept = {
        key for s, e, fact in graph.edges(data="fact") if fact.id not in deleted for key in (s, e)
    }
    for fact in scene.deleted:
        gone = nodes.get(node_of(fact))
        if gone is not None and gone.key not in kept and gone.key not in centres:
            gone.kind, gone.ghost = "faint", True
            gone.click = ("restore", str(fact.id))
    return list(nodes.values())


def _points(nodes: Sequence[_Node], layout: GraphLayout) -> dict[str, Any]:
    colours = {"subject": "var(--ink)", "hit": "var(--mark)", "faint": "var(--edge-strong)"}
    colour = ["var(--edit)" if node.edited or node.ghost else colours[node.kind] for node in nodes]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [layout.positions[node.key][0] for node in nodes],
        "y": [layout.positions[node.key][1] for node in nodes],
        "customdata": [list(node.click) if node.ghost else ["node", node.key] for node in nodes],
        "hovertext": [
            ("You deleted this; click to restore: " if node.ghost else "")
            + plotly_text(node.name, 90)
            for node in nodes
        ],
        "hoverinfo": "text",
        "marker": {
            "symbol": ["diamond" if node.literal else "circle" for node in nodes],
            "size": [node.size for node in nodes],
            "color": [
                "var(--surface)" if node.kind == "faint" else c
                for node, c in zip(nodes, colour, strict=True)
            ],
            "line": {
                "width": [3 if node.selected else 1.4 for node in nodes],
                "color": [
                    "var(--focus)" if node.selected else c
                    for node, c in zip(nodes, colour, strict=True)
                ],
            },
            "opacity": 1,
        },
        "meta": "nodes",
        "meta_selected": [node.selected for node in nodes],
        # Whole, for the box that renames; escaped as all text of a figure.
        "meta_names": [plotly_text(node.name, len(node.name)) for node in nodes],
    }


def _labels(
    nodes: Sequence[_Node], edges: Sequence[_Edge], layout: GraphLayout, scene: Scene
) -> list[dict[str, Any]]:
    """Labels, the most important first: what is selected, the subject, then in order of use.

    The relations of what was hit come last, so that they are shown where they have room.
    """
    order = {node_of(fact): number for number, fact in enumerate(scene.hits)}
    used = sorted(edges, key=lambda edge: scene.numbers.get(edge.fact.id, 0))
    labels = [_edge_label(edge, True) for edge in edges if edge.fact.id in scene.selected]
    ranked = sorted(
        (
            node
            for node in nodes
            if node.kind != "faint" or node.selected or node.edited or node.ghost
        ),
        key=lambda node: (not node.selected, node.kind != "subject", order.get(node.key, 99)),
    )
    for node in ranked:
        x, y = layout.positions[node.key]
        colour = "var(--edit)" if node.edited else "var(--ink)"
        strong = node.selected or node.kind == "subject"
        away = (0.01, -1.0) if node.kind == "subject" else (x, y)
        name = UNITS.sub(lambda unit: SHORT_UNITS[unit.group()], node.name)
        label = _label(node.key, (x, y), name, away, node.size / 2, colour, strong)
        if node.ghost:
            label["action"], label["node"] = node.click
            label["text"] = f"<s>{label['text']}</s>"
            label["short"] = f"<s>{label['short']}</s>" if label["short"] else ""
        elif node.was:
            label["short"] = label["text"]
            label["text"] += f" <s>{plotly_text(node.was, 16)}</s>"
        labels.append(label)
    for edge in used:
        if edge.fact.id in scene.numbers and edge.fact.id not in scene.selected:
            labels.append(_edge_label(edge, False))
    return labels


def _edge_label(edge: _Edge, selected: bool) -> dict[str, Any]:
    """An edge's relation, next to the middle of its line: on either side of it, never on it."""
    (x, y), (nx_, ny) = edge.points[6], edge.points[7]
    colour = "var(--ink)" if selected else "var(--ink-soft)"
    key, away = str(edge.fact.id), (ny - y, x - nx_)
    label = _label(key, (x, y), edge.fact.relation, away, 9, colour, selected)
    return label | {"of_edge": True, "action": _click(edge)}


def _label(
    key: str, at: Point, name: str, away: Point, radius: float, colour: str, strong: bool
) -> dict[str, Any]:
    text, short = plotly_text(name), plotly_text(name, 12)
    return {
        "action": "node",
        "node": key,
        "x": at[0],
        "y": at[1],
        "text": text,
        "short": short if short != text else "",
        "dx": away[0],
        "dy": away[1],
        "radius": radius,
        "color": colour,
        "strong": strong,
        "back": "var(--surface)",
    }


def _layout() -> dict[str, Any]:
    axis = {"visible": False, "fixedrange": True, "showgrid": False, "zeroline": False}
    return {
        "xaxis": dict(axis),
        "yaxis": dict(axis),
        "showlegend": False,
        "hovermode": "closest",
        "hoverdistance": 14,
        "hoverlabel": {
            "bgcolor": "var(--surface)",
            "bordercolor": "var(--line-strong)",
            "font": {"color": "var(--ink)", "size": 13},
        },
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
    }
