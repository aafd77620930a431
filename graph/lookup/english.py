"""Whether a word is a word of English: then it is not taken for a misspelling of another.

The list is graph/data/english_words.txt.gz: 63,715 words of WordNet 3.1 (see NOTICE) that are not
names, 197 kB packed. Regular forms, the commonest irregular ones and function words count too.
"""

from __future__ import annotations

import bisect
import gzip
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from graph.lookup.relevance import word_set

_LIST = Path(__file__).parents[1] / "data" / "english_words.txt.gz"
_ENDINGS = (
    ("ies", "y"),
    ("ied", "y"),
    ("es", ""),
    ("es", "e"),
    ("s", ""),
    ("ed", ""),
    ("ed", "e"),
    ("d", ""),
    ("ing", ""),
    ("ing", "e"),
    ("er", ""),
    ("er", "e"),
    ("ly", ""),
)
_OTHERS = word_set(
    "a about above across after against all along also am among an and any anyone anything are "
    "around as at be became because been before began begun behind being below beneath between "
    "beyond born bought brought built but by came can cannot caught children chosen could dealt "
    "did do does done down drawn dreamt driven due during each eaten either else ever every "
    "fallen fed feet felt few flew for fought found from frozen gave given goes gone got had has "
    "have he held her here hers hidden him his how if in into is it its kept knew known laid lain "
    "lay led left lent less lost made many me meant men met mice might mine more most must my "
    "neither nor not nothing of off on once onto or other ought our out over own paid past per "
    "quite ran ridden risen run said sang sat saw seen sent shall she should shown since slept so "
    "sold some someone something spent spoke spoken stood such sung sworn taken taught teeth than "
    "that the their them then there these they this those through thrown till to too took torn "
    "toward under until up upon us was we went were what when where which while who whom whose "
    "will with within without woke women won worn would written wrote yet you your"
)


_AMERICAN = (
    (r"our(?=s?$|ed$|ing$|ite|able)", "or"),
    (r"(?<=[bt])re(?=s?$)", "er"),
    (r"is(?=ations?$|e[ds]?$|ing$)", "iz"),
    (r"ys(?=e[ds]?$|ing$)", "yz"),
    (r"(?<=[fc])ence(?=s?$)", "ense"),
    (r"ogue(?=s?$)", "og"),
    (r"amme(?=s?$)", "am"),
    (r"ll(?=e[dr]s?$|ing$)", "l"),
)


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    with gzip.open(_LIST, "rt", encoding="utf-8") as file:
        return frozenset(file.read().split())


def american(word: str) -> str:
    """A word of more than four letters as it is spelt in America, for comparing; or nearly so.

    >>> american("colour"), american("centre"), american("organisation"), american("kilometre")
    ('color', 'center', 'organization', 'kilometer')
    """
    if len(word) < 5:
        return word
    return next((re.sub(end, to, word) for end, to in _AMERICAN if re.search(end, word)), word)


@lru_cache(maxsize=65536)
def is_english(word: str) -> bool:
    """Whether a word in lower case is in the list, or a regular form of one that is.

    >>> is_english("king"), is_english("countries"), is_english("cuntry")
    (True, True, False)
    """
    known = _words()
    if word in known or word in _OTHERS:
        return True
    for ending, instead in _ENDINGS:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            if len(stem) > 2 and stem + instead in known:
                return True
            doubled = len(stem) > 3 and stem[-1] == stem[-2] and ending in ("ed", "ing", "er")
            if doubled and stem[:-1] in known:  # running, stopped
                return True
    return False


@lru_cache(maxsize=65536)
def begins_english(letters: str) -> bool:
    """Whether a word of the list, or a regular form of one, begins with some letters.

    >>> begins_english("runn"), begins_english("carri"), begins_english("kart")
    (True, True, False)
    """
    known = _in_order()
    place = bisect.bisect_left(known, letters)
    if (place < len(known) and known[place].startswith(letters)) or is_english(letters):
        return True
    if any(word.startswith(letters) for word in _OTHERS):
        return True
    return any(
        letters[3:].endswith(ending[:length]) and is_english(letters[:-length] + instead)
        for ending, instead in _ENDINGS
        for length in range(1, len(ending) + 1)
    )


@lru_cache(maxsize=1)
def _in_order() -> Sequence[str]:
    return sorted(_words())


def is_form(one: str, other: str) -> bool:
    """Whether one word is a plural, a past or the like of the other."""
    if len(one) == len(other):
        return False
    short, long = sorted((one, other), key=len)
    endings = ("s", "es", "d", "ed", "ing", "'s", "ly", "al")
    return any(long in (short + end, short.removesuffix("e") + end) for end in endings)
