"""Relations that documents ask for: how people put them into words, and what they hold.

Four sources. The shipped world's relations, with the wordings of `own_wordings` and
`training/corpus/phrases`. Published properties, with the wordings that people wrote for them
(`training.corpus.wordings`). Relations of people's own tables, with our own wordings
(`training.corpus.questions.everyday`). Made-up relations, which only general wordings ask for.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from graph.core.inverse import inverse_name
from training.corpus.draws import Draws
from training.corpus.phrase_book import Phrases
from training.corpus.questions.label_sentences import is_noun, plain_label
from training.corpus.wordings import BLANK, Property, Wordings, forbidden_prompt

FOLDER = Path(__file__).parent / "own_wordings"
FORMATS = "formats"
SEVERAL_FACTS = "several_facts"
EVERYDAY = "everyday"
_NO_ENTRIES = (FORMATS, SEVERAL_FACTS)  # files about no relation of the world
_NO_NOUN = re.compile(r"(?:what|who|whom|when|where|how|which|born|died|made|it|is|does)\b", re.I)


@dataclass(frozen=True)
class AskedRelation:
    """One relation and the ways to ask for it."""

    label: str
    """Its name in the graph, as lists show it."""
    questions: tuple[str, ...] = ()
    """Templates with `{entity}` or `{entity's}`."""
    nouns: tuple[str, ...] = ()
    """What people call it: "population", "number of people"."""
    yes_no: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    cloze: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    """Statements with {entity} and {value}, to be checked or completed."""
    known: str = ""
    """The world's relation whose phrases state it; "" states it under its own name."""
    inverse_of: str = ""
    """The world's relation that this is the inverse of."""
    everyday: str = ""
    """The relation of people's own tables (`everyday`) whose values it has."""
    source: str = ""
    by_type: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    object_types: frozenset[str] = frozenset()

    @property
    def noun(self) -> str:
        """What it is called after "the", or "" if nothing fits there."""
        return self.nouns[0] if self.nouns else ""

    def wordings(self) -> Iterator[str]:
        """All ways to ask for it, without names and gaps: what is compared with its own name."""
        questions = (*self.questions, *self.yes_no, *self.unfinished, *self.cloze)
        for template in (*questions, *itertools.chain(*self.by_type.values())):
            yield without_names(template.replace("____", ""))


def read_formats(folder: Path = FOLDER) -> dict[str, Any]:
    """The wordings about no relation in particular, and those about several at once."""
    content: dict[str, Any] = {}
    for stem in (FORMATS, SEVERAL_FACTS):
        content |= yaml.safe_load((folder / f"{stem}.yaml").read_text("utf-8"))
    return content


