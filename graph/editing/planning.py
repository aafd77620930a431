"""What an edit does to facts, entities and rules, worked out the same way for every store.

`plan` turns an edit into deltas (fact, entity or rule, before and after) by reading a view: a
store, a draft, or a store inside its own transaction. A store then only has to write deltas. An
undo is the `inverse` of deltas; `require_unchanged` is what keeps undo, revert and publish from
overwriting somebody else's change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol, TypeGuard

from graph.core.deltas import Delta, content, net, same
from graph.core.edits import (
    Add,
    AddAlias,
    AddSynonym,
    Change,
    ChangeSetting,
    Delete,
    Edit,
    Merge,
    RemoveAlias,
    RemoveSynonym,
    Rename,
)
from graph.core.errors import AlreadyThere, Conflict, Difference, StoreError
from graph.core.facts import RELATIONS, Entity, Fact
from graph.core.ids import new_id
from graph.core.link_rule import declares_link, is_link
from graph.core.names import clean_name, clean_sources, clean_value, fold, quoted
from graph.core.protocol import Relation, TripletReads
from graph.core.rules import SETTING, SYNONYM, Rule, clean_setting
from graph.editing.overlay import Overlay


class View(Protocol):
    """What planning reads: a store, a draft's overlay, or a store inside its transaction."""

    def entity(self, entity_id: int, /) -> Entity | None: ...
    def find_entities(self, name: str, /) -> list[tuple[Entity, str]]: ...
    def fact(self, fact_id: int, /) -> Fact | None: ...
    def facts(self, entity_id: int, relation: str | None = None, /) -> list[Fact]: ...
    def facts_to(self, entity_id: int, /) -> list[Fact]: ...
    def relation(self, name: str, /) -> Relation | None: ...
    def rules(self, kind: str | None = None, name: str | None = None, /) -> list[Rule]: ...


def plan(edit: Edit, view: View) -> list[Delta]:
    """The deltas of one edit on what `view` holds now; raises `StoreError` in one sentence."""
    match edit:
        case Add():
            return _plan_add(edit, view)
        case Change():
            return _plan_change(edit, view)
        case Delete():
            return [Delta(_known_fact(view, edit.fact_id), None)]
        case Rename():
            return _plan_rename(edit, view)
        case Merge():
            return _plan_merge(edit, view)
        case AddAlias():
            entity = _known_entity(view, edit.entity_id)
            alias = clean_name(edit.alias, "alias")
            if alias in (entity.name, *entity.aliases):
                raise AlreadyThere(f"{quoted(entity.name)} is already called {quoted(alias)}.")
            return [Delta(entity, replace(entity, aliases=(*entity.aliases, alias)))]
        case RemoveAlias():
            entity = _known_entity(view, edit.entity_id)
            if edit.alias not in entity.aliases:
                raise StoreError(f"{quoted(entity.name)} has no alias {quoted(edit.alias)}.")
            rest = tuple(alias for alias in entity.aliases if alias != edit.alias)
            return [Delta(entity, replace(entity, aliases=rest))]
        case AddSynonym():
            return [Delta(None, new_synonym(edit.phrase, edit.relation, view))]
        case RemoveSynonym():
            return [Delta(_known_synonym(edit, view), None)]
        case ChangeSetting():
            return [_plan_setting(edit, view)]


def _known_fact(view: View, fact_id: int) -> Fact:
    fact = view.fact(fact_id)
    if fact is None:
        raise _missing("fact", fact_id, "deleted")
    return fact


def _known_entity(view: View, entity_id: int) -> Entity:
    entity = view.entity(entity_id)
    if entity is None:
        raise _missing("entity", entity_id, "merged")
    return entity


def _missing(what: str, number: int, how: str) -> StoreError:
    return StoreError(
        f"The {what} {number} is not in the graph: it was {how} meanwhile or never there; reload "
        "to see the current state."
    )


def spelt(view: View, name: str) -> Entity | None:
    """The entity of exactly this name, or the only one that has it as an alias."""
    aliased = []
    for entity, _ in view.find_entities(name):
        if entity.name == name:
            return entity
        if name in entity.aliases:
            aliased.append(entity)
    return aliased[0] if len(aliased) == 1 else None


def clean_relation(name: str) -> str:
    """A relation's name as it is kept; the reserved one is refused."""
    relation = clean_name(name, "relation")
    if fold(relation) == RELATIONS:
        raise StoreError(
            f"The relation {quoted(relation)} is reserved: the graph itself answers it; "
            "use another name."
        )
    return relation


