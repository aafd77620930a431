"""Things of people's own tables: products, teams, servers, courses, dishes, animals.

Their relations, how people ask for them and what such things are called stand in the files of
`own_wordings/everyday`; `general.yaml` also has the forms of made-up values.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from graph.core.inverse import inverse_name
from training.corpus.made_up_values import made_up_word
from training.corpus.questions.asked_relations import EVERYDAY, FOLDER, AskedRelation, allowed
from training.corpus.questions.label_sentences import is_noun, plain_label
from training.errors import CorpusError

_SEVERAL = frozenset({"foods", "people", "languages", "places", "services"})
"""Kinds of values of which a thing often has more than one."""
_YEARS = frozenset({"year", "year_or_date", "date"})
_GAP = re.compile(r"\{(?:(?P<least>\d+)-(?P<most>\d+)|(?P<name>\w+))\}")


@dataclass(frozen=True)
class Relation:
    """A relation of somebody's own table, as the file has it."""

    name: str
    labels: tuple[str, ...]
    value: str
    words: tuple[str, ...]
    questions: tuple[str, ...]
    yes_no: tuple[str, ...]
    compared: tuple[Mapping[str, Any], ...]
    reverse: tuple[str, ...]
    leads_to: Mapping[str, Any] | None
    """The kind of thing that its value is, and `by`: ways to speak of it by the entity."""

    def asked(self, label: str) -> AskedRelation:
        """The relation under one of its labels."""
        nouns = dict.fromkeys((label, self.name, *self.labels))
        return AskedRelation(
            label=label,
            questions=self.questions,
            nouns=tuple(plain_label(noun) for noun in nouns if is_noun(noun)),
            yes_no=self.yes_no,
            source=EVERYDAY,
            everyday=self.name,
        )

    def asked_back(self, label: str) -> AskedRelation:
        """Its inverse: what has a value."""
        return AskedRelation(
            label=inverse_name(label),
            questions=tuple(text.replace("{value}", "{entity}") for text in self.reverse),
            inverse_of=label,
            source=EVERYDAY,
            everyday=self.name,
        )


