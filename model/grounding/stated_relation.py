"""Which relation a sentence speaks of, where it is not the one that was looked up.

A model that meets a relation it was not trained on may copy the value faithfully and say something
else with it: it looks up a weight and writes "has an area of 3 kg". Or it exchanges the two ends:
"Mexico is the capital of Mexico City".

We compare words, and report only what is clear:

- A sentence that has all words of the relation (or of a synonym) states it, unless the value and
  the entity stand at the wrong ends of it.
- Otherwise it states another relation if it is written as the phrase book writes that one
  (`stated_words.csv`: "E was named after V"), or if it calls the value something else ("The voting
  age of E is V", where the voting district was asked for).
- Anything else does not count. Neither does a shorter name of the same thing: "with a length of V"
  for the length of stay.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from graph.core.inverse import inverse_name
from graph.core.names import fold
from graph.lookup.relevance import word_set
from graph.world import DATA
from model.grounding.marks import Mark, Span
from model.grounding.occurrences import occurrences
from model.trace import TracedText

WORDS_FILE = Path(__file__).parent / "stated_words.csv"

_TOKEN = re.compile(r"[^\W_]+(?:['’](?=s\b|$)s?)?|[()]")
_CAMEL = re.compile(r"(?<=[^\W\d_])(?=[A-Z][a-z])|_")
_BE = {"are": "is", "were": "was", "have": "has", "its": "E's", "it": "E"}
_ARTICLES = frozenset(("the", "a", "an"))
# Words that state nothing by themselves.
_EMPTY = word_set(
    """E E's N V W the a an is was has had be been being of and or that who which whose it its as in
    for to by on at from with recorded given listed graph gives under entry entries value values
    there one what this here"""
)
_PARTICLES = word_set(
    """in on at by for from with to as into through after before near past since until over under
    about against between above below per"""
)
_FAMILIES = (
    {"die", "died", "dies", "death", "dead"},
    {"bear", "born", "birth"},
    {"marry", "married", "marriage", "spouse"},
    {"know", "known"},
    {"write", "wrote", "written", "writer"},
    {"run", "runs", "ran", "running"},
    {"hold", "held"},
    {"make", "made", "maker"},
    {"build", "built", "builder"},
    {"long", "length"},
    {"high", "height", "tall"},
    {"wide", "width"},
    {"deep", "depth"},
    {"speak", "spoken", "speakers", "language"},
)
_FAMILY = {word: number for number, words in enumerate(_FAMILIES) for word in words}
_PLACES = word_set(
    """in on at location located lies lie place region country city town state area port home site
    address district province continent island room office floor stands origin from where"""
)
_TIMES = word_set("date day year time period")
_CLEAR = 3  # relations that one pattern may state and still be evidence: block, group, period
_WIDE_VERBS = word_set(
    """uses includes features contains lists bears carries takes gets shows reads needs offers
    names means"""
)
_AWAY = word_set("by near past until since after before without")
_SAME_BOTH_WAYS = word_set(
    """spouse sibling counterpart partner rival neighbour neighbor friend twin colleague cousin
    brother sister married borders"""
)


class OtherRelation(NamedTuple):
    """A sentence that repeats a value, and speaks of another relation than was looked up."""

    lookup: int  # index into trace.lookups
    start: int  # the words of the mark
    end: int
    says: str
    """What the sentence says it is: a relation's name or the sentence's own noun."""


def other_relations(
    trace: TracedText, marks: Sequence[Mark], sentences: Sequence[Span]
) -> list[OtherRelation]:
    """The marks whose sentence clearly states another relation, one for each lookup."""
    found: dict[int, OtherRelation] = {}
    for mark in marks:
        lookup = trace.lookups[mark.lookup].lookup
        if mark.lookup in found or not (lookup.resolved_relation or lookup.relation):
            continue
        sentence = next((s for s in sentences if s[0] <= mark.start < s[1]), None)
        if sentence is None:
            continue
        words = tuple(_blanked(trace, mark, marks, sentence))
        asked = (lookup.relation, lookup.resolved_relation or "")
        value = trace.text[mark.start : mark.end]
        if says := _says(words, asked, value):
            found[mark.lookup] = OtherRelation(mark.lookup, mark.start, mark.end, says)
    return list(found.values())


def normalised(text: str) -> list[str]:
    """The words of a text in lower case without articles, one form of each auxiliary."""
    out = []
    for word in _TOKEN.findall(_CAMEL.sub(" ", text).replace("’", "'")):
        if word in ("E", "N", "V", "W", "E's"):
            out.append(word)
            continue
        if word in ("N's", "V's", "W's"):
            out.append(word[0])
            continue
        low = word.lower()
        if low not in _ARTICLES:
            out.append(_BE.get(low, low))
    return out


def _blanked(trace: TracedText, mark: Mark, marks: Sequence[Mark], sentence: Span) -> list[str]:
    """A sentence with its entity as E, other entities as N, the marked value as V, others as W."""
    begin, end = sentence
    spans: dict[Span, str] = {(mark.start, mark.end): "V"}
    for other in marks:
        if other.lookup == mark.lookup or (other.start, other.end) == (mark.start, mark.end):
            spans.setdefault((other.start, other.end), "V")
        else:
            spans.setdefault((other.start, other.end), "W")
    own = trace.lookups[mark.lookup].lookup
    names = {
        name: "E" if name in (own.entity, own.resolved_entity) else "N"
        for entry in trace.lookups
        for name in (entry.lookup.entity, entry.lookup.resolved_entity)
        if name
    }
    for name in sorted(names, key=len, reverse=True):
        for span in occurrences(trace.text, name, begin, end):
            if all(span[1] <= start or stop <= span[0] for start, stop in spans):
                spans[span] = names[name]
    out, at = "", begin
    for (start, stop), token in sorted(spans.items()):
        if start >= at and stop <= end:
            out += f"{trace.text[at:start]} {token}"
            at = stop
    words = normalised(out + trace.text[at:end])
    # "V, V and V" is one value.
    short: list[str] = []
    for word in words:
        if word == "V" and short[-1:] == ["V"]:
            continue
        if word == "V" and short[-2:] == ["V", "and"]:
            short.pop()
            continue
        short.append(word)
    return short


# -- words of a relation


def _names_of(relations: Sequence[str]) -> list[str]:
    """The names of the relation that was asked for, its synonyms in the shipped world included."""
    names = {" ".join(normalised(name)) for name in relations if name} | {
        name for name in relations if name
    }
    synonyms = _synonyms()
    for name in list(names):
        names |= synonyms.get(fold(name), frozenset())
    return sorted(names)


@cache
def _synonyms() -> dict[str, frozenset[str]]:
    """For each name of a relation of the shipped world, all others that mean the same."""
    groups: dict[str, set[str]] = {}
    with (DATA / "synonyms.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            groups.setdefault(fold(row["relation"]), {row["relation"]}).add(row["phrase"])
    found: dict[str, set[str]] = {}
    for names in groups.values():
        for name in names:
            found.setdefault(fold(name), set()).update(names)
    return {name: frozenset(others) for name, others in found.items()}


@cache
def _patterns() -> tuple[tuple[str, bool, frozenset[str]], ...]:
    """The patterns of the phrase book, the longest first.

    Each has spaces around it, whether it is evidence of another relation, and the relations that
    it states. One that fits many relations ("E lies in V", "E belongs to V") does not count, unless
    it has the name of one of them ("E is part of V").
    """
    found: dict[tuple[str, ...], set[str]] = {}
    with WORDS_FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            pattern, relations = tuple(row["pattern"].split(" ")), row["relations"].split("; ")
            found.setdefault(pattern, set()).update(relations)
            # "E was named after V" may follow something else: "that was named after V".
            while pattern and pattern[0] in _EMPTY and pattern[0] not in ("V", "W", "E's"):
                pattern = pattern[1:]
            if pattern[-1:] == ("V",) and _speaks(pattern) and len(pattern) > 1:
                found.setdefault(pattern, set()).update(relations)
    ordered = sorted(found.items(), key=lambda pair: (-len(pair[0]), pair[0]))
    patterns = []
    for words, stated in ordered:
        text = f" {' '.join(words)} "
        named = any(f" {' '.join(normalised(name))} " in text for name in stated)
        clear = _speaks(words) and (len(stated) <= _CLEAR or named)
        patterns.append((text, clear, frozenset(stated)))
    return tuple(patterns)


def _tokens(name: str) -> list[str]:
    """The words of a relation's name; a final "of" counts, because it gives the direction."""
    words = [word for word in normalised(name) if word not in ("and", "or")]
    return [word for i, word in enumerate(words) if word != "of" or i == len(words) - 1]


