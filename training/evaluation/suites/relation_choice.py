"""`relation_choice`: whether the right one of an entity's relations is looked up.

Questions that people wrote over Wikidata properties are put to a graph of made-up values: each
entity has 12 to 26 relations, and half of them have siblings of the one that is asked for (relations
of the same kind of entity).

| measure | of what | counted as right |
| --- | --- | --- |
| relation_choice_properties | properties that training never sees | the first lookup after the list finds the relation that was asked for |
| relation_choice_wordings | wordings that training never sees, of other properties | the same |
| ..._sibling | those with siblings in the list | the same |
| ..._said | the same questions | the text says the value |
| false_none_fits | the same questions | (bad) the text says that the graph does not hold it |
| none_fits | questions for a relation that the entity lacks | no value is asserted, and the text says so |
| none_fits_found | the same | and a lookup found the entity |
"""  # noqa: E501 (a table)

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from graph.core.facts import RELATIONS
from graph.core.names import fold
from graph.lookup.relevance import word_set
from model.trace import Trace
from training.corpus.made_up_names import made_up_name
from training.corpus.made_up_values import made_up_value, made_up_word
from training.corpus.wordings import Property, Wording, Wordings, prompt_key, read_wordings
from training.evaluation.natural import Answers, ask, store_of, there
from training.evaluation.pass_rule import Verdict, judge, says_not_held
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext

NUMBER = 100  # questions of each measure, unless --limit says otherwise
FEWEST, MOST = 12, 26  # relations of an entity
SIBLINGS = 6  # at most
_VALUES = ("latin", "latin", "title", "number", "words")  # kinds of made-up values
_NAME = re.compile(r"[A-Z][^\W\d_]+(?: (?:of|the|[A-Z][^\W\d_]+)){0,3}")
_SMALL = word_set("a an and as at by for from has in is of on or the to with it")


@dataclass(frozen=True)
class Choice:
    """A question, and the entity that it is put to."""

    measure: str
    entity: str
    asked: Property
    question: str
    facts: dict[str, str]  # by relation
    sibling: bool

    @property
    def value(self) -> str:
        """The right answer; "" if the entity lacks the relation."""
        return self.facts.get(self.asked.label, "")


def relation_choice(context: SuiteContext) -> Measures:
    """All measures of the table above; none if the wordings are not there."""
    if not there(context, "relation_choice", context.against.data / "kgconv"):
        return {}
    wordings = read_wordings(context.against.data)
    number = context.limit or NUMBER
    choices = list(draw_choices(wordings, context.rng("relation_choice"), number))
    facts = [(one.entity, r, v) for one in choices for r, v in one.facts.items()]
    context.say(f"{len(choices)} questions about {len(facts):,} made-up facts")
    with store_of(facts) as store:
        traces = ask(context, [one.question for one in choices], store)
    answers = Answers(context, "relation_choice")
    for one, trace in zip(choices, traces, strict=True):
        _count(one, trace, answers)
    return answers.measures()


def _count(one: Choice, trace: Trace, answers: Answers) -> None:
    about = {"entity": one.entity, "asked": one.asked.label, "relations": list(one.facts)}
    if not one.value:
        verdict = judge({"q": one.question, "none": True}, trace)
        found = any(e.lookup.resolved_entity == one.entity for e in trace.lookups)
        answers.tally.add("none_fits_found", verdict.right and found, entity=one.entity)
        answers.add([one.measure], trace, verdict, **about)
        return
    said = judge({"q": one.question, "any": [one.value]}, trace)
    for measure, right in (
        (f"{one.measure}_said", said.right),
        ("false_none_fits", says_not_held(trace.text)),
    ):
        answers.tally.add(measure, right, entity=one.entity)
    measures = [f"{one.measure}_sibling", one.measure] if one.sibling else [one.measure]
    answers.add(measures, trace, chosen(one, trace), **about)


def chosen(one: Choice, trace: Trace) -> Verdict:
    """Whether the first lookup other than `relations` finds the fact that was asked for."""
    for entry in trace.lookups:
        lookup = entry.lookup
        if fold(lookup.relation) == RELATIONS:
            continue
        found = [(fact.entity, fold(fact.relation)) for fact in lookup.facts]
        if (one.entity, fold(one.asked.label)) in found:
            return Verdict(True)
        return Verdict(False, f"looked up {lookup.entity} · {lookup.relation}")
    return Verdict(False, "looked up nothing")


