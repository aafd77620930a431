"""What changes the graph: edits of the visitor's draft, undo and redo, publish and discard.

What the browser sends is not trusted: ids are parsed and looked up, texts are cleaned by the graph.
Anything wrong raises a `StoreError`, which `actions.act` shows next to its cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from app.state.comparison import diff_deltas, relation_of
from app.state.generation import Steps, ask_for, rewrite
from app.state.scene import node_of
from app.state.session import Offer, Selection, Session
from graph.core.deltas import Delta
from graph.core.edits import Add, Change, Delete, Edit, Merge, Rename
from graph.core.errors import AlreadyThere, Conflict, StoreError
from graph.core.facts import Entity, Fact
from graph.core.ids import parse_id
from graph.core.names import fold

NOT_PUBLISHED = "This server does not publish; your edits stay in your draft."
LONGEST_REASON = 500  # characters of a published draft's reasons together


def edit(
    session: Session, edits: Sequence[Edit], reason: str = "", write_id: str | None = None
) -> Steps:
    """Do edits in the draft and rewrite the text."""
    session.clear_notes()
    old = session.deltas()
    session.draft.apply(edits, author=session.author, reason=reason, write_id=write_id)
    session.service.metrics.edits.inc(len(edits))
    yield from _after_edit(session, old)


def _after_edit(session: Session, old: list[Delta]) -> Steps:
    session.text.deltas = diff_deltas(old, session.deltas())
    session.text.tab = "changes"
    yield from rewrite(session)


def fact_of(session: Session, claimed: object) -> Fact:
    """The fact of an id that came back. Raises `StoreError` if there is none."""
    fact_id = parse_id(claimed)
    fact = session.draft.fact(fact_id)
    if fact is None:
        marked = session.text.marked
        known = marked.facts.get(fact_id) if marked else None
        what = relation_of(known) if known else "That fact"
        raise StoreError(f"{what} is no longer in the graph; it has been deleted.")
    return fact


def entity_of(session: Session, claimed: object) -> Entity:
    """The entity of an id, "123", or of a node's key, "e123". Raises `StoreError` if none."""
    entity = session.draft.entity(parse_id(str(claimed).removeprefix("e")))
    if entity is None:
        raise StoreError("That entity is no longer in the graph.")
    return entity


def node_words(session: Session, key: str) -> tuple[str, bool]:
    """What a node of the picture is called as a value, and whether it is an entity.

    Raises `StoreError` if there is no such node any more.
    """
    if key.startswith("f"):
        return fact_of(session, key[1:]).value, False
    return entity_of(session, key).name, True


def change(session: Session, event: dict[str, Any]) -> Steps:
    """Give a fact another value."""
    session.clear_notes()
    fact = fact_of(session, event.get("id"))
    value = field(event, "value")
    if value.strip() == fact.value:
        raise AlreadyThere("The value is unchanged. Type a different one.")
    yield from edit(session, [Change(fact.id, value)], reason(event), write_id(event))


def change_relation(session: Session, event: dict[str, Any]) -> Steps:
    """Say the same of another relation: one edit, which one *Undo* takes back."""
    session.clear_notes()
    fact = fact_of(session, event.get("id"))
    relation = field(event, "relation")
    if relation.strip() == fact.relation:
        raise AlreadyThere("The relation is unchanged. Type a different one.")
    linked = fact.value_id is not None
    again = Add(fact.entity, relation, fact.value, fact.source, fact.year, linked)
    for step in edit(session, [Delete(fact.id), again], reason(event), write_id(event)):
        for delta in session.text.deltas:
            if isinstance(delta.after, Fact) and delta.before is None:
                session.selection = Selection("fact", delta.after.id)
        yield step


def delete(session: Session, event: dict[str, Any]) -> Steps:
    """Delete a fact."""
    session.clear_notes()
    fact = fact_of(session, event.get("id"))
    yield from edit(session, [Delete(fact.id)], reason(event), write_id(event))


def add(session: Session, event: dict[str, Any]) -> Steps:
    """Add a fact, and open it. One that was drawn has the ids of its nodes instead of names."""
    name, value, linked = field(event, "entity"), field(event, "value"), None
    if event.get("id"):
        name = entity_of(session, event["id"]).name
    if field(event, "target"):
        value, linked = node_words(session, field(event, "target"))
    elif field(event, "kind"):
        linked = field(event, "kind") == "entity"
    new = Add(name, field(event, "relation"), value, value_is_link=linked)
    picture = session.picture
    for step in edit(session, [new], reason(event), write_id(event)):
        for delta in session.text.deltas:
            if isinstance(delta.after, Fact) and delta.before is None:
                session.selection = Selection("fact", delta.after.id)
                if picture.drawn is not None and picture.drawn.at is not None:
                    picture.layout.positions.setdefault(node_of(delta.after), picture.drawn.at)
        picture.drawn = None
        yield step


