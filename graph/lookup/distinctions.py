"""What makes two names differ however alike they are: numbers, numerals, ordinals, initials, codes.

"Apollo 11" is not "Apollo 12", "Louis XVIII" is not "Louis XVI", and "J. Hollin" is not
"K. Hollin". A candidate that differs so is a runner-up of a lookup and never its answer.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from graph.core.names import plain

_TOKEN = re.compile(r"[^\W_]+(?:[.,](?=\d)\d+)*")
_ROMAN = re.compile(r"m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_LEADING_ZEROS = re.compile(r"^0+(?=\d)")


def _numbered(words: str) -> dict[str, str]:
    return {word: str(value) for value, word in enumerate(words.split())}


_NUMBERS = _numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
) | _numbered(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_JOINING = frozenset("aeouy")  # words of one letter, where they are in lower case
_CODE = 4  # letters of a short code, at most


@lru_cache(maxsize=65536)
def _tokens(name: str) -> tuple[tuple[str, str], ...]:
    """The words of a name in plain letters, each with its number, initial or code, or ""."""
    shouted = name.isupper() and len(name) > _CODE
    found = []
    for place, match in enumerate(_TOKEN.finditer(name)):
        text, word = match[0], plain(match[0])
        before = name[match.start() - 1] if match.start() else ""
        after = name[match.end() : match.end() + 1]
        found.append((word, _mark(text, word, place, before, after, shouted)))
    return tuple(found)


def _mark(text: str, word: str, place: int, before: str, after: str, shouted: bool) -> str:
    if ordinal := _ORDINAL.fullmatch(word):
        return _LEADING_ZEROS.sub("", ordinal[1])
    if any(c.isdigit() for c in word):
        return _LEADING_ZEROS.sub("", word.replace(",", ""))
    if word in _NUMBERS:
        return _NUMBERS[word]
    if len(word) == 1:
        if before in ("'", "’") or after in ("'", "’") or (word in _JOINING and text.islower()):
            return ""
        if word == "a" and after != ".":
            return ""
        if place and after != "." and word in "ivx":
            return str(_ROMAN_VALUES[word])
        return word if word.isalpha() else ""
    if (text.isupper() or (place and text.islower())) and _ROMAN.fullmatch(word):
        return str(_roman(word))
    if text.isupper() and len(word) <= _CODE and not shouted:
        return word
    return ""


def _roman(word: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in word]
    return sum(
        -value if value < max(values[place:]) else value for place, value in enumerate(values)
    )


def are_different(asked: str, name: str) -> bool:
    """Whether what differs between two names is a number, an ordinal, an initial or a short code.

    Words that both have do not count, so "Jet Li" and "Jet Li" agree, and a numeral is the same in
    any spelling: "World War 2" and "World War II".

    >>> are_different("Apollo 12", "Apollo 11"), are_different("Louis xviii", "Louis XVI")
    (True, True)
    >>> are_different("J. Hollin", "Hollin"), are_different("World War 2", "World War II")
    (True, False)
    >>> are_different("Albrt Einstein", "Albert Einstein")
    False
    """
    ours, theirs = Counter(_tokens(asked)), Counter(_tokens(name))
    ours_words, theirs_words = (
        Counter(w for w, _ in ours.elements()),
        Counter(w for w, _ in theirs.elements()),
    )
    common = ours_words & theirs_words
    return _left(ours, common) != _left(theirs, common)


def _left(tokens: Counter[tuple[str, str]], common: Counter[str]) -> Counter[str]:
    """The marks of the words that are not common to both names."""
    rest, marks = Counter(common), Counter[str]()
    for word, mark in tokens.elements():
        if rest[word]:
            rest[word] -= 1
        elif mark:
            marks[mark] += 1
    return marks
