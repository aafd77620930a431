"""Where the sentences of a text begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from model.grounding.occurrences import occurrences

_STOP = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？।]+")
_ABBREVIATION = re.compile(r"(?:^|[\s(.])(?:\w|St|Mt|Dr|Mr|Mrs|Ms|No|Jr|Sr|vs|ca|approx)\.$")


def sentences_of(text: str, values: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The start and end of each sentence. Full stops in values and abbreviations do not count."""
    inside = {
        position
        for value in set(values)
        if "." in value or "!" in value or "?" in value
        for start, end in occurrences(text, value)
        for position in range(start, end)
    }
    start = 0
    for match in _STOP.finditer(text):
        following = text[match.end() :].lstrip()[:1]
        if match.start() in inside and not (following.isupper() or not following):
            continue
        if match.start() not in inside and _ABBREVIATION.search(text[: match.start() + 1]):
            continue
        if following and following.islower():
            continue
        yield start + _spaces(text[start:]), match.end()
        start = match.end()
    if text[start:].strip():
        yield start + _spaces(text[start:]), len(text)


def _spaces(text: str) -> int:
    return len(text) - len(text.lstrip())


def sentence_end(sentences: Sequence[tuple[int, int]], position: int) -> int:
    """The end of the sentence that the words after `position` belong to."""
    return next((end for _, end in sentences if end > position), position)
