"""What an edit did to the text: the word diff, and the fact behind each difference.

    comparison = compare(before, after, deltas, seconds)

`deltas` are what the edit did to the graph. A difference that stands on a mark of a changed fact
comes from that fact. Any other follows from the one before it, because a model continues from what
it has written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.state.marked_trace import MarkedTrace
from app.state.word_diff import Segment, word_diff, words_changed
from graph.core.deltas import Delta
from graph.core.facts import Entity, Fact
from graph.core.names import fold


@dataclass(frozen=True, slots=True)
class ExplainedSegment:
    """A segment of the diff. A change also has its cause, as a sentence and as a word or two."""

    kind: Literal["same", "change"]
    before: tuple[int, int]
    after: tuple[int, int]
    cause: str
    tag: str = ""
    fact_id: int | None = (
        None  # the edited fact it comes from; None if it follows from another change
    )

    @property
    def follows(self) -> bool:
        """Whether it is not an edited value but what the model wrote after one."""
        return self.kind == "change" and self.fact_id is None


@dataclass(frozen=True, slots=True)
class StillSaid:
    """A value that is no longer in the edited fact but still in the text."""

    value: str
    fact: Fact | None
    """The other fact that holds it; None if no looked-up fact does."""


@dataclass(frozen=True)
class Comparison:
    """Two texts, what differs and why."""

    changes: tuple[ExplainedSegment, ...]
    words: int
    unchanged: int
    """Values that both texts repeat in the same words."""
    still_said: tuple[StillSaid, ...]
    deltas: tuple[Delta, ...]
    """What the edit did to the graph."""
    seconds: float
    """How long the model took to write the text after the edit."""

    @property
    def changed(self) -> bool:
        """Whether the reader sees any difference."""
        return any(change.kind == "change" for change in self.changes)


PREPOSITIONS = ("of", "in", "by", "on", "at", "to", "for", "from", "with")


ISOLATED = "\u2068{}\u2069"
"""What Unicode puts around a text so that its direction does not move the words next to it. No
stored name or value has these characters, so a view can replace them by an element."""


def isolated(name: str) -> str:
    """A name or value for a sentence: if it is written from right to left, it is isolated."""
    if name.isascii() or all(unicodedata.bidirectional(c) not in ("R", "AL") for c in name):
        return name
    return ISOLATED.format(name)


def relation_of(fact: Fact) -> str:
    """The relation and the entity: "capital of France", but "“instance of” of France"."""
    relation, entity = isolated(fact.relation), isolated(fact.entity)
    joined = fact.relation.rpartition(" ")[2].lower() in PREPOSITIONS
    return f"“{relation}” of {entity}" if joined else f"{relation} of {entity}"


def describe(delta: Delta) -> str:
    """What an edit did, for a person: "capital of France is now Lyon, was Paris".

    Names from right to left are `isolated`.
    """
    old, new = delta.before, delta.after
    if isinstance(old, Entity) or isinstance(new, Entity):
        if isinstance(old, Entity) and isinstance(new, Entity):
            if old.id != new.id:
                return f"{isolated(old.name)} was merged into {isolated(new.name)}"
            if old.name != new.name:
                return f"{isolated(old.name)} is now called {isolated(new.name)}"
            gained = [name for name in new.aliases if name not in old.aliases]
            if gained:
                return f"{isolated(new.name)} is also called {', '.join(map(isolated, gained))}"
            return f"{isolated(new.name)} is no longer called by another name"
        some = new or old
        assert isinstance(some, Entity)
        return f"{isolated(some.name)} was {'added' if old is None else 'removed'}"
    assert old is None or isinstance(old, Fact)
    assert new is None or isinstance(new, Fact)
    if new is None:
        assert isinstance(old, Fact)
        return f"{relation_of(old)} was deleted (it was {isolated(old.value)})"
    assert isinstance(new, Fact)
    if old is None:
        return f"{relation_of(new)}: {isolated(new.value)} was added"
    if old.entity_id != new.entity_id:
        was, now = isolated(old.entity), isolated(new.entity)
        return f"{isolated(new.relation)}: {isolated(new.value)} moved from {was} to {now}"
    if old.value == new.value:
        return f"{relation_of(new)} was edited"
    return f"{relation_of(new)} is now {isolated(new.value)}, was {isolated(old.value)}"


def diff_deltas(old: Iterable[Delta], new: Iterable[Delta]) -> list[Delta]:
    """What changed between two states of a draft, given the deltas of each."""
    before = {_key(delta): delta for delta in old}
    after = {_key(delta): delta for delta in new}
    steps: list[Delta] = []
    for key in list(after) + [key for key in before if key not in after]:
        a, b = before.get(key), after.get(key)
        base = (a or b).before  # type: ignore[union-attr]
        was = a.after if a else base
        now = b.after if b else base
        if was != now:
            steps.append(Delta(was, now))
    return visible_deltas(steps)


def visible_deltas(deltas: Sequence[Delta]) -> list[Delta]:
    """The deltas that a person would name: merges and renames, then facts.

    An entity that was only created for a fact is left out, and so is a fact whose value follows a
    rename. A merge shows as one entity that disappears and another that gains its name.
    """
    facts = [delta for delta in deltas if isinstance(delta.before or delta.after, Fact)]
    pairs = [
        (delta.before, delta.after)
        for delta in deltas
        if isinstance(delta.before or delta.after, Entity)
    ]
    named: list[Delta] = []
    merged: set[int] = set()
    for before, after in pairs:
        if not isinstance(before, Entity) or after is not None:
            continue
        for was, other in pairs:
            if not isinstance(was, Entity) or not isinstance(other, Entity):
                continue
            if before.name in other.aliases and before.name not in was.aliases:
                named.append(Delta(before, other))
                merged.add(other.id)
    named += [
        Delta(before, after)
        for before, after in pairs
        if isinstance(before, Entity) and isinstance(after, Entity) and after.id not in merged
    ]
    return named + facts or list(deltas)


def _key(delta: Delta) -> tuple[str, int]:
    return type(delta.before or delta.after).__name__, delta.id


def compare(
    before: MarkedTrace, after: MarkedTrace, deltas: Sequence[Delta], seconds: float
) -> Comparison:
    """Compare the text before an edit with the text after it."""
    segments = word_diff(before.text, after.text, (before.whole, after.whole))
    causes = _causes(before, after, deltas)
    changes: list[ExplainedSegment] = []
    last = describe(deltas[0]) if deltas else ""
    for segment in segments:
        if segment.kind == "same":
            changes.append(ExplainedSegment("same", segment.before, segment.after, ""))
            continue
        fact = _edited_fact(segment, before, after, causes)
        tag = ""
        if fact is not None:
            last, tag = describe(causes[fact.id]), _tag(fact, causes[fact.id])
        cause = f"because {last}" if fact else f"follows from: {last}" if last else "rewritten"
        fact_id = None if fact is None else fact.id
        changes.append(
            ExplainedSegment("change", segment.before, segment.after, cause, tag, fact_id)
        )
    unchanged = _unchanged(before, after, set(causes))
    words = words_changed(segments, before.text, after.text)
    still = tuple(_still_said(after, deltas))
    return Comparison(tuple(changes), words, unchanged, still, tuple(deltas), seconds)


def _causes(before: MarkedTrace, after: MarkedTrace, deltas: Sequence[Delta]) -> dict[int, Delta]:
    """The facts of either text that the edit touched, each with the delta that did."""
    causes: dict[int, Delta] = {}
    for delta in deltas:
        some = delta.before or delta.after
        if isinstance(some, Fact):
            causes.setdefault(some.id, delta)
        elif isinstance(some, Entity):  # it shows through the facts that link to it
            for fact in (*before.facts.values(), *after.facts.values()):
                if some.id in (fact.value_id, fact.entity_id):
                    causes.setdefault(fact.id, delta)
    return causes


def _edited_fact(
    segment: Segment, before: MarkedTrace, after: MarkedTrace, causes: Mapping[int, Delta]
) -> Fact | None:
    """The edited fact whose words a change removes or adds."""
    for text, (begin, end) in ((after, segment.after), (before, segment.before)):
        for mark in text.marks:
            if mark.start < end and begin < mark.end and mark.fact_id in causes:
                return after.facts.get(mark.fact_id) or before.facts[mark.fact_id]
    return None


def _tag(fact: Fact, cause: Delta) -> str:
    """The cause in a word or two: the relation, or that something has another name."""
    old, new = cause.before, cause.after
    if isinstance(old, Entity) and isinstance(new, Entity):
        if old.id != new.id:
            return "merged"
        if old.name != new.name:
            return "renamed"
    return fact.relation


def _unchanged(before: MarkedTrace, after: MarkedTrace, touched: set[int]) -> int:
    """How many facts both texts repeat in the same words."""

    def words_by_fact(text: MarkedTrace) -> dict[int, str]:
        return {mark.fact_id: text.words(mark) for mark in text.marks}

    old, new = words_by_fact(before), words_by_fact(after)
    return sum(
        1 for fact_id, words in new.items() if old.get(fact_id) == words and fact_id not in touched
    )


def _still_said(after: MarkedTrace, deltas: Sequence[Delta]) -> Iterable[StillSaid]:
    for delta in deltas:
        old = delta.before
        if not isinstance(old, Fact):
            continue
        new = delta.after
        if isinstance(new, Fact) and fold(new.value) == fold(old.value):
            continue
        others = [
            after.facts[mark.fact_id]
            for mark in after.marks
            if mark.fact_id != old.id
            and mark.fact_id in after.facts
            and fold(after.facts[mark.fact_id].value) == fold(old.value)
        ]
        if others:
            yield StillSaid(old.value, others[0])
        elif len(old.value) > 2 and _in_own_words(old.value, after):
            yield StillSaid(old.value, None)


def _in_own_words(value: str, after: MarkedTrace) -> bool:
    """Whether a value is in the text outside all marks, and not in the prompt."""
    pattern = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
    if pattern.search(after.trace.prompt):
        return False
    return any(
        all(match.end() <= mark.start or mark.end <= match.start() for mark in after.marks)
        for match in pattern.finditer(after.text)
    )
