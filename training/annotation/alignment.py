"""Annotation by alignment with a graph: distant supervision (Mintz et al., ACL 2009).

Where a text about an entity says a value that the graph holds for it, the lookup is written before
it. A value is found as it is spelt, by another name of the linked entity, as a date or number in
another notation, and, under relations of origin, as a country's demonym in its inflections (France:
French). A place counts only if it looks like telling the fact: it is in a first sentence that names
the entity, or a number, or the sentence uses a word of the relation's name. Only the first such
place is annotated, and no two lookups share words, the longest first; a value under two relations
goes to the one whose name the sentence uses, else the first in stored order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from graph.core.facts import RELATIONS, Fact
from graph.core.names import fold
from graph.lookup.retriever import Retriever
from training.annotation.annotated_text import Annotated, Placed

SHORTEST = 3  # characters of a value that is looked for; shorter ones stand everywhere
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAY_MONTH_YEAR = re.compile(rf"(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{1,4}})")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d{4,}")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"“])|\n+")
_WORDS = re.compile(r"\w+")
_ORIGIN = frozenset({"nationality", "citizenship", "country", "country of citizenship"})
_FIRST_ONLY = frozenset({"instance of", "subclass of"})  # "the country" is said everywhere
_NEVER = frozenset({"demonym"})  # an adjective states something else
_ALSO = {"birth": ("born",), "death": ("died",), "spouse": ("married", "wife", "husband")}
_STEM = 5  # letters by which "borders" and "border" are one word


@dataclass(frozen=True, slots=True)
class Text:
    """A text to annotate; the title names the entity that it is about."""

    text: str
    title: str = ""


class AlignmentAnnotator:
    """Annotates with the facts of one graph at its present revision."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.name = f"alignment with {store.url}"
        self._retriever = Retriever(store)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

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
            if fold(fact.relation) in (RELATIONS, *_NEVER):
                continue
            if fold(fact.value) == fold(entity.name):
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
        """Where the text first states the value, in any of its spellings."""
        best = None
        for spelling in spellings(self.store, fact):
            if len(spelling) < SHORTEST:
                continue
            for match in re.finditer(rf"(?<![\w-]){re.escape(spelling)}(?![\w-]|,\d)", text):
                if best is not None and match.start() >= best[0]:
                    break
                if _tells(text, (*match.span(), fact)):
                    best = match.span()
                    break
        return best

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


def spellings(store: Any, fact: Fact) -> Iterator[str]:
    """How a text may write a fact's value: as it is, in other notations, by its other names."""
    yield fact.value
    yield from dates(fact.value)
    yield from numbers(fact.value)
    if fact.value_id is None:
        return
    linked = store.entity(fact.value_id)
    yield from linked.aliases if linked else ()
    if fold(fact.relation) not in _ORIGIN:
        return
    for demonym in store.facts(fact.value_id, "demonym"):
        for name in re.split(r", | or |; ", demonym.value):
            yield from demonyms(name)


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Begin and end of the sentence around `text[start:end]`."""
    begin = max((m.end() for m in _SENTENCE_END.finditer(text, 0, start)), default=0)
    following = _SENTENCE_END.search(text, end)
    return begin, following.start() if following else len(text)


def _tells(text: str, site: tuple[int, int, Fact]) -> bool:
    """Whether a place seems to state the fact, not only to name its value."""
    start, end, fact = site
    begin, finish = _sentence(text, start, end)
    before = text[:begin].strip()  # nothing, or a title
    if not before or ("\n" not in before and not before.endswith((".", "!", "?"))):
        names = {word for word in _WORDS.findall(fact.entity.casefold()) if len(word) > 2}
        if names & set(_WORDS.findall(text[begin:finish].casefold())):
            return True
    if fold(fact.relation) in _FIRST_ONLY:
        return False
    return any(c.isdigit() for c in text[start:end]) or _named(text, site) > 0


def _named(text: str, site: tuple[int, int, Fact]) -> int:
    """How many words of the relation's name the sentence uses, in any inflection."""
    begin, end = _sentence(text, site[0], site[1])
    words = {word[:_STEM] for word in _WORDS.findall(text[begin:end].casefold())}
    names = _WORDS.findall(site[2].relation.casefold())
    return sum(
        any(name[:_STEM] in words for name in (word, *_ALSO.get(word, ())))
        for word in names
        if len(word) > 2
    )


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