def draw_choices(wordings: Wordings, rng: random.Random, number: int) -> list[Choice]:
    """Draw the questions: `number` for each measure that has questions of its own."""
    pool = Pool(wordings)
    apart = [(p, w) for p in wordings.properties if p.held_out for w in p.wordings]
    unseen = [
        (p, w)
        for p in wordings.properties
        if not p.held_out
        for w in p.wordings
        if w.held_out and pool.key(w) not in pool.trainable
    ]
    drawn: list[Choice] = []
    names: set[str] = set()
    for measure, asked in (
        ("relation_choice_properties", apart),
        ("relation_choice_wordings", unseen),
        ("none_fits", apart + unseen),
    ):
        for place, (one, wording) in enumerate(spread(asked, rng, number)):
            name = pool.name(rng)
            while fold(name) in names:
                name = pool.name(rng)
            names.add(fold(name))
            lacks = measure == "none_fits"
            sibling, others = pool.others(rng, one, wording, place % 2 == 0, lacks)
            labels = [*others] if lacks else [*others, one.label]
            rng.shuffle(labels)
            facts = dict(zip(labels, pool.values(rng, len(labels)), strict=True))
            question = wording.question(name)
            drawn.append(Choice(measure, name, one, question, facts, sibling))
    return drawn


def spread(
    asked: Sequence[tuple[Property, Wording]], rng: random.Random, number: int
) -> list[tuple[Property, Wording]]:
    """Wordings of as many properties as there are, each property as often as the others."""
    by_property: dict[str, list[tuple[Property, Wording]]] = {}
    for pair in asked:
        by_property.setdefault(pair[0].id, []).append(pair)
    for pairs in by_property.values():
        rng.shuffle(pairs)
    order = sorted(by_property)
    found: list[tuple[Property, Wording]] = []
    for turn in range(max(map(len, by_property.values()), default=0)):
        rng.shuffle(order)
        found += [by_property[p][turn] for p in order if turn < len(by_property[p])]
        if len(found) >= number:
            break
    return found[:number]


class Pool:
    """The relations, names and values that graphs are made of."""

    def __init__(self, wordings: Wordings) -> None:
        self._properties = wordings.properties
        self._names = [name for name in wordings.entities if _NAME.fullmatch(name)]
        self._keys = {p.id: {self.key(w) for w in p.wordings} for p in wordings.properties}
        self.trainable = {self.key(w) for p in wordings.properties for w in p.trainable()}
        self._words = sorted({w for name in self._names for w in name.split() if len(w) > 3})

    @staticmethod
    def key(wording: Wording) -> str:
        """A wording without capitals and punctuation."""
        return prompt_key(wording.question("_"))

    def name(self, rng: random.Random) -> str:
        """A name from the data set, or a made-up one."""
        if rng.random() < 0.6:
            return rng.choice(self._names)
        name = made_up_name(rng, self._words) if rng.random() < 0.25 else ""
        plain = re.fullmatch(r"[A-Z][\w' -]{3,30}", name)
        words = (made_up_word(rng, 2).capitalize() for _ in range(rng.choice((1, 2, 2))))
        return name if plain else " ".join(words)

    def values(self, rng: random.Random, number: int) -> list[str]:
        """Different made-up values."""
        found: dict[str, str] = {}
        while len(found) < number:
            value = made_up_value(rng, rng.choice(_VALUES), self._words)
            if len(value) > 2:
                found.setdefault(fold(value), value)
        return list(found.values())

    def others(
        self, rng: random.Random, asked: Property, wording: Wording, siblings: bool, lacks: bool
    ) -> tuple[bool, list[str]]:
        """The other relations of an entity, and whether there are siblings among them.

        None of them might be meant too: it is not asked for in this wording or in two others of the
        asked one, the wording does not name it, and neither name contains the other. If the entity
        `lacks` the relation, they also share no wording, no content word of its name and no kind of
        answer with it.
        """
        key, fitting, related = self.key(wording), set[str](), set[str]()
        for other in self._properties:
            shared = self._keys[asked.id] & self._keys[other.id]
            meant = key in shared or len(shared) > 1 or might_name(key, other, asked)
            if fold(other.label) == fold(asked.label) or meant:
                continue
            if lacks and (shared or _alike(asked, other)):
                continue
            kin = bool(asked.subject_types & other.subject_types)
            (related if kin else fitting).add(other.label)
        number = rng.randint(FEWEST, MOST) - (not lacks)
        names_of_kin = sorted(related) if siblings else []
        chosen = rng.sample(names_of_kin, min(len(names_of_kin), SIBLINGS))
        rest = sorted(fitting - related)
        return bool(chosen), chosen + rng.sample(rest, number - len(chosen))


def might_name(key: str, other: Property, asked: Property) -> bool:
    """Whether a wording names another relation, or one of the two names contains the other."""
    if other.id.lstrip("-") == asked.id.lstrip("-"):
        return False  # "capital" and "capital of": the direction is part of the question
    words, own = _content(other.label), _content(asked.label)
    return words <= own or own <= words or words <= _content(key)


def _alike(asked: Property, other: Property) -> bool:
    """Whether one of two relations might be taken for the other, in its name or its answers."""
    words = _content(asked.label) & _content(other.label)
    return bool(words or asked.object_types & other.object_types)


def _content(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold())) - _SMALL
