"""Names and facts: search, the facts of an entity or a relation, and lookups as the model's."""

from __future__ import annotations

from itertools import islice

from app.api.public import limits, schema
from app.api.public.graphs import Graph, graph_of
from app.api.public.problems import INVALID, UNKNOWN, Problem
from app.state.service import Service
from graph.core.facts import Entity, Fact
from graph.core.ids import parse_id
from graph.core.names import quoted
from graph.lookup.result import Lookup
from graph.lookup.retriever import Retriever


def fact_answer(fact: Fact) -> schema.Fact:
    """A fact as an answer has it."""
    return schema.Fact.model_validate(fact.to_json())


def entity_answer(entity: Entity) -> schema.Entity:
    """An entity as an answer has it."""
    return schema.Entity.model_validate(entity.to_json())


def lookup_fields(lookup: Lookup) -> dict[str, object]:
    """The fields of a lookup in an answer."""
    data = lookup.to_json()
    del data["value_spans"]
    data["facts"] = data["facts"][: limits.MOST_FACTS]
    data["runners_up"] = data["runners_up"][: limits.MOST_RUNNERS_UP]
    return {**data, "facts_found": len(lookup.facts)}


def search(service: Service, text: str, limit: int = 10, draft: str | None = None) -> schema.Found:
    """Find entities by the beginning of a word, a part of it, or a misspelling."""
    graph = graph_of(service, draft, None)
    found = graph.store.search(text, limit=limit, at=graph.at)
    return schema.Found(graph=graph.answer(), entities=[entity_answer(each) for each in found])


def lookup(
    service: Service,
    entity: str,
    relation: str,
    prompt: str | None = None,
    draft: str | None = None,
    revision: int | None = None,
) -> schema.LookupAnswer:
    """Answer a lookup as the model would get it; with a prompt, `relations` is ranked by it."""
    graph = graph_of(service, draft, revision)
    answered = Retriever(graph.store, graph.at).lookup(entity, relation, prompt)
    return schema.LookupAnswer(
        graph=graph.answer(), lookup=schema.Lookup.model_validate(lookup_fields(answered))
    )


def facts(
    service: Service,
    entity: str | None = None,
    entity_id: str | None = None,
    relation: str | None = None,
    limit: int = 100,
    offset: int = 0,
    draft: str | None = None,
    revision: int | None = None,
) -> schema.Facts:
    """A page of the facts of an entity, of a relation, or of both."""
    graph = graph_of(service, draft, revision)
    most = offset + limit + 1
    found: Entity | None = None
    namesakes: list[Entity] = []
    if entity is not None or entity_id is not None:
        found, *namesakes = _entities(graph, entity, entity_id)
        listed = graph.store.facts(found.id, relation, at=graph.at, limit=most)
    elif relation is not None:
        listed = graph.store.facts_of(relation, at=graph.at, limit=most)
    else:
        raise Problem(INVALID, "Give an entity, a relation, or both.")
    page = list(islice(listed, offset, offset + limit))
    further = offset + limit if len(listed) == most else None
    return schema.Facts(
        graph=graph.answer(),
        entity=None if found is None else entity_answer(found),
        namesakes=[entity_answer(each) for each in namesakes],
        facts=[fact_answer(fact) for fact in page],
        next_offset=further if further is None or further <= limits.FURTHEST else None,
    )


def fact(
    service: Service, fact_id: str, draft: str | None = None, revision: int | None = None
) -> schema.Fact:
    """One fact by its id."""
    graph = graph_of(service, draft, revision)
    return fact_answer(known_fact(graph, fact_id))


def known_fact(graph: Graph, fact_id: str) -> Fact:
    """A fact by its id. Raises a `Problem` if the graph has none."""
    known = graph.store.fact(parse_id(fact_id), at=graph.at)
    if known is None:
        raise Problem(UNKNOWN, f"The graph has no fact {fact_id}; it may have been deleted.")
    return known


def _entities(graph: Graph, name: str | None, entity_id: str | None) -> list[Entity]:
    """The entity that is asked about, and then its namesakes."""
    if entity_id is not None:
        known = graph.store.entity(parse_id(entity_id), at=graph.at)
        if known is None:
            raise Problem(UNKNOWN, f"The graph has no entity {entity_id}.")
        return [known]
    assert name is not None
    called = [entity for entity, _how in graph.store.find_entities(name, at=graph.at)]
    if not called:
        raise Problem(
            UNKNOWN, f"Nothing in the graph is called {quoted(name)}; search for its name first."
        )
    return called[: limits.MOST_FOUND]
