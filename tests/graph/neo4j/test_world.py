"""The shipped world on Neo4j and SQLite: exact answers are the same, fuzzy ones nearly always."""

from __future__ import annotations

import random
from typing import Any

import pytest

from graph.core.protocol import SharedStore
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from graph.world import make_world
from tests.graph.conftest import emptied
from tools.neo4j_server.server import Server

ASKED = 300


pytestmark = pytest.mark.timeout(900)  # a whole world is loaded into the server


@pytest.fixture(scope="module")
def worlds(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The world in a file, and on the server, as `init` makes it."""
    with emptied(server) as store:
        store.connection.run("MATCH (n) DETACH DELETE n")
    file = f"sqlite:///{tmp_path_factory.mktemp('world')}/world.db"
    for url in (file, server.url):
        assert make_world(url)
        assert not make_world(url)
    with open_store(file) as sqlite, open_store(server.url) as neo4j:
        yield sqlite, neo4j


def slip(name: str, rng: random.Random) -> str:
    """A name with one letter left out, doubled, exchanged with the next, or another."""
    place = rng.randrange(1, len(name))
    kind = rng.randrange(4)
    if kind == 0:
        return name[:place] + name[place + 1 :]
    if kind == 1:
        return name[:place] + name[place] + name[place:]
    if kind == 2:
        return name[: place - 1] + name[place] + name[place - 1] + name[place + 1 :]
    return name[:place] + rng.choice("aeinorst") + name[place + 1 :]


def answer(store: SharedStore, entity: str, relation: str) -> tuple[Any, ...]:
    found = Retriever(store, embeddings=False).lookup(entity, relation)
    return found.how, found.resolved_entity, found.resolved_relation, found.value


def test_both_hold_the_same(worlds: tuple[SharedStore, SharedStore]) -> None:
    one, other = (
        [(f.entity, f.relation, f.value, f.is_link) for f in store.all_facts()] for store in worlds
    )
    assert one == other
    sizes, other_sizes = (store.statistics() for store in worlds)
    assert sizes == other_sizes


def test_exact_answers_are_the_same_and_fuzzy_ones_nearly(
    worlds: tuple[SharedStore, SharedStore],
) -> None:
    rng = random.Random(5)
    facts = rng.sample(list(worlds[0].all_facts()), ASKED)
    differ = []
    for fact in facts:
        for asked in (fact.entity, fact.entity.lower()):
            one, other = (answer(store, asked, fact.relation) for store in worlds)
            assert one == other
        asked = slip(fact.entity, rng)
        one, other = (answer(store, asked, fact.relation) for store in worlds)
        typed, typed_other = ([e.name for e in s.search(asked, 3)][:1] for s in worlds)
        if one != other or typed != typed_other:
            differ.append((asked, one, other, typed, typed_other))
    assert len(differ) <= 0.03 * ASKED, differ
