"""Words that there are: a small model ends a rare one in letters that it likes better.

It looks `Bellamy` up and writes "Mrelephone"; it knows "karted" as little as the reader. So in a
guided text each word in lower case is English, or stands in the prompt or in a lookup; and a value
that was begun is not continued by another word's letters. Where the likeliest token breaks this,
the likeliest that keeps to it is written instead. The same goes for a value or a name that would be
said twice in a row, because a small model may not find past it: "Stretcher A Stretcher A ...". And
no digits follow a word's letters, unless the prompt or a lookup has them so: "planted yr97".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from graph.lookup.english import begins_english, is_english
from graph.lookup.relevance import readable

MOST_TRIED = 12  # tokens, before the likeliest is written after all
_READ = 24  # tokens at the end of a text in which a value may have begun
_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 2  # letters of a word that is checked
_CODE = re.compile(r"[^\W\d_]\d")  # letters and then digits, as in "VK117"
_RUN = re.compile(r"[^\W_]+")


class WordCheck:
    """The words of one prompt and its lookups."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._known: set[str] = set()
        self._given: set[str] = set()
        for text in texts:
            self._known.update(_WORD.findall(text.lower()))
            self._known.update(_WORD.findall(readable(text).lower()))
            self._given.update(_RUN.findall(text.lower()))

    def breaks(self, text: str, piece: str, *, in_value: bool = False) -> bool:
        """Whether a text's last word, or the next one, becomes one that there is not.

        Args:
            text: what is written.
            piece: what a token adds.
            in_value: the text ends in the beginning of a value, whose capitals count too.
        """
        begun = _last(_WORD, text)
        written = begun + piece
        for word in _WORD.finditer(written):
            letters, ends = word[0], word.end() < len(written)
            checked = letters[0].islower() or (in_value and word.start() < len(begun))
            if checked and len(letters) >= _SHORTEST and not self._there(letters.lower(), ends):
                return True
        return piece[:1].isdigit() and self._no_code(_last(_RUN, text) + piece)

    def is_given(self, beginning: str) -> bool:
        """Whether a word or number of the prompt or a lookup begins so."""
        return any(word.startswith(beginning.lower()) for word in self._given)

    def _no_code(self, written: str) -> bool:
        """Whether digits follow letters as in no code that was given."""
        run = _RUN.match(written.lower())
        if run is None or not _CODE.search(run[0]):
            return False
        if run.end() < len(written):
            return run[0] not in self._given
        return not self.is_given(run[0])

    def _there(self, word: str, ends: bool) -> bool:
        if ends:
            return word in self._known or is_english(word)
        return any(known.startswith(word) for known in self._known) or begins_english(word)


def says_twice(ids: Sequence[int], token: int, values: Sequence[Sequence[int]]) -> bool:
    """Whether a token begins a value again that the text has just ended in.

    >>> says_twice([4, 8, 9], 8, [[8, 9]]), says_twice([8, 9, 4], 8, [[8, 9]])
    (True, False)
    """
    return any(
        token == value[0] and list(ids[-len(value) :]) == list(value) for value in values if value
    )


def begun_value(ids: Sequence[int], values: Sequence[Sequence[int]]) -> tuple[int, int] | None:
    """Which value a text ends in the beginning of, and of how many tokens; None if none.

    Args:
        ids: of the tokens since the last lookup.
        values: the ids of each value.
    """
    for length in range(min(len(ids), _READ), 0, -1):
        tail = list(ids[-length:])
        for place, value in enumerate(values):
            if length < len(value) and list(value[:length]) == tail:
                return place, length
    return None


def _last(kind: re.Pattern[str], text: str) -> str:
    """The run of characters of a kind that a text ends in."""
    end = len(text)
    while end and kind.fullmatch(text[end - 1]):
        end -= 1
    return text[end:]
