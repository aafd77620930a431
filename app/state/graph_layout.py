"""Where the nodes of the graph stand, so that nothing moves when something is selected or edited.

    layout = GraphLayout()
    graph = layout.arrange(strong, faint)

NetworkX holds the neighbourhood that is shown and lays out its rings. The entity asked about stands
in the middle and the facts that were hit around it, clockwise from the top in the order of use. A
node that a person moved stays where they put it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import networkx as nx

from app.state.scene import entity_node, node_of
from graph.core.facts import Fact

OUTER = 1.5  # radius of the faint ring; the inner one has the radius 1
NEAREST = 0.4  # least distance of two nodes
LAYOUTS_KEPT = 8  # prompts whose layout is kept
Point = tuple[float, float]
Extent = tuple[float, float, float, float]  # least and greatest x, least and greatest y


class GraphLayout:
    """Where the nodes stand, from one figure to the next."""

    def __init__(self) -> None:
        self.positions: dict[str, Point] = {}
        self._place_of_fact: dict[int, Point] = {}
        self.extent: Extent | None = None
        self.moved: set[str] = set()  # keys of the nodes that a person moved
        self.moves = 0  # how often anything was moved
        self.view: Extent | None = None  # what the page has in view; new nodes stand there
        self.expanded: frozenset[int] = (
            frozenset()
        )  # ids of facts that may be placed outside the present extent

    def to_json(self) -> dict[str, Any]:
        """The places as plain data."""
        return {
            "positions": {key: list(place) for key, place in self.positions.items()},
            "places_of_facts": {str(key): list(at) for key, at in self._place_of_fact.items()},
            "extent": None if self.extent is None else list(self.extent),
            "moved": sorted(self.moved),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> GraphLayout:
        """From `to_json`."""
        layout = cls()
        layout.positions = {key: (float(x), float(y)) for key, (x, y) in data["positions"].items()}
        layout._place_of_fact = {
            int(key): (float(x), float(y)) for key, (x, y) in data["places_of_facts"].items()
        }
        layout.moved = set(data.get("moved", ()))
        if data["extent"] is not None:
            left, right, bottom, top = map(float, data["extent"])
            layout.extent = (left, right, bottom, top)
        return layout

    def move(self, key: str, place: Point) -> None:
        """Put a node somewhere for good."""
        self.positions[key] = (round(place[0], 4), round(place[1], 4))
        self.moved.add(key)
        self.moves += 1

    def arrange(self, strong: Sequence[Fact], faint: Sequence[Fact]) -> nx.MultiDiGraph:
        """Give a place to each node that has none; the others keep theirs."""
        graph = nx.MultiDiGraph()
        for fact in (*strong, *faint):
            graph.add_edge(entity_node(fact.entity_id), node_of(fact), key=fact.id, fact=fact)
        shown = [key for key in graph.nodes if key in self.positions]
        taken = {self.positions[key] for key in shown}
        if len(taken) < len(shown):  # a node that came back finds its place taken
            seen: set[Point] = set()
            for key in shown:
                if self.positions[key] in seen and key not in self.moved:
                    del self.positions[key]
                else:
                    seen.add(self.positions[key])
        self._place_rings(graph, strong)
        self._place_outer_ring(graph, faint)
        shown_before = self.extent or (-OUTER, OUTER, -OUTER, OUTER)
        for fact in (*strong, *faint):
            within = None if fact.id in self.expanded or self.extent is None else shown_before
            within = self.view or within
            self._place_beside(graph, fact, 1.0 if fact in strong else OUTER, within)
        for fact in (*strong, *faint):
            self._place_of_fact[fact.id] = self.positions[node_of(fact)]
        self._stretch([self.positions[key] for key in graph.nodes])
        return graph

    def _place_rings(self, graph: nx.MultiDiGraph, strong: Sequence[Fact]) -> None:
        """A ring of values around each entity that was asked about first."""
        values: set[str] = set()
        rings: dict[str, list[str]] = {}
        for fact in strong:
            centre, key = entity_node(fact.entity_id), node_of(fact)
            if centre in values:  # a step of a chain: it continues outwards
                continue
            ring = rings.setdefault(centre, [])
            if key not in rings and key not in values:
                ring.append(key)
            values.add(key)
        for order, (centre, ring) in enumerate(rings.items()):
            if centre in self.positions or not ring:
                continue
            middle = (2.9 * order, 0.0)
            if self.view is not None and not _inside(middle, self.view):
                continue
            ring = [key for key in ring if key not in self.positions]
            chain = len(ring) == 1 and graph.out_degree(ring[0]) > 0
            layout = nx.shell_layout(graph.subgraph([centre, *ring]), [[centre], ring], rotate=0)
            self.positions[centre] = middle
            for key in ring:
                # NetworkX goes anticlockwise from the right; we go clockwise from the top.
                across, along = float(layout[key][1]), float(layout[key][0])
                size = math.hypot(across, along) or 1.0
                dx, dy = (1.0, 0.0) if chain else (across / size, along / size)
                if key not in self.positions:
                    self.positions[key] = (round(middle[0] + dx, 4), round(middle[1] + dy, 4))

    def _place_outer_ring(self, graph: nx.MultiDiGraph, faint: Sequence[Fact]) -> None:
        """Spread the faint neighbours that an entity got at once evenly around it."""
        around: dict[str, list[str]] = {}
        for fact in faint:
            ends = (entity_node(fact.entity_id), node_of(fact))
            for key, other in (ends, ends[::-1]):
                if key not in self.positions and other in self.positions:
                    ring = around.setdefault(other, [])
                    if key not in ring:
                        ring.append(key)
        for centre, ring in around.items():
            x, y = self.positions[centre]
            if (x, y) != (0.0, 0.0) or len(ring) < 4:
                continue
            for index, key in enumerate(ring):
                angle = 2 * math.pi * (index + 0.5) / len(ring)
                place = (round(OUTER * math.sin(angle), 4), round(OUTER * math.cos(angle), 4))
                if self.view is not None and not _inside(place, self.view):
                    continue
                if nearest_distance(place, self.positions.values()) >= NEAREST / 2:
                    self.positions[key] = place

    def _place_beside(
        self, graph: nx.MultiDiGraph, fact: Fact, radius: float, within: Extent | None
    ) -> None:
        """Give the end of a fact that has no place its old one, or a free one."""
        ends = (entity_node(fact.entity_id), node_of(fact))
        for key, other in (ends, ends[::-1]):
            if key in self.positions:
                continue
            centre = self.positions.get(other, (0.0, 0.0))
            taken = [self.positions[k] for k in graph.nodes if k in self.positions]
            before = self._place_of_fact.get(fact.id)
            if within and not _inside(centre, within):  # its neighbour is out of sight
                centre = _clamped(centre, within)
            if before is not None and key == ends[1] and nearest_distance(before, taken) > 0.05:
                self.positions[key] = before
            else:
                self.positions[key] = _free_place(centre, taken, radius, within)

    def _stretch(self, points: Iterable[Point]) -> None:
        new = bounds(points)
        old = self.extent or new
        self.extent = (
            min(old[0], new[0]),
            max(old[1], new[1]),
            min(old[2], new[2]),
            max(old[3], new[3]),
        )


@dataclass
class KeptLayouts:
    """The layouts in which a person moved something, by prompt: the next text for it has them."""

    by_prompt: dict[str, GraphLayout] = field(default_factory=dict)  # the newest last

    def keep(self, prompt: str, layout: GraphLayout) -> None:
        """Keep a layout, if it has anything of the person's."""
        if layout.moved:
            self.by_prompt.pop(prompt, None)
            self.by_prompt[prompt] = layout
            while len(self.by_prompt) > LAYOUTS_KEPT:
                del self.by_prompt[next(iter(self.by_prompt))]

    def of(self, prompt: str) -> GraphLayout:
        """The layout for a new text."""
        layout = self.by_prompt.get(prompt)
        return GraphLayout() if layout is None else GraphLayout.from_json(layout.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {prompt: layout.to_json() for prompt, layout in self.by_prompt.items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> KeptLayouts:
        """From `to_json`."""
        return cls({prompt: GraphLayout.from_json(each) for prompt, each in data.items()})


def nearest_distance(point: Point, others: Iterable[Point]) -> float:
    return min((math.dist(point, other) for other in others), default=math.inf)


def bounds(points: Iterable[Point]) -> Extent:
    """The smallest frame around points and around the first ring of an entity."""
    xs, ys = zip(*points, (-OUTER, -OUTER), (OUTER, OUTER), strict=True)
    return (min(xs), max(xs), min(ys), max(ys))


def _inside(point: Point, frame: Extent) -> bool:
    return frame[0] <= point[0] <= frame[1] and frame[2] <= point[1] <= frame[3]


def _clamped(point: Point, frame: Extent) -> Point:
    """The place in the frame that is nearest to a point."""
    return (
        min(max(point[0], frame[0]), frame[1]),
        min(max(point[1], frame[2]), frame[3]),
    )


def _free_place(
    centre: Point, taken: Sequence[Point], radius: float, within: Extent | None
) -> Point:
    """A place near `centre` that is not near any other, on the side away from the middle if free.

    `within` keeps it inside what the picture shows, so that the picture need not grow.
    """
    outwards = math.atan2(centre[1], centre[0]) if centre != (0.0, 0.0) else math.pi / 2
    best, best_distance = centre, -1.0
    for ring in (radius, radius * 1.3, radius * 1.6, radius * 0.7):
        for step in range(36):
            turn = ((step + 1) // 2) * (math.pi / 18) * (1 if step % 2 else -1)
            angle = outwards + turn
            place = (
                round(centre[0] + ring * math.cos(angle), 4),
                round(centre[1] + ring * math.sin(angle), 4),
            )
            if within and not _inside(place, within):
                continue
            room = nearest_distance(place, taken)
            if room >= NEAREST:
                return place
            if room > best_distance:
                best, best_distance = place, room
    return best
