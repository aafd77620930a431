"""Where a text contains the whole of a value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from model.grounding.scripts import UNSPACED

_SIGNS = ("-", "−")  # of a negative number


def places(text: str, value: str) -> list[tuple[int, int]]:
    """Where `text` contains the whole of `value`, by the same rule as for marks."""
    return list(occurrences(text, value))


def says(text: str, value: str) -> bool:
    """Whether `text` contains the whole of `value`, by the same rule as for marks."""
    return next(occurrences(text, value), None) is not None


def occurrences(
    text: str, value: str, begin: int = 0, end: int | None = None
) -> Iterator[tuple[int, int]]:
    """The whole occurrences of `value` in `text[begin:end]`; its first letter may be a capital."""
    if not value:
        return
    end = len(text) if end is None else end
    pattern = re.escape(value)
    if value[0].upper() != value[0] and len(value[0].upper()) == 1:
        pattern = f"(?:{re.escape(value[0].upper())}|{re.escape(value[0])}){re.escape(value[1:])}"
    for match in re.finditer(f"(?={pattern})", text[begin:end]):
        start, stop = begin + match.start(), begin + match.start() + len(value)
        if stop <= end and is_whole(text, start, stop):
            yield start, stop


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` begins and ends between words and numbers."""
    before, first, last, after = text[:start][-2:], text[start], text[end - 1], text[end:][:2]
    if _joins(before[-1:], first) or _joins(last, after[:1]):
        return False
    if first.isdigit():
        if before[-1:] in (".", ",", ":", "/") and before[:-1].isdigit():
            return False  # 234 in 1,234
        if before[-1:] in _SIGNS and not before[:-1].strip():
            return False  # 20 in -20
    return not (last.isdigit() and after[:1] in (".", ",", ":", "/") and after[1:].isdigit())


def _joins(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word."""
    if not left or not right:
        return False
    if unicodedata.category(right).startswith("M"):  # a combining mark modifies the letter before
        return True
    if UNSPACED.match(left) or UNSPACED.match(right):  # scripts that put no spaces between words
        return False
    return _wordlike(left) and _wordlike(right)


def _wordlike(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
