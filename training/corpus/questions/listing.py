"""Lists of relations in documents: what they hold, and what a text says where none fits."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from graph.core.facts import MAX_RANKED, RELATIONS, UNKNOWN, join_relations
from graph.lookup.relevance import word_set
from training.corpus.english import enumerate_values
from training.corpus.material import Material
from training.corpus.questions.filling import opening
from training.corpus.questions.label_sentences import is_noun, plain_label
from training.corpus.questions.relation_lists import Relevance
from training.corpus.questions.things import Thing, Things
from training.corpus.templates import fill_prompt
from training.data.documents import write_lookup

LOOKUP = re.compile(
    r"<\|db_entity\|> (.*?)<\|db_relationship\|> (.*?)<\|db_return\|> (.*?)<\|db_end\|>", re.S
)
_NEAR = 0.66  # relations that mean so nearly the same are never both there and missing

_TIMES = word_set("date year day time century inception since")
_PLACES = word_set("place birthplace country city location located headquarters region")
_PEOPLE = word_set("head mayor governor leader named discovered zone")

SUBSTITUTES = tuple(
    frozenset(group.split(", "))
    for group in (
        "language spoken, official language, language",
        "birth date, birth year",
        "birthplace, country of birth",
        "nationality, country of birth, country",
        # "Who is the president of France?" may mean any of these.
        "head of state, head of government, in office since, officeholder, chairperson, president, "
        "office held by head of state, office held by head of government, chief executive officer, "
        "director / manager, position held, executive body",
        "location, located in, country, region, continent, part of, contains, coast on",
        "discovered by, invented by, discoverer or inventor, discovery year, discovered in",
        "height, elevation, highest point",
        "official name, local name, former name",
        "discovered, invented, known for, wrote in, field of work, occupation",
        "award received, Nobel Prize year, competed at",
        "member of, part of, affiliation",
        "main industry, main export, top producer, natural resource, main crop",
        "mythology, deity of, category",
        "start year, end year, year",
        "national holiday, national holiday date, independence date",
        "instance of, category, group, genre",
        "flows into, flows through, rises in, major river, coast on",
        "main export partner, main import partner",
        "child of, parent of, sibling, spouse",
    )
)
"""Relations of the world of which one may answer a question for another."""


class Listing:
    """Writes the lookups of `relations`, and refusals that name what a list holds."""

    def __init__(
        self,
        material: Material,
        things: Things,
        formats: Mapping[str, Any],
        relevance: Relevance,
    ) -> None:
        self.material, self.things, self.formats = material, things, formats
        self.relevance = relevance

    def list_for(
        self,
        rng: random.Random,
        thing: Thing,
        questions: Sequence[str],
        needed: Sequence[str],
        typed: str = "",
    ) -> str:
        """The lookup of the thing's relations."""
        labels = self._without_doubles(thing, needed)
        return self.lookup(rng, typed or thing.typed, thing.name, questions, labels, needed)

    def lookup(
        self,
        rng: random.Random,
        typed: str,
        name: str,
        questions: Sequence[str],
        labels: Sequence[str],
        needed: Sequence[str],
    ) -> str:
        """The lookup of these relations, ranked for the questions."""
        ranked = self.relevance.ranked(rng, questions, labels, needed)
        return listed(typed, name, ranked)

    def _without_doubles(self, thing: Thing, needed: Sequence[str]) -> list[str]:
        """The labels without those that mean the same as a needed one."""
        kept = []
        for label in dict.fromkeys(thing.labels):
            plain = plain_label(label)
            if label not in needed and any(
                (self.relevance.cosine(plain, plain_label(n)) or 0.0) > 0.86 for n in needed
            ):
                continue
            kept.append(label)
        return kept

    def means(self, label: str, asked: str, question: str) -> bool:
        """Whether a relation might be meant by a question for another one."""
        kinds = answer_kind(label), answer_kind(asked)
        if all(kinds) and kinds[0] != kinds[1]:  # no year answers where somebody was born
            return False
        near = self.relevance.cosine(label, asked)
        if near is not None and near > _NEAR:
            return True
        stems, wanted = self.relevance.stems(label), self.relevance.stems(asked)
        if wanted and stems and (stems <= wanted or wanted <= stems):
            return True
        if any(label in group and asked in group for group in SUBSTITUTES):
            return True
        meaning = self.relevance.cosine(question, label)
        if meaning is None:  # a question that was never encoded: by its words
            heads = {stem[:6] for stem in stems}
            return bool(heads & {stem[:6] for stem in self.relevance.stems(question)})
        return meaning > 0.58

    def refusal(self, rng: random.Random, name: str, ranked: Sequence[str], noun: str) -> str:
        """That the graph does not record it, and what it does hold."""
        held = [plain_label(label) for label in ranked[:MAX_RANKED] if is_noun(label)][:3]
        if not held:
            templates = (
                self.material.phrases.general["missing_statements"]
                if noun
                else (
                    "The graph does not say that about {entity}.",
                    "That is not recorded for {entity}.",
                )
            )
            return opening(fill_prompt(rng.choice(templates).replace("{noun}", noun), name))
        kind = "with_noun" if noun and rng.random() < 0.6 else "without_noun"
        template = rng.choice(self.formats["none_fits"][kind])
        others = enumerate_values([f"its {h}" for h in held], titles=True)
        template = template.replace("{noun}", noun).replace("{others}", others)
        return opening(fill_prompt(template, name))

    def short_refusal(self, rng: random.Random, name: str, noun: str) -> str:
        """That the graph does not record one of several things."""
        if noun:
            templates = self.material.phrases.general["missing_statements"]
            return opening(fill_prompt(rng.choice(templates).replace("{noun}", noun), name))
        return rng.choice(
            ("The graph does not record the rest.", "The other part is not recorded.")
        )

    def with_lists(self, rng: random.Random, text: str, prompt: str) -> str:
        """The text with the list of relations before each entity's first lookup."""
        asked: dict[str, list[str]] = {}
        for entity, relation, value in LOOKUP.findall(text):
            if value != UNKNOWN:
                asked.setdefault(entity, []).append(relation)
        done: set[str] = set()
        out, at = "", 0
        for match in LOOKUP.finditer(text):
            entity, relation, value = match.groups()
            out += text[at : match.start()]
            at = match.end()
            if entity not in done:
                done.add(entity)
                needed = asked.get(entity, [])
                labels = self.labels_around(
                    rng, needed, without=relation if value == UNKNOWN else ""
                )
                out += self.lookup(rng, entity, entity, [prompt], labels, needed)
            if value != UNKNOWN:
                out += match.group()
        return out + text[at:]

    def labels_around(
        self, rng: random.Random, needed: Sequence[str], without: str = ""
    ) -> list[str]:
        """Relations of a thing of the world that has the needed ones."""
        draws = self.material.draws
        known = [r for r in needed if r in draws.by_relation]
        record = rng.choice(draws.by_relation[known[0]]) if known else draws.record(rng)
        labels = list(dict.fromkeys([*record.facts, *self.things.pointers(rng, record)]))
        labels = [x for x in labels if x != without and (x in needed or rng.random() < 0.9)]
        for relation in needed:
            if relation not in labels:
                labels.insert(rng.randint(0, len(labels)), relation)
        return labels


def answer_kind(label: str) -> str:
    """Whether a relation's name says that a time or a place answers it; "" if it says neither."""
    words = set(label.split())
    if words & _TIMES:
        return "time"
    return "place" if words & _PLACES and not words & _PEOPLE else ""


def listed(typed: str, name: str, ranked: Sequence[str]) -> str:
    """The lookup of an entity's relations, as the graph answers it."""
    return write_lookup(typed, RELATIONS, join_relations(name, ranked))
