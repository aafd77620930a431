"""Annotation by alignment with a graph: distant supervision (Mintz et al., ACL 2009).

Where a text about an entity says a value that the graph holds for it, the lookup is written before
it. A value is found as it is spelt, by another name of the linked entity, as a date or number in
another notation, and as a country's demonym in its inflections (France: French). Only the first
place that says a fact is annotated, and no two lookups share words, the longest first; a value
under two relations goes to the one whose name the sentence uses, else the first in stored order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from graph.facts import RELATIONS, Fact, fold
from graph.retriever import Retriever
from training.annotated import Annotated, Placed

SHORTEST = 3  # characters of a value that is looked for; shorter ones stand everywhere
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAY_MONTH_YEAR = re.compile(rf"(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{1,4}})")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d{4,}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"“])|\n+")
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be annotated; the title names the entity that it is about."""

    text: str
    title: str = ""


class AlignmentAnnotator:
    """Annotates with the facts of one graph at its present revision."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.name = f"alignment with {store.url}"
        self._retriever = Retriever(store)

    def annotate(self, texts: Sequence[Text]) -> list[Annotated]:
        """Each text with its lookups; its characters stay the same."""
        return [self._one(text) for text in texts]

    def _one(self, text: Text) -> Annotated:
        title = text.title or next(iter(text.text.strip().splitlines()), "")
        found = self.store.find_entities(title)
        if not found:
            return Annotated(text.text)
        entity = found[0][0]
        facts = self.store.facts(entity.id)
        sites: list[tuple[int, int, Fact]] = []
        for fact in facts:
            if fold(fact.relation) == RELATIONS or fold(fact.value) == fold(entity.name):
                continue
            site = self._place(text.text, fact)
            if site is not None:
                sites.append((*site, fact))
        chosen = self._without_overlap(text.text, sites)
        lookups = []
        for start, _, fact in sorted(chosen, key=lambda site: site[0]):
            value = self._retriever.lookup(entity.name, fact.relation).value
            lookups.append(Placed(start, entity.name, fact.relation, value))
        return Annotated(text.text, tuple(lookups))

    def _place(self, text: str, fact: Fact) -> tuple[int, int] | None:
        """Where the text first says the value, in any of its spellings."""
        best = None
        for spelling in self._spellings(fact):
            if len(spelling) < SHORTEST:
                continue
            match = re.search(rf"(?<![\w-]){re.escape(spelling)}(?![\w-]|,\d)", text)
            if match and (best is None or match.start() < best[0]):
                best = match.start(), match.end()
        return best

    def _spellings(self, fact: Fact) -> Iterator[str]:
        yield fact.value
        yield from dates(fact.value)
        yield from numbers(fact.value)
        if fact.value_id is not None:
            linked = self.store.entity(fact.value_id)
            yield from linked.aliases if linked else ()
            for demonym in self.store.facts(fact.value_id, "demonym"):
                for name in re.split(r", | or |; ", demonym.value):
                    yield from demonyms(name)

    def _without_overlap(
        self, text: str, sites: list[tuple[int, int, Fact]]
    ) -> list[tuple[int, int, Fact]]:
        taken: list[tuple[int, int, Fact]] = []
        relations: set[str] = set()

        def rank(site: tuple[int, int, Fact]) -> tuple[int, int]:
            return (-(site[1] - site[0]), -_named(text, site))

        for site in sorted(sites, key=rank):  # stable: stored order decides at last
            start, end, fact = site
            if fact.relation in relations:
                continue
            if all(end <= other[0] or other[1] <= start for other in taken):
                taken.append(site)
                relations.add(fact.relation)
        return taken


def _named(text: str, site: tuple[int, int, Fact]) -> int:
    """How many words of the relation's name the sentence uses."""
    begin = max((m.end() for m in _SENTENCE_END.finditer(text, 0, site[0])), default=0)
    following = _SENTENCE_END.search(text, site[1])
    sentence = text[begin : following.start() if following else len(text)].casefold()
    words = set(_WORDS.findall(sentence))
    return sum(word in words for word in _WORDS.findall(site[2].relation.casefold()))


def dates(value: str) -> Iterator[str]:
    """A date of the graph ("7 November 1867") as others write it."""
    match = _DAY_MONTH_YEAR.fullmatch(value)
    if match is None:
        return
    day, month, year = match.groups()
    yield f"{month} {day}, {year}"
    yield f"{month} {day} {year}"
    yield f"{day} {month[:3]} {year}"
    try:
        yield date(int(year), _MONTHS.index(month) + 1, int(day)).isoformat()
    except ValueError:
        return


def numbers(value: str) -> Iterator[str]:
    """A whole number with and without its commas, and in millions or billions."""
    if not _NUMBER.fullmatch(value):
        return
    number = int(value.replace(",", ""))
    yield str(number)
    yield f"{number:,}"
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if number >= size:
            for digits in (0, 1, 2):
                yield f"{number / size:.{digits}f} {word}"
            break


def demonyms(name: str) -> Iterator[str]:
    """A demonym, its plural, and of "Frenchman" the adjective."""
    name = name.strip()
    if len(name) < SHORTEST:
        return
    yield name
    if not name.endswith(("s", "sh", "ch", "ese")):
        yield name + "s"
    for ending in ("man", "woman", "men", "women"):
        if name.endswith(ending) and len(name) > len(ending) + SHORTEST:
            yield name.removesuffix(ending)