def _kin(left: str, right: str) -> bool:
    """Whether two words are forms of one word."""
    if left == right or (left in _FAMILY and _FAMILY.get(left) == _FAMILY.get(right)):
        return True
    shared = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= 4 and shared > 0.6 * max(len(left), len(right))


def _has(words: Sequence[str], word: str) -> bool:
    return any(_kin(word, other) for other in words)


# -- what a sentence says


@lru_cache(1024)  # a text is read again for each word of it
def _says(words: tuple[str, ...], relations: tuple[str, ...], value: str) -> str:
    """What a sentence says instead of the relation that was asked for; "" if that is not clear."""
    # The value has grown together with a word, or the sentence is about another entity, of which a
    # chain of lookups says it: "Curie was born in Poland", the country of Warsaw.
    if "V" not in words or "N" in words:
        return ""
    names = _names_of(relations)
    if not value[:1].isdigit() and (reversed_as := _reversed(words, relations)):
        return reversed_as
    if any(all(_has(words, token) for token in _tokens(name)) for name in names if _tokens(name)):
        return ""
    asked = [token for name in names for token in _tokens(name)]
    known = {fold(name) for name in names}
    matched: set[str] = set()
    text = f" {' '.join(words)} "
    for pattern, clear, stated in _patterns():
        if pattern in text:
            if not known.isdisjoint(map(fold, stated)):
                return ""
            if not matched and clear:
                if any(_is_same(name, names, asked) for name in stated):
                    return ""
                matched = set(stated)
    if matched:
        named = {name for name in matched if f" {' '.join(normalised(name))} " in text}
        return min(named or matched, key=lambda name: (len(name), name))
    return _noun_of(words, names, asked) or _place(words, asked, value)


