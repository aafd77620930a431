"""What supports the words of a text, and what contradicts its lookups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from graph.core.facts import RELATIONS
from model.grounding.marks import Mark, next_position
from model.grounding.sentences import sentence_end
from model.grounding.words import ORDINARY, Word, items, words_of
from model.trace import TracedText, TraceLookup

_MORE = re.compile(r"; and (?P<count>\d+) more$")  # values that are only counted
_CAMEL = re.compile(r"(?<=[^\W\d_])(?=[A-Z])")


class Stretch(NamedTuple):
    """A name, date or number of the text, `trace.text[start:end]`, that nothing supports."""

    start: int
    end: int
    text: str


class Sources:
    """What the model was given: the prompt, the entities that it found, and the returned values."""

    def __init__(self, trace: TracedText) -> None:
        # Each has the position from which it counts, its words, and whether it is a whole name.
        self._phrases: list[tuple[int, tuple[str, ...], bool]] = []
        self._add(0, trace.prompt, whole=False)
        for entry in trace.lookups:
            lookup, position = entry.lookup, trace.position(entry)
            relation = _CAMEL.sub(" ", lookup.relation)
            self._add(0, relation)
            self._add(0, relation + "s")  # the text may say "World Heritage Sites"
            if lookup.is_miss:
                continue
            self._add(0, lookup.entity)
            self._add(0, lookup.resolved_entity or "")
            parts = [lookup.value[start:end] for start, end in lookup.value_spans]
            for part in parts or lookup.listed:
                self._add(position, part)
            shown = lookup.value_spans[-1][1] if lookup.value_spans else 0
            if more := _MORE.search(lookup.value, shown):
                self._add(position, more["count"])

    def _add(self, position: int, text: str, whole: bool = True) -> None:
        words = tuple(word.key for word in words_of(text))
        if words:
            self._phrases.append((position, words, whole))

    def holds(self, words: tuple[str, ...], position: int) -> bool:
        """Whether something given before `position` has these words, one after another."""
        return any(
            given <= position
            and any(phrase[i : i + len(words)] == words for i in range(len(phrase)))
            for given, phrase, _ in self._phrases
        )

    def starts(self, words: tuple[str, ...], position: int) -> int:
        """How many of `words`, from the first on, are a whole phrase given before `position`."""
        return max(
            (
                len(phrase)
                for given, phrase, whole in self._phrases
                if whole and given <= position and words[: len(phrase)] == phrase
            ),
            default=0,
        )


def unsupported_stretches(text: str, sources: Sources, marks: Sequence[Mark]) -> list[Stretch]:
    """The names, dates and numbers of `text` that no mark covers and no source contains."""
    stretches: list[Stretch] = []
    for run in items(text, 0, len(text), marks):
        keys = tuple(word.key for word in run)
        wrong: list[Word] = []
        index = 0
        while index < len(run) and not sources.holds(keys[index:], run[index].start):
            known = sources.starts(keys[index:], run[index].start)
            if not known and keys[index] not in ORDINARY:
                wrong.append(run[index])
            index += known or 1
        for first, last in _neighbours(wrong, run):
            stretches.append(Stretch(first.start, last.end, text[first.start : last.end]))
    return stretches


def _neighbours(words: list[Word], run: list[Word]) -> Iterator[tuple[Word, Word]]:
    """The first and last of each group of `words` that are neighbours in `run`."""
    if not words:
        return
    first = words[0]
    for word, following in pairwise(words):
        if run.index(following) != run.index(word) + 1:
            yield first, word
            first = following
    yield first, words[-1]


def contradiction(
    trace: TracedText, entry: TraceLookup, sentences: Sequence[tuple[int, int]]
) -> Stretch | None:
    """What the text says instead of the value; None if that cannot be seen.

    It is the first name, date or number between the lookup and the next one or the end of the
    sentence that does not name what the text is about.
    """
    begin, text = trace.position(entry), trace.text
    end = min(next_position(trace, entry), sentence_end(sentences, begin))
    about = [trace.prompt]
    for other in trace.lookups:
        about += [other.lookup.entity, other.lookup.resolved_entity or "", other.lookup.relation]
        same_place = other.index != entry.index and trace.position(other) == begin
        if same_place or other.lookup.relation == RELATIONS:
            about.append(other.lookup.value)
    known = [tuple(word.key for word in words_of(phrase)) for phrase in about]
    for run in items(text, begin, end):
        keys = tuple(word.key for word in run)
        if not any(
            phrase[i : i + len(keys)] == keys for phrase in known for i in range(len(phrase))
        ):
            return Stretch(run[0].start, run[-1].end, text[run[0].start : run[-1].end])
    return None
