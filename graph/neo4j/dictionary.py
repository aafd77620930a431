"""The dictionary of a Neo4j store: which words occur in names, and what a misspelt one may mean.

A fuzzy search goes through the words, not through the names, so it grows with the vocabulary.
Lucene's fuzzy search finds the words that a misspelt one may stand for, and a text index finds the
words that contain a part. Names are found by their words in alphabetical order (their bag).
Only a purge removes words: one that no name has any more still counts as known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graph.lookup.spelling import exchanged, most_edits, near_words

Rows = Callable[..., list[list[Any]]]
_MOST_SHARING = 60  # known words that are compared with a misspelt one, letter by letter
_MOST_HOLDING = 40  # known words that hold what was typed
_SYNTAX = re.compile(r'([+\-!(){}\[\]^"~*?:\\/&|<>=])')


def lucene(word: str) -> str:
    r"""A word as Lucene's query parser takes it for itself: nothing in it is syntax.

    >>> print(lucene("ac/dc"))
    ac\/dc
    """
    word = _SYNTAX.sub(r"\\\1", word)
    return word.lower() if word in ("AND", "OR", "NOT") else word


def all_of(chosen: Sequence[Sequence[str]]) -> str:
    """A query for names that have one word of each group."""
    return " ".join("+(" + " ".join(map(lucene, words)) + ")" for words in chosen)


def known(rows: Rows, words: Iterable[str]) -> set[str]:
    """Those of the words that occur in some name."""
    found = rows("MATCH (w:Word) WHERE w.text IN $words RETURN w.text", words=list(set(words)))
    return {word for (word,) in found}


def options(rows: Rows, words: Sequence[str]) -> dict[str, list[str]]:
    """Each word itself if some name has it, or else the known ones it may misspell."""
    there = known(rows, words)
    chosen = {word: [word] if word in there else [] for word in words}
    slips = {word: most_edits(word) for word in words if word not in there}
    if any(slips.values()):
        found = rows(
            """UNWIND $words AS word
            CALL (word) {
                CALL db.index.fulltext.queryNodes('word_near', word[1], {limit: $most})
                YIELD node RETURN collect(node.text) AS near
            }
            RETURN word[0], near""",
            words=[[word, f"{lucene(word)}~{edits}"] for word, edits in slips.items() if edits],
            most=_MOST_SHARING,
        )
        there = known(rows, (way for word in slips for way in exchanged(word)))
        for word, near in found:
            ways = there.intersection(exchanged(word))
            chosen[word] = near_words(word, ways.union(near))
    return chosen


def holding(rows: Rows, words: Sequence[str]) -> dict[str, list[str]]:
    """For each word the known ones that have it within them, the shorter first."""
    found = rows(
        """UNWIND $words AS word
        CALL (word) {
            MATCH (w:Word) WHERE size(word) >= 3 AND w.text CONTAINS word
            RETURN w.text AS text ORDER BY size(text), text LIMIT $most
        }
        RETURN word, collect(text)""",
        words=list(dict.fromkeys(words)),
        most=_MOST_HOLDING,
    )
    there = dict(map(tuple, found))
    return {word: there.get(word, []) for word in words}
