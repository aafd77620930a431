"""The history of the shared graph: its revisions with author, reason and time."""

from __future__ import annotations

from itertools import groupby

from app.api.public import limits, schema
from app.state.service import Service
from graph.core.deltas import Delta
from graph.core.ids import parse_id
from graph.core.journal import JournalEntry


def change_answer(delta: Delta) -> schema.Change:
    """What an answer says about one fact, entity or rule before and after."""
    return schema.Change.model_validate(delta.to_json())


def history(service: Service, asked: schema.HistoryQuery) -> schema.History:
    """Revisions, newest first: all, or those about an entity or a fact.

    `limit` counts edits, and the last revision is never cut.
    """
    entries = service.store.history(
        entity_id=None if asked.entity_id is None else parse_id(asked.entity_id),
        fact_id=None if asked.fact_id is None else parse_id(asked.fact_id),
        limit=asked.limit,
        before=asked.before,
    )
    revisions = [
        _revision(number, list(group))
        for number, group in groupby(entries, key=lambda entry: entry.revision)
    ]
    further = len(entries) >= asked.limit and revisions and revisions[-1].revision > 1
    return schema.History(
        revisions=revisions, next_before=revisions[-1].revision if further else None
    )


def _revision(number: int, entries: list[JournalEntry]) -> schema.RevisionEntry:
    first = entries[0]
    deltas = [delta for entry in entries for delta in entry.deltas]
    return schema.RevisionEntry(
        revision=number,
        kinds=list(dict.fromkeys(entry.kind for entry in entries)),
        author=first.author,
        time=first.time,
        reason=first.reason,
        published=first.published,
        changes=[change_answer(delta) for delta in deltas[: limits.MOST_SHOWN]],
        changes_in_all=len(deltas),
    )