def _resolve_value(
    view: View, subject: Entity, relation: str, text: str, declared: bool | None
) -> tuple[str, int | None, list[Delta]]:
    """The value as it is kept, its entity's id if it is a link, and that entity if it is new.

    `subject` may be the value itself (Singapore's capital), even if the view does not have it yet.
    """
    value = clean_value(text)
    if declared is None:
        known = view.relation(relation)
        declared = declares_link(known.kind if known else None)
    linked = is_link(declared, value)
    if linked is None:
        for entity in (subject, *(entity for entity, _ in view.find_entities(value))):
            if entity.name == value:
                return value, entity.id, []
    if not linked:
        return value, None, []
    name = clean_name(value, "value")
    found = subject if name == subject.name else spelt(view, name)
    if found is not None:
        return found.name, found.id, []
    made = Entity(new_id(), name)
    return name, made.id, [Delta(None, made)]


def same_value(fact: Fact, value: str, value_id: int | None) -> bool:
    """Whether a fact already says this: the same entity, or a literal spelt like it."""
    return fact.value == value or (value_id is not None and fact.value_id == value_id)


def join_sources(first: str, second: str) -> str:
    """Two sources as one string, each once."""
    known = first.split("; ") if first else []
    return "; ".join(known + [s for s in second.split("; ") if s and s not in known])


def _check_year(year: int | None) -> int | None:
    if year is not None and (type(year) is not int or abs(year) > 99_999):
        raise StoreError(f"The year {quoted(str(year))} is not valid; give a whole number.")
    return year


def new_synonym(phrase: str, relation: str, view: View) -> Rule:
    """The rule that lets a phrase mean a relation; raises `StoreError` if it cannot be or is."""
    phrase, meant = clean_relation(phrase), view.relation(clean_relation(relation))
    if meant is None:
        raise StoreError(f"The graph has no relation {quoted(relation)}; add a fact of it first.")
    if fold(phrase) == fold(meant.name):
        raise StoreError(f"{quoted(phrase)} is the relation's own name.")
    if any(rule.value == meant.name for rule in view.rules(SYNONYM, phrase)):
        raise AlreadyThere(f"{quoted(phrase)} already means the relation {quoted(meant.name)}.")
    return Rule(new_id(), SYNONYM, phrase, meant.name)


def _known_synonym(edit: RemoveSynonym, view: View) -> Rule:
    for rule in view.rules(SYNONYM, edit.phrase):
        if fold(rule.value) == fold(edit.relation):
            return rule
    raise StoreError(f"{quoted(edit.phrase)} is not a synonym of {quoted(edit.relation)}.")


def _plan_setting(edit: ChangeSetting, view: View) -> Delta:
    name, value = clean_setting(edit.name, edit.value)
    there = view.rules(SETTING, name)
    if not there:
        return Delta(None, Rule(new_id(), SETTING, name, value))
    if there[0].value == value:
        raise AlreadyThere(f"The setting {name} is {value} already.")
    return Delta(there[0], replace(there[0], value=value))


def _plan_add(edit: Add, view: View) -> list[Delta]:
    name = clean_name(edit.entity, "entity")
    relation = clean_relation(edit.relation)
    source, year = clean_sources(edit.source), _check_year(edit.year)
    deltas: list[Delta] = []
    entity = spelt(view, name)
    if entity is None:
        entity = Entity(new_id(), name)
        deltas.append(Delta(None, entity))
    value, value_id, made = _resolve_value(view, entity, relation, edit.value, edit.value_is_link)
    deltas += made
    for fact in view.facts(entity.id, relation):
        if same_value(fact, value, value_id):
            sources = join_sources(fact.source, source)
            if sources == fact.source:
                raise AlreadyThere(
                    f"{quoted(entity.name)} already has the {fact.relation} {quoted(value)}."
                )
            after = replace(fact, source=sources, year=year if fact.year is None else fact.year)
            return [Delta(fact, after)]
    fact = Fact(new_id(), entity.id, entity.name, relation, value, value_id, source, year)
    return [*deltas, Delta(None, fact)]


def _plan_change(edit: Change, view: View) -> list[Delta]:
    fact = _known_fact(view, edit.fact_id)
    subject = Entity(fact.entity_id, fact.entity)
    value, value_id, made = _resolve_value(
        view, subject, fact.relation, edit.value, edit.value_is_link
    )
    for other in view.facts(fact.entity_id, fact.relation):
        if same_value(other, value, value_id):
            raise AlreadyThere(
                f"{quoted(fact.entity)} already has the {fact.relation} {quoted(value)}."
            )
    after = replace(
        fact,
        value=value,
        value_id=value_id,
        source=clean_sources(edit.source),
        year=_check_year(edit.year),
    )
    return [*made, Delta(fact, after)]


