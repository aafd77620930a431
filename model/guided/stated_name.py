"""The name of a relation in a sentence, spelt as the graph spells it.

A small model that looks `roomLocation` up may begin to write "The room location of" and end
in a word that it knows better: "The room language of". So once a text has begun the name of the
relation that it has just looked up, right after an article, it writes the name to its end. The same
holds for the names of a list, of which a text without an answer says what one may ask about; there
the first word is one of theirs, too. An inflected form is the model's own: "its largest cities".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from graph.lookup.relevance import readable
from model.guided.trie import NameTrie, Path

NO_END = -1  # no token ends a name in a sentence
_READ = 16  # tokens at the end of a text in which a name may have begun
_STEM = 3  # letters that begin a name, and that an inflected form shares with a word
_BEFORE = re.compile(r"(?:^|[\s,;])(?:the|its|their|his|her)$|\w['’]s$|s['’]$", re.I)
_LISTED = re.compile(r"(?:^|[\s,;])its$", re.I)


@lru_cache(maxsize=4096)  # asked for at every token of a sentence
def spellings(relation: str) -> tuple[str, ...]:
    """How a sentence may write a relation's name, its own spelling first.

    >>> spellings("roomLocation"), spellings("Boat Captain")
    (('roomLocation', 'room location'), ('Boat Captain', 'boat Captain', 'boat captain'))
    """
    words = readable(relation)
    forms = (relation, words, words[:1].lower() + words[1:], words.lower())
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
        if path and len("".join(texts[start:]).strip()) < _STEM:
            continue  # one letter may begin anything
        if trie.after(path) and _BEFORE.search("".join(texts[:start]).rstrip()):
            return path
    return None


def names_one(texts: Sequence[str]) -> bool:
    """Whether a text ends where the name of what may be asked about follows."""
    return _LISTED.search("".join(texts[-_READ:]).rstrip()) is not None


def is_inflected(written: str, name: str) -> bool:
    """Whether the last word that was written is another form of the one in its place in a name.

    >>> is_inflected("largest cities", "largest city"), is_inflected("public hol", "public facing")
    (True, False)
    """
    words, others = written.lower().split(), name.lower().split()
    if not words or len(words) > len(others):
        return False
    word, other = words[-1], others[len(words) - 1]
    return len(word) >= _STEM and other.startswith(word[:_STEM])
