"""What changes the graph: edits of the visitor's draft, undo and redo, publish and discard.

What the browser sends is not trusted: ids are parsed and looked up, texts are cleaned by the graph.
Whatever is wrong is raised as a `StoreError`, which `actions.act` shows beside its cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from app.state.comparison import diff_deltas, relation_of
from app.state.generation import Steps, ask, rewrite
from app.state.session import AUTHOR, Offer, Selection, Session
from graph.core.deltas import Delta
from graph.core.edits import Add, Change, Delete, Edit, Merge, Rename
from graph.core.errors import AlreadyThere, Conflict, StoreError
from graph.core.facts import Entity, Fact
from graph.core.ids import parse_id
from graph.core.names import fold

LONGEST_REASON = 500  # characters of a published draft's reasons together


def edit(session: Session, edits: Sequence[Edit], reason: str = "") -> Steps:
    """Do edits in the draft and rewrite the text."""
    session.clear_notes()
    old = session.deltas_now()
    session.draft.apply(edits, author=AUTHOR, reason=reason)
    yield from _after_edit(session, old)


def _after_edit(session: Session, old: list[Delta]) -> Steps:
    session.deltas = diff_deltas(old, session.deltas_now())
    session.tab = "changes"
    yield from rewrite(session)


def fact_of(session: Session, claimed: object) -> Fact:
    """The fact of an id that came back; raises `StoreError` where there is none."""
    fact_id = parse_id(claimed)
    fact = session.draft.fact(fact_id)
    if fact is None:
        known = session.reading.facts.get(fact_id) if session.reading else None
        what = relation_of(known) if known else "That fact"
        raise StoreError(f"{what} is not in the graph any more; it was deleted meanwhile.")
    return fact


def entity_of(session: Session, claimed: object) -> Entity:
    """The entity of an id, "123", or of a node's key, "e123"; raises `StoreError` likewise."""
    entity = session.draft.entity(parse_id(str(claimed).removeprefix("e")))
    if entity is None:
        raise StoreError("That entity is not in the graph any more.")
    return entity


def change(session: Session, said: dict[str, Any]) -> Steps:
    """Give a fact another value."""
    session.clear_notes()
    fact = fact_of(session, said.get("id"))
    value = field(said, "value")
    if value.strip() == fact.value:
        raise AlreadyThere("The value is as it was; type another one to change it.")
    yield from edit(session, [Change(fact.id, value)], reason(said))


def delete(session: Session, said: dict[str, Any]) -> Steps:
    """Delete a fact."""
    session.clear_notes()
    fact = fact_of(session, said.get("id"))
    yield from edit(session, [Delete(fact.id)], reason(said))


def add(session: Session, said: dict[str, Any]) -> Steps:
    """Add a fact, and open it."""
    new = Add(field(said, "entity"), field(said, "relation"), field(said, "value"))
    for _ in edit(session, [new], reason(said)):
        for delta in session.deltas:
            if isinstance(delta.after, Fact) and delta.before is None:
                session.selection = Selection("fact", delta.after.id)
        yield


def rename(session: Session, said: dict[str, Any]) -> Steps:
    """Give an entity another name; where the prompt has the old one, offer to change it too."""
    session.clear_notes()
    entity = entity_of(session, said.get("id"))
    yield from edit(session, [Rename(entity.id, field(said, "name"))], reason(said))
    renamed = session.draft.entity(entity.id)
    if renamed is None:
        return
    whole = re.compile(rf"(?<!\w){re.escape(entity.name)}(?!\w)", re.IGNORECASE)
    prompt = whole.sub(lambda _: renamed.name, session.prompt)
    if prompt != session.prompt:
        session.offer = Offer(entity.name, prompt)
        yield


def ask_offered(session: Session, said: dict[str, Any]) -> Steps:
    """Ask with the new name in the prompt."""
    if session.offer is None:
        yield
        return
    session.box = session.offer.prompt
    yield from ask(session, session.box, session.settings)


def merge(session: Session, said: dict[str, Any]) -> Steps:
    """Merge another entity, given by its name, into this one."""
    session.clear_notes()
    into = entity_of(session, said.get("id"))
    name = field(said, "other").strip()
    if not name:
        raise StoreError("Type the name of the entity to merge into this one.")
    found = session.draft.find_entities(name)
    if not found:
        raise StoreError(
            f"Nothing in the graph is called “{name[:80]}”; choose a name from the list."
        )
    yield from edit(session, [Merge(found[0][0].id, into.id)], reason(said))


def restore(session: Session, said: dict[str, Any]) -> Steps:
    """Bring back a fact that this draft deleted."""
    session.clear_notes()
    gone = {str(fact.id): fact for fact in session.deleted()}
    fact = gone.get(str(said.get("id")))
    if fact is None:
        raise StoreError("That fact is not among those that you deleted.")
    again = Add(
        fact.entity, fact.relation, fact.value, fact.source, fact.year, fact.value_id is not None
    )
    for _ in edit(session, [again]):
        for found, _how in session.draft.find_entities(fact.entity)[:1]:
            for back in session.draft.facts(found.id, fact.relation):
                if fold(back.value) == fold(fact.value):
                    session.selection = Selection("fact", back.id)
        yield


def undo(session: Session, said: dict[str, Any]) -> Steps:
    """Take back the last edit of the draft."""
    yield from _step_back_or_on(session, session.draft.undo)


def redo(session: Session, said: dict[str, Any]) -> Steps:
    """Do again what was undone last."""
    yield from _step_back_or_on(session, session.draft.redo)


def _step_back_or_on(session: Session, step: Callable[..., int]) -> Steps:
    session.clear_notes()
    old = session.deltas_now()
    step(author=AUTHOR)
    session.own = None
    yield from _after_edit(session, old)


def publish(session: Session, said: dict[str, Any]) -> Steps:
    """Write the draft to the shared store, or show what is in the way."""
    session.clear_notes()
    given = [entry.reason for entry in session.draft.history(limit=1000) if entry.reason]
    why = "; ".join(dict.fromkeys(reversed(given)))
    try:
        revision = session.draft.publish(author=AUTHOR, reason=why[:LONGEST_REASON])
    except Conflict as conflict:
        session.conflict = conflict
        raise
    session.draft_done = f"Published as revision {revision}; everybody sees it now."
    session.status = session.draft_done
    yield


def discard(session: Session, said: dict[str, Any]) -> Steps:
    """Drop the draft and rewrite the text over the shared graph."""
    session.clear_notes()
    old = session.deltas_now()
    session.draft.discard()
    session.own = None
    yield from _after_edit(session, old)
    session.draft_done = "Your edits were dropped."
    yield


def field(said: dict[str, Any], name: str) -> str:
    """The text of a form's field, "" for anything else."""
    fields = said.get("fields")
    value = fields.get(name, "") if isinstance(fields, dict) else ""
    return value if isinstance(value, str) else ""


def reason(said: dict[str, Any]) -> str:
    """Why, as the person typed it under *More*; the graph checks it."""
    given = said.get("reason")
    return given.strip() if isinstance(given, str) else ""