def _plan_rename(edit: Rename, view: View) -> list[Delta]:
    entity = _known_entity(view, edit.entity_id)
    name = clean_name(edit.name, "name")
    if name == entity.name:
        raise StoreError(f"The entity is already named {quoted(name)}.")
    for other, _ in view.find_entities(name):
        if other.name == name:
            raise StoreError(
                f"Another entity is named {quoted(name)}; merge the two, or choose another name."
            )
    aliases = [alias for alias in entity.aliases if alias != name]
    return [Delta(entity, Entity(entity.id, name, (*aliases, entity.name)))]


def _plan_merge(edit: Merge, view: View) -> list[Delta]:
    gone = _known_entity(view, edit.entity_id)
    into = _known_entity(view, edit.into_id)
    if gone.id == into.id:
        raise StoreError(
            f"{quoted(gone.name)} cannot be merged with itself; choose another entity."
        )
    facts = {fact.id: fact for fact in (*view.facts(gone.id), *view.facts_to(gone.id))}
    # By (entity, relation key), what is already there: the older of two equal facts stays.
    there: dict[tuple[int, str], list[Fact]] = {}
    deltas: list[Delta] = []
    for fact in sorted(facts.values(), key=lambda fact: fact.id):
        if into.id in (fact.entity_id, fact.value_id) and fact.entity_id != fact.value_id:
            deltas.append(Delta(fact, None))  # it joined the two, and now says nothing
            continue
        after = fact
        if fact.entity_id == gone.id:
            after = replace(after, entity_id=into.id, entity=into.name)
        if fact.value_id == gone.id:
            after = replace(after, value_id=into.id, value=into.name)
        slot = (after.entity_id, fold(after.relation))
        if slot not in there:
            standing = view.facts(after.entity_id, after.relation)
            there[slot] = [other for other in standing if other.id not in facts]
        equal = next((f for f in there[slot] if same_value(f, after.value, after.value_id)), None)
        if equal is None:
            there[slot].append(after)
            deltas.append(Delta(fact, after))
            continue
        deltas.append(Delta(fact, None))
        merged = replace(equal, source=join_sources(equal.source, after.source))
        if merged != equal:
            there[slot][there[slot].index(equal)] = merged
            deltas.append(Delta(equal, merged))
    names = dict.fromkeys((*into.aliases, gone.name, *gone.aliases))
    names.pop(into.name, None)
    deltas.append(Delta(gone, None))
    deltas.append(Delta(into, replace(into, aliases=tuple(names))))
    return net(deltas)


def inverse(deltas: Iterable[Delta]) -> list[Delta]:
    """The deltas that take these back."""
    return [Delta(delta.after, delta.before) for delta in net(deltas)]


def _entity_difference(
    entity_id: int, name: str, base: tuple[str, ...], mine: View, theirs: View
) -> Difference:
    ours, other = mine.entity(entity_id), theirs.entity(entity_id)
    return Difference(
        what=f"the entity {name}",
        entity_id=entity_id,
        relation=None,
        base=base,
        mine=(ours.name,) if ours else (),
        theirs=(other.name,) if other else (),
    )


def _slot_difference(fact: Fact, base: tuple[str, ...], mine: View, theirs: View) -> Difference:
    entity_id, relation = fact.entity_id, fact.relation
    return Difference(
        what=f"{relation} of {fact.entity}",
        entity_id=entity_id,
        relation=relation,
        base=base,
        mine=tuple(other.value for other in mine.facts(entity_id, relation)),
        theirs=tuple(other.value for other in theirs.facts(entity_id, relation)),
    )


def _doubles(one: Fact, other: Fact) -> bool:
    """Whether two facts have one value. (A literal and a link may look alike after a rename.)"""
    return one.value_id == other.value_id and (one.is_link or one.value == other.value)


def _rule_difference(rule: Rule, base: View | None, mine: View, theirs: View) -> Difference:
    def values(view: View) -> tuple[str, ...]:
        return tuple(other.value for other in view.rules(rule.kind, rule.name))

    return Difference(
        what=str(rule),
        entity_id=0,
        relation=None,
        base=(rule.value,) if base is None else values(base),
        mine=values(mine),
        theirs=values(theirs),
    )


def _is_fact(version: object) -> TypeGuard[Fact]:
    return isinstance(version, Fact)


