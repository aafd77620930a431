"""`yes_no`, `two_part`, `reverse`, `chain_2`, `out_of_scope`: prompts made from the shipped world.

Their wordings are kept from training (training/corpus/kept_prompts.yaml). Names and values are
drawn from the graph that is measured, and what a right answer holds follows from it:

| suite | of what |
| --- | --- |
| yes_no | whether a relation has a value, half of them wrong ones: yes or no, and the fact |
| two_part | two relations of one entity, or one relation of two: both values |
| reverse | which entity has a value: one of those that do |
| chain_2 | a relation of the value of another relation: its value |
| out_of_scope | what no graph answers: nothing is asserted, and the text says so or what to ask |
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, repeat
from typing import Any

from graph.core.facts import MAX_VALUES
from graph.core.names import fold
from training.corpus.english import with_article
from training.corpus.templates import fill_prompt
from training.corpus.wordings import kept_prompts
from training.evaluation.natural import Answers, ask, expected
from training.evaluation.pass_rule import holds, judge
from training.evaluation.statistics import Measures
from training.evaluation.suite_context import SuiteContext

NUMBER = 100  # prompts of each suite, unless --limit says otherwise
Case = dict[str, Any]
Maker = Callable[[], Case | None]  # makes one case; None if the names drawn do not fit


def kept_prompt_suites() -> dict[str, Callable[[SuiteContext], Measures]]:
    """The suites of the table above, by name."""
    kinds = {
        "yes_no": _yes_no,
        "two_part": _two_part,
        "reverse": _reverse,
        "chain_2": _chain_2,
        "out_of_scope": _out_of_scope,
    }

    def suite(name: str) -> Callable[[SuiteContext], Measures]:
        return lambda context: measure(context, name, kinds[name])

    return {name: suite(name) for name in kinds}


def measure(
    context: SuiteContext, name: str, makers: Callable[[World], Iterator[Maker]]
) -> Measures:
    """The share of right answers, and that of each kind."""
    rng = context.rng(name)
    cases = list(draw_cases(list(makers(World(context, rng))), context.limit or NUMBER, rng))
    answers = Answers(context, name)
    for case, trace in zip(cases, ask(context, [case["q"] for case in cases]), strict=True):
        measures = [f"{name}_{case['kind']}", name] if "kind" in case else [name]
        answers.add(measures, trace, judge(case, trace), expected=expected(case))
    return answers.measures()


def draw_cases(makers: Sequence[Maker], number: int, rng: random.Random) -> Iterator[Case]:
    """Up to `number` cases with different prompts, from each maker as many as from the others."""
    seen: set[str] = set()
    order = list(makers)
    rng.shuffle(order)
    for make in chain.from_iterable(repeat(order, 5 * number)):
        if len(seen) >= number:
            return
        case = make()
        if case is not None and case["q"] not in seen:
            seen.add(case["q"])
            yield case


class World:
    """What the graph holds, as the prompts need it."""

    def __init__(self, context: SuiteContext, rng: random.Random) -> None:
        self.rng = rng
        self.records = {
            name: record for name, record in context.records.items() if _is_plain_name(name)
        }
        self._having: dict[str, list[str]] = {}  # entities by relation
        self._holders: dict[tuple[str, str], list[str]] = {}  # by relation and folded value
        for name, record in context.records.items():
            for relation, values in record.facts.items():
                if name in self.records:
                    self._having.setdefault(relation, []).append(name)
                for value in values:
                    self._holders.setdefault((relation, fold(value)), []).append(name)

    def draw(self, *relations: str) -> str | None:
        """An entity that has all of these relations, each with few enough values to be shown."""
        names = self._having.get(relations[0], [])
        for _ in range(50 if names else 0):
            name = self.rng.choice(names)
            if all(0 < len(self.values(name, relation)) <= MAX_VALUES for relation in relations):
                return name
        return None

    def values(self, name: str, relation: str) -> tuple[str, ...]:
        """The values of a relation of an entity; none if there is no such entity."""
        record = self.records.get(name)
        return record.facts.get(relation, ()) if record else ()

    def holders(self, relation: str, value: str) -> list[str]:
        """The entities that have a value."""
        return self._holders.get((relation, fold(value)), [])

    def another(self, name: str, relation: str) -> str | None:
        """An entity of the same kind that has the relation too."""
        kind = self.records[name].type
        for _ in range(50):
            other = self.draw(relation)
            if other and other != name and self.records[other].type == kind:
                return other
        return None


def _yes_no(world: World) -> Iterator[Maker]:
    def make(relation: str, template: str, right: bool) -> Case | None:
        name = world.draw(relation)
        if name is None:
            return None
        own = world.values(name, relation)
        if right:
            value = world.rng.choice(own)
            # The fact may be looked up from either end: then the name is the value returned.
            return _case(template, name, value, kind="yes", yes=True, any=[value, name])
        other = world.another(name, relation)
        value = world.rng.choice(world.values(other, relation)) if other else ""
        if not value or any(holds(one, value) or holds(value, one) for one in own):
            return None
        return _case(template, name, value, kind="no", no=True, any=list(own))

    for relation, templates in kept_prompts()["yes_no"].items():
        for template in templates:
            for right in (True, False):
                yield partial(make, relation, template, right)


def _two_part(world: World) -> Iterator[Maker]:
    def make(relations: Sequence[str], template: str) -> Case | None:
        name = world.draw(*relations)
        values = [world.values(name, relation) for relation in relations] if name else []
        if name is None or any(len(own) > 1 for own in values) or values[0] == values[1]:
            return None
        return _case(template, name, kind="relations", all=[own[0] for own in values])

    def make_both(relation: str, template: str) -> Case | None:
        name = world.draw(relation)
        other = world.another(name, relation) if name else None
        values = [world.values(one, relation) for one in (name, other) if one]
        if not name or not other or any(len(own) > 1 for own in values) or values[0] == values[1]:
            return None
        filled = template.replace("{other}", with_article(other, False))
        return _case(filled, name, kind="entities", all=[own[0] for own in values])

    for pair in kept_prompts()["two_part"]:
        for template in pair["prompts"]:
            yield partial(make, pair["relations"], template)
    for relation, templates in kept_prompts()["two_entities"].items():
        for template in templates:
            yield partial(make_both, relation, template)


def _reverse(world: World) -> Iterator[Maker]:
    def make(relation: str, template: str) -> Case | None:
        name = world.draw(relation)
        if name is None:
            return None
        value = world.rng.choice(world.values(name, relation))
        if not _is_plain_name(value):
            return None
        return _case(template, name, value, any=world.holders(relation, value))

    for relation, templates in kept_prompts()["reverse"].items():
        for template in templates:
            yield partial(make, relation, template)


def _chain_2(world: World) -> Iterator[Maker]:
    def make(relations: Sequence[str], template: str) -> Case | None:
        first, second = relations
        name = world.draw(first)
        between = world.values(name, first) if name else ()
        if name is None or len(between) > 1:
            return None
        values = world.values(between[0], second)
        if not 0 < len(values) <= MAX_VALUES:
            return None
        return _case(template, name, any=list(values))

    for pair in kept_prompts()["chain_2"]:
        for template in pair["prompts"]:
            yield partial(make, pair["relations"], template)


def _out_of_scope(world: World) -> Iterator[Maker]:
    def make(template: str) -> Case | None:
        name = world.draw("capital", "currency")
        return _case(template, name or "", none=True)

    for template in kept_prompts()["out_of_scope"]:
        yield partial(make, template)


def _case(template: str, name: str, value: str = "", **about: Any) -> Case:
    if value:
        article = with_article(value, False)
        before = template.split("{value}")[0]
        if not before:
            article = article[:1].upper() + article[1:]
        template = template.replace("{value}", article.replace("{", "").replace("}", ""))
    return {"q": fill_prompt(template, name), **about}


def _is_plain_name(name: str) -> bool:
    return len(name) <= 40 and not any(mark in name for mark in '(){}:;!?"')
