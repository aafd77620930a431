"""Which facts the picture shows for a session, read from its draft."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from app.state.marked_trace import MarkedTrace
from app.state.scene import Scene
from app.state.session import Session
from graph.core.facts import RELATIONS, Fact
from graph.core.names import fold
from graph.core.protocol import TripletStore
from graph.lookup.relevance import asks_for_paragraph
from model.trace import TraceLookup

NEIGHBOURS_READ = 120  # facts read around what was hit; the picture shows a few of them
EXPAND_BY = 8  # neighbours that each *Expand* adds
EDITS_SHOWN = 12  # of a draft, at most
REMEMBERED = 16  # reads of one session, at most
VALUES_EXPECTED = 5  # facts of one listed relation that are shown before it is looked up


def scene_key(session: Session) -> Any:
    """What the scene depends on; while it is the same, nothing is read or drawn again."""
    marked = session.text.marked
    return (
        None
        if marked is None
        else (
            tuple(marked.numbers),
            tuple(each.lookup.entity_id for each in marked.trace.lookups),
        ),
        session.draft.state(),
        session.run.writing,
        session.selection,
        tuple(session.picture.expanded.items()),
        id(session.picture.layout),
        session.picture.layout.moves,
        session.run.rewriting,
    )


def read_scene(session: Session) -> Scene:
    """The facts to draw: what was hit, what is listed, and what is around them."""
    marked, draft = session.text.marked, session.draft
    question = session.question.prompt
    growing = session.run.writing and not session.run.rewriting
    if marked is None:
        return Scene(question=question, growing=growing)
    hits, trace = tuple(marked.facts.values()), session.text.trace
    if not session.run.writing and (trace is None or trace.state != draft.state()):
        hits = tuple(draft.fact(fact.id) or fact for fact in hits)
    asked = (each.lookup.entity_id for each in marked.trace.lookups)
    centres = list(dict.fromkeys(entity_id for entity_id in asked if entity_id))
    neighbours: list[Fact] = []
    if centres:
        neighbours = _once(
            session,
            ("neighbours", *centres),
            lambda: draft.neighbourhood(centres, hops=1, limit=NEIGHBOURS_READ),
        )
    expanded: list[Fact] = []
    for entity_id, count in session.picture.expanded.items():
        expanded += facts_around(draft, entity_id, count)
    about = set(centres) | {fact.entity_id for fact in hits}
    added, deleted, was = _edits(session, about | set(session.picture.expanded))
    expanded += added
    selection = session.selection
    if selection.kind == "fact":
        fact = draft.fact(selection.id)
        if fact is not None:
            expanded.append(fact)
    return Scene(
        hits=hits,
        centres=tuple(centres),
        numbers=marked.numbers,
        expected=tuple(_expected(session, marked)),
        neighbours=tuple(neighbours),
        expanded=tuple(expanded),
        selected=session.selected_ids(),
        selected_entity=selection.id if selection.kind == "entity" else None,
        edited=session.edited_ids(),
        was=was,
        deleted=tuple(deleted),
        question=question,
        growing=growing,
    )


def _edits(session: Session, about: set[int]) -> tuple[list[Fact], list[Fact], dict[int, str]]:
    """The facts of and to some entities that the draft adds or changes, those that it deletes, and
    the values that it replaces, by fact id. Of a long draft the newest edits."""
    added: list[Fact] = []
    deleted: list[Fact] = []
    was: dict[int, str] = {}
    for delta in reversed(session.deltas()):
        if len(added) + len(deleted) >= EDITS_SHOWN:
            break
        before, after = delta.before, delta.after
        fact = after or before
        if not isinstance(fact, Fact) or not {fact.entity_id, fact.value_id} & about:
            continue
        if isinstance(after, Fact):
            added.append(after)
            if isinstance(before, Fact) and before.value != after.value:
                was[after.id] = before.value
        elif isinstance(before, Fact):
            deleted.append(before)
    return added, deleted, was


def facts_around(store: TripletStore, entity_id: int, count: int) -> list[Fact]:
    """The first facts of and to an entity."""
    facts = store.facts(entity_id, limit=count)
    return facts + store.facts_to(entity_id, limit=max(0, count - len(facts)))


def _once(session: Session, what: Hashable, read: Callable[[], list[Fact]]) -> list[Fact]:
    """What was read before, while the draft stays as it is, because a server may be slow."""
    key = session.draft.state(), what
    remembered = session.picture.read
    if key not in remembered:
        if len(remembered) >= REMEMBERED:
            remembered.clear()
        remembered[key] = read()
    return remembered[key]


def _expected(session: Session, marked: MarkedTrace) -> list[Fact]:
    """The facts of the relations that a paragraph will look up, in that order, without those that
    it has looked up. A list that answers a question names what the model may choose from instead.
    """
    facts: list[Fact] = []
    for each in marked.listed:
        entity_id = each.lookup.entity_id
        if entity_id is None or not _is_for_paragraph(each, marked.trace.prompt):
            continue
        by_relation: dict[str, list[Fact]] = {}
        known = _once(session, entity_id, partial(session.draft.facts, entity_id))
        for fact in known:
            by_relation.setdefault(fold(fact.relation), []).append(fact)
        for name in each.lookup.listed:
            if fold(name) != RELATIONS:
                facts += by_relation.get(fold(name), [])[:VALUES_EXPECTED]
    return [fact for fact in facts if fact.id not in marked.numbers]


def _is_for_paragraph(listed: TraceLookup, prompt: str) -> bool:
    """Whether a list is in stated order, to be looked up one after another."""
    if listed.lookup.ranking is None:
        return True
    names = (listed.lookup.entity, listed.lookup.resolved_entity or "")
    return asks_for_paragraph(prompt, names)
