"""The facts that the picture and the table show, as plain data, and how many there is room for.

    strong, faint, left_out = bounded(Scene(hits=facts))

Nothing here knows how they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from graph.core.facts import Fact

MAX_HIT_NODES = 12
MAX_FAINT_NODES = 12


@dataclass(frozen=True)
class Scene:
    """The facts of one picture, by what each has to do with the text."""

    hits: tuple[Fact, ...] = ()  # looked up, in order of use
    centres: tuple[int, ...] = ()  # ids of the entities that were asked about, misses included
    numbers: dict[int, int] = field(default_factory=dict)  # fact id -> order of use
    expected: tuple[Fact, ...] = ()  # listed by `relations` and not looked up so far
    neighbours: tuple[Fact, ...] = ()  # around the facts that were hit, faint
    expanded: tuple[Fact, ...] = ()  # around a node that a person expanded
    selected: frozenset[int] = frozenset()  # fact ids
    selected_entity: int | None = None
    edited: frozenset[int] = frozenset()  # fact ids
    was: dict[int, str] = field(default_factory=dict)  # fact id -> the value before the draft
    deleted: tuple[Fact, ...] = ()  # by the draft; drawn as ghosts, and in no table
    question: str = ""  # the prompt that the picture is about
    growing: bool = False  # its first text is being written


def node_of(fact: Fact) -> str:
    """The key of the node that a fact's value is: an entity's own, or the literal of this fact."""
    return f"e{fact.value_id}" if fact.value_id is not None else f"f{fact.id}"


def entity_node(entity_id: int) -> str:
    """The key of an entity's node."""
    return f"e{entity_id}"


def bounded(scene: Scene) -> tuple[list[Fact], list[Fact], int]:
    """The strong and the faint facts that are drawn, and how many nodes are left out."""
    strong: list[Fact] = []
    nodes: set[str] = set()
    left_out: set[str] = set()
    for fact in (*scene.hits, *scene.expected):
        key = node_of(fact)
        if key not in nodes and len(nodes) >= MAX_HIT_NODES:
            left_out.add(key)
            continue
        nodes.add(key)
        strong.append(fact)
    drawn = {fact.id for fact in strong}
    known = nodes | {entity_node(fact.entity_id) for fact in strong}
    known |= {entity_node(entity_id) for entity_id in scene.centres}
    hit_pairs = {frozenset((entity_node(fact.entity_id), node_of(fact))) for fact in strong}
    faint: list[Fact] = []
    extra: set[str] = set()
    pairs: set[frozenset[str]] = set()
    for fact in scene.neighbours:
        pair = frozenset((entity_node(fact.entity_id), node_of(fact)))
        new = pair - known - extra
        if fact.id in drawn or len(new) == 2 or fact.value_id is None:
            continue
        if pair not in hit_pairs and (pair in pairs or not new):
            continue  # one faint line is enough between two neighbours
        if new and len(extra) >= MAX_FAINT_NODES:
            left_out |= new
            continue
        extra |= new
        pairs.add(pair)
        drawn.add(fact.id)
        faint.append(fact)
    for fact in scene.expanded:
        if fact.id not in drawn:
            drawn.add(fact.id)
            faint.append(fact)
    return strong, faint, len(left_out)