def _place(words: Sequence[str], asked: Sequence[str], value: str) -> str:
    """The location, if the sentence says no more than where the entity is."""
    if value[:1].isdigit() or (_PLACES & set(asked) and not _AWAY & set(asked)):
        return ""
    at = words.index("V")
    before = list(words[max(at - 3, 0) : at])
    if before[-1:] == ["in"] and before[-3:-1] in (["E", "is"], ["E", "lies"]):
        return "location"
    return "location" if before[-2:] == ["W", "in"] else ""


def _speaks(pattern: Sequence[str]) -> bool:
    return any(word not in _EMPTY for word in pattern)


def _is_same(name: str, names: Sequence[str], asked: Sequence[str]) -> bool:
    """Whether a relation's name says no more than the names of the relation that was asked.

    "length" is the "length of stay", and "invented" is not the "invented name".
    """
    if not all(_has(asked, token) for token in _tokens(name)):
        return False
    heads = {head for other in names for head in _heads(other)}
    return bool(_TIMES & heads) or any(_has(_heads(name), head) for head in heads)


def _noun_of(words: Sequence[str], names: Sequence[str], asked: Sequence[str]) -> str:
    """The noun by which a sentence calls the value, if it has none of the relation's words."""
    for noun in _nouns(words):
        content = [word for word in noun if word not in _EMPTY and word not in _PARTICLES]
        heads = [head for name in names for head in _heads(name)]
        if not content or any(_kin(head, content[-1]) for head in heads):
            continue
        # "The release of E is V" may stand for the release date.
        if all(_has(asked, word) for word in content) and _TIMES & set(heads):
            continue
        return " ".join(noun)
    return ""


def _heads(name: str) -> list[str]:
    """The words that say what a relation's value is: length of "length of stay".

    Both words of "language used" do.
    """
    words = normalised(name)
    end = next((i for i, word in enumerate(words) if i and word in ("of", *_PARTICLES)), None)
    words = words[:end]
    return words[-2:] if words and words[-1].endswith(("ed", "built", "made")) else words[-1:]


def _nouns(words: Sequence[str]) -> Iterator[list[str]]:
    """Nouns for the value: "noun of E is V", "E's noun is V", "E has noun of V"."""
    text = " ".join(words)
    for frame in (
        r"^(?P<noun>(?!E\b|V\b|W\b)[a-z][a-z' ]*?) of E is V\b",
        r"^E's (?P<noun>[a-z][a-z' ]*?) (?:in )?(?:is )?V\b",
        r"^E (?P<noun>[a-z]+(?<!s)(?<!ed)) V\b",
        r"\b(?:with|has|whose) (?P<noun>[a-z]+(?: [a-z]+)?) (?:of|is) V\b",
    ):
        if match := re.search(frame, text):
            noun = match["noun"].split(" ")
            if not ({"is", "was", "has", "that"} | _PARTICLES | _WIDE_VERBS) & set(noun[-1:]):
                yield noun


def _reversed(words: Sequence[str], relations: Sequence[str]) -> str:
    """The inverse of the relation, if the sentence states that: the value and entity exchanged."""
    text = " ".join(words)
    for relation in relations:
        name = " ".join(normalised(relation)) if relation else ""
        noun = name.removesuffix(" of")
        if not noun or " of " in noun or _SAME_BOTH_WAYS & set(noun.split(" ")):
            continue
        if noun.split(" ")[-1] in _PARTICLES:
            continue
        noun_pattern = re.escape(noun)
        to_entity = (
            rf"\bE is {noun_pattern} of V\b|^{noun_pattern} of V is E\b|^V's {noun_pattern} is E\b"
        )
        to_value = (
            rf"\bV is {noun_pattern} of E\b|^{noun_pattern} of E is V\b|^E's {noun_pattern} is V\b"
        )
        wrong = to_value if name.endswith(" of") else to_entity
        right = to_entity if name.endswith(" of") else to_value
        if re.search(wrong, text) and not re.search(right, text):
            return inverse_name(name)
    return ""