def rename(session: Session, event: dict[str, Any]) -> Steps:
    """Rename an entity. If the prompt has the old name, offer to ask with the new one."""
    session.clear_notes()
    entity = entity_of(session, event.get("id"))
    renaming = Rename(entity.id, field(event, "name"))
    yield from edit(session, [renaming], reason(event), write_id(event))
    renamed = session.draft.entity(entity.id)
    if renamed is None:
        return
    whole = re.compile(rf"(?<!\w){re.escape(entity.name)}(?!\w)", re.IGNORECASE)
    prompt = whole.sub(lambda _: renamed.name, session.question.prompt)
    if prompt != session.question.prompt:
        session.notes.offer = Offer(entity.name, prompt)
        yield None


def ask_offered(session: Session, event: dict[str, Any]) -> Steps:
    """Ask with the new name in the prompt."""
    if session.notes.offer is None:
        yield None
        return
    yield from ask_for(session, session.notes.offer.prompt)


def merge(session: Session, event: dict[str, Any]) -> Steps:
    """Merge another entity, given by its name, into this one."""
    session.clear_notes()
    into = entity_of(session, event.get("id"))
    name = field(event, "other").strip()
    if not name:
        raise StoreError("Type the name of the entity to merge into this one.")
    found = session.draft.find_entities(name)
    if not found:
        raise StoreError(
            f"Nothing in the graph is called “{name[:80]}”; choose a name from the list."
        )
    merging = Merge(found[0][0].id, into.id)
    yield from edit(session, [merging], reason(event), write_id(event))


def restore(session: Session, event: dict[str, Any]) -> Steps:
    """Bring back a fact that this draft deleted."""
    session.clear_notes()
    gone = {str(fact.id): fact for fact in session.deleted_facts()}
    fact = gone.get(str(event.get("id")))
    if fact is None:
        raise StoreError("You have not deleted that fact.")
    again = Add(
        fact.entity, fact.relation, fact.value, fact.source, fact.year, fact.value_id is not None
    )
    for step in edit(session, [again], write_id=write_id(event)):
        for found, _how in session.draft.find_entities(fact.entity)[:1]:
            for back in session.draft.facts(found.id, fact.relation):
                if fold(back.value) == fold(fact.value):
                    session.selection = Selection("fact", back.id)
        yield step


def undo(session: Session, event: dict[str, Any]) -> Steps:
    """Undo the last edit of the draft."""
    yield from _undo_or_redo(session, session.draft.undo, event)


def redo(session: Session, event: dict[str, Any]) -> Steps:
    """Redo the edit that was undone last."""
    yield from _undo_or_redo(session, session.draft.redo, event)


def _undo_or_redo(session: Session, step: Callable[..., int], event: dict[str, Any]) -> Steps:
    session.clear_notes()
    old = session.deltas()
    step(author=session.author, write_id=write_id(event))
    session.imported = None
    yield from _after_edit(session, old)


def publish(session: Session, event: dict[str, Any]) -> Steps:
    """Write the draft to the shared store, or show what conflicts with it."""
    session.clear_notes()
    try:
        revision = publish_draft(session, write_id(event))
    except Conflict as conflict:
        session.notes.conflict = conflict
        raise
    session.notes.draft_done = f"Published as revision {revision}; everybody sees it now."
    session.run.status = session.notes.draft_done
    yield None


def publish_draft(session: Session, write_id: str | None) -> int:
    """Publish the draft with the reasons of its edits; returns the revision."""
    if not session.service.publishes:
        raise StoreError(NOT_PUBLISHED)
    given = [entry.reason for entry in session.draft.history(limit=1000) if entry.reason]
    why = "; ".join(dict.fromkeys(reversed(given)))
    revision = session.draft.publish(
        author=session.author, reason=why[:LONGEST_REASON], write_id=write_id
    )
    session.service.metrics.publishes.inc()
    return revision


def discard(session: Session, event: dict[str, Any]) -> Steps:
    """Discard the draft and rewrite the text over the shared graph."""
    session.clear_notes()
    old = session.deltas()
    session.draft.discard()
    session.imported = None
    yield from _after_edit(session, old)
    session.notes.draft_done = "Your edits were discarded."
    yield None


def field(event: dict[str, Any], name: str) -> str:
    """The text of a form's field; "" if there is none."""
    fields = event.get("fields")
    value = fields.get(name, "") if isinstance(fields, dict) else ""
    return value if isinstance(value, str) else ""


def reason(event: dict[str, Any]) -> str:
    """Why, as the person typed it under *More*; the graph checks it."""
    given = event.get("reason")
    return given.strip() if isinstance(given, str) else ""


def write_id(event: dict[str, Any]) -> str | None:
    """The id of the action, under which the journal knows what it wrote."""
    given = event.get("write_id")
    return given if isinstance(given, str) else None
