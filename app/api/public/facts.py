"""Names and facts: search, the facts of an entity or a relation, and lookups as the model's."""

from __future__ import annotations

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


def search(service: Service, asked: schema.SearchQuery) -> schema.Found:
    """Find entities by the beginning of a word, a part of it, or a misspelling."""
    graph = graph_of(service, asked.draft, None)
    found = graph.store.search(asked.text, limit=asked.limit, at=graph.at)
    return schema.Found(graph=graph.answer(), entities=[entity_answer(each) for each in found])


def lookup(service: Service, asked: schema.LookupQuery) -> schema.LookupAnswer:
    """Answer a lookup as the model would get it; with a prompt, `relations` is ranked by it."""
    graph = graph_of(service, asked.draft, asked.revision)
    retriever = Retriever(graph.store, graph.at)
    answered = retriever.lookup(asked.entity, asked.relation, asked.prompt)
    return schema.LookupAnswer(
        graph=graph.answer(), lookup=schema.Lookup.model_validate(lookup_fields(answered))
    )


def facts(service: Service, asked: schema.FactsQuery) -> schema.Facts:
    """A page of the facts of an entity, of a relation, or of both."""
    graph, relation = graph_of(service, asked.draft, asked.revision), asked.relation
    end = asked.offset + asked.limit
    most = end + 1
    found: Entity | None = None
    namesakes: list[Entity] = []
    if asked.entity is not None or asked.entity_id is not None:
        found, *namesakes = _entities(graph, asked.entity, asked.entity_id)
        listed = graph.store.facts(found.id, relation, at=graph.at, limit=most)
    elif relation is not None:
        listed = graph.store.facts_of(relation, at=graph.at, limit=most)
    else:
        raise Problem(INVALID, "Give an entity, a relation, or both.")
    further = len(listed) == most and end <= limits.FURTHEST
    return schema.Facts(
        graph=graph.answer(),
        entity=None if found is None else entity_answer(found),
        namesakes=[entity_answer(each) for each in namesakes],
        facts=[fact_answer(fact) for fact in listed[asked.offset : end]],
        next_offset=end if further else None,
    )


def fact(service: Service, fact_id: str, asked: schema.GraphQuery) -> schema.Fact:
    """One fact by its id."""
    graph = graph_of(service, asked.draft, asked.revision)
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