def read_entries(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """The entries of all relations of the world."""
    entries: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.stem not in _NO_ENTRIES:
            entries |= yaml.safe_load(path.read_text("utf-8"))
    return entries


def allowed(templates: Iterable[str]) -> tuple[str, ...]:
    """The templates that put no prompt of a measure into the corpus."""
    return tuple(t for t in templates if not forbidden_prompt(_blanked(t)))


def _blanked(template: str) -> str:
    for placeholder in ("{entity}", "{value}", "{a value}", "{other}"):
        template = template.replace(placeholder, BLANK)
    return template.replace("{entity's}", f"{BLANK}'s")


def without_names(template: str) -> str:
    """A template as the store's encoder sees it: the names are left out."""
    for placeholder in ("{entity's}", "{entity}", "{value}", "{a value}", "{other}"):
        template = template.replace(placeholder, "")
    return " ".join(template.split())


def world_relations(
    phrases: Phrases, entries: Mapping[str, Mapping[str, Any]]
) -> dict[str, AskedRelation]:
    """The world's relations by name."""
    found = {}
    for name, described in phrases.relations.items():
        entry = entries.get(name, {})
        by_type: dict[str, tuple[str, ...]] = {}
        for kind, questions in described.questions.items():
            if kind != "default":
                by_type[kind] = allowed(questions)
        for kind, questions in (entry.get("types") or {}).items():
            by_type[kind] = by_type.get(kind, ()) + allowed(questions)
        questions = [*(entry.get("questions") or ()), *described.questions.get("default", ())]
        for of_government in (entry.get("types_of_government") or {}).values():
            questions += of_government
        nouns = dict.fromkeys([described.noun, *(entry.get("keywords") or ()), name])
        found[name] = AskedRelation(
            label=name,
            questions=allowed(dict.fromkeys(questions)),
            nouns=tuple(n for n in nouns if is_noun(n) and not _NO_NOUN.match(n)),
            yes_no=allowed(entry.get("yes_no") or ()),
            unfinished=allowed(entry.get("unfinished") or ()),
            cloze=allowed(entry.get("cloze") or ()),
            statements=tuple(
                t
                for t in described.statements.get("default", ())
                if "|" not in t and t.count("{") == 2 and "{value}" in t
            ),
            known=name,
            source="world",
            by_type=by_type,
        )
    return found


def world_inverses(
    relations: Mapping[str, AskedRelation], entries: Mapping[str, Mapping[str, Any]]
) -> dict[str, AskedRelation]:
    """The inverses of the world's relations, by the name of the relation they reverse."""
    found = {}
    for name, relation in relations.items():
        reverse = allowed(entries.get(name, {}).get("reverse") or ())
        templates = tuple(
            t.replace("{value}", "{entity}").replace("{a value}", "{entity}") for t in reverse
        )
        if not templates:
            continue
        label = inverse_name(name)
        found[name] = AskedRelation(
            label=label,
            questions=templates,
            nouns=(relation.noun,) if relation.noun else (),
            known=label if label in relations else "",
            inverse_of=name,
            source="inverse",
        )
    return found


def published_relations(wordings: Wordings) -> list[AskedRelation]:
    """The published properties that training may ask for."""
    found = []
    for published in wordings.properties:
        trainable = published.trainable()
        if trainable:
            found.append(_of_property(published, [w.question("{entity}") for w in trainable]))
    return found


def _of_property(published: Property, questions: Sequence[str]) -> AskedRelation:
    label = published.label
    statements = tuple(
        s.replace("[X]", "{entity}").replace("[Y]", "{value}") for s in published.statements
    )
    return AskedRelation(
        label=label,
        questions=tuple(q.replace("{entity}'s", "{entity's}") for q in questions),
        nouns=(label,) if is_noun(label) else (),
        unfinished=allowed(
            s.removesuffix(".").removesuffix(" {value}")
            for s in statements
            if s.endswith(" {value}.")
        ),
        cloze=allowed(s.replace("{value}", "____") for s in statements),
        statements=statements,
        source="published",
        object_types=published.object_types,
    )


class PublishedMix:
    """Which published relations occur together: those of the same kinds of things."""

    def __init__(self, wordings: Wordings) -> None:
        self.relations = published_relations(wordings)
        self._types: dict[str, frozenset[str]] = {}
        for published in wordings.properties:
            self._types[published.label] = published.subject_types
        by_type: dict[str, list[int]] = defaultdict(list)
        for i, relation in enumerate(self.relations):
            for kind in self._types[relation.label]:
                by_type[kind].append(i)
        self._by_type = dict(by_type)
        # Rare wordings count: a relation is drawn by the root of the number of its wordings.
        self.weights = [len(r.questions) ** 0.5 for r in self.relations]
        self.names = list(wordings.entities)

    def draw(self, rng: random.Random) -> AskedRelation:
        return rng.choices(self.relations, self.weights)[0]

    def beside(
        self, rng: random.Random, relation: AskedRelation, number: int
    ) -> list[AskedRelation]:
        """Other relations of one thing: two thirds are of things of the same kind."""
        kinds = sorted(self._types[relation.label])
        chosen: dict[str, AskedRelation] = {}
        for _ in range(number * 3):
            if len(chosen) >= number:
                break
            if kinds and rng.random() < 0.66:
                other = self.relations[rng.choice(self._by_type[rng.choice(kinds)])]
            else:
                other = rng.choice(self.relations)
            if other.label != relation.label:
                chosen[other.label] = other
        return list(chosen.values())


def inverse_names_by_type(draws: Draws) -> dict[str, Counter[str]]:
    """For each type of thing, the inverse names of the relations that point to such things."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for record in draws.records.values():
        for relation, values in record.facts.items():
            for value in values:
                if value in draws.records:
                    found[draws.records[value].type][relation] += 1
    return dict(found)


def respelling(rng: random.Random, label: str) -> str:
    """One of the ways in which people who make graphs spell a relation."""
    words = plain_label(label).split()
    form = rng.randrange(4)
    if form == 0:
        return " ".join(word[:1].upper() + word[1:] for word in words)
    if form == 1:
        return "_".join(word.lower() for word in words)
    if form == 2:
        return words[0].lower() + "".join(word[:1].upper() + word[1:] for word in words[1:])
    return label[:1].upper() + label[1:]
