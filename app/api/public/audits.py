"""Audits: a verdict on a fact, or a text without its facts, by the functions that *Verify* uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

from app.api.public import schema
from app.api.public.desk import Desk
from app.api.public.facts import known_fact
from app.api.public.graphs import Graph, graph_of
from app.api.public.problems import AWAY, ENDING, INVALID, UNKNOWN, Problem
from app.state.service import Service
from graph.core.facts import Fact
from graph.core.names import fold, quoted
from graph.lookup.retriever import Retriever
from model.audit.text_conditions import text_conditions
from model.audit.verification import verify

A = TypeVar("A", bound=schema.Answer)


@dataclass(frozen=True)
class AskedAudit:
    """A request that can be answered: the fact, and its graph."""

    graph: Graph
    fact: Fact
    prompt: str | None


def prepare(service: Service, request: schema.Audit) -> AskedAudit:
    """Find the fact of a request. Raises a `Problem` if there is none."""
    graph = graph_of(service, request.draft, None)
    return AskedAudit(graph, _fact(graph, request), request.prompt)


async def audit(desk: Desk, client: str, request: schema.Audit) -> schema.AuditAnswer:
    """Verify a fact when it is its turn; a client that leaves before that leaves the line."""
    asked = await desk.quickly(prepare, request)

    def verdict(_: Callable[[], bool]) -> schema.AuditAnswer:
        decoder = desk.service.verified
        result = verify(decoder, asked.graph.store, asked.fact.id, asked.prompt)
        return schema.AuditAnswer.model_validate(result.to_json())

    return await _in_turn(desk, client, verdict)


async def audit_text(desk: Desk, client: str, request: schema.AuditText) -> schema.TextAuditAnswer:
    """Verify a whole text when it is its turn; it is stopped when its client leaves."""
    graph = await desk.quickly(graph_of, request.draft, None)

    def columns(cancelled: Callable[[], bool]) -> schema.TextAuditAnswer:
        service = desk.service
        result = text_conditions(
            service.decoder, graph.store, request.prompt, service.settings, cancelled
        )
        if result is None:
            raise Problem(AWAY, ENDING)
        return schema.TextAuditAnswer.model_validate(result.to_json())

    return await _in_turn(desk, client, columns)


async def _in_turn(desk: Desk, client: str, work: Callable[[Callable[[], bool]], A]) -> A:
    """Do what needs the model when it is its turn; `work` is given whether to stop."""
    desk.check(client)
    turns, left = desk.turns, Event()
    place = await turns.take(client, lambda: not turns.closing, lambda before: None)

    def cancelled() -> bool:
        turns.pace(place)
        return left.is_set() or turns.closing

    try:
        if not place.counted:
            raise Problem(AWAY, ENDING)
        turns.first_word(place)  # nobody waits for a word of it
        return await desk.at_length(lambda: work(cancelled))
    finally:
        left.set()
        turns.give_back(place)


def _fact(graph: Graph, request: schema.Audit) -> Fact:
    if request.id is not None:
        return known_fact(graph, request.id)
    if request.entity is None or request.relation is None:
        raise Problem(INVALID, "Give the id of a fact, or an entity and a relation.")
    found = Retriever(graph.store, graph.at).lookup(request.entity, request.relation).facts
    if request.value is not None:
        key = fold(request.value)
        found = tuple(fact for fact in found if fold(fact.value) == key)
    if not found:
        named = ", ".join(filter(None, (request.entity, request.relation, request.value)))
        raise Problem(UNKNOWN, f"The graph has no fact {quoted(named)}.")
    return found[0]
