"""The name of a relation in a sentence, spelt as the graph spells it.

A small model that looks `roomLocation` up may begin to write "The room location of" and end
in a word that it knows better: "The room language of". So once a text has begun the name of the
relation that it has just looked up, right after an article, it writes the name to its end. The same
holds for the names of a list, of which a text without an answer says what one may ask about; there
the first word is one of theirs, too. So it is at the beginning of a sentence where the model is
unsure: it knows no word for `Cask Price`, and would write "The perforation of". An inflected form
is the model's own: "its largest cities".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from graph.core.names import fold
from graph.lookup.relevance import readable, word_set
from model.guided.trie import NameTrie, Path

_LINKS = word_set("at by for from in into of on since to until with")
NO_END = -1  # no token ends a name in a sentence
_SURE = 0.9  # probability of a first word that is not the name's, at least
_SURE_OF_A_VERB = 0.3  # the same for names such as "written by", of which a sentence makes nouns
_READ = 16  # tokens at the end of a text in which a name may have begun
_STEM = 3  # letters that begin a name, and that an inflected form shares with a word, at least
_ENDING = 2  # letters in which the shorter of two forms may differ, if it has more than a stem
_POSSESSIVE = re.compile(r"\w['’]s$|s['’]$", re.I)
_BEFORE = re.compile(rf"(?:^|[\s,;])(?:the|its|their|his|her)$|{_POSSESSIVE.pattern}", re.I)
_OPENING = re.compile(
    r"\s*(?:(?:yes|no)[.,]\s+)?(?:the|its|his|her|their|(?P<name>.+)['’]s?)", re.I
)
_LISTED = re.compile(r"(?:^|[\s,;])its$", re.I)


@lru_cache(maxsize=4096)  # asked for at every token of a sentence
def spellings(relation: str) -> tuple[str, ...]:
    """How a sentence may write a relation's name, its own spelling first.

    >>> spellings("roomLocation"), spellings("Boat Captain"), spellings("GP")
    (('roomLocation', 'room location'), ('Boat Captain', 'boat Captain', 'boat captain'), ('GP',))
    """
    words = readable(relation)
    lower = [word if word.isupper() and len(word) > 1 else word.lower() for word in words.split()]
    forms = (relation, words, " ".join([*lower[:1], *words.split()[1:]]), " ".join(lower))
    return tuple(dict.fromkeys(forms))


def begun_name(ids: Sequence[int], texts: Sequence[str], trie: NameTrie) -> Path | None:
    """The beginning of a name that a text ends in; () right after an article; None elsewhere.

    Args:
        ids: of the tokens since the last lookup.
        texts: of the same tokens.
        trie: the names, of which `NO_END` is the end.
    """
    for start in range(len(ids), max(0, len(ids) - _READ) - 1, -1):
        path = tuple(ids[start:])
        before = "".join(texts[:start])
        opening = _OPENING.fullmatch(before) or names_one(texts[:start])
        if path and not is_begun(texts[start:]) and not opening:
            continue  # one letter may begin anything
        if trie.after(path) and _BEFORE.search(before):
            return path
    return None


def is_begun(texts: Sequence[str]) -> bool:
    """Whether the letters written say that a name was begun: one or two may begin anything."""
    return len("".join(texts).strip()) >= _STEM


def begins_word(begun: str, piece: str) -> bool:
    """Whether a token begins a word, or goes on with the letter or two that were written."""
    return (begun != "" or piece[:1].isspace()) and piece.strip()[:1].isalpha()


def names_one(texts: Sequence[str]) -> bool:
    """Whether a text ends where the name of what may be asked about follows."""
    return _LISTED.search("".join(texts[-_READ:]).rstrip()) is not None


def is_listed(relation: str, text: str) -> bool:
    """Whether a text has named a relation among those that one may ask about.

    >>> is_listed("Ring Size", "its ring size, its "), is_listed("Ring", "its ring size")
    (True, False)
    """
    named = "|".join(map(re.escape, spellings(relation)))
    return re.search(rf"\bits (?:{named})(?=[,.]|\s+(?:and|or)\b)", text) is not None


def opens_statement(texts: Sequence[str], entity: str) -> bool:
    """Whether a text is the beginning of a sentence in which the relation's name follows.

    >>> opens_statement([" No.", " The"], "Van 7"), opens_statement([" Van", " 7", "'s"], "Van 7")
    (True, True)
    """
    opening = _OPENING.fullmatch("".join(texts).rstrip()) if len(texts) <= _READ else None
    if opening is None:
        return False
    return opening["name"] is None or fold(opening["name"]) == fold(entity)


def is_sure(probability: float, texts: Sequence[str], relation: str) -> bool:
    """Whether a model that does not begin with a relation's name knows what it is doing.

    >>> is_sure(0.5, [" The"], "written by"), is_sure(0.5, [" The"], "cask price")
    (True, False)
    """
    of_somebody = _POSSESSIVE.search("".join(texts).rstrip())  # "Jaws's written by: Peter Benchley"
    verb = not of_somebody and not _LINKS.isdisjoint(readable(relation).lower().split()[-1:])
    return probability >= (_SURE_OF_A_VERB if verb else _SURE)


def is_inflected(written: str, name: str) -> bool:
    """Whether the last word that was written is another form of the one in its place in a name.

    >>> is_inflected("largest cities", "largest city"), is_inflected("director", "directed by")
    (True, True)
    >>> is_inflected("public hol", "public facing"), is_inflected("program", "problem")
    (False, False)
    """
    words, others = written.lower().split(), name.lower().split()
    if not words or len(words) > len(others):
        return False
    word, other = words[-1], others[len(words) - 1]
    shorter = min(len(word), len(other))
    return word[:_STEM] == other[:_STEM] and word[: shorter - _ENDING] == other[: shorter - _ENDING]
