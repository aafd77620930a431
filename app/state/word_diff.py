"""The word diff of two texts, and which changed fact each difference comes from.

    segments = word_diff(before, after)

A word is a run without white space together with the space that follows it, so that what is
removed and what is added read as words and the pieces put together give either text back exactly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

WORD = re.compile(r"\s*[\w'’\-]+|\s*[^\w\s]|\s+")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch that both texts share (`same`), or that was replaced; offsets are characters."""

    kind: Literal["same", "change"]
    before: tuple[int, int]
    after: tuple[int, int]


def _words(text: str) -> tuple[list[str], list[int]]:
    """The words of `text`, and the offset at which each begins, the end of the text last."""
    words = [match.group() for match in WORD.finditer(text)]
    offsets = [0]
    for word in words:
        offsets.append(offsets[-1] + len(word))
    return words, offsets


def word_diff(before: str, after: str) -> list[Segment]:
    """The segments of the two texts, in order, changes whole words."""
    old, old_at = _words(before)
    new, new_at = _words(after)
    segments: list[Segment] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in _whole_sentences(matcher.get_opcodes(), old, new):
        kind: Literal["same", "change"] = "same" if tag == "equal" else "change"
        segments.append(Segment(kind, (old_at[i1], old_at[i2]), (new_at[j1], new_at[j2])))
    return [
        part for each in _joined(segments, before) for part in _split_space(each, before, after)
    ]


def _whole_sentences(
    codes: Sequence[tuple[str, int, int, int, int]], old: list[str], new: list[str]
) -> list[tuple[str, int, int, int, int]]:
    """Moves a removed or added stretch from ". One sentence" to "One sentence."."""
    moved = list(codes)
    for at in range(1, len(moved) - 1):
        tag, i1, i2, j1, j2 = moved[at]
        words, begin, end = (old, i1, i2) if tag == "delete" else (new, j1, j2)
        if tag not in ("delete", "insert") or words[begin] not in (".", "!", "?"):
            continue
        before, after = moved[at - 1], moved[at + 1]
        if before[0] != "equal" or after[0] != "equal" or words[begin] != words[end]:
            continue
        if after[2] - after[1] < 2:
            continue
        moved[at - 1] = (before[0], before[1], before[2] + 1, before[3], before[4] + 1)
        moved[at] = (tag, i1 + 1, i2 + 1, j1 + 1, j2 + 1)
        moved[at + 1] = (after[0], after[1] + 1, after[2], after[3] + 1, after[4])
    return moved


def _split_space(segment: Segment, before: str, after: str) -> list[Segment]:
    """Gives the space before both versions of a change back to what the texts share."""
    (b, b_end), (a, a_end) = segment.before, segment.after
    if segment.kind == "same" or b == b_end or a == a_end or not before[b].isspace():
        return [segment]
    if before[b] != after[a]:
        return [segment]
    return [
        Segment("same", (b, b + 1), (a, a + 1)),
        Segment("change", (b + 1, b_end), (a + 1, a_end)),
    ]


def _joined(segments: list[Segment], before: str) -> list[Segment]:
    """Joins changes with nothing but spaces and punctuation between them: one value, one change."""
    joined: list[Segment] = []
    for index, segment in enumerate(segments):
        between = (
            segment.kind == "same"
            and 0 < index < len(segments) - 1
            and not re.search(r"\w", before[slice(*segment.before)])
        )
        if joined and joined[-1].kind == "change" and (segment.kind == "change" or between):
            last = joined[-1]
            joined[-1] = Segment(
                "change", (last.before[0], segment.before[1]), (last.after[0], segment.after[1])
            )
        else:
            joined.append(segment)
    return joined


def words_changed(segments: Sequence[Segment], before: str, after: str) -> int:
    """How many words the reader sees changed: the longer side of each change."""
    count = 0
    for segment in segments:
        if segment.kind == "change":
            count += max(
                len(re.findall(r"\w[\w'’\-]*", before[slice(*segment.before)])),
                len(re.findall(r"\w[\w'’\-]*", after[slice(*segment.after)])),
            )
    return count
