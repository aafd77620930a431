"""The graph of a text as an SVG file: the figure of the page (`graph_figure`), drawn without a
browser, in the light theme.

    svg = render(figure, "Tell me about France.", citation)

`assets/graph.js` draws the same figure on the page; sizes and the places of labels follow it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.views.colours import LIGHT
from app.views.templates import render as render_template

WIDTH, HEIGHT, FOOT = 960, 640, 34  # pixels; the foot has the citation
SIDE, TOP = 120, 44  # pixels that stay free around the nodes, for labels
DASHES = {"dot": "2 4", "solid": ""}
_NARROW, _WIDE = set("iljtfrI.,;:'|!()[] "), set("MWmw@%—…")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Pixel = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True)
class _Box:
    x0: float
    y0: float
    x1: float
    y1: float

    def overlaps(self, other: _Box) -> bool:
        return (
            self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1
        )


def render(figure: Mapping[str, Any], title: str, citation: str) -> str:
    """The figure as an SVG file that loads nothing."""
    x0, x1, y0, y1 = figure["extent"]
    scale_x, scale_y = (WIDTH - 2 * SIDE) / (x1 - x0), (HEIGHT - 2 * TOP) / (y1 - y0)

    def pixel(x: float, y: float) -> tuple[float, float]:
        return round(SIDE + (x - x0) * scale_x, 1), round(HEIGHT - TOP - (y - y0) * scale_y, 1)

    by_meta: dict[str, list[Mapping[str, Any]]] = {}
    for trace in figure["data"]:
        by_meta.setdefault(trace["meta"], []).append(trace)
    dots = [shape for trace in by_meta.get("dots", ()) for shape in _shapes(trace, pixel)]
    badges = [shape for trace in by_meta.get("badges", ()) for shape in _shapes(trace, pixel)]
    nodes = [shape for trace in by_meta.get("nodes", ()) for shape in _shapes(trace, pixel)]
    taken = [
        _Box(
            each["x"] - each["r"],
            each["y"] - each["r"],
            each["x"] + each["r"],
            each["y"] + each["r"],
        )
        for each in (*dots, *badges, *nodes)
    ]
    return str(
        render_template(
            "graph_svg.html",
            width=WIDTH,
            height=HEIGHT,
            whole=HEIGHT + FOOT,
            title=_xml(title),
            citation=_xml(citation),
            colours=LIGHT,
            lines=[line for trace in by_meta.get("edges", ()) for line in _lines(trace, pixel)],
            arrows=[
                arrow
                for trace in by_meta.get("arrows", ())
                for arrow in _arrows(trace, pixel, scale_x, scale_y)
            ],
            dots=dots,
            badges=badges,
            nodes=nodes,
            labels=list(_labels(figure["labels"], taken, pixel)),
        )
    )


def colour(value: str) -> str:
    """A colour of the figure, such as `var(--mark)`, as the light theme has it."""
    named = re.fullmatch(r"var\(--([\w-]+)\)", value)
    return LIGHT[named[1]] if named else value


def _plain(text: str) -> str:
    """The text that `graph_figure.plotly_text` escaped."""
    return _xml(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def _xml(text: str) -> str:
    """A text without the characters that no XML file may hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _lines(trace: Mapping[str, Any], pixel: Pixel) -> Iterator[dict[str, Any]]:
    points: list[str] = []
    look = trace["line"]
    for x, y in (*zip(trace["x"], trace["y"], strict=True), (None, None)):
        if x is not None and y is not None:
            points.append(",".join(map(str, pixel(x, y))))
        elif points:
            yield {
                "points": " ".join(points),
                "colour": colour(look["color"]),
                "width": look["width"],
                "dashes": DASHES.get(look["dash"], ""),
            }
            points = []


