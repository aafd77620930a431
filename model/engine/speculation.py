"""Guessing what comes next, so that one forward pass can confirm several tokens.

A text with lookups repeats itself: each lookup names the entity again, and the text states a value
right after it was returned; after an edit, most of the old text comes again. The decoder feeds a
guess along with the last token, and keeps as much of it as the model would have chosen itself. So
the text is the same with and without guesses; only the number of passes differs (speculative
decoding, arXiv 2211.17192, with the text itself in place of a draft model).
"""

from __future__ import annotations

from collections.abc import Sequence

from model.roles import MarkerIds

MAX_GUESS = 8  # tokens
RESYNC_WINDOW = 96  # tokens of the expected text to search after the text has deviated from it


class Guesser:
    """Follows one text and guesses how it goes on."""

    def __init__(self, markers: MarkerIds) -> None:
        self._markers = markers
        self._ids: list[int] = []
        self._continuations: dict[tuple[int, ...], int] = {}  # n-gram -> index of what followed
        self._value: list[int] = []  # the last value returned
        self.expect(())

    def expect(self, ids: Sequence[int]) -> None:
        """From here on, the text may repeat these tokens of an earlier one."""
        self._expected, self._place, self._diverged = list(ids), 0, False

    def follow(self, ids: Sequence[int]) -> None:
        """Record tokens that were written."""
        for token in ids:
            for length in (1, 3):
                self._continuations[tuple(self._ids[-length:])] = len(self._ids)
            self._ids.append(token)
            if token == self._markers.end:
                self._value = self._last_value()
            self._find_place(token)

    def guess(self) -> list[int]:
        """The next tokens, at most `MAX_GUESS`; empty where there is no basis for a guess."""
        after_value = self._markers.end in self._ids[-2:]  # at once, or after an article
        if after_value and self._value and self._ids[-1] not in self._value:
            return self._value[:MAX_GUESS]
        if self._place < len(self._expected) and not self._diverged:
            return self._expected[self._place : self._place + MAX_GUESS]
        for length in (3, 1):  # a single word is wrong too often, except after a marker
            if length == 1 and self._ids[-1:] != [self._markers.entity]:
                break
            start = self._continuations.get(tuple(self._ids[-length:]))
            if start is not None:
                return self._ids[start : start + MAX_GUESS]
        return []

    def _last_value(self) -> list[int]:
        end = len(self._ids) - 1
        start = end - 1
        while start >= 0 and self._ids[start] not in self._markers.as_tuple():
            start -= 1
        return self._ids[start + 1 : end]

    def _find_place(self, token: int) -> None:
        """Follow the expected text, or find the place in it again by the last two tokens."""
        expected, place = self._expected, self._place
        if place < len(expected) and not self._diverged and expected[place] == token:
            self._place += 1
            return
        self._diverged = True
        for i in range(place, min(place + RESYNC_WINDOW, len(expected) - 1)):
            if expected[i : i + 2] == self._ids[-2:]:
                self._place, self._diverged = i + 2, False
                return
