"""Documents that answer a question list first: the list of relations, the lookup, the sentence.

Every kind of request is a method that returns a prompt and a text: single questions in all
formats, what is not recorded, yes or no, several questions, comparisons, counts, chains, reverse
lookups, follow-ups, what no graph answers, and paragraphs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from graph.core.facts import MAX_RELATIONS, RELATIONS, UNKNOWN, join_values
from training.case_file import Case
from training.corpus.english import enumerate_values, with_article
from training.corpus.kinds.chains import chain_of_three, chain_of_two
from training.corpus.kinds.odd_prompts import odd_prompt
from training.corpus.kinds.paragraphs import paragraph
from training.corpus.material import Material
from training.corpus.prompts import drops_article
from training.corpus.questions.asked_relations import (
    AskedRelation,
    PublishedMix,
    respelling,
    without_names,
)
from training.corpus.questions.asking import Asking
from training.corpus.questions.filling import (
    about_both,
    asked_again,
    fill,
    fill_two,
    fill_value,
    one_sentence,
    opening,
    plural,
    with_pronouns,
)
from training.corpus.questions.label_sentences import plain_label
from training.corpus.questions.listing import LOOKUP, Listing, listed
from training.corpus.questions.own_cases import OwnCases
from training.corpus.questions.relation_lists import Relevance
from training.corpus.questions.several_facts import SeveralFacts
from training.corpus.questions.things import Stated, Thing, Things, typed_name
from training.corpus.sentences import join_sentences
from training.corpus.templates import fill_prompt
from training.data.documents import Document, write_lookup

_AMOUNT = re.compile(
    r"\b(?:number|area|height|length|mass|weight|age|size|speed|depth|width|cost|score|price|count"
    r"|population|capacity|power)\b",
    re.I,
)
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")

_OF_PEOPLE = frozenset({"nationality", "country of birth"})

_YEARS = frozenset({"birth year", "death year", "release year", "discovery year"})

COMPARABLE = frozenset(
    {
        "population", "area", "elevation", "length", "height", "running time", "life expectancy",
        "diameter", "atomic number", "atomic weight", "day length", "orbital period",
        "distance from the Sun", "average temperature", *_YEARS,
    }
)  # fmt: skip
"""Relations of the world whose values are amounts."""


class QuestionWriter:
    """Writes documents list first, about the world, published relations and made-up ones."""

    def __init__(
        self,
        material: Material,
        world: Mapping[str, AskedRelation],
        inverses: Mapping[str, AskedRelation],
        published: PublishedMix | None,
        formats: Mapping[str, Any],
        relevance: Relevance,
        cases: Sequence[Case] = (),
    ) -> None:
        self.material, self.formats, self.relevance = material, formats, relevance
        self.things = Things(material.draws, material.sentences, world, inverses, published)
        self.world, self.published = world, published
        self.asking = Asking(material, self.things, formats)
        self.listing = Listing(material, self.things, formats, relevance)
        self.several_facts = SeveralFacts(material, self.things, self.asking, self.listing, formats)
        self.own_cases = OwnCases(cases, self.things, self.asking, self.listing)
        known = [*world.values(), *(published.relations if published else ())]
        self._sibling_pool = {relation.label: relation for relation in known}
        self._siblings: dict[str, list[str]] = {}
        self.kinds: dict[str, tuple[float, Callable[[random.Random], tuple[str, str]]]] = {
            "single": (0.18, self.single),
            "none fits": (0.18, self.none_fits),
            "absent": (0.05, self.several_facts.absent_relation),
            "qualified": (0.02, self.qualified),
            "yes or no": (0.13, self.yes_no),
            "several": (0.08, self.several),
            "pair": (0.04, self.several_facts.pair),
            "two things": (0.06, self.two_things),
            "comparison": (0.05, self.comparison),
            "count": (0.04, self.count),
            "chain": (0.04, self.chain),
            "woven chain": (0.06, self.several_facts.woven_chain),
            "general chain": (0.02, self.general_chain),
            "own chain": (0.04, self.several_facts.own_chain),
            "follow-up": (0.03, self.follow_up),
            "out of scope": (0.06, self.out_of_scope),
            "unknown thing": (0.02, self.unknown_thing),
            "paragraph": (0.05, self.paragraph),
            "odd prompt": (0.01, self.odd_prompt),
        }

        if self.own_cases:
            self.kinds["case"] = (0.06, self.own_cases.document)

    def document(self, rng: random.Random, kind: str = "") -> Document:
        """One document of the kind, or of a kind drawn by the weights."""
        if not kind:
            kind = rng.choices(tuple(self.kinds), [w for w, _ in self.kinds.values()])[0]
        prompt, text = self.kinds[kind][1](rng)
        return Document(prompt, text, kind=kind)

    # -- kinds of documents

    def single(self, rng: random.Random) -> tuple[str, str]:
        """One question for one fact."""
        thing, asked = self.things.draw(rng)
        question, seen = self.asking.ask(rng, thing, asked)
        if rng.random() < 0.3:
            self._add_siblings(rng, thing, asked, seen)
        values = self.things.values(rng, thing, asked)
        stated = self.things.state(rng, thing, asked, values)
        listed = self.listing.list_for(rng, thing, [seen], [asked.label])
        return self.asking.dress(rng, question, thing.typed), _text(listed, stated)

    def none_fits(self, rng: random.Random) -> tuple[str, str]:
        """A question for a relation that the thing does not have.

        Half of them are the hardest of three: the one whose question is nearest in meaning to a
        relation that the thing does have.
        """
        drawn = [self._missing(rng) for _ in range(3 if rng.random() < 0.5 else 1)]
        drawn = [one for one in drawn if one[0].labels]
        if not drawn:
            return self.unknown_thing(rng)
        thing, asked, question, seen = max(drawn, key=self._nearest) if drawn[1:] else drawn[0]
        ranked = self.relevance.ranked(rng, [seen], list(dict.fromkeys(thing.labels)))
        lookup = listed(thing.typed, thing.name, ranked)
        return self.asking.dress(rng, question, thing.typed), lookup + " " + self.listing.refusal(
            rng, thing.name, ranked, asked.noun if asked.noun and asked.noun in question else ""
        )

    def _missing(self, rng: random.Random) -> tuple[Thing, AskedRelation, str, str]:
        """A thing without the relation asked for; the question and what of it the ranking sees."""
        thing, asked = self.things.draw(rng)
        draw = rng.random()
        own = [label for label in thing.labels if label in self._sibling_pool]
        if asked.everyday and not asked.inverse_of and draw < 0.8:
            held = {each.everyday for each in thing.asked}
            asked = self.things.everyday.other(rng, thing.type, held) or asked
        elif draw < 0.2:  # a question that fits another kind of thing altogether
            _, asked = self.things.draw(rng)
        elif draw < 0.55 and own:  # one that comes near to a relation of the thing
            near = self._siblings_of(rng.choice(own))
            if near:
                asked = self._sibling_pool[rng.choice(near)]
        question, seen = self.asking.ask(rng, thing, asked)
        plain = plain_label(asked.label)
        missing = {asked.label, asked.known, asked.inverse_of}
        missing |= {each.label for each in thing.asked if asked.everyday == each.everyday != ""}
        thing.labels = [
            label
            for label in thing.labels
            if label not in missing and not self.listing.means(plain_label(label), plain, seen)
        ]
        if rng.random() < 0.5:
            self._add_siblings(rng, thing, asked, seen)
        return thing, asked, question, seen

    def _add_siblings(
        self, rng: random.Random, thing: Thing, asked: AskedRelation, seen: str
    ) -> None:
        """Give a thing relations that come near to the asked one and do not answer it.

        Somebody asks where a person was born, and the graph knows when. Things that have the
        relation get them too, so that they say nothing about whether one fits.
        """
        if asked.label not in self._sibling_pool:  # a graph with a spelling of its own
            return
        plain = plain_label(asked.label)
        held = {plain_label(label) for label in thing.labels} | {plain}
        others = [
            label
            for label in self._siblings_of(asked.label)
            if (other := plain_label(label)) not in held
            and not self.listing.means(other, plain, seen)
        ]
        for other in rng.sample(others, min(len(others), rng.choice((1, 1, 2, 3)))):
            thing.labels.insert(rng.randint(0, len(thing.labels)), other)

    def _siblings_of(self, label: str) -> list[str]:
        """The relations that come nearest to one in meaning."""
        if label not in self._siblings:
            plain = plain_label(label)
            near = [
                (self.relevance.cosine(plain, plain_label(other)) or 0.0, other)
                for other in self._sibling_pool
                if other != label
            ]
            self._siblings[label] = [other for score, other in sorted(near)[-16:] if score > 0.25]
        return self._siblings[label]

    def _nearest(self, missing: tuple[Thing, AskedRelation, str, str]) -> float:
        """How near in meaning the question is to the relation that comes nearest to it."""
        thing, _, _, seen = missing
        near = (self.relevance.cosine(seen, plain_label(label)) for label in thing.labels)
        return max((score for score in near if score is not None), default=0.0)

    def qualified(self, rng: random.Random) -> tuple[str, str]:
        """A question for what a relation of the thing comes near to: the second, the former one."""
        for _ in range(20):
            thing, asked = self.things.draw(rng)
            if asked.nouns and not asked.inverse_of:
                break
        else:
            return self.none_fits(rng)
        noun = asked.nouns[0]
        ordinal = re.match(r"(?:largest|highest|longest|oldest|biggest|tallest|main|major) ", noun)
        kind = "ranked" if ordinal else "dated" if _AMOUNT.search(noun) else "other"
        template = rng.choice(self.formats["qualified"][kind]).replace("{noun}", noun)
        year = str(rng.randint(1700, 2015))
        prompt = fill_prompt(template.replace("{year}", year), thing.typed, bare=drops_article(rng))
        ranked = self.relevance.ranked(rng, [without_names(template)], thing.labels)
        lookup = listed(thing.typed, thing.name, ranked)
        return prompt, f"{lookup} {self.listing.refusal(rng, thing.name, ranked, '')}"

    def yes_no(self, rng: random.Random) -> tuple[str, str]:
        """A question whether a fact holds, or a statement to check."""
        if (draw := rng.random()) < 0.18:
            return self._in_a_state(rng) if draw < 0.08 else self._flagged(rng)
        while True:
            thing, asked = self.things.draw(rng)
            if asked.inverse_of or not (asked.yes_no or asked.nouns or asked.statements):
                continue
            values = self.things.values(rng, thing, asked, 5)
            if values:
                break
        right = rng.random() < 0.5
        said = rng.choice(values)
        if not right:
            for _ in range(8):
                other = self._other_value(rng, thing, asked, said)
                if other.casefold() not in {v.casefold() for v in values}:
                    said = other
                    break
            else:
                right = True
        noun = self.asking.noun(rng, asked)
        draw = rng.random()
        templates: list[str] = []
        if draw < 0.55 and asked.yes_no:
            templates = list(asked.yes_no)
        elif draw < 0.75 and asked.statements:
            templates = [
                t.replace("{statement}", s)
                for s in rng.sample(asked.statements, min(3, len(asked.statements)))
                for t in rng.sample(self.formats["check"], 4)
            ]
        if not templates:
            templates = self.formats["yes_no_general" if draw < 0.9 else "yes_no_negated"]
            if not asked.nouns:
                templates = [
                    t.replace("{statement}", s)
                    for s in asked.statements or ("{entity}: {noun} {value}.",)
                    for t in self.formats["check"]
                ]
        template = rng.choice(templates).replace("{noun}", noun)
        people = self._people_of(said) if asked.known in _OF_PEOPLE else ""
        if people and rng.random() < 0.6:
            template, said = rng.choice(self.formats["yes_no_of_people"]), people
        typed_value = said.lower() if thing.typed.islower() and rng.random() < 0.6 else said
        question = fill_value(template, thing.typed, typed_value, drops_article(rng))
        stated = self.things.state(rng, thing, asked, values)
        answer = ("Yes. " if right else "No. ") + stated.sentence
        listed = self.listing.list_for(rng, thing, [without_names(template)], [asked.label])
        prompt = self.asking.dress(rng, question, thing.typed) if rng.random() < 0.4 else question
        return prompt, f"{listed}{stated.lookup} {answer}"

    def _in_a_state(self, rng: random.Random) -> tuple[str, str]:
        """Whether a thing is what one of its values says: "Is Project Heron delayed?"."""
        thing, _ = self.things.made_up(rng)
        states: Mapping[str, list[str]] = self.formats["states"]
        label = rng.choice(tuple(states))
        value, said = rng.sample(states[label], 2)
        if right := rng.random() < 0.5:
            said = value
        others = [one for one in thing.labels if not self.listing.means(one, label, label)]
        thing.labels = [*others, label]
        asked = AskedRelation(label, nouns=(label,), source="made up")
        template = rng.choice(self.formats["in_a_state"])
        prompt = fill_value(template, thing.typed, said, drops_article(rng))
        stated = self.things.state(rng, thing, asked, (value,))
        answer = ("Yes. " if right else "No. ") + stated.sentence
        listed = self.listing.list_for(rng, thing, [without_names(template), said], [label])
        return self.asking.dress(rng, prompt, thing.typed), f"{listed}{stated.lookup} {answer}"

    def _flagged(self, rng: random.Random) -> tuple[str, str]:
        """Whether something holds of a thing, of which the graph says yes or no."""
        draw = self.things.of_own_table if rng.random() < 0.7 else self.things.made_up
        thing, _ = draw(rng)
        label = rng.choice(tuple(self.things.everyday.flags))
        template = rng.choice(self.things.everyday.flags[label])
        others = [one for one in thing.labels if not self.listing.means(one, label, label)]
        label = respelling(rng, label) if rng.random() < 0.5 else label
        thing.labels = [*others, label]
        value = rng.choice(("yes", "no", "Yes", "No", "true", "false"))
        stated = self.things.state(rng, thing, AskedRelation(label), (value,))
        said = "Yes. " if value.lower() in ("yes", "true") else "No. "
        prompt = fill_prompt(template, thing.typed, bare=drops_article(rng))
        listed = self.listing.list_for(rng, thing, [without_names(template)], [label])
        return (
            self.asking.dress(rng, prompt, thing.typed),
            f"{listed}{stated.lookup} {said}{stated.sentence}",
        )

    def _people_of(self, country: str) -> str:
        """What the people of a country are called; "" if the world does not say."""
        record = self.material.draws.records.get(country)
        return next(iter(record.facts.get("demonym", ())), "") if record else ""

    def _other_value(
        self, rng: random.Random, thing: Thing, asked: AskedRelation, value: str
    ) -> str:
        """Another value that the relation could have had."""
        draw = rng.random()
        if asked.known and draw < 0.85:
            pool = self.material.draws.values.get(asked.known)
            if pool:
                return rng.choice(pool)
        values = self.things.values(rng, replace_real(thing), asked, 1)
        return values[0] if values else value

    def several(self, rng: random.Random) -> tuple[str, str]:
        """Two to four questions about one thing, after one list."""
        thing, first = self.things.draw(rng)
        pool = [a for a in thing.asked if a.questions or a.nouns] or thing.asked
        number = min(len(pool), rng.choice((2, 2, 2, 3, 4)))
        chosen = rng.sample(pool, number)
        if first in pool and first not in chosen:
            chosen[0] = first
        if len(chosen) == 1:
            return self.single(rng)
        nouns = [self.asking.noun(rng, a) for a in chosen]
        joins = self.formats["two_parts"]
        if len(chosen) == 2 and all(a.nouns for a in chosen) and rng.random() < 0.4:
            template = rng.choice(joins["same_entity"])
            template = template.replace("{noun1}", nouns[0]).replace("{noun2}", nouns[1])
            prompt = fill_prompt(template, thing.typed, bare=drops_article(rng))
            seen = nouns
        else:
            asked = [self.asking.ask(rng, thing, a, whole=True) for a in chosen]
            questions, seen = [q for q, _ in asked], [s for _, s in asked]
            if rng.random() < 0.35:  # the second question says "it"
                questions[1:] = [
                    asked_again(rng, thing, a, self.asking.noun(rng, a), q)
                    for a, q in zip(chosen[1:], questions[1:], strict=True)
                ]
            if len(questions) == 2 and rng.random() < 0.4:
                prompt = one_sentence(*questions)
            elif len(questions) == 2:
                template = rng.choice(joins["two_questions"])
                prompt = fill(template, q1=questions[0], q2=questions[1])
            elif rng.random() < 0.5:
                prompt = "\n".join(f"{i}. {q}" for i, q in enumerate(questions, 1))
            else:
                prompt = " ".join(questions)
        absent = rng.randrange(len(chosen)) if rng.random() < 0.15 and len(chosen) > 1 else -1
        needed = [a.label for i, a in enumerate(chosen) if i != absent]
        if absent >= 0:
            gone = chosen[absent]
            thing.labels = [
                x
                for x in thing.labels
                if x in needed
                or not self.listing.means(plain_label(x), plain_label(gone.label), "")
            ]
            if gone.label in thing.labels:
                thing.labels.remove(gone.label)
        text = self.listing.list_for(rng, thing, seen, needed)
        for i, relation in enumerate(chosen):
            if i == absent:
                noun = relation.noun if relation.noun and relation.noun in prompt else ""
                text += " " + self.listing.short_refusal(rng, thing.name, noun)
                continue
            stated = self.things.state(
                rng, thing, relation, self.things.values(rng, thing, relation)
            )
            text = join_sentences([text, f"{stated.lookup} {stated.sentence}"])
        return prompt, text

    def two_things(self, rng: random.Random) -> tuple[str, str]:
        """The same relation of two things."""
        thing, asked = self.things.draw(rng)
        if asked.inverse_of or not asked.nouns:
            return self.several(rng)
        other = self._twin(rng, thing, asked)
        noun = self.asking.noun(rng, asked)
        template = rng.choice(self.formats["two_parts"]["same_relation"]).replace("{noun}", noun)
        template = template.replace("{nouns}", plural(plain_label(noun)))
        if (draw := rng.random()) < 0.25 and asked.questions:
            frame = rng.choice(asked.questions)
            joint = rng.choice((" And ", " and ", " And what about ", ", and "))
            prompt = fill_prompt(frame, thing.typed).rstrip("?.") + "?" + joint + other.typed + "?"
            seen = without_names(frame)
        elif draw < 0.55 and (frames := [f for f in asked.questions if "{entity}" in f]):
            frame = rng.choice(frames)
            prompt, seen = about_both(frame, thing.typed, other.typed), without_names(frame)
        else:
            prompt, seen = fill_two(template, thing.typed, other.typed), without_names(template)
        text = ""
        for each in (thing, other):
            values = self.things.values(rng, each, asked)
            stated = self.things.state(rng, each, asked, values)
            listed = self.listing.list_for(rng, each, [seen], [asked.label])
            text += _text(listed, stated)  # a lookup, so no space before it
        return prompt, text

    def _twin(self, rng: random.Random, thing: Thing, asked: AskedRelation) -> Thing:
        """Another thing with the same relation."""
        if asked.known and asked.source == "world":
            twin, _ = self.things.of_world(rng, asked.known)
            if asked.label not in twin.labels:
                twin.labels = [x for x in twin.labels if x != asked.known] + [asked.label]
        else:
            own = asked.everyday and thing.type
            name = self.things.everyday.name(rng, own) if own else self.things.any_name(rng)
            labels = [x for x in thing.labels if x == asked.label or rng.random() < 0.9]
            twin = Thing(name, typed_name(rng, name), thing.type, labels, thing.asked)
        return twin if twin.name != thing.name else self._twin(rng, thing, asked)

    def comparison(self, rng: random.Random) -> tuple[str, str]:
        """Which of two has the larger number, both looked up."""
        for _ in range(40):
            thing, asked = self.things.draw(rng)
            if not asked.nouns or asked.inverse_of:
                continue
            other = self._twin(rng, thing, asked)
            pair = self._numbers(rng, thing, other, asked)
            if pair:
                break
        else:
            return self.two_things(rng)
        (value, number), (other_value, other_number) = pair
        own: Mapping[str, list[Mapping[str, Any]]] = self.formats["compared"]
        rows = self.formats["comparisons"]
        everyday = self.things.everyday.relations.get(asked.everyday)
        if asked.known in _YEARS:
            rows = own[asked.known]
        elif everyday is not None and everyday.compared:
            rows = everyday.compared
        elif asked.known in own and rng.random() < 0.7:
            rows = [*own[asked.known], *own["polar"]] if rng.random() < 0.3 else own[asked.known]
        elif rng.random() < 0.2:
            rows = own["polar"]
        row = rng.choice(rows)
        noun = self.asking.noun(rng, asked)
        prompt = fill_two(row["wording"].replace("{noun}", noun), thing.typed, other.typed)
        first = self.things.state(rng, thing, asked, (value,))
        second = self.things.state(rng, other, asked, (other_value,))
        seen = [without_names(row["wording"].replace("{noun}", noun))]
        larger = number > other_number
        wins = larger == (row["which"] in ("larger", "later"))
        winner, loser = (thing, other) if wins else (other, thing)
        values = (value, other_value) if wins else (other_value, value)
        template = rng.choice(self.formats["comparison_answers"][row["which"]])
        template = template.replace("{noun}", plain_label(asked.nouns[0]))
        template = template.replace("{value}", values[0]).replace("{other_value}", values[1])
        conclusion = opening(fill_two(template, winner.name, loser.name))
        if row.get("polar"):
            conclusion = ("Yes. " if winner is thing else "No. ") + conclusion
        listed = self.listing.list_for(rng, thing, seen, [asked.label])
        listed_other = self.listing.list_for(rng, other, seen, [asked.label])
        return prompt, f"{listed}{first.lookup}{listed_other}{second.lookup} {conclusion}"

    def comparisons_asked(self) -> Iterator[str]:
        """What the lists of comparisons in a relation's own words are ranked for, without names."""
        for relation, rows in self.formats["compared"].items():
            nouns = self.world[relation].nouns if relation in self.world else ("",)
            for row in rows:
                for noun in nouns if "{noun}" in row["wording"] else ("",):
                    yield without_names(row["wording"].replace("{noun}", noun))
        yield from map(without_names, self.things.everyday.compared())

    def _numbers(
        self, rng: random.Random, thing: Thing, other: Thing, asked: AskedRelation
    ) -> tuple[tuple[str, float], tuple[str, float]] | None:
        """Two values of one unit with their numbers, or None."""
        if asked.everyday:
            own = self.things.everyday
            compared = own.relations[asked.everyday].compared
            return own.amounts(rng, asked.everyday) if compared else None
        if asked.known:
            pool = self.material.draws.values.get(asked.known, [])
            if not pool or asked.known not in COMPARABLE:
                return None
            values = [rng.choice(pool), rng.choice(pool)]
        else:
            if not _AMOUNT.search(plain_label(asked.label)):
                return None
            unit = rng.choice(("", "", " m", " km", " kg", " people", " MW", " years", " km²"))
            scale = 10 ** rng.randint(1, 7)
            values = [f"{rng.randint(1, scale):,}{unit}" for _ in range(2)]
        found = []
        for value in values:
            match = _NUMBER.search(value)
            if not match or match.start() > 0:
                return None
            found.append((value, float(match.group().replace(",", ""))))
        units = {_NUMBER.sub("", value, count=1) for value in values}
        if len(units) > 1 or found[0][1] == found[1][1]:
            return None
        return found[0], found[1]

    def count(self, rng: random.Random) -> tuple[str, str]:
        """How many values there are, or all of them."""
        own: Mapping[str, list[str]] = self.formats["counted"]
        in_own_words = rng.random() < 0.5
        for _ in range(30):
            if in_own_words:
                thing, asked = self.things.of_world(rng, rng.choice(tuple(own)))
            else:
                thing, asked = self.things.draw(rng)
            countable = asked.nouns and not asked.inverse_of and not asked.everyday
            if countable and (asked.known in own or not in_own_words):
                break
        number = rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 12, 14))
        values: list[str] = []
        for _ in range(60):
            if len(values) >= number:
                break
            values += [
                v for v in self.things.values(rng, replace_real(thing), asked, 1) if v not in values
            ]
        noun = self.asking.noun(rng, asked)
        nouns = plural(plain_label(noun))
        counted = in_own_words or rng.random() < 0.6
        templates = self.formats["counts" if counted else "lists"]
        if in_own_words:
            templates = own.get(asked.known, templates)
        template = rng.choice(templates).replace("{nouns}", nouns)
        prompt = fill_prompt(template, thing.typed, bare=drops_article(rng))
        lookup = write_lookup(thing.name, asked.label, join_values(values).text)
        shown = enumerate_values(values[:5])
        many = len(values)
        if counted:
            if many == 1 and _NUMBER.match(values[0]):  # how many is what it says
                sentence = self.things.state(rng, thing, asked, values).sentence
            elif many == 1:
                sentence = f"There is one: {shown}."
            elif many <= 5:
                sentence = f"There are {many}: {shown}."
            else:
                sentence = f"There are {many}, among them {shown}."
        elif many > 5:
            sentence = f"The graph lists {many} {nouns}; the first five are {shown}."
        else:
            sentence = self.things.state(rng, thing, asked, values).sentence
        listed = self.listing.list_for(rng, thing, [without_names(template)], [asked.label])
        return self.asking.dress(rng, prompt, thing.typed), f"{listed}{lookup} {sentence}"

    def chain(self, rng: random.Random) -> tuple[str, str]:
        """A chain over the world's facts, with a list before each step."""
        write = chain_of_two if rng.random() < 0.65 else chain_of_three
        prompt, text = write(self.material, rng)
        return prompt, self.listing.with_lists(rng, text, prompt)

    def general_chain(self, rng: random.Random) -> tuple[str, str]:
        """A chain over relations that nobody wrote phrases for."""
        draw = self.things.of_published if self.published else self.things.made_up
        thing, first = draw(rng)
        name = self.things.any_name(rng)
        other, second = (draw if rng.random() < 0.6 else self.things.made_up)(rng)
        if not first.nouns or not second.nouns or name == thing.name:
            return self.single(rng)
        other.name = other.typed = name
        stated = self.things.state(rng, thing, first, (name,))
        last = self.things.state(rng, other, second, self.things.values(rng, other, second))
        noun1, noun2 = first.noun, second.noun
        template = (
            rng.choice(
                (
                    "What is the {b} of the {a} of {entity}?",
                    "Tell me the {b} of the {a} of {entity}.",
                    "{entity}: {a}'s {b}?",
                    "What {b} does the {a} of {entity} have?",
                    "the {b} of {entity's} {a}",
                )
            )
            .replace("{a}", noun1)
            .replace("{b}", noun2)
        )
        seen = without_names(template)
        prompt = fill_prompt(template, thing.typed, bare=drops_article(rng))
        text = (
            self.listing.list_for(rng, thing, [seen], [first.label])
            + f"{stated.lookup} {stated.sentence}"
        )
        listed = self.listing.list_for(rng, other, [seen], [second.label], typed=name)
        return prompt, f"{text}{listed}{last.lookup} {last.sentence}"

    def follow_up(self, rng: random.Random) -> tuple[str, str]:
        """A question after one or two answered ones, which name the thing."""
        thing, _ = self.things.draw(rng)
        pool = [a for a in thing.asked if (a.questions or a.nouns) and not a.inverse_of]
        if len(pool) < 2:
            return self.single(rng)
        number = min(len(pool), rng.choice((2, 2, 3)))
        chosen = rng.sample(pool, number)
        turns = []
        for i, relation in enumerate(chosen[:-1]):
            question, _ = self.asking.ask(rng, thing, relation, whole=True)
            if i:
                question = asked_again(
                    rng, thing, relation, self.asking.noun(rng, relation), question
                )
            stated = self.things.state(
                rng, thing, relation, self.things.values(rng, thing, relation, 3)
            )
            turns.append((question, stated.sentence[:400]))
        last = chosen[-1]
        noun = self.asking.noun(rng, last)
        about, asked = thing, last
        if rng.random() < 0.25 and chosen[0].nouns:  # the same relation of another thing
            asked = chosen[-2]
            about = self._twin(rng, thing, asked)
            question = fill(rng.choice(self.formats["follow_up_entity"]), entity=about.typed)
            seen = " ".join(without_names(t) for t in asked.questions[:1]) or plain_label(
                asked.label
            )
        else:
            templates = list(self.formats["follow_up"])
            if thing.type == "person" or rng.random() < 0.1:
                templates = rng.choice(list(self.formats["follow_up_person"].values()))
            question = rng.choice(templates).replace("{noun}", noun)
            if rng.random() < 0.4 and last.questions:
                question = with_pronouns(rng, rng.choice(last.questions), thing)
            seen = question
            about = replace_typed(thing, thing.name)
        layout = rng.choice(
            (("Question: ", "Answer: "), ("Q: ", "A: "), ("", ""), ("User: ", "Assistant: "))
        )
        lines = [f"{layout[0]}{q}\n{layout[1]}{a}" for q, a in turns]
        prompt = "\n".join([*lines, f"{layout[0]}{question}"])
        if layout[1] and rng.random() < 0.3:
            prompt += f"\n{layout[1].strip()}"
        if len(prompt) > 700:
            return self.single(rng)
        values = self.things.values(rng, about, asked)
        listed = self.listing.list_for(rng, about, [seen], [asked.label])
        return prompt, _text(listed, self.things.state(rng, about, asked, values))

    def out_of_scope(self, rng: random.Random) -> tuple[str, str]:
        """What no graph answers: one plain sentence."""
        categories = self.formats["out_of_scope"]
        category = rng.choice([name for name in categories if name != "nonsense"])
        if rng.random() < 0.03:
            category = "nonsense"
        if rng.random() < 0.15:
            general = self.material.phrases.general
            return rng.choice(general["no_entity_prompts"]), rng.choice(
                general["no_entity_answers"]
            )
        template = rng.choice(categories[category])
        entity = self.things.any_name(rng) if "{entity" in template else ""
        a, b = rng.randint(0, 10 ** rng.randint(1, 3)), rng.randint(1, 10 ** rng.randint(1, 3))
        prompt = fill(template, a=str(a), b=str(b))
        prompt = fill(prompt.replace("{entity's}", with_article(entity, True)), entity=entity)
        if rng.random() < 0.15:
            prompt = prompt.lower().rstrip("?.!") or prompt
        return prompt, rng.choice(self.formats["out_of_scope_answers"][category])

    def unknown_thing(self, rng: random.Random) -> tuple[str, str]:
        """A question or a paragraph about what the graph does not know."""
        thing, asked = self.things.draw(rng)
        name = self.things.any_name(rng)
        thing.name = thing.typed = name.lower() if rng.random() < 0.1 else name
        if rng.random() < 0.55:
            question, _ = self.asking.ask(rng, thing, asked)
            prompt = self.asking.dress(rng, question, thing.typed)
        else:
            prompt = self.asking.paragraph_prompt(rng, thing.typed)
        lookup = write_lookup(thing.typed, RELATIONS, UNKNOWN)
        sentence = fill_prompt(rng.choice(self.formats["no_entity"]), thing.typed, bare=True)
        return prompt, f"{lookup} {sentence}"

    def paragraph(self, rng: random.Random) -> tuple[str, str]:
        """A paragraph in the stated order of the list."""
        _, text = paragraph(self.material, rng)
        match = LOOKUP.match(text)
        assert match is not None
        name, labels = match[1], match[3].split("; ")
        typed = typed_name(rng, name)
        if rng.random() < 0.1:
            typed = rng.choice((name, name.lower(), name.upper()))
        value = f"{name}: {match[3]}"
        if len(labels) == MAX_RELATIONS and rng.random() < 0.7:
            value += f"; and {rng.randint(1, 20)} more"
        first = write_lookup(typed, RELATIONS, value)
        return self.asking.paragraph_prompt(rng, typed), first + text[match.end() :]

    def odd_prompt(self, rng: random.Random) -> tuple[str, str]:
        """Typed markers and premises that no graph holds."""
        prompt, text = odd_prompt(self.material, rng)
        out, at = "", 0
        seen = False
        for match in LOOKUP.finditer(text):
            out += text[at : match.start()]
            at = match.end()
            if match[2] == RELATIONS:
                out += write_lookup(match[1], RELATIONS, f"{match[1]}: {match[3]}")
                seen = True
                continue
            if not seen:
                seen = True
                labels = self.listing.labels_around(rng, [match[2]])
                out += self.listing.lookup(rng, match[1], match[1], [prompt], labels, [match[2]])
            out += match.group()
        return prompt, out + text[at:]


def _text(listed: str, stated: Stated) -> str:
    return f"{listed}{stated.lookup} {stated.sentence}"


def replace_real(thing: Thing) -> Thing:
    """The thing without its own values, to draw others."""
    return replace(thing, real={})


def replace_typed(thing: Thing, typed: str) -> Thing:
    return replace(thing, typed=typed)