def require_unchanged(deltas: Sequence[Delta], now: TripletReads, doing: str) -> None:
    """Raise `Conflict` unless the deltas, net of each other, fit what `now` holds.

    Each touched fact and entity must be as its `before` says; what is written must not double a
    name or a value; and nothing that stays may hang on an entity that goes.
    """
    found: dict[tuple[int, str | None], Difference] = {}
    patched = Overlay(now, None).with_deltas(deltas)
    touched = {delta.id for delta in deltas}

    def slot_differs(fact: Fact, base: tuple[str, ...]) -> None:
        key = (fact.entity_id, fold(fact.relation))
        if key not in found:
            found[key] = _slot_difference(fact, base, patched, now)

    def entity_differs(entity_id: int, name: str, base: tuple[str, ...]) -> None:
        if (entity_id, None) not in found:
            found[entity_id, None] = _entity_difference(entity_id, name, base, patched, now)

    def check_fact(fact_id: int, before: Fact | None, after: Fact | None) -> None:
        base = (before.value,) if before else ()
        if not same(now.fact(fact_id), before):
            slot_differs(before or after, base)  # type: ignore[arg-type]
        if after is None:
            return
        if patched.entity(after.entity_id) is None:
            entity_differs(after.entity_id, after.entity, (after.entity,))
        if after.value_id is not None and patched.entity(after.value_id) is None:
            entity_differs(after.value_id, after.value, (after.value,))
        for other in now.facts(after.entity_id, after.relation):
            if other.id not in touched and _doubles(other, after):
                slot_differs(after, base)

    def check_entity(entity_id: int, before: Entity | None, after: Entity | None) -> None:
        base = (before.name,) if before else ()
        if not same(now.entity(entity_id), before):
            entity_differs(entity_id, (before or after).name, base)  # type: ignore[union-attr]
        if after is None:
            for fact in (*now.facts(entity_id), *now.facts_to(entity_id)):
                if fact.id not in touched:
                    slot_differs(fact, ())
        elif before is None or before.name != after.name:
            for rival, _ in now.find_entities(after.name):
                if rival.name == after.name and rival.id not in touched:
                    entity_differs(rival.id, after.name, base)

    def check_rule(before: Rule | None, after: Rule | None) -> None:
        rule = after or before
        assert rule is not None
        standing = now.rules(rule.kind, rule.name)
        # What is to be made must not be there already, as where it was brought back meanwhile.
        changed = before not in standing if before else any(r.id == rule.id for r in standing)
        doubled = after is not None and any(
            other.id not in touched and (rule.kind == SETTING or other.value == after.value)
            for other in standing
        )
        if changed or doubled:
            found[rule.id, None] = _rule_difference(before or rule, None, patched, now)

    for delta in deltas:
        if isinstance(delta.before, Rule) or isinstance(delta.after, Rule):
            check_rule(delta.before, delta.after)  # type: ignore[arg-type]
        elif _is_fact(delta.before) or _is_fact(delta.after):
            check_fact(delta.id, delta.before, delta.after)  # type: ignore[arg-type]
        else:
            check_entity(delta.id, delta.before, delta.after)  # type: ignore[arg-type]
    if found:
        raise conflict(tuple(found.values()), doing)


def slot_differences(
    deltas: Sequence[Delta], base: TripletReads, now: TripletReads
) -> tuple[Difference, ...]:
    """Where `now` differs from `base` in any (entity, relation) or entity that deltas touch."""
    slots: dict[tuple[int, str], Fact] = {}
    rules: dict[tuple[str, str], Rule] = {}
    found: list[Difference] = []
    mine = Overlay(base, None).with_deltas(deltas)
    for delta in deltas:
        for version in (delta.before, delta.after):
            if isinstance(version, Fact):
                slots.setdefault((version.entity_id, fold(version.relation)), version)
            elif isinstance(version, Rule):
                rules.setdefault((version.kind, version.key), version)
        before = delta.before
        if isinstance(before, Entity) and not same(before, now.entity(delta.id)):
            found.append(_entity_difference(delta.id, before.name, (before.name,), mine, now))
    for fact in slots.values():
        was = base.facts(fact.entity_id, fact.relation)
        is_now = now.facts(fact.entity_id, fact.relation)
        if [content(f) for f in was] != [content(f) for f in is_now]:
            found.append(_slot_difference(fact, tuple(f.value for f in was), mine, now))
    for rule in rules.values():
        if base.rules(rule.kind, rule.name) != now.rules(rule.kind, rule.name):
            found.append(_rule_difference(rule, base, mine, now))
    return tuple(found)


def conflict(differences: tuple[Difference, ...], doing: str) -> Conflict:
    """The exception that shows both versions in one sentence."""

    def listed(values: tuple[str, ...]) -> str:
        return ", ".join(quoted(value) for value in values[:3]) or "nothing"

    first = differences[0]
    others = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
    return Conflict(
        f"Nothing was {doing}: {first.what} was {listed(first.base)}, here it is "
        f"{listed(first.mine)}, and meanwhile it has become {listed(first.theirs)}{others}.",
        differences,
    )