def _arrows(
    trace: Mapping[str, Any], pixel: Pixel, scale_x: float, scale_y: float
) -> Iterator[dict[str, Any]]:
    look = trace["marker"]
    for index, (dx, dy) in enumerate(trace["meta_direction"]):
        x, y = pixel(trace["x"][index], trace["y"][index])
        yield {
            "x": x,
            "y": y,
            "angle": round(math.degrees(math.atan2(dx * scale_x, dy * scale_y)), 1),
            "size": _each(look["size"], index) / 2,
            "colour": colour(_each(look["color"], index)),
        }


def _shapes(trace: Mapping[str, Any], pixel: Pixel) -> Iterator[dict[str, Any]]:
    look, edge = trace["marker"], trace["marker"].get("line", {})
    for index, (at_x, at_y) in enumerate(zip(trace["x"], trace["y"], strict=True)):
        x, y = pixel(at_x, at_y)
        yield {
            "x": x,
            "y": y,
            "r": _each(look["size"], index) / 2,
            "diamond": _each(look.get("symbol", "circle"), index) == "diamond",
            "fill": colour(_each(look["color"], index)),
            "stroke": colour(_each(edge.get("color", "none"), index)),
            "width": _each(edge.get("width", 0), index),
            "title": _plain(trace["hovertext"][index]),
            "text": trace["text"][index] if "text" in trace else "",
            "ink": colour(_each(trace["textfont"]["color"], index)) if "textfont" in trace else "",
        }


def _each(value: Any, index: int) -> Any:
    """The value of one point, where a figure states one for all or one for each."""
    return value[index] if isinstance(value, list | tuple) else value


def text_width(text: str, size: float) -> float:
    """About how wide a text is, in pixels."""
    ems = 0.0
    for letter in text:
        if unicodedata.east_asian_width(letter) in "WF":
            ems += 1.0
        elif letter in _NARROW:
            ems += 0.34
        elif letter in _WIDE:
            ems += 0.92
        elif not unicodedata.combining(letter):
            ems += 0.7 if letter.isupper() else 0.58
    return ems * size


def _labels(
    labels: Sequence[Mapping[str, Any]], taken: list[_Box], pixel: Pixel
) -> Iterator[dict[str, Any]]:
    """The labels that have room, each next to its node or edge, the most important first."""
    for label in labels:
        size = 13 if label["strong"] else 12
        x, y = pixel(label["x"], label["y"])
        for text in filter(None, (label["text"], label["short"])):
            words = _plain(text)
            width, height = text_width(words, size) + 4, size + 4
            box = next(
                (box for box in _places(label, x, y, width, height) if _is_free(box, taken)), None
            )
            if box is None:
                continue
            taken.append(box)
            yield {
                "x": round((box.x0 + box.x1) / 2, 1),
                "y": round((box.y0 + box.y1) / 2, 1),
                "text": words,
                "size": size,
                "strong": label["strong"],
                "colour": colour(label["color"]),
            }
            break


def _is_free(box: _Box, taken: Sequence[_Box]) -> bool:
    inside = box.x0 >= 0 and box.x1 <= WIDTH and box.y0 >= 0 and box.y1 <= HEIGHT
    return inside and not any(box.overlaps(other) for other in taken)


def _places(
    label: Mapping[str, Any], x: float, y: float, width: float, height: float
) -> Iterator[_Box]:
    """Where a label may stand: first on the side away from the middle."""
    gap = label["radius"] + 3
    sides = {
        "right": (x + gap, y - height / 2),
        "left": (x - gap - width, y - height / 2),
        "above": (x - width / 2, y - gap - height),
        "below": (x - width / 2, y + gap),
    }
    dx, dy = label["dx"], label["dy"]
    across = ("right", "left") if dx >= 0 else ("left", "right")
    along = ("above", "below") if dy >= 0 else ("below", "above")
    if label.get("of_edge"):  # on either side of its line, never on it
        flat = abs(dx) * WIDTH < abs(dy) * HEIGHT
        order: tuple[str, ...] = along if flat else across
    elif abs(dx) > 0.35 * abs(dy):
        order = (across[0], *along, across[1])
    else:
        order = (along[0], *across, along[1])
    for side in order:
        left, top = sides[side]
        yield _Box(left, top, left + width, top + height)
