"""How the edges of the picture run: apart from each other, and around nodes that are not theirs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.state.graph_layout import Point, nearest_distance
from app.state.scene import Scene
from graph.core.facts import Fact

CLEARANCE = 0.09  # least distance of an edge from a node that is not its end


def curve(start: Point, end: Point, bend: float, steps: int = 12) -> list[Point]:
    """A quadratic curve; `bend` is its greatest distance from the straight line."""
    (x0, y0), (x1, y1) = start, end
    length = math.dist(start, end) or 1.0
    cx = (x0 + x1) / 2 - (y1 - y0) / length * 2 * bend
    cy = (y0 + y1) / 2 + (x1 - x0) / length * 2 * bend
    points = []
    for step in range(steps + 1):
        t = step / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        points.append((a * x0 + b * cx + c * x1, a * y0 + b * cy + c * y1))
    return points


def detour(start: Point, end: Point, others: Sequence[Point]) -> float:
    """How far a line has to bend so that it does not lead through a node that is not its end."""
    for bend in (0.0, 0.12, -0.12, 0.22, -0.22):
        inner = curve(start, end, bend)[2:-2]
        if all(nearest_distance(place, inner) > CLEARANCE for place in others):
            return bend
    return 0.0


def bends(facts: Sequence[Fact], scene: Scene) -> list[float]:
    """How far each parallel edge bends: numbered ones evenly about the straight line, others
    outside them on both sides."""
    strong = sum(fact.id in scene.numbers for fact in facts)
    if not strong:
        return [index - (len(facts) - 1) / 2 for index in range(len(facts))]
    shares = [index - (strong - 1) / 2 for index in range(strong)]
    for index in range(len(facts) - strong):
        outside = strong / 2 + 0.5 + index // 2
        shares.append(outside if index % 2 else -outside)
    return shares
