"""Near spellings: the words and trigrams of names, and how much two names are alike.

A store finds candidates its own way (`TripletStore.candidates`); how near each is to what was
asked is measured here, the same for all, so that stores agree on the first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import product

from rapidfuzz.distance import OSA

from graph.core.facts import Entity
from graph.core.names import plain

MOST_WORDS = 12  # words of a name that are looked at
SHORTEST = 4  # letters below which a word is not guessed at: too many are one letter apart

_WORD = re.compile(r"[^\W_]+")
_QUALIFIER = re.compile(r"\s*\([^()]*\)$")
_ROMAN = re.compile(r"[ivx]+")
_REORDERED = 0.98  # what the same words in another order are worth
_UNQUALIFIED = 0.99  # what a name is worth whose qualifier was left out
_OTHER_NUMBER = 0.5  # what is left of a likeness where a number differs: Apollo 11 is not 12


@lru_cache(maxsize=65536)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name: letters and digits, folded, without accents.

    >>> words_of("São Paulo (city)")
    ('sao', 'paulo', 'city')
    """
    return tuple(_WORD.findall(plain(name)))


def bag_of(words: Iterable[str]) -> str:
    """The words in alphabetical order, as one string: the same for any order of them."""
    return " ".join(sorted(words))


def grams_of(word: str) -> list[str]:
    """The trigrams of a word with a space on either side, each once.

    >>> grams_of("oslo")
    [' os', 'osl', 'slo', 'lo ']
    """
    padded = f" {word} "
    return list(dict.fromkeys(padded[i : i + 3] for i in range(len(padded) - 2)))


def most_edits(word: str) -> int:
    """How many letters may be wrong in a word for it to be taken for a slip."""
    return 0 if len(word) < SHORTEST else 1 if len(word) < 8 else 2


def exchanged(word: str) -> list[str]:
    """The word with two neighbouring letters exchanged, each way to do so; none if it is short.

    A short word has hardly a trigram left after such a slip, and is then found by looking.

    >>> exchanged("myaa")
    ['ymaa', 'maya']
    """
    if len(word) < SHORTEST:
        return []
    ways = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))
    return [way for way in dict.fromkeys(ways) if way != word]


def near_words(word: str, known: Iterable[str], most: int = 5) -> list[str]:
    """Of the known words those that `word` may be a slip of, nearest first."""
    bound = most_edits(word)
    near = [
        (OSA.distance(word, other, score_cutoff=bound), other[:1] != word[:1], other)
        for other in known
    ]
    return [other for distance, _, other in sorted(near) if distance <= bound][:most]


def bags(options: Sequence[Sequence[str]], most: int = 64) -> list[str]:
    """The bags of words that a name may have meant, given each word's options, best first."""
    chosen: dict[str, None] = {}
    # The places of the options sum to how far a choice is from the best one.
    ranked = sorted(product(*(range(len(words[:5])) for words in options[:6])), key=sum)
    rest = [words[0] for words in options[6:]]
    for places in ranked[:most]:
        words = [options[i][place] for i, place in enumerate(places)]
        chosen[bag_of([*words, *rest])] = None
    return list(chosen)


def likeness(asked: str, name: str) -> float:
    """How much a name is like what was asked, from 0 to 1; 1 where only case and accents differ.

    One minus the share of letters that differ (an exchange of neighbours counts once; Damerau's
    distance between non-overlapping edits), in the order asked or in alphabetical order of words.
    Names whose numbers differ are different things, however few letters that is.
    """
    best = _likeness(asked, name)
    if "(" in name and "(" not in asked:
        best = max(best, _UNQUALIFIED * _likeness(asked, _QUALIFIER.sub("", name)))
    return best


def _likeness(asked: str, name: str) -> float:
    one, other = plain(asked), plain(name)
    if one == other:
        return 1.0
    ours, theirs = words_of(asked), words_of(name)
    score = OSA.normalized_similarity(one, other)
    score = max(score, OSA.normalized_similarity(" ".join(ours), " ".join(theirs)))
    reordered = OSA.normalized_similarity(bag_of(ours), bag_of(theirs))
    score = max(score, _REORDERED * reordered)
    if _numbers(ours) != _numbers(theirs):
        score *= _OTHER_NUMBER
    return score


def _numbers(words: Sequence[str]) -> Counter[str]:
    """The words that tell one of a row from another: with a digit, or Roman."""
    return Counter(
        word
        for place, word in enumerate(words)
        if any(c.isdigit() for c in word) or (place and _ROMAN.fullmatch(word))
    )


def near(
    asked: str, entities: Iterable[Entity], count_facts: Callable[[int], int]
) -> list[tuple[Entity, float]]:
    """Candidates with their likeness by name or alias, best first, then the best known."""
    scored = {
        entity.id: (entity, max(likeness(asked, name) for name in (entity.name, *entity.aliases)))
        for entity in entities
    }
    ranked = sorted(scored.values(), key=lambda pair: (-pair[1], pair[0].id))
    if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:  # counting costs: only a tie pays
        best = ranked[0][1]
        tied = [pair for pair in ranked if pair[1] == best][:8]
        tied.sort(key=lambda pair: (-count_facts(pair[0].id), pair[0].id))
        ranked[: len(tied)] = tied
    return ranked
