"""Drafts: made, read, edited, published and discarded by the functions that the page uses.

A draft goes by an id that nobody can guess. Whoever knows the id can do all of this.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from app.api.public import limits, schema
from app.api.public.graphs import PREFIX, open_draft
from app.api.public.history import change_answer
from app.api.public.problems import CONFLICT, READ_ONLY, REFUSED, UNKNOWN, Problem
from app.state import editing
from app.state.service import Service
from app.state.session import Session
from graph.core.edits import Add, Change, Delete, Edit, Merge, Rename
from graph.core.errors import StoreError
from graph.core.ids import parse_id
from graph.core.protocol import Draft

T = TypeVar("T")
AUTHOR = "API client"  # of every edit, as the journal records it
_NOTE = "api"  # next to a draft, so that it is kept before its first edit
_PUBLISHED = "published"  # the write that published the draft last
_writing = threading.Lock()  # between reading a draft's revision and its next step


def create(service: Service) -> schema.Draft:
    """A new draft over the newest revision."""
    _require_writable(service)
    draft_id = PREFIX + secrets.token_urlsafe(24)
    service.store.keep_draft_notes(draft_id, {_NOTE: AUTHOR})
    return _answer(service.store.draft(draft_id))


def read(service: Service, draft_id: str) -> schema.Draft:
    """What a draft changes."""
    return _answer(open_draft(service, draft_id))


def edit(service: Service, draft_id: str, asked: schema.Edits) -> schema.DoneStep:
    """Make edits in a draft, all or none."""

    def step(session: Session) -> None:
        edits = [_edit(session, each) for each in asked.edits]
        for _ in editing.edit(session, edits, asked.reason.strip(), asked.write_id):
            pass

    return _step(service, draft_id, asked, step)


def undo(service: Service, draft_id: str, asked: schema.PlainStep) -> schema.DoneStep:
    """Undo the last edit of a draft."""
    return _step(service, draft_id, asked, partial(_plain, editing.undo, asked))


def redo(service: Service, draft_id: str, asked: schema.PlainStep) -> schema.DoneStep:
    """Redo what was undone last."""
    return _step(service, draft_id, asked, partial(_plain, editing.redo, asked))


def discard(service: Service, draft_id: str, asked: schema.PlainStep) -> schema.DoneStep:
    """Drop all edits of a draft."""
    return _step(service, draft_id, asked, partial(_plain, editing.discard, asked))


def publish(service: Service, draft_id: str, asked: schema.PlainStep) -> schema.Published:
    """Write a draft to the shared graph in one transaction, for everybody."""
    with _open(service, draft_id, asked) as session:
        revision = editing.publish_draft(session, asked.write_id)
        if asked.write_id is not None:
            service.store.keep_draft_notes(draft_id, {_PUBLISHED: asked.write_id})
        return schema.Published(revision=revision, draft=_answer(session.draft))


def _plain(
    action: Callable[[Session, dict[str, object]], Iterator[object]],
    asked: schema.PlainStep,
    session: Session,
) -> None:
    for _ in action(session, {"write_id": asked.write_id}):
        pass


def _step(
    service: Service, draft_id: str, asked: schema.Step, step: Callable[[Session], None]
) -> schema.DoneStep:
    with _open(service, draft_id, asked) as session:
        if asked.write_id is None or not session.draft.has_step(asked.write_id):
            step(session)
        changed = session.text.deltas
        return schema.DoneStep(
            changed=[change_answer(delta) for delta in changed[: limits.MOST_CHANGES]],
            draft=_answer(session.draft),
        )


@contextmanager
def _open(service: Service, draft_id: str, asked: schema.Step) -> Iterator[Session]:
    """A session over a draft. It shows no text, so an edit of it writes none."""
    _require_writable(service)
    with _writing:
        draft = open_draft(service, draft_id)
        session = Session(service, draft_id, draft, author=AUTHOR)
        stale = asked.revision not in (None, draft.revision())
        if stale and not _was_done(service, draft, asked.write_id):
            raise Problem(
                CONFLICT,
                f"The draft is at revision {draft.revision()}, not {asked.revision}; read it again "
                "and decide whether your edit still stands.",
            )
        yield session


def _was_done(service: Service, draft: Draft, write_id: str | None) -> bool:
    """Whether a request that is sent again took effect before."""
    if write_id is None:
        return False
    published = service.store.draft_notes(draft.draft_id).get(_PUBLISHED)
    return published == write_id or draft.has_step(write_id)


def _require_writable(service: Service) -> None:
    if service.store.read_only:
        raise Problem(REFUSED, READ_ONLY)


def _edit(session: Session, asked: schema.AnyEdit) -> Edit:
    fact, entity = partial(_known, editing.fact_of), partial(_known, editing.entity_of)
    match asked:
        case schema.AddFact():
            return Add(asked.entity, asked.relation, asked.value, asked.source, asked.year)
        case schema.ChangeFact():
            return Change(fact(session, asked.id).id, asked.value, asked.source, asked.year)
        case schema.DeleteFact():
            return Delete(fact(session, asked.id).id)
        case schema.RenameEntity():
            return Rename(entity(session, asked.id).id, asked.name)
        case schema.MergeEntity():
            return Merge(entity(session, asked.id).id, entity(session, asked.into).id)


def _known(find: Callable[[Session, str], T], session: Session, claimed: str) -> T:
    """A fact or an entity by its id. Raises a `Problem` if the draft has none."""
    parse_id(claimed)
    try:
        return find(session, claimed)
    except StoreError as problem:
        raise Problem(UNKNOWN, str(problem)) from problem


def _answer(draft: Draft) -> schema.Draft:
    deltas = draft.deltas()
    return schema.Draft(
        id=draft.draft_id,
        revision=draft.revision(),
        base_revision=draft.base_revision,
        edits=len(draft.edits()),
        can_undo=draft.can_undo(),
        can_redo=draft.can_redo(),
        changes=[change_answer(delta) for delta in deltas[: limits.MOST_CHANGES]],
        changes_in_all=len(deltas),
    )
