"""The operations by name, with what each takes and the level that it needs.

    answer = await call(desk, OPERATIONS["lookup"], caller, {"entity": "France", ...})

`gradio_client` and MCP offer these; HTTP has the same functions at addresses of its own
(`app.api.public.routes`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from app.access.levels import Level
from app.api.public import audits, drafts, facts, history, schema, texts
from app.api.public.desk import Desk
from app.api.public.problems import INVALID, Problem, require_level
from app.state.service import Service

A = TypeVar("A", bound=schema.Asked)


@dataclass(frozen=True)
class Caller:
    """Who asks: what they may do, and the name under which they take turns."""

    level: Level
    client: str


@dataclass(frozen=True)
class Operation:
    """One operation."""

    name: str
    description: str
    level: Level
    asked: type[schema.Asked]
    does: Callable[[Desk, str, Any], Awaitable[schema.Answer]]

    @property
    def writes(self) -> bool:
        """Whether it can change a draft or the graph."""
        return self.level > Level.VIEWER


async def call(
    desk: Desk, operation: Operation, caller: Caller, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Do an operation with plain data. Raises a `Problem`."""
    require_level(caller.level, operation.level)
    try:
        asked = operation.asked.model_validate(given)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Problem(
            INVALID, f"The request is not valid at “{place}”: {first['msg']}."
        ) from problem
    return (await operation.does(desk, caller.client, asked)).model_dump(mode="json")


def _quick(
    work: Callable[[Service, A], schema.Answer],
) -> Callable[[Desk, str, A], Awaitable[schema.Answer]]:
    """An operation that needs no model and no turn."""

    async def does(desk: Desk, _: str, asked: A) -> schema.Answer:
        return await desk.quickly(work, asked)

    return does


def _fact(service: Service, asked: schema.FactQuery) -> schema.Answer:
    return facts.fact(service, asked.id, asked)


def _create(service: Service, _: schema.NewDraft) -> schema.Answer:
    return drafts.create(service)


def _read(service: Service, asked: schema.OfDraft) -> schema.Answer:
    return drafts.read(service, asked.draft)


def _of_draft(
    work: Callable[[Service, str, Any], schema.Answer],
) -> Callable[[Desk, str, schema.OfDraft], Awaitable[schema.Answer]]:
    """An operation that changes a draft."""
    return _quick(lambda service, asked: work(service, asked.draft, asked))


_VIEWER, _EDITOR, _PUBLISHER = Level.VIEWER, Level.EDITOR, Level.PUBLISHER
_ALL = (
    Operation(
        "generate",
        "Write a text for a prompt. The model looks facts up while it writes; the answer has each "
        "lookup with the facts that it hit, and marks the words that come from the graph.",
        _VIEWER,
        schema.Prompted,
        texts.whole,
    ),
    Operation(
        "lookup",
        "Answer a lookup (entity, relation) as the model gets it. The relation “relations” lists "
        "what the graph holds about the entity.",
        _VIEWER,
        schema.LookupQuery,
        _quick(facts.lookup),
    ),
    Operation(
        "search",
        "Find entities by the beginning of a word of their name, a part of it, or a misspelling.",
        _VIEWER,
        schema.SearchQuery,
        _quick(facts.search),
    ),
    Operation(
        "facts",
        "List the facts of an entity, of a relation, or of both, page by page, with their ids.",
        _VIEWER,
        schema.FactsQuery,
        _quick(facts.facts),
    ),
    Operation("fact", "Read one fact by its id.", _VIEWER, schema.FactQuery, _quick(_fact)),
    Operation(
        "history",
        "Read the revisions of the shared graph with author, reason and time, newest first.",
        _VIEWER,
        schema.HistoryQuery,
        _quick(history.history),
    ),
    Operation(
        "audit",
        "Verify a fact: does it live in the graph, or in the weights of the model? Takes seconds, "
        "and deletes in memory only.",
        _VIEWER,
        schema.Audit,
        audits.audit,
    ),
    Operation(
        "audit_text",
        "Verify a whole text: write it with the graph, with every fact deleted that it used, and "
        "with lookups forbidden, and say which values each still states. Deletes in memory only.",
        _VIEWER,
        schema.AuditText,
        audits.audit_text,
    ),
    Operation(
        "create_draft",
        "Make an empty draft. Its id is the key to it: pass it to the other operations. Nobody "
        "else sees what is in it before it is published.",
        _EDITOR,
        schema.NewDraft,
        _quick(_create),
    ),
    Operation("read_draft", "Read what a draft changes.", _VIEWER, schema.OfDraft, _quick(_read)),
    Operation(
        "edit_draft",
        "Add, change or delete facts, rename or merge entities, in a draft: all edits or none.",
        _EDITOR,
        schema.EditsOfDraft,
        _of_draft(drafts.edit),
    ),
    Operation(
        "undo",
        "Undo the last step of a draft.",
        _EDITOR,
        schema.StepOfDraft,
        _of_draft(drafts.undo),
    ),
    Operation(
        "redo",
        "Redo the step of a draft that was undone last.",
        _EDITOR,
        schema.StepOfDraft,
        _of_draft(drafts.redo),
    ),
    Operation(
        "discard",
        "Drop all edits of a draft.",
        _EDITOR,
        schema.StepOfDraft,
        _of_draft(drafts.discard),
    ),
    Operation(
        "publish",
        "Write a draft to the shared graph, for everybody, in one transaction. If somebody else "
        "changed one of its facts, nothing is written.",
        _PUBLISHER,
        schema.StepOfDraft,
        _of_draft(drafts.publish),
    ),
)
OPERATIONS = {operation.name: operation for operation in _ALL}
