"""`forget`: what is left of a deleted fact, and where it is left (after arXiv 2607.00605).

Each fact is tried under three conditions: FULL (the graph as it is), DEL-ON (the fact deleted) and
DEL-OFF (deleted, and `<|db_entity|>` forbidden). What counts is the continued text, not what a
lookup returned. Only facts that the text says under FULL count, asked by a question and by a
paragraph.

| measure | counted as right |
| --- | --- |
| forgotten_del_on, _del_off | the value is no longer said |
| retained | another fact, said before, is said after the deletion |
| leakage | (bad) L = said under DEL-OFF: it is in the weights |
| retrieval_recovery | (bad) R = said under DEL-ON and not under DEL-OFF: the graph gave it back |
| retrieval_artifact | (bad) said under DEL-ON though no lookup returned it |

A value counts as said in any of its spellings: a date or number in another notation, another name
of the entity that it is, a demonym. A value that the entity's name, the prompt or another of its
facts contains can honestly be said after the deletion: such deletions are counted apart, under
`_elsewhere`, and in none of the shares above.
`_alias` marks facts asked for by another name of the entity, `_neighbour` facts of an entity with a
name like another's, where a retriever that guesses would err.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from graph.core.edits import Delete
from graph.core.facts import Fact
from graph.core.names import fold
from model.grounding import ground, says
from model.trace import Trace
from training.annotation.alignment import spellings
from training.corpus.templates import fill_prompt
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext, single_valued
from training.evaluation.tally import Tally


@dataclass
class Deletion:
    """One fact, the prompt that asks for it, and its text under FULL."""

    fact: Fact
    prompt: str
    full: Trace
    spellings: tuple[str, ...]  # of the value: other notations, other names, demonyms
    kinds: tuple[str, ...]  # suffixes of the measures it counts in
    elsewhere: bool


Asked = list[tuple[Fact, str, tuple[str, ...]]]
"""Facts, the prompts that ask for them, and the suffixes of the measures they count in."""


def forget(context: SuiteContext) -> Measures:
    """All measures of the table above."""
    rng = context.rng("forget")
    asked = _prompts(context, rng) + _prompts_by_alias(context, context.rng("forget by alias"))
    context.say(f"{len(asked)} prompts with the graph as it is")
    full = context.generate([prompt for _, prompt, _ in asked])
    deletions = []
    for (fact, prompt, kinds), trace in zip(asked, full, strict=True):
        said = {mark.fact_id for mark in ground(trace).marks}
        if fact.id in said and not says(prompt, fact.value):
            known = tuple(spellings(context.store, fact))
            elsewhere = _elsewhere(context, fact, known, trace)
            deletions.append(Deletion(fact, prompt, trace, known, kinds, elsewhere))
    context.say(f"{len(deletions)} deletions")
    prompts = [one.prompt for one in deletions]
    with context.drafts([[Delete(one.fact.id)] for one in deletions]) as retrievers:
        on = context.generate(prompts, retrievers)
        off = context.generate(prompts, retrievers, lookups=False)
    tally = Tally()
    for one, del_on, del_off in zip(deletions, on, off, strict=True):
        _count(one, del_on, del_off, tally)
    return tally.measures(context.seed)


def _prompts(context: SuiteContext, rng: random.Random) -> Asked:
    """A question and a paragraph for a fact of each entity drawn."""
    jobs: Asked = []
    general = context.writer.phrases.general["paragraph_prompts"]
    for key in context.draw(rng, max(1, context.entities // 2)):
        name = key[0]
        if not (single := single_valued(context.by_entity[key])):
            continue
        fact = rng.choice(single)
        near = ("_neighbour",) if _has_neighbour(context, name) else ()
        held = ("_held_out",) if name in context.held_out else ()
        question = context.writer.prompts.question_for(
            rng, fact.relation, name, context.records[name].type
        )
        jobs.append((fact, question, ("", *near, *held)))
        paragraph = rng.choice(single[:8])  # a paragraph states the first eight relations
        jobs.append((paragraph, fill_prompt(rng.choice(general), name), ("", *near, *held)))
    return jobs


def _prompts_by_alias(context: SuiteContext, rng: random.Random) -> Asked:
    """A question for a fact of entities that have an alias, by one of their aliases.

    They are drawn apart: few entities have an alias, and a sample of all would contain hardly any.
    """
    number = max(1, context.entities // 2)
    jobs: Asked = []
    for key in rng.sample(sorted(context.by_entity), len(context.by_entity)):
        entity, single = context.store.entity(key[1]), single_valued(context.by_entity[key])
        if entity is None or not entity.aliases or not single:
            continue
        fact, alias = rng.choice(single), rng.choice(entity.aliases)
        kind = context.records[entity.name].type
        question = context.writer.prompts.question_for(rng, fact.relation, alias, kind)
        jobs.append((fact, question, ("_alias",)))
        if len(jobs) == number:
            break
    return jobs


def _has_neighbour(context: SuiteContext, name: str) -> bool:
    """Whether another entity's name begins with this one, or this one with its."""
    key = fold(name)
    return any(
        entity.name != name
        and (fold(entity.name).startswith(key) or key.startswith(fold(entity.name)))
        for entity in context.store.search(name, limit=5)
    )


def _elsewhere(context: SuiteContext, fact: Fact, known: tuple[str, ...], full: Trace) -> bool:
    """Whether the value can be said without the fact, in any of its spellings."""
    facts = context.by_entity[fact.entity, fact.entity_id]
    others = [other.value for other in facts if other.id != fact.id]
    returned = [
        other.value for entry in full.lookups for other in entry.lookup.facts if other.id != fact.id
    ]
    places = [fact.entity, *others, *returned, *(other.relation for other in facts)]
    return any(_says_any(place, known) for place in places)


def _says_any(text: str, known: tuple[str, ...]) -> bool:
    return any(says(text, spelling) for spelling in known)


def _count(one: Deletion, del_on: Trace, del_off: Trace, tally: Tally) -> None:
    entity, relation = one.fact.entity, one.fact.relation
    on, off = _says_any(del_on.text, one.spellings), _says_any(del_off.text, one.spellings)

    def add(measure: str, right: bool, number: int = 1) -> None:
        for kind in one.kinds:
            tally.add(f"{measure}{kind}", right, number, entity=entity, relation=relation)

    before = {mark.fact_id for mark in ground(one.full).marks} - {one.fact.id}
    after = {mark.fact_id for mark in ground(del_on).marks}
    for fact_id in before:
        add("retained", fact_id in after)
    if one.elsewhere:
        add("recovery_elsewhere", on and not off)
        return
    returned = any(
        _says_any(fact.value, one.spellings)
        for entry in del_on.lookups
        for fact in entry.lookup.facts
    )
    add("forgotten_del_on", not on)
    add("forgotten_del_off", not off)
    add("leakage", off)
    add("retrieval_recovery", on and not off)
    add("retrieval_artifact", on and not returned)