class Everyday:
    """Draws such things: a name, their relations under somebody's labels, and values."""

    def __init__(self, words: Sequence[str], names: Sequence[str], folder: Path = FOLDER) -> None:
        """Read the file.

        Args:
            words: ordinary words that names are made of.
            names: real names, of places for example.
            folder: holds the folder `everyday`.

        Raises:
            CorpusError: if a thing has a relation that no file describes, or if two files describe
                the same.
        """
        content = _read(sorted((folder / EVERYDAY).glob("*.yaml")))
        self.relations = {name: _relation(name, row) for name, row in content["relations"].items()}
        self.things: dict[str, Mapping[str, Sequence[str]]] = content["things"]
        self.flags: Mapping[str, Sequence[str]] = {
            name: allowed(templates) for name, templates in content["flags"].items()
        }
        self._amounts: Mapping[str, Mapping[str, Any]] = content["amounts"]
        self._values: Mapping[str, Sequence[str]] = content["values"]
        self._fillers: Mapping[str, Sequence[str]] = content["words"]
        self._words, self._names = words, names
        for kind, thing in self.things.items():
            for relation in thing["relations"]:
                if relation not in self.relations:
                    raise CorpusError(f"A {kind} has {relation!r}, which is not described.")

    def all_asked(self) -> Iterable[AskedRelation]:
        """Every relation under each of its labels, and its inverse."""
        for relation in self.relations.values():
            for label in (relation.name, *relation.labels):
                yield relation.asked(label)
                if relation.reverse:
                    yield relation.asked_back(label)

    def compared(self) -> Iterable[str]:
        """All comparisons in a relation's own words."""
        for relation in self.relations.values():
            yield from (str(row["wording"]) for row in relation.compared)

    # -- draws

    def kind(self, rng: random.Random) -> str:
        """A kind of thing."""
        return rng.choice(tuple(self.things))

    def some(
        self, rng: random.Random, kind: str, number: int, first: str = ""
    ) -> list[AskedRelation]:
        """Some relations of a kind of thing, each under one label, in the order of the file.

        Args:
            first: a relation that must be among them, before the others.
        """
        pool = list(self.things[kind]["relations"])
        chosen = {first} - {""}
        while len(chosen) < min(number, len(pool)):
            chosen.add(rng.choice(pool))
        asked: dict[str, AskedRelation] = {}
        for name in [first, *pool]:
            if name in chosen:
                chosen.discard(name)
                label = self._label(rng, self.relations[name])
                asked.setdefault(plain_label(label), self.relations[name].asked(label))
        return list(asked.values())

    def _label(self, rng: random.Random, relation: Relation) -> str:
        if not relation.labels or rng.random() < 0.4:
            return relation.name
        return rng.choice(relation.labels)

    def other(self, rng: random.Random, kind: str, but: Iterable[str]) -> AskedRelation | None:
        """A relation of such things that is none of these everyday relations."""
        left = [name for name in self.things[kind]["relations"] if name not in set(but)]
        if not left:
            return None
        relation = self.relations[rng.choice(left)]
        return relation.asked(self._label(rng, relation))

    def back(self, rng: random.Random) -> tuple[AskedRelation, str]:
        """An inverse relation to ask for, and a value that has it."""
        relation = rng.choice([each for each in self.relations.values() if each.reverse])
        value = self.value(rng, relation.name)
        return relation.asked_back(self._label(rng, relation)), value

    def link(self, rng: random.Random) -> tuple[str, Relation]:
        """A kind of thing, and a relation of it that leads to another thing."""
        kinds = [
            (kind, self.relations[name])
            for kind, thing in self.things.items()
            for name in thing["relations"]
            if self.relations[name].leads_to
        ]
        return rng.choice(kinds)

    def name(self, rng: random.Random, kind: str) -> str:
        """What a thing of a kind is called."""
        return self._filled(rng, rng.choice(self.things[kind]["names"]))

    def values(self, rng: random.Random, relation: str) -> tuple[str, ...]:
        """What the graph holds under a relation: mostly one value."""
        kind = self.relations[relation].value
        weights = (5, 3, 2, 1) if kind in _SEVERAL else (30, 1, 0, 0)
        count = 1 if kind in self._amounts else rng.choices((1, 2, 3, 4), weights)[0]
        return tuple(dict.fromkeys(self.value(rng, relation) for _ in range(count)))

    def value(self, rng: random.Random, relation: str) -> str:
        """One value of a relation."""
        described = self.relations[relation]
        if described.words:
            return rng.choice(described.words)
        if described.value in self._amounts:
            form: str = rng.choice(self._amounts[described.value]["forms"])
            return form.format(self._amount(rng, described.value)[0])
        return self._filled(rng, rng.choice(self._values[described.value]))

    def amounts(
        self, rng: random.Random, relation: str
    ) -> tuple[tuple[str, float], tuple[str, float]] | None:
        """Two values in one unit with their numbers; None if they are equal or no amounts."""
        kind = self.relations[relation].value
        if kind in _YEARS:
            years = rng.sample(range(1890, 2025), 2)
            return (str(years[0]), years[0]), (str(years[1]), years[1])
        if kind not in self._amounts:
            return None
        form: str = rng.choice(self._amounts[kind]["forms"])
        (text, number), (other, other_number) = (self._amount(rng, kind) for _ in range(2))
        if number == other_number:
            return None
        return (form.format(text), number), (form.format(other), other_number)

    # -- words

    def _filled(self, rng: random.Random, form: str) -> str:
        """A form with its gaps filled."""
        return _GAP.sub(lambda gap: self._fill(rng, gap), form)

    def _fill(self, rng: random.Random, gap: re.Match[str]) -> str:
        if gap["least"]:
            return str(rng.randint(int(gap["least"]), int(gap["most"])))
        name = gap["name"]
        if name in self._fillers:
            return str(rng.choice(self._fillers[name]))
        if name == "n":
            return str(rng.randint(1, 9))
        if name == "Person":
            return f"{rng.choice(self._fillers['first'])} {self._last(rng)}"
        if name == "Last":
            return self._last(rng)
        if name == "Place":
            return self._place(rng)
        if name in ("thing", "service"):
            return self.name(rng, "service" if name == "service" else self.kind(rng))
        word = made_up_word(rng) if rng.random() < 0.55 else rng.choice(self._words).lower()
        return word.capitalize() if name == "Word" else word

    def _last(self, rng: random.Random) -> str:
        words = rng.choice(self._words).split()
        if rng.random() < 0.3 and words and words[0].isalpha():
            return words[0].capitalize()
        return made_up_word(rng, rng.choice((1, 2, 2, 3))).capitalize()

    def _place(self, rng: random.Random) -> str:
        name = rng.choice(self._names) if self._names else ""
        if rng.random() < 0.4 and name[:1].isupper() and len(name) < 24 and ";" not in name:
            return name
        end = rng.choice(("", "", "ton", "ville", "ford", "burg", " Bay", "by"))
        return made_up_word(rng).capitalize() + end

    def _amount(self, rng: random.Random, kind: str) -> tuple[str, float]:
        """A number as a table has it, and how much it is."""
        least, most = self._amounts[kind]["between"]
        scale = rng.choice((1.0, 0.2, 0.05)) * (most - least)
        number = least + rng.random() * max(scale, 3)
        if kind in ("price", "weight", "rating", "distance") and rng.random() < 0.4:
            text = f"{number:.2f}" if kind == "price" else f"{number:.1f}"
        else:
            text = f"{round(number):,}" if rng.random() < 0.3 else str(round(number))
        return text, float(text.replace(",", ""))


def _read(paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """The sections of all files together."""
    content: dict[str, dict[str, Any]] = {}
    for path in paths:
        for section, entries in yaml.load(path.read_text("utf-8"), yaml.CSafeLoader).items():
            known = content.setdefault(section, {})
            if again := known.keys() & entries.keys():
                raise CorpusError(f"{path.name} describes {sorted(again)[0]!r} again.")
            known.update(entries)
    return content


def _relation(name: str, row: Mapping[str, Any]) -> Relation:
    def templates(key: str) -> tuple[str, ...]:
        return allowed(row.get(key) or ())

    return Relation(
        name=name,
        labels=tuple(str(label) for label in row.get("labels") or ()),
        value=row["value"],
        words=tuple(str(word) for word in row.get("words") or ()),
        questions=templates("questions"),
        yes_no=templates("yes_no"),
        compared=tuple(row.get("compared") or ()),
        reverse=templates("reverse"),
        leads_to=row.get("leads_to"),
    )
