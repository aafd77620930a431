"""Which two relations in a row a prompt asks for: the address of the machine a service runs on.

    asked = "What's the IP of"
    best_path("What's the IP of the box Mail runs on?", ["Mail"], asked, steps, encoder, least=0.3)
    # RelationPath("host", "ip", 0.81)

The prompt describes a thing by another, so no relation of the one that it names answers it: the
first leads to the thing, and the second is of the thing. Both together have a name, "ip of the
host", that can be compared with the prompt as the name of one relation is
(graph/lookup/relevance.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from graph.core.facts import Entity, Fact
from graph.core.names import MAX_NAME, fold
from graph.core.protocol import TripletStore
from graph.lookup.encoder import Encoder
from graph.lookup.incoming import Incoming
from graph.lookup.relevance import rank, readable

MOST_STEPS = 96  # pairs of relations that are compared, those of the likeliest first relations
MOST_READ = 200  # facts of one entity
_LEAST = 0.65  # score of a path
# By more than this, one relation fits better where nothing else is asked for: one of the entity, or
# the second one alone, which is asked of the name itself then.
_APART = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """A relation that leads from an entity to one thing, and a relation of that thing."""

    relation: str
    following: str
    values: tuple[str, ...]
    """Some of what the second one holds."""

    @property
    def name(self) -> str:
        """What the two are called together."""
        return f"{readable(self.following)} of the {readable(self.relation)}"


@dataclass(frozen=True, slots=True)
class RelationPath:
    """Two relations in a row that a prompt asks for."""

    relation: str
    following: str
    score: float


def steps_from(
    store: TripletStore, at: int, entity: Entity, relations: Iterable[str]
) -> Iterator[Step]:
    """The steps that begin with a relation of an entity, own or inverse, that has one value."""
    own: dict[str, list[Fact]] = {}
    for fact in store.facts(entity.id, at=at, limit=MOST_READ):
        own.setdefault(fold(fact.relation), []).append(fact)
    single = {key: facts[0] for key, facts in own.items() if len(facts) == 1}
    # A literal may be the name of an entity too, as of one that was added after it.
    literals = [fact.value for fact in single.values() if not fact.is_link]
    named = store.find_names([text for text in literals if len(text) <= MAX_NAME], at=at)
    incoming = Incoming(store, at, entity)
    for relation in relations:
        key = fold(relation)
        reached: int | None = None
        if key in single:
            value, reached = single[key].value, single[key].value_id
            if reached is None and named.get(value):
                reached = named[value][0][0].id
        elif key not in own:
            _, back, count = incoming.asked(relation)
            reached = back[0].entity_id if count == 1 and back else None
        if reached is None or reached == entity.id:
            continue
        held: dict[str, list[str]] = {}
        for fact in store.facts(reached, at=at, limit=MOST_READ):
            if fact.value_id != entity.id and fold(fact.value) != fold(entity.name):
                held.setdefault(fact.relation, []).append(fact.value)
        for following, values in held.items():
            yield Step(relation, following, tuple(values))


def best_path(
    prompt: str,
    entity_names: Sequence[str],
    asked: str,
    steps: Sequence[Step],
    encoder: Encoder,
    least: float,
) -> RelationPath | None:
    """The path that a prompt asks for; None if it plainly asks for none.

    Args:
        prompt: what a person asked.
        entity_names: the names that the prompt may call the entity by.
        asked: the prompt without the description, which the second relation has to fit too.
        steps: where the relations of the entity lead.
        encoder: compares meanings.
        least: the score of the entity's relation that fits best; a path has to fit nearly as well.
    """
    if not steps:
        return None
    by_name = {step.name: step for step in steps}
    following = {step.following: step.values for step in steps}
    ends = {fold(name): values for name, values in following.items()}
    values = {fold(name): step.values for name, step in by_name.items()}
    fits = dict(rank(prompt, entity_names, list(by_name), encoder, {}, values))
    alone = dict(rank(prompt, entity_names, list(following), encoder, {}, ends))
    most = max(fits, key=lambda name: fits[name])
    if fits[most] < max(_LEAST, max(least, alone[by_name[most].following]) - _APART):
        return None
    described = dict(rank(asked, [], list(following), encoder, {}, ends))
    best = max(fits, key=lambda name: fits[name] + described[by_name[name].following])
    return RelationPath(by_name[best].relation, by_name[best].following, fits[most])
