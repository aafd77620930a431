"""Random edits, undos, publishes and reads at a revision, against a plain model of a store.

The model keeps whole states: dictionaries of entities and facts by number. It knows nothing of
deltas, overlays or versions, so it can only agree with the stores if both are right.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from graph.core.edits import (
    Add,
    AddAlias,
    AddSynonym,
    Change,
    ChangeSetting,
    Delete,
    Merge,
    RemoveAlias,
    RemoveSynonym,
    Rename,
)
from graph.core.errors import Conflict, StoreError
from graph.core.import_rows import RelationRow
from graph.core.names import fold
from graph.core.protocol import SharedStore
from graph.opening import open_store
from graph.sqlite.store import SqliteStore
from tests.graph.conftest import emptied
from tests.graph.helpers import fact_of
from tools.neo4j_server.server import Server

NAMES = ["Ann", "ann", "Bob", "Oz", "Oz (film)", "2012", "São"]
RELATIONS = ["knows", "Knows", "note", "free"]  # declared a link, the same, a literal, nothing
PHRASES = ["is a friend of", "Is A Friend Of", "remark", "knows"]
MEANT = ["knows", "note", "no such relation"]
SETTINGS_MADE = [("refuse-lacking", "on"), ("refuse-lacking", "off"), ("on-miss", "nearest")]
Value = str | int  # a literal, or the number of an entity


class Refused(Exception):
    """The model expects a `StoreError`."""


@dataclass
class State:
    """All that a store holds at one revision."""

    entities: dict[int, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """By number: the name and the aliases."""
    facts: dict[int, tuple[int, str, Value]] = field(default_factory=dict)
    rules: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    """By number: the kind, the phrase or setting, the relation or value."""

    def copy(self) -> State:
        return State(dict(self.entities), dict(self.facts), dict(self.rules))

    def show(self, value: Value) -> str:
        return self.entities[value][0] if isinstance(value, int) else value

    def triplets(self) -> list[tuple[str, str, str]]:
        return [
            (self.entities[entity][0], relation, self.show(value))
            for _, (entity, relation, value) in sorted(self.facts.items())
        ]

    def named(self, name: str) -> int | None:
        return next((i for i, (own, _) in self.entities.items() if own == name), None)

    def spelt(self, name: str) -> int | None:
        aliased = [i for i, (_, aliases) in self.entities.items() if name in aliases]
        found = self.named(name)
        return found if found is not None else aliased[0] if len(aliased) == 1 else None

    def ruled(self, kind: str, name: str) -> dict[int, str]:
        return {
            number: value
            for number, (own, phrase, value) in self.rules.items()
            if own == kind and fold(phrase) == fold(name)
        }

    def slot(self, entity: int, relation: str) -> dict[int, Value]:
        return {
            number: value
            for number, (own, name, value) in self.facts.items()
            if own == entity and fold(name) == fold(relation)
        }


class Model:
    """A store, or a draft if it has a pinned state underneath."""

    counter = 0

    def __init__(self, state: State, revision: int) -> None:
        self.state = state
        self.states = {revision: state}
        self.done: list[State] = []
        self.undone: list[State] = []

    @classmethod
    def number(cls) -> int:
        cls.counter += 1
        return cls.counter

    def put(self, state: State, revision: int) -> None:
        self.done.append(self.state)
        self.undone.clear()
        self.move(state, revision)

    def move(self, state: State, revision: int) -> None:
        self.state = state
        self.states[revision] = state

    def value(self, state: State, subject: int, relation: str, text: str) -> Value:
        if fold(relation) == "note" or (relation == "free" and text == "2012"):
            return text
        if relation == "free":
            found = state.named(text)
            return text if found is None else found
        found = state.spelt(text)
        if found is None:
            found = self.number()
            state.entities[found] = (text, frozenset())
        return found

    def add(self, name: str, relation: str, text: str) -> State:
        state = self.state.copy()
        entity = state.spelt(name)
        if entity is None:
            entity = self.number()
            state.entities[entity] = (name, frozenset())
        value = self.value(state, entity, relation, text)
        if state.show(value) in map(state.show, state.slot(entity, relation).values()):
            raise Refused
        state.facts[self.number()] = (entity, relation, value)
        return state

    def change(self, fact: int, text: str) -> State:
        state = self.state.copy()
        entity, relation, _ = state.facts[fact]
        value = self.value(state, entity, relation, text)
        if state.show(value) in map(state.show, state.slot(entity, relation).values()):
            raise Refused
        state.facts[fact] = (entity, relation, value)
        return state

    def delete(self, fact: int) -> State:
        state = self.state.copy()
        del state.facts[fact]
        return state

    def rename(self, entity: int, name: str) -> State:
        state = self.state.copy()
        if state.named(name) is not None:
            raise Refused
        old, aliases = state.entities[entity]
        state.entities[entity] = (name, (aliases - {name}) | {old})
        return state

    def merge(self, gone: int, into: int) -> State:
        state = self.state.copy()
        if gone == into:
            raise Refused
        staying = {n: f for n, f in state.facts.items() if gone not in (f[0], f[2])}
        for number, (entity, relation, value) in sorted(state.facts.items()):
            if number in staying:
                continue
            if {entity, value} == {gone, into}:
                continue
            entity = into if entity == gone else entity
            value = into if value == gone else value
            rest = State(state.entities, staying, state.rules)
            if state.show(value) not in map(state.show, rest.slot(entity, relation).values()):
                staying[number] = (entity, relation, value)
        name, aliases = state.entities[into]
        former, others = state.entities.pop(gone)
        state.entities[into] = (name, (aliases | {former} | others) - {name})
        return State(state.entities, dict(sorted(staying.items())), state.rules)

    def add_alias(self, entity: int, alias: str) -> State:
        state = self.state.copy()
        name, aliases = state.entities[entity]
        if alias in {name} | aliases:
            raise Refused
        state.entities[entity] = (name, aliases | {alias})
        return state

    def remove_alias(self, entity: int, alias: str) -> State:
        state = self.state.copy()
        name, aliases = state.entities[entity]
        if alias not in aliases:
            raise Refused
        state.entities[entity] = (name, aliases - {alias})
        return state

    def add_synonym(self, phrase: str, relation: str) -> State:
        state = self.state.copy()
        there = state.ruled("synonym", phrase).values()
        if relation not in RELATIONS or fold(phrase) == relation or relation in there:
            raise Refused
        state.rules[self.number()] = ("synonym", phrase, relation)
        return state

    def remove_synonym(self, phrase: str, relation: str) -> State:
        state = self.state.copy()
        for number, value in state.ruled("synonym", phrase).items():
            if value == relation:
                del state.rules[number]
                return state
        raise Refused

    def change_setting(self, name: str, value: str) -> State:
        state = self.state.copy()
        there = state.ruled("setting", name)
        if value in there.values():
            raise Refused
        state.rules[next(iter(there), None) or self.number()] = ("setting", name, value)
        return state


names = st.sampled_from(NAMES)
relations = st.sampled_from(RELATIONS)
places = st.integers(0, 10**6)
sides = st.sampled_from(["shared", "draft"])
phrases = st.sampled_from(PHRASES)
meant = st.sampled_from(MEANT)
changes = st.sampled_from(SETTINGS_MADE)


class Stores(RuleBasedStateMachine):
    """A shared store and one draft over it, and the model of each."""

    def make(self) -> SharedStore:
        """An empty store."""
        memory = Path("/dev/shm")
        self.folder = tempfile.mkdtemp(dir=memory if memory.is_dir() else None)
        return SqliteStore(f"sqlite:///{self.folder}/test.db", create=True)

    def remove(self) -> None:
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        self.store = self.make()
        rows = [RelationRow(1, "knows", "link", ""), RelationRow(2, "note", "literal", "")]
        self.store.load(rows, author="test", kind="init")
        self.shared = Model(State(), 1)
        self.open_draft()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.remove()

    def open_draft(self) -> None:
        self.draft = self.store.draft("one")
        self.private = Model(self.shared.state, self.draft.revision())
        self.pinned = self.shared.state
        self.pinned_revision = self.store.revision()

    def both(self, side: str) -> tuple[Any, Model]:
        return (self.store, self.shared) if side == "shared" else (self.draft, self.private)

    def edit(self, side: str, make_state: Any, edit: Any) -> None:
        store, model = self.both(side)
        before = store.revision()
        try:
            state = make_state(model)
        except Refused:
            with pytest.raises(StoreError):
                store.apply([edit(store)], author=side)
            assert store.revision() == before
            return
        revision = store.apply([edit(store)], author=side)
        assert revision == store.revision() > before
        model.put(state, revision)

    @rule(side=sides, name=names, relation=relations, text=names)
    def add(self, side: str, name: str, relation: str, text: str) -> None:
        self.edit(side, lambda m: m.add(name, relation, text), lambda s: Add(name, relation, text))

    def pick_fact(self, model: Model, place: int) -> tuple[int, Any] | None:
        if not model.state.facts:
            return None
        number = sorted(model.state.facts)[place % len(model.state.facts)]
        entity, relation, value = model.state.facts[number]
        name, shown = model.state.entities[entity][0], model.state.show(value)
        return number, lambda store: fact_of(store, name, relation, shown).id

    @rule(side=sides, place=places, text=names)
    def change(self, side: str, place: int, text: str) -> None:
        picked = self.pick_fact(self.both(side)[1], place)
        if picked:
            number, find = picked
            self.edit(side, lambda m: m.change(number, text), lambda s: Change(find(s), text))

    @rule(side=sides, place=places)
    def delete(self, side: str, place: int) -> None:
        picked = self.pick_fact(self.both(side)[1], place)
        if picked:
            number, find = picked
            self.edit(side, lambda m: m.delete(number), lambda s: Delete(find(s)))

    def pick_entity(self, model: Model, place: int) -> tuple[int, Any] | None:
        if not model.state.entities:
            return None
        number = sorted(model.state.entities)[place % len(model.state.entities)]
        name = model.state.entities[number][0]
        return number, lambda store: store.find_entities(name)[0][0].id

    @rule(side=sides, place=places, name=names)
    def rename(self, side: str, place: int, name: str) -> None:
        picked = self.pick_entity(self.both(side)[1], place)
        if picked:
            number, find = picked
            self.edit(side, lambda m: m.rename(number, name), lambda s: Rename(find(s), name))

    @rule(side=sides, one=places, other=places)
    def merge(self, side: str, one: int, other: int) -> None:
        model = self.both(side)[1]
        gone, into = self.pick_entity(model, one), self.pick_entity(model, other)
        if gone and into:
            self.edit(
                side,
                lambda m: m.merge(gone[0], into[0]),
                lambda s: Merge(gone[1](s), into[1](s)),
            )

    @rule(side=sides, place=places, alias=names)
    def add_alias(self, side: str, place: int, alias: str) -> None:
        self.edit_alias(side, place, alias, Model.add_alias, AddAlias)

    @rule(side=sides, place=places, alias=names)
    def remove_alias(self, side: str, place: int, alias: str) -> None:
        """One that is there, so long as there is any."""
        entities = self.both(side)[1].state.entities
        there = [
            (number, own) for number, (_, aliases) in entities.items() for own in sorted(aliases)
        ]
        if there:
            number, alias = there[place % len(there)]
            place = sorted(entities).index(number)
        self.edit_alias(side, place, alias, Model.remove_alias, RemoveAlias)

    def edit_alias(self, side: str, place: int, alias: str, change: Any, edit: Any) -> None:
        picked = self.pick_entity(self.both(side)[1], place)
        if picked:
            number, find = picked
            self.edit(side, lambda m: change(m, number, alias), lambda s: edit(find(s), alias))

    @rule(side=sides, phrase=phrases, meant=meant)
    def add_synonym(self, side: str, phrase: str, meant: str) -> None:
        edit = AddSynonym(phrase, meant)
        self.edit(side, lambda m: m.add_synonym(phrase, meant), lambda _: edit)

    @rule(side=sides, place=places, phrase=phrases, meant=meant)
    def remove_synonym(self, side: str, place: int, phrase: str, meant: str) -> None:
        rules = self.both(side)[1].state.rules
        there = [rules[number][1:] for number in sorted(rules) if rules[number][0] == "synonym"]
        if there:
            phrase, meant = there[place % len(there)]
        edit = RemoveSynonym(phrase, meant)
        self.edit(side, lambda m: m.remove_synonym(phrase, meant), lambda _: edit)

    @rule(side=sides, setting=changes)
    def change_setting(self, side: str, setting: tuple[str, str]) -> None:
        edit = ChangeSetting(*setting)
        self.edit(side, lambda m: m.change_setting(*setting), lambda _: edit)

    @rule(side=sides)
    def undo(self, side: str) -> None:
        store, model = self.both(side)
        if not model.done:
            with pytest.raises(StoreError, match="nothing to undo"):
                store.undo(author=side)
            return
        model.undone.append(model.state)
        model.move(model.done.pop(), store.undo(author=side))

    @rule(side=sides)
    def redo(self, side: str) -> None:
        store, model = self.both(side)
        if not model.undone:
            with pytest.raises(StoreError, match="nothing to redo"):
                store.redo(author=side)
            return
        model.done.append(model.state)
        model.move(model.undone.pop(), store.redo(author=side))

    @precondition(lambda self: self.shared.done)
    @rule(place=places)
    def revert(self, place: int) -> None:
        """A revert leaves the state as before that revision, or says that it was built upon."""
        revisions = sorted(self.shared.states)[1:]
        revision = revisions[place % len(revisions)]
        was, became = self.shared.states[revision - 1], self.shared.states[revision]
        try:
            made = self.store.revert(revision, author="shared")
        except Conflict:
            assert self.shared.state != became  # the newest can always be taken back
            return
        self.shared.put(replayed(became, was, self.shared.state), made)

    @rule()
    def publish(self) -> None:
        before = self.store.revision()
        pinned, mine, now = self.pinned, self.private.state, self.shared.state
        if mine == pinned:
            with pytest.raises(StoreError, match="nothing to publish"):
                self.draft.publish(author="draft")
            return
        touched = [
            (entity, fold(relation))
            for number in pinned.facts.keys() | mine.facts.keys()
            if pinned.facts.get(number) != mine.facts.get(number)
            for entity, relation, _ in filter(
                None, (pinned.facts.get(number), mine.facts.get(number))
            )
        ]
        differ = any(pinned.slot(*slot) != now.slot(*slot) for slot in touched) or any(
            number in pinned.entities and pinned.entities[number] != now.entities.get(number)
            for number in pinned.entities.keys() | mine.entities.keys()
            if pinned.entities.get(number) != mine.entities.get(number)
        )
        ruled = [
            state.rules[number][:2]
            for number in pinned.rules.keys() | mine.rules.keys()
            if pinned.rules.get(number) != mine.rules.get(number)
            for state in (pinned, mine)
            if number in state.rules
        ]
        differ = differ or any(pinned.ruled(*one) != now.ruled(*one) for one in ruled)
        try:
            revision = self.draft.publish(author="draft")
        except Conflict:
            assert differ or now != pinned
            assert self.store.revision() == before
            return
        assert not differ
        self.shared.put(replayed(pinned, mine, now), revision)
        self.open_draft()

    @rule()
    def discard(self) -> None:
        self.draft.discard()
        self.open_draft()

    @precondition(lambda self: not self.draft.edits() and self.private.state == self.pinned)
    @rule()
    def reopen(self) -> None:
        """After a restart both are as they were."""
        url, revision = self.store.url, self.draft.revision()
        kept = bool(self.store.load_draft("one") and self.store.load_draft("one").steps)  # type: ignore[union-attr]
        self.store.close()
        del self.draft
        self.store = open_store(url)
        if kept:
            self.draft = self.store.draft("one")
            assert self.draft.revision() == revision
        else:
            self.open_draft()
        self.private.states = {self.draft.revision(): self.private.state}

    @rule(side=sides, place=places)
    def read_at_a_revision(self, side: str, place: int) -> None:
        store, model = self.both(side)
        revision = sorted(model.states)[place % len(model.states)]
        self.agree(store, model.states[revision], revision)

    @invariant()
    def newest_agrees(self) -> None:
        if hasattr(self, "store"):
            self.agree(self.store, self.shared.state, None)
            self.agree(self.draft, self.private.state, None)

    def agree(self, store: Any, state: State, at: int | None) -> None:
        triplets = [(f.entity, f.relation, f.value) for f in store.all_facts(at)]
        assert triplets == state.triplets()
        rules = [(r.kind, r.name, r.value) for r in store.rules(at=at)]
        assert sorted(rules) == sorted(state.rules.values())
        for phrase in PHRASES:
            found = [r.value for r in store.rules("synonym", phrase, at)]
            assert found == [value for _, value in sorted(state.ruled("synonym", phrase).items())]
        for name in NAMES:
            own = state.named(name)
            found = store.find_entities(name, at=at)
            expected = {
                entity
                for entity, aliases in state.entities.values()
                if fold(name) in map(fold, (entity, *aliases))
            }
            assert {entity.name for entity, _ in found} == expected
            assert len(found) == len(expected)
            if own is None:
                continue
            entity, how = found[0]
            assert how == "exact"
            assert (entity.name, set(entity.aliases)) == (name, set(state.entities[own][1]))
            assert [f.value for f in store.facts(entity.id, at=at)] == [
                value for subject, _, value in state.triplets() if subject == name
            ]
            assert [f.entity for f in store.facts_to(entity.id, at=at)] == [
                state.entities[subject][0]
                for _, (subject, _, value) in sorted(state.facts.items())
                if value == own
            ]
            assert name in [e.name for e in store.search(name, at=at)]


def replayed(base: State, mine: State, onto: State) -> State:
    """The differences from `base` to `mine`, done to `onto`."""
    state = onto.copy()
    for kind in ("entities", "facts", "rules"):
        old, new, target = (getattr(s, kind) for s in (base, mine, state))
        for number in old.keys() | new.keys():
            if old.get(number) != new.get(number):
                target.pop(number, None)
                if number in new:
                    target[number] = new[number]
    return State(state.entities, dict(sorted(state.facts.items())), state.rules)


SETTINGS = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestStores = Stores.TestCase
TestStores.settings = SETTINGS


@pytest.mark.timeout(900)
def test_stores_on_a_server(server: Server) -> None:
    """The same on Neo4j, and a draft over it, with fewer examples: each edit is a round trip."""

    class OnServer(Stores):
        def make(self) -> SharedStore:
            return emptied(server)

        def remove(self) -> None:
            pass

    few = settings(SETTINGS, max_examples=4, stateful_step_count=20)
    run_state_machine_as_test(OnServer, settings=few)
