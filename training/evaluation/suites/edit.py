"""`edit`: whether a changed fact is said, however it is asked for, and how far the change reaches.

| measure | of what | counted as right |
| --- | --- | --- |
| edit_question | a changed fact, asked in a wording of the corpus | the text says the new value |
| edit_paraphrase | the same, in ten frames of the corpus that no document has around its noun | the same |
| edit_paraphrase_synonym | the same, in such frames around another noun for the relation | the same |
| edit_paraphrase_unseen | the same, in wordings that no document has (wordings.yaml) | the same |
| edit_unrelated | another fact of the entity, asked after the edit | it is said as before |
| edit_neighbour | the same relation of another entity, of the same value if any is | the same |
| propagation_2, _3 | a question through two or three lookups whose first fact was changed | the end of the new way is said, and not that of the old one |
| edits_at_once_N | a changed fact among N that were changed in one draft | the new value is said |
| edits_at_once_N_others | a fact of another entity than those N | it is said as before |
| edit_seconds | one edit of a paragraph (mean of all) | seconds until the changed text is complete |

`_novel` marks edits to made-up values, `_held_out` edits of entities that no training document
names, `propagation_N_unseen` the chains with two successive relations that no document chains.
Propagation after MQuAKE (arXiv 2305.14795).
"""  # noqa: E501 (a table)

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

from graph.core.edits import Change
from graph.core.facts import Fact
from graph.lookup.retriever import Retriever
from model.engine.events import DoneEvent
from model.grounding import says
from training.corpus.held_out import chain_pair_held_out, frame_held_out
from training.corpus.templates import fill_prompt
from training.evaluation.statistics import Measures, mean
from training.evaluation.suite_context import SuiteContext, single_valued
from training.evaluation.tally import Tally

FRAMES = 10  # wordings for each changed fact
AT_ONCE = (1, 10, 100, 1000)
ASKED = 100  # facts asked for, at most, of those changed at once
TIMED = 20
NOVEL = (
    "edit_question",
    "edit_paraphrase",
)  # measures that also count edits to made-up values apart


@dataclass
class Changed:
    """One fact with a new value."""

    fact: Fact
    value: str
    novel: bool

    @property
    def edit(self) -> Change:
        return Change(self.fact.id, self.value)


def edit(context: SuiteContext) -> Measures:
    """All measures of the table above."""
    tally = Tally()
    changed = choose(context, context.rng("edit"))
    _wordings(context, changed, tally)
    for passed in (1, 2):
        _propagation(context, passed, tally)
    _at_once(context, tally)
    return tally.measures(context.seed) | _seconds(context, changed)


def choose(context: SuiteContext, rng: random.Random) -> list[Changed]:
    """For each drawn entity one fact that people ask about, and a value to change it to."""
    chosen = []
    for number, key in enumerate(context.draw(rng)):
        if (one := _change(context, rng, key, number)) is not None:
            chosen.append(one)
    return chosen


def _change(context: SuiteContext, rng: random.Random, key: Any, number: int) -> Changed | None:
    """Draw a new value for a single-valued fact of the entity; None if it has no such fact."""
    single = [f for f in single_valued(context.by_entity[key]) if f.relation in context.asked_about]
    if not single:
        return None
    fact = rng.choice(single)
    return Changed(fact, *context.another_value(rng, fact, number))


def noun(context: SuiteContext, relation: str) -> str:
    """What people call a relation."""
    described = context.writer.phrases.relations.get(relation)
    return described.noun if described else relation


def recombined(relation: str, frames: list[str]) -> list[str]:
    """The frames in which no document asks for this relation."""
    return [frame for frame in frames if frame_held_out(relation, frame)]


