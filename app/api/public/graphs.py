"""Which graph an operation reads: the shared one at a revision, or a draft as it is now."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.api.public import schema
from app.api.public.problems import INVALID, UNKNOWN, Problem
from app.state.service import Service
from graph.core.draft_record import IDLE_DAYS
from graph.core.names import quoted
from graph.core.protocol import Draft, TripletStore

PREFIX = "api-"
# The drafts of pages have ids of another form, so no id that a page shows opens one here.
_DRAFT_ID = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{32}}")


@dataclass(frozen=True)
class Graph:
    """A store to read, and its revision."""

    store: TripletStore
    at: int

    def answer(self) -> schema.Graph:
        """What an answer says about it."""
        draft = self.store if isinstance(self.store, Draft) else None
        return schema.Graph(
            revision=self.at if draft is None else draft.base_revision,
            draft=None if draft is None else draft.draft_id,
            draft_revision=None if draft is None else self.at,
        )


def open_draft(service: Service, draft_id: str) -> Draft:
    """A draft of this API. Raises a `Problem` if there is none of this id."""
    if not _DRAFT_ID.fullmatch(draft_id) or service.store.load_draft(draft_id) is None:
        raise Problem(
            UNKNOWN,
            f"There is no draft {quoted(draft_id)}; make a new one, because a draft is dropped "
            f"after {IDLE_DAYS} days without use.",
        )
    return service.store.draft(draft_id)


def graph_of(service: Service, draft_id: str | None, revision: int | None) -> Graph:
    """The graph to read. Raises a `Problem` for an unknown draft or revision."""
    if draft_id is not None:
        if revision is not None:
            raise Problem(
                INVALID,
                "Give a draft or a revision, not both: a draft is read over the revision that it "
                "was begun at.",
            )
        draft = open_draft(service, draft_id)
        return Graph(draft, draft.revision())
    newest = service.store.revision()
    if revision is not None and revision > newest:
        raise Problem(UNKNOWN, f"There is no revision {revision}; the newest is {newest}.")
    return Graph(service.store, newest if revision is None else revision)
