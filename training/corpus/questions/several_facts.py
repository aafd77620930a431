"""Requests that weave several facts together, and requests for what such a thing never has here."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.corpus.draws import Topic
from training.corpus.held_out import chain_pair_held_out
from training.corpus.kinds.chains import draw_path
from training.corpus.material import Material
from training.corpus.prompts import drops_article, takes_description
from training.corpus.questions.asked_relations import AskedRelation, without_names
from training.corpus.questions.asking import Asking
from training.corpus.questions.label_sentences import plain_label
from training.corpus.questions.listing import Listing, listed
from training.corpus.questions.things import Stated, Thing, Things
from training.corpus.sentences import join_sentences
from training.corpus.templates import fill_prompt


class SeveralFacts:
    """Writes chains inside one question, pairs in one breath, and refusals of the absent."""

    def __init__(
        self,
        material: Material,
        things: Things,
        asking: Asking,
        listing: Listing,
        wordings: Mapping[str, Any],
    ) -> None:
        self.material, self.things = material, things
        self.asking, self.listing = asking, listing
        self.references: Mapping[str, Sequence[str]] = wordings["references"]
        self.pairs: Sequence[Mapping[str, Any]] = wordings["pairs"]
        self.absent: Mapping[str, Mapping[str, Sequence[str]]] = wordings["absent"]
        self.absent_frames: Mapping[str, Sequence[str]] = wordings["absent_frames"]
        self._of_type: dict[str, list[str]] = {}
        for relation, records in material.draws.by_relation.items():
            for kind in {record.type for record in records} & set(self.absent):
                self._of_type.setdefault(kind, []).append(relation)

    def compared(self) -> Iterator[str]:
        """What a list is ranked for: its own wordings, without names."""
        for row in self.pairs:
            yield from map(without_names, row["prompts"])
        for nouns in self.absent.values():
            for form, frames in self.absent_frames.items():
                for noun in nouns[form]:
                    yield from (without_names(t.replace("{noun}", noun)) for t in frames)

    def pair(self, rng: random.Random) -> tuple[str, str]:
        """Two relations of one thing in one breath: "Who made it, and when?"."""
        row = rng.choice(self.pairs)
        first, second = row["relations"]
        known = [r for r in self.material.draws.by_relation[first] if second in r.facts]
        thing, _ = self.things.of_world(rng, first, rng.choice(known))
        for relation in (first, second):
            if relation not in thing.labels:
                thing.labels.append(relation)
        template = rng.choice(row["prompts"])
        prompt = fill_prompt(template, thing.typed, bare=drops_article(rng))
        asked = [self.things.world[relation] for relation in (first, second)]
        if rng.random() < 0.1:  # the graph holds only one of them
            gone = asked.pop(rng.randrange(2))
            thing.labels.remove(gone.label)
        seen = [without_names(template), *(a.noun for a in asked if a.noun)]
        text = self.listing.list_for(rng, thing, seen, [a.label for a in asked])
        for relation in asked:
            text = join_sentences([text, _written(self._stated(rng, thing, relation))])
        if len(asked) == 1:
            text += " " + self.listing.short_refusal(rng, thing.name, gone.noun)
        return self.asking.dress(rng, prompt, thing.typed), text

    def woven_chain(self, rng: random.Random) -> tuple[str, str]:
        """A question of any wording about what another relation leads to."""
        draws = self.material.draws
        while True:
            path = draw_path(self.material, rng, 1)
            if path is None:
                continue
            (first, record), (second, further) = path
            asked = self.things.world.get(second)
            # "What is the country of Rome?" asks for the country, not for what the country is.
            if first not in self.references or asked is None or second == "instance of":
                continue
            if not chain_pair_held_out(first, second):
                break
        names = draws.name(rng, record.entity), draws.name(rng, record.facts[first][0])
        lower = rng.random() < 0.12
        typed = names[0].lower() if lower else names[0]
        reference = fill_prompt(rng.choice(self.references[first]), typed, bare=drops_article(rng))
        own = [*asked.by_type.get(further.type, ()), *asked.questions]
        own = [template for template in own if takes_description(template)]
        if not own or rng.random() < 0.2:
            own = [template for template in self.asking.frames if takes_description(template)]
        template = rng.choice(own).replace("{noun}", self.asking.noun(rng, asked))
        prompt = fill_prompt(template, reference)
        prompt = prompt.lower().rstrip("?.") if lower else prompt[:1].upper() + prompt[1:]
        seen = [prompt, without_names(template)]
        if rng.random() < 0.1:  # the graph does not hold the first step
            labels = [
                label
                for label in self.listing.labels_around(rng, [first])
                if not self.listing.means(plain_label(label), first, reference)
            ]
            ranked = self.listing.relevance.ranked(rng, seen, labels)
            lookup = listed(typed, names[0], ranked)
            return prompt, f"{lookup} {self.listing.refusal(rng, names[0], ranked, '')}"
        text = ""
        for relation, asks, name, answer in (
            (first, typed, names[0], (names[1],)),
            (second, names[1], names[1], draws.answer(rng, second, further.facts[second])),
        ):
            labels = self.listing.labels_around(rng, [relation])
            text += self.listing.lookup(rng, asks, name, seen, labels, [relation])
            topic = Topic(name, {relation: answer}, {relation: relation})
            text += self.material.sentences.statement(rng, topic, relation)
        return prompt, text

    def own_chain(self, rng: random.Random) -> tuple[str, str]:
        """What a relation of somebody's own table leads to: "Who leads the team that owns it?"."""
        own = self.things.everyday
        kind, relation = own.link(rng)
        assert relation.leads_to is not None
        number = rng.choice((1, 2, 3, 5, 8))
        thing = self._own_thing(rng, kind, own.name(rng, kind), number, relation.name)
        further = relation.leads_to["kind"]
        name = own.name(rng, further)
        other = self._own_thing(rng, further, name, number)
        last = rng.choice(other.asked)
        first = next(each for each in thing.asked if each.everyday == relation.name)
        reference = rng.choice(relation.leads_to["by"])
        if first.nouns and rng.random() < 0.25:
            reference = f"the {self.asking.noun(rng, first)} of {{entity}}"
        templates = [text for text in last.questions if takes_description(text)]
        if not templates or rng.random() < 0.2:
            templates = [text for text in self.asking.frames if takes_description(text)]
        template = rng.choice(templates).replace("{noun}", self.asking.noun(rng, last))
        prompt = fill_prompt(template, fill_prompt(reference, thing.typed))
        prompt = prompt[:1].upper() + prompt[1:]
        seen = [prompt, without_names(template)]
        if len(thing.labels) > 1 and rng.random() < 0.12:  # the first step is not in the graph
            thing.labels.remove(first.label)
            ranked = self.listing.relevance.ranked(rng, seen, thing.labels)
            lookup = listed(thing.typed, thing.name, ranked)
            return prompt, f"{lookup} {self.listing.refusal(rng, thing.name, ranked, '')}"
        text = ""
        for each, asked, values in (
            (thing, first, (name,)),
            (other, last, self.things.values(rng, other, last)),
        ):
            stated = self.things.state(rng, each, asked, values)
            text += self.listing.list_for(rng, each, seen, [asked.label])
            text += _written(stated)
        return self.asking.dress(rng, prompt, thing.typed), text

    def _own_thing(
        self, rng: random.Random, kind: str, name: str, number: int, first: str = ""
    ) -> Thing:
        asked = self.things.everyday.some(rng, kind, number, first)
        rng.shuffle(asked)
        return Thing(name, name, kind, [each.label for each in asked], asked)

    def absent_relation(self, rng: random.Random) -> tuple[str, str]:
        """A usual question about such a thing that no relation of the world answers."""
        kind = rng.choice(tuple(self.absent))
        record, relation = None, ""
        while record is None or record.type != kind:
            relation = rng.choice(self._of_type[kind])
            record = rng.choice(self.material.draws.by_relation[relation])
        thing, _ = self.things.of_world(rng, relation, record)
        form = rng.choices(("nouns", "roles", "counted"), (4, 3, 3))[0]
        noun = rng.choice(self.absent[kind][form])
        template = rng.choice(self.absent_frames[form]).replace("{noun}", noun)
        prompt = fill_prompt(template, thing.typed, bare=drops_article(rng))
        ranked = self.listing.relevance.ranked(rng, [without_names(template)], thing.labels)
        lookup = listed(thing.typed, thing.name, ranked)
        named = noun if form != "counted" and noun in prompt else ""
        refusal = self.listing.refusal(rng, thing.name, ranked, named)
        return self.asking.dress(rng, prompt, thing.typed), f"{lookup} {refusal}"

    def _stated(self, rng: random.Random, thing: Thing, asked: AskedRelation) -> Stated:
        return self.things.state(rng, thing, asked, self.things.values(rng, thing, asked))


def _written(stated: Stated) -> str:
    return f"{stated.lookup} {stated.sentence}"
