"""Near spellings: the words and trigrams of names, and how similar two names are.

Each store finds candidates in its own way (`TripletStore.candidates`). Their similarity to what was
asked is measured here for all stores, so that they agree on the best one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import product

from rapidfuzz.distance import OSA

from graph.core.facts import Entity
from graph.core.names import plain, transliterated
from graph.lookup.distinctions import are_different

MOST_WORDS = 12  # words of a name that are compared
SHORTEST = 4  # letters; shorter words are not guessed, because too many differ by one letter

_WORD = re.compile(r"[^\W_]+")
_DIGRAPH = re.compile(r"ae|oe|ue|aa|dj")  # of the letters that transliteration gives one
_QUALIFIER = re.compile(r"\s*\([^()]*\)$")
_REORDERED = 0.98  # factor for the same words in another order
_UNQUALIFIED = 0.99  # factor for a name without its qualifier
_OTHER_NUMBER = 0.74  # at most, of names with different numbers: Apollo 11 is not Apollo 12


@lru_cache(maxsize=65536)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name: letters and digits, folded, without accents.

    >>> words_of("São Paulo (city)")
    ('sao', 'paulo', 'city')
    """
    return tuple(_WORD.findall(plain(name)))


def bag_of(words: Iterable[str]) -> str:
    """The words in alphabetical order, as one string: equal for names with reordered words."""
    return " ".join(sorted(words))


def grams_of(word: str) -> list[str]:
    """The trigrams of a word with a space on each side, without repetitions.

    >>> grams_of("oslo")
    [' os', 'osl', 'slo', 'lo ']
    """
    padded = f" {word} "
    return list(dict.fromkeys(padded[i : i + 3] for i in range(len(padded) - 2)))


SHORT = 4  # letters of a word whose first one decides


def most_edits(word: str) -> int:
    """How many wrong letters still make a word a misspelling of another."""
    return 0 if len(word) < SHORTEST else 1 if len(word) < 8 else 2


def exchanged(word: str) -> list[str]:
    """Every word that results from swapping two adjacent letters; none for a very short word.

    A swap leaves a short word with hardly a trigram in common, so these are looked up instead.

    >>> exchanged("myaa")
    ['ymaa', 'maya']
    """
    if len(word) < SHORTEST:
        return []
    ways = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))
    return [way for way in dict.fromkeys(ways) if way != word]


def both_spellings(name: str) -> set[tuple[str, ...]]:
    """The words of a name, and those of its other spelling where letters have one."""
    return {words_of(name), tuple(_WORD.findall(transliterated(name)))}


def other_spellings(name: str, words: Sequence[str]) -> dict[str, list[str]]:
    """For the words of a name, what they are in the other spelling of letters such as ü and å.

    >>> other_spellings("Muenchen", words_of("Muenchen"))
    {'muenchen': ['munchen']}
    >>> other_spellings("Göthe", words_of("Göthe"))
    {'gothe': ['goethe']}
    """
    found: dict[str, list[str]] = {}
    spelt_out = _WORD.findall(transliterated(name))
    for place, word in enumerate(words):
        ways = [_DIGRAPH.sub(lambda match: match[0][0], word)]
        ways += (word[: m.start() + 1] + word[m.end() :] for m in _DIGRAPH.finditer(word))
        if len(spelt_out) == len(words):
            ways.append(spelt_out[place])
        if others := [way for way in dict.fromkeys(ways) if way != word]:
            found[word] = others
    return found


def alike(one: str, other: str) -> bool:
    """Whether two names differ only in case, accents, and how special letters are written.

    >>> alike("Muenchen", "München"), alike("Lodz", "Łódź"), alike("Lodz", "Lods")
    (True, True, False)
    """
    if plain(one) == plain(other):
        return True
    ways = {plain(one), transliterated(one)}
    return not ways.isdisjoint((plain(other), transliterated(other)))


def near_words(word: str, known: Iterable[str], most: int = 5) -> list[str]:
    """The known words that `word` may be a misspelling of, nearest first."""
    bound = most_edits(word)
    near = [
        (OSA.distance(word, other, score_cutoff=bound), other[:1] != word[:1], other)
        for other in known
    ]
    return [other for distance, _, other in sorted(near) if distance <= bound][:most]


def bags(options: Sequence[Sequence[str]], most: int = 64) -> list[str]:
    """The bags of words that a name may stand for, given the options for each word; best first."""
    chosen: dict[str, None] = {}
    # The sum of the options' places says how far a choice is from the best one.
    ranked = sorted(product(*(range(len(words[:5])) for words in options[:6])), key=sum)
    rest = [words[0] for words in options[6:]]
    for places in ranked[:most]:
        words = [options[i][place] for i, place in enumerate(places)]
        chosen[bag_of([*words, *rest])] = None
    return list(chosen)


def likeness(asked: str, name: str) -> float:
    """The similarity of a name and what was asked, from 0 to 1; 1 if they are `alike`.

    One minus the share of differing letters, by the optimal string alignment distance, in which a
    swap of adjacent letters counts once. The words are compared in order and in alphabetical order.
    Names with different numbers, initials or codes mean different things, so they score less than
    any answer.
    """
    best = _likeness(asked, name)
    if "(" in name and "(" not in asked:
        best = max(best, _UNQUALIFIED * _likeness(asked, _QUALIFIER.sub("", name)))
    return best


def _likeness(asked: str, name: str) -> float:
    if alike(asked, name):
        return 1.0
    one, other = plain(asked), plain(name)
    ours, theirs = words_of(asked), words_of(name)
    score = OSA.normalized_similarity(one, other)
    score = max(score, OSA.normalized_similarity(" ".join(ours), " ".join(theirs)))
    reordered = OSA.normalized_similarity(bag_of(ours), bag_of(theirs))
    score = max(score, _REORDERED * reordered)
    another = are_different(asked, name) or _differ_in_a_short_word(ours, theirs)
    return min(score, _OTHER_NUMBER) if another else score


def _differ_in_a_short_word(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether names of several words differ in the first letter of a short word, and only there.

    A slip seldom hits a first letter: "Da Lang" is as little "Da Nang" as it is "Da Lat".
    """
    if len(ours) != len(theirs) or len(ours) < 2:
        return False
    pairs = [(one, other) for one, other in zip(ours, theirs, strict=True) if one != other]
    return len(pairs) == 1 and all(
        len(word) <= SHORT and one[:1] != other[:1] and one[1:] == other[1:]
        for one, other in pairs
        for word in (one, other)
    )


def near(
    asked: str, entities: Iterable[Entity], count_facts: Callable[[int], int]
) -> list[tuple[Entity, float]]:
    """Candidates with their similarity by name or alias, best first; of equals, the best known."""
    scored = {
        entity.id: (entity, max(likeness(asked, name) for name in (entity.name, *entity.aliases)))
        for entity in entities
    }
    ranked = sorted(scored.values(), key=lambda pair: (-pair[1], pair[0].id))
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:  # a count costs a query: only for ties
        best = ranked[0][1]
        tied = [pair for pair in ranked if pair[1] == best][:8]
        tied.sort(key=lambda pair: (-count_facts(pair[0].id), pair[0].id))
        ranked[: len(tied)] = tied
    return ranked