def _wordings(context: SuiteContext, changed: list[Changed], tally: Tally) -> None:
    """Ask for each changed fact in many wordings, and for another fact of its entity."""
    rng = context.rng("edit wordings")
    general = context.writer.phrases.general["general_questions"]
    unseen = context.wordings["questions"]
    synonyms = context.wordings["synonyms"]
    # Measure, edit, prompt, expected, entity and relation asked for.
    jobs: list[tuple[str, Changed, str, str, str, str]] = []
    for one in changed:
        name, relation = one.fact.entity, one.fact.relation
        type_ = context.records[name].type
        question = context.writer.prompts.question_for(rng, relation, name, type_)
        jobs.append(("edit_question", one, question, one.value, name, relation))
        frames = recombined(relation, general)
        for frame in rng.sample(frames, min(FRAMES, len(frames))):
            prompt = fill_prompt(frame, name, noun(context, relation))
            jobs.append(("edit_paraphrase", one, prompt, one.value, name, relation))
        for phrase in synonyms.get(relation, ()):
            prompt = fill_prompt(rng.choice(frames or general), name, phrase)
            jobs.append(("edit_paraphrase_synonym", one, prompt, one.value, name, relation))
        for frame in rng.sample(unseen, min(FRAMES // 2, len(unseen))):
            prompt = fill_prompt(frame, name, noun(context, relation))
            jobs.append(("edit_paraphrase_unseen", one, prompt, one.value, name, relation))
        single = single_valued(context.by_entity[name, one.fact.entity_id])
        others = [f for f in single if f.relation != relation and not says(one.value, f.value)]
        if others:
            other = rng.choice(others)
            prompt = context.writer.prompts.question_for(rng, other.relation, name, type_)
            jobs.append(("edit_unrelated", one, prompt, other.value, name, other.relation))
        if (neighbour := _neighbour(context, rng, one)) is not None:
            near = context.records[neighbour.entity].type
            prompt = context.writer.prompts.question_for(rng, relation, neighbour.entity, near)
            jobs.append(
                ("edit_neighbour", one, prompt, neighbour.value, neighbour.entity, relation)
            )
    context.say(f"{len(jobs)} questions after an edit")
    with context.drafts([[one.edit] for one in changed]) as retrievers:
        of = {id(one): retriever for one, retriever in zip(changed, retrievers, strict=True)}
        prompts = [prompt for _, _, prompt, *_ in jobs]
        traces = context.generate(prompts, [of[id(one)] for _, one, *_ in jobs])
    for (measure, one, _, expected, entity, relation), trace in zip(jobs, traces, strict=True):
        right = says(trace.text, expected)
        kinds = [measure, *([f"{measure}_novel"] if one.novel and measure in NOVEL else [])]
        if entity in context.held_out:
            kinds.append(f"{measure}_held_out")
        for name in kinds:
            tally.add(name, right, entity=entity, relation=relation)


def _neighbour(context: SuiteContext, rng: random.Random, one: Changed) -> Fact | None:
    """A similar fact that the edit does not touch: other entity, same relation."""
    others = [
        fact
        for fact in context.single[one.fact.relation]
        if fact.entity != one.fact.entity and not says(one.value, fact.value)
    ]
    alike = [fact for fact in others if fact.value == one.fact.value]
    return rng.choice(alike or others) if others else None


# -- propagation -------------------------------------------------------------------------------


@dataclass
class Way:
    """A chain of facts, its last one the answer, and the one whose change leads elsewhere."""

    relations: tuple[str, ...]
    question: str
    first: Fact
    new_value: str
    old_answer: str
    new_answer: str


def _propagation(context: SuiteContext, passed: int, tally: Tally) -> None:
    measure = f"propagation_{passed + 1}"
    ways = list(_ways(context, passed, context.rng(measure), max(20, context.entities // 3)))
    context.say(f"{len(ways)} chains of {passed + 1} lookups after an edit")
    with context.drafts([[Change(way.first.id, way.new_value)] for way in ways]) as retrievers:
        traces = context.generate([way.question for way in ways], retrievers)
    for way, trace in zip(ways, traces, strict=True):
        right = says(trace.text, way.new_answer) and not says(trace.text, way.old_answer)
        pairs = zip(way.relations, way.relations[1:], strict=False)
        unseen = any(chain_pair_held_out(a, b) for a, b in pairs)
        for name in (measure, *([f"{measure}_unseen"] if unseen else [])):
            tally.add(name, right, entity=way.first.entity, relation=way.relations[-1])


def _ways(context: SuiteContext, passed: int, rng: random.Random, number: int) -> Any:
    """Chains whose first fact can be changed so that the same question has another answer."""
    phrases = context.writer.phrases.relations
    links: dict[str, list[Fact]] = {}  # relation -> facts that a chain can start with
    for facts in context.by_entity.values():
        for fact in facts:
            if fact.is_link and fact.relation in phrases and phrases[fact.relation].reference:
                links.setdefault(fact.relation, []).append(fact)
    if not links:
        return
    found = 0
    for _ in range(60 * number):
        if found >= number:
            return
        first = rng.choice(links[rng.choice(sorted(links))])
        path = _follow(context, rng, first.value, passed)
        if path is None:
            continue
        relations, answer = path
        other = rng.choice(links[first.relation]).value
        new = _walk(context, other, relations)
        single = sum(f.relation == first.relation for f in context.facts_of(first.entity)) == 1
        if new is None or other == first.value or not single:
            continue
        new_answer = new
        if says(new_answer, answer) or says(answer, new_answer):
            continue
        question = _question(context, rng, first, relations)
        if says(question, answer) or says(question, new_answer):
            continue
        found += 1
        yield Way((first.relation, *relations), question, first, other, answer, new_answer)


def _follow(
    context: SuiteContext, rng: random.Random, name: str, steps: int
) -> tuple[tuple[str, ...], str] | None:
    """A random path of `steps` relations from an entity, each with one value."""
    relations: list[str] = []
    phrases = context.writer.phrases.relations
    for step in range(steps):
        last = step == steps - 1
        fitting = [
            f
            for f in single_valued(context.facts_of(name))
            if f.relation in phrases and (last or (f.is_link and phrases[f.relation].reference))
        ]
        if not fitting:
            return None
        fact = rng.choice(fitting)
        relations.append(fact.relation)
        name = fact.value
    return tuple(relations), name


def _walk(context: SuiteContext, name: str, relations: tuple[str, ...]) -> str | None:
    """The entity or value that these relations lead to, if each has one value."""
    for relation in relations:
        facts = [f for f in context.facts_of(name) if f.relation == relation]
        if len(facts) != 1:
            return None
        name = facts[0].value
    return name


def _question(
    context: SuiteContext, rng: random.Random, first: Fact, relations: tuple[str, ...]
) -> str:
    """ "What is the currency of the country where she was born?", in the corpus's wordings."""
    phrases = context.writer.phrases.relations
    reference = first.entity
    for relation in (first.relation, *relations[:-1]):
        template = phrases[relation].reference
        assert template is not None  # by the choice of the way
        reference = fill_prompt(template, reference)
    return context.writer.prompts.chain_question(rng, relations[-1], "", reference)


# -- many edits, and their time ----------------------------------------------------------------


def _at_once(context: SuiteContext, tally: Tally) -> None:
    """Ask for changed facts in drafts of more and more edits."""
    rng = context.rng("edits at once")
    keys = sorted(context.by_entity)
    rng.shuffle(keys)
    changed: list[Changed] = []
    for key in keys:
        if len(changed) == AT_ONCE[-1]:
            break
        if (one := _change(context, rng, key, len(changed))) is not None:
            changed.append(one)
    others = [
        fact
        for relation, facts in context.single.items()
        if relation in context.asked_about
        for fact in facts
    ]
    asked = min(ASKED, max(4, context.entities // 4))
    for number in AT_ONCE:
        if number > len(changed):
            break
        rounds = max(1, min(asked, len(changed)) // number)
        groups = [changed[start * number : (start + 1) * number] for start in range(rounds)]
        # Of each group some changed facts, and a fact that the draft leaves alone for each.
        jobs: list[tuple[str, int, Fact, str]] = []
        for place, group in enumerate(groups):
            name = f"edits_at_once_{number}"
            some = rng.sample(group, min(asked // rounds, number))
            jobs += [(name, place, one.fact, one.value) for one in some]
            alone = _untouched(rng, others, group, len(some))
            jobs += [(f"{name}_others", place, fact, fact.value) for fact in alone]
        prompts = [
            context.writer.prompts.question_for(
                rng, fact.relation, fact.entity, context.records[fact.entity].type
            )
            for _, _, fact, _ in jobs
        ]
        context.say(f"{number} edits at once in {rounds} drafts, {len(jobs)} questions")
        with context.drafts([[one.edit for one in group] for group in groups]) as retrievers:
            traces = context.generate(prompts, [retrievers[place] for _, place, *_ in jobs])
        for (name, _, fact, expected), trace in zip(jobs, traces, strict=True):
            tally.add(name, says(trace.text, expected), entity=fact.entity)


def _untouched(
    rng: random.Random, facts: list[Fact], group: list[Changed], number: int
) -> list[Fact]:
    """At most `number` of the facts: those that name nothing that the group of edits touches."""
    touched = {one.fact.entity for one in group} | {one.value for one in group}
    drawn = rng.sample(facts, min(len(facts), 20 * number))
    return [f for f in drawn if f.entity not in touched and f.value not in touched][:number]


def _seconds(context: SuiteContext, changed: list[Changed]) -> Measures:
    """The time from an edit to the complete changed text, one edit at a time as on the page."""
    decoder: Any = context.decoder
    if not hasattr(decoder, "regenerate"):
        return {}
    seconds = []
    for one in changed[: min(TIMED, context.entities)]:
        before = _finished(
            decoder.generate(f"Tell me about {one.fact.entity}.", Retriever(context.store))
        )
        begun = time.perf_counter()
        with context.drafts([[one.edit]]) as (retriever,):
            _finished(decoder.regenerate(before, retriever))
            seconds.append(time.perf_counter() - begun)
    return {"edit_seconds": mean(seconds, context.seed)} if seconds else {}


def _finished(events: Any) -> Any:
    *_, last = events
    assert isinstance(last, DoneEvent)
    return last.trace
