"""The word diff of two texts.

    segments = word_diff(before, after)

A word includes the white space before it, so the pieces of a diff give either text back exactly.
`whole` are stretches of each text, such as values, that no change cuts in two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Span = tuple[int, int]

WORD = re.compile(r"\s*[\w'’\-]+|\s*[^\w\s]|\s+")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch that both texts share (`same`) or that was replaced. Offsets are characters."""

    kind: Literal["same", "change"]
    before: tuple[int, int]
    after: tuple[int, int]


def _words(text: str) -> tuple[list[str], list[int]]:
    """The words of `text` and the offset where each begins; the last is the end of the text."""
    words = [match.group() for match in WORD.finditer(text)]
    offsets = [0]
    for word in words:
        offsets.append(offsets[-1] + len(word))
    return words, offsets


def word_diff(
    before: str, after: str, whole: tuple[Sequence[Span], Sequence[Span]] = ((), ())
) -> list[Segment]:
    """The segments of the two texts, in order. A change consists of whole words and values."""
    old, old_at = _words(before)
    new, new_at = _words(after)
    segments: list[Segment] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, i1, i2, j1, j2 in _whole_sentences(matcher.get_opcodes(), old, new):
        kind: Literal["same", "change"] = "same" if tag == "equal" else "change"
        segments.append(Segment(kind, (old_at[i1], old_at[i2]), (new_at[j1], new_at[j2])))
    pieces = [
        part for each in _joined(segments, before) for part in _split_space(each, before, after)
    ]
    return _without_cuts(pieces, len(before), len(after), whole)


def _without_cuts(
    segments: Sequence[Segment],
    length_before: int,
    length_after: int,
    whole: tuple[Sequence[Span], Sequence[Span]],
) -> list[Segment]:
    """Widen each change until it holds the whole of every stretch of `whole` that it touches."""
    changes = [[*each.before, *each.after] for each in segments if each.kind == "change"]
    grown = True
    while grown:
        grown = False
        for change in changes:
            for side, spans in ((0, whole[0]), (2, whole[1])):
                for start, end in spans:
                    begin, stop = change[side], change[side + 1]
                    if start < begin < end:  # both texts share what stands before the change
                        change[0] -= begin - start
                        change[2] -= begin - start
                        grown = True
                    if start < stop < end:
                        change[1] += end - stop
                        change[3] += end - stop
                        grown = True
        changes = _merged(changes)
    out: list[Segment] = []
    b = a = 0
    for b0, b1, a0, a1 in changes:
        if b < b0:
            out.append(Segment("same", (b, b0), (a, a0)))
        out.append(Segment("change", (b0, b1), (a0, a1)))
        b, a = b1, a1
    if b < length_before or a < length_after:
        out.append(Segment("same", (b, length_before), (a, length_after)))
    return out


def _merged(changes: Sequence[list[int]]) -> list[list[int]]:
    """Changes that grew into each other as one, from the begin of the first to the end of the last.

    A change that grew beyond its neighbour is cut back here, because behind the neighbour the two
    texts are shifted otherwise. The next round widens it again.
    """
    merged: list[list[int]] = []
    for change in changes:
        if merged and change[0] <= merged[-1][1]:
            last = merged[-1]
            merged[-1] = [last[0], change[1], last[2], change[3]]
        else:
            merged.append(change)
    return merged


def _whole_sentences(
    codes: Sequence[tuple[str, int, int, int, int]], old: list[str], new: list[str]
) -> list[tuple[str, int, int, int, int]]:
    """Move a removed or added stretch from ". One sentence" to "One sentence."."""
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
    """Move a space that both versions of a change begin with out of the change."""
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
    """Join changes that only spaces and punctuation separate, because one value is one change."""
    joined: list[Segment] = []
    for index, segment in enumerate(segments):
        is_gap = (
            segment.kind == "same"
            and 0 < index < len(segments) - 1
            and not re.search(r"\w", before[slice(*segment.before)])
        )
        if joined and joined[-1].kind == "change" and (segment.kind == "change" or is_gap):
            last = joined[-1]
            joined[-1] = Segment(
                "change", (last.before[0], segment.before[1]), (last.after[0], segment.after[1])
            )
        else:
            joined.append(segment)
    return joined


def words_changed(segments: Sequence[Segment], before: str, after: str) -> int:
    """How many words changed, for a reader: the longer side of each change."""
    count = 0
    for segment in segments:
        if segment.kind == "change":
            count += max(
                len(re.findall(r"\w[\w'’\-]*", before[slice(*segment.before)])),
                len(re.findall(r"\w[\w'’\-]*", after[slice(*segment.after)])),
            )
    return count
