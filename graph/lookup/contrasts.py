"""Relations that meaning or spelling brings near to each other, and that are not the same.

An encoder finds opposites alike ("start date" and "end date"), and one letter turns a word into
another ("mayor city", "major city"). A relation that contrasts so with a phrase is not its answer.
"""

from __future__ import annotations

from collections import Counter

from rapidfuzz.distance import OSA

from graph.lookup.distinctions import are_different
from graph.lookup.english import american, is_english, is_form
from graph.lookup.spelling import words_of

_GROUPS = (
    "start end",
    "begin end",
    "first last",
    "opening closing",
    "import export",
    "predecessor successor",
    "previous next",
    "preceding following",
    "latitude longitude elevation",
    "latitude longitude altitude",
    "maximum minimum average total",
    "maximum minimum mean total",
    "maximum minimum median total",
    "highest lowest",
    "largest smallest",
    "longest shortest",
    "oldest youngest",
    "boiling melting freezing flash",
    "atomic molar molecular",
    "mass volume charge",
    "height weight length width depth",
    "area population",
    "buyer seller",
    "winner loser",
    "employer employee occupation",
    "teacher student",
    "advisor student",
    "author editor translator illustrator publisher",
    "director producer screenwriter composer lyricist",
    "mother father parent child son daughter",
    "brother sister",
    "husband wife",
    "uncle aunt",
    "birth death burial baptism residence citizenship",
    "birthplace burial residence",
    "received given",
    "north south east west",
    "father grandfather",
    "mother grandmother",
    "male female",
    "head assistant vice deputy",
    "mass number weight",
    "home away",
    "city state county province",
    "city county province country",
    "upper lower",
    "left right",
    "before after",
    "origin destination",
    "source mouth",
    "arrival departure",
    "cause effect",
    "debut finale",
)
_SIDES: dict[str, set[int]] = {}
for _number, _words in enumerate(_GROUPS):
    for _word in _words.split():
        _SIDES.setdefault(_word, set()).add(_number)
_RANKS = frozenset(("vice", "deputy", "assistant", "associate", "former", "acting", "co", "sub"))
_AGENTS = ("er", "or", "ist", "ian")
_SHARED = 4  # letters of the stem that two words share


def contrasts(asked: str, relation: str) -> bool:
    """Whether a relation is another than the one asked for, however near they seem.

    >>> contrasts("end date", "start date"), contrasts("mayor city", "major city")
    (True, True)
    >>> contrasts("vice president", "president"), contrasts("painting", "painter")
    (True, True)
    >>> contrasts("date of birth", "birth date"), contrasts("national color", "national colour")
    (False, False)
    """
    if are_different(asked, relation):
        return True
    ours, theirs = Counter(words_of(asked)), Counter(words_of(relation))
    ours, theirs = ours - theirs, theirs - ours
    if _RANKS.issuperset({*ours, *theirs}) and ours != theirs:
        return True
    sides = [{side for word in words for side in _SIDES.get(word, ())} for words in (ours, theirs)]
    if sides[0] & sides[1]:
        return True
    if ours.total() != 1 or theirs.total() != 1:
        return False
    return _is_another(*ours, *theirs)


def _is_another(one: str, other: str) -> bool:
    """Whether one word stands where the other would, is alike, and is a word of its own."""
    if american(one) == american(other) or not is_english(one) or is_form(one, other):
        return False
    if one.endswith(_AGENTS) != other.endswith(_AGENTS) and not one.endswith("ed"):
        return _common(one, other) >= _SHARED and is_english(other) and not other.endswith("ed")
    most = 0 if min(len(one), len(other)) < 3 else 1 if len(one) < 6 else 2
    return OSA.distance(one, other, score_cutoff=most) <= most


def _common(one: str, other: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


def is_other_form(asked: str, relation: str) -> bool:
    """Whether two phrases differ only in the form of a word, such as "capitals" and "capital"."""
    ours, theirs = Counter(words_of(asked)), Counter(words_of(relation))
    ours, theirs = ours - theirs, theirs - ours
    return ours.total() == theirs.total() == 1 and is_form(*ours, *theirs)
