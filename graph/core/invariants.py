"""The invariants of every store, checked through its reads alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from graph.core.errors import StoreError
from graph.core.facts import RELATIONS
from graph.core.names import clean_name, clean_value, fold
from graph.core.protocol import TripletStore
from graph.core.rules import SETTING, clean_setting

MOST = 100  # findings listed, at most


def check(store: TripletStore, own: Iterable[str] = (), most: int = MOST) -> list[str]:
    """What is broken in the newest revision, one sentence each; [] if nothing is.

    Facts are read in stored order and not kept, except for the keys of one entity's facts at a time
    and the names of the entities seen.

    Args:
        store: the store to look through; only its reads are used.
        own: what the store found in its own tables or nodes, listed first.
        most: how many sentences are returned at most.
    """
    try:
        return list(islice(chain(own, _findings(store)), most))
    except StoreError as problem:  # a store too damaged to be read through
        return [str(problem)]


def _findings(store: TripletStore) -> Iterator[str]:
    at = store.revision()
    names: dict[int, str] = {}
    seen: dict[tuple[int, str, str], int] = {}
    for fact in store.all_facts(at):
        what = f"The fact {fact.id} ({fact.entity}, {fact.relation}, {fact.value})"
        for entity_id, name in ((fact.entity_id, fact.entity), (fact.value_id, fact.value)):
            if entity_id is None:
                continue
            if entity_id not in names:
                entity = store.entity(entity_id, at=at)
                if entity is None:
                    yield f"{what} refers to the entity {entity_id}, which does not exist."
                    continue
                names[entity_id] = entity.name
                if all(found.id != entity_id for found, _ in store.find_entities(name, at=at)):
                    yield f"The entity {entity_id} cannot be found by its name {entity.name}."
            if names[entity_id] != name:
                yield f"{what} names the entity {entity_id} {name}, not {names[entity_id]}."
        if fold(fact.relation) == RELATIONS:
            yield f"{what} uses the reserved relation."
        slot = (fact.entity_id, fold(fact.relation), str(fact.value_id or fact.value))
        if slot in seen:
            yield f"{what} is a duplicate of the fact {seen[slot]}."
        seen[slot] = fact.id
        for text, clean in ((fact.relation, clean_name), (fact.value, clean_value)):
            try:
                kept = clean(text)
            except StoreError as problem:
                yield f"{what}: {problem}"
            else:
                if kept != text:
                    yield f"{what} has text that is not in its normal form."
    for rule in store.rules(at=at):
        if rule.kind == SETTING:
            try:
                clean_setting(rule.name, rule.value)
            except StoreError as problem:
                yield str(problem)
        elif store.relation(rule.value) is None:
            yield f"The synonym {rule.name} means {rule.value}, which is not a relation here."
