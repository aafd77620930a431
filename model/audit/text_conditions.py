"""One text under three conditions: with the graph, without the facts it used, without lookups.

    text_conditions(decoder, store, "Tell me about France.").sentence

It asks of a whole text what `verification` asks of one fact. The text is written with the graph as
it is. Then every fact that its lookups returned is deleted at once, in memory, and it is written
again; at last it is written with lookups forbidden. Of each value that the first text took from the
graph, the other two show whether the model says it all the same, and which other facts returned it.

A value can be said without its fact by chance, or because it is common. So this is not a verdict on
a fact: `verification.verify` gives that, with its controls, one fact at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graph.core.facts import RELATIONS, Fact
from graph.core.names import fold
from graph.core.protocol import Draft, TripletStore
from graph.editing.deletion import without
from graph.lookup.retriever import Retriever
from graph.version import VERSION
from model.audit.conditions import returned_value
from model.audit.verification import FORMAT_VERSION, fact_json, lookup_json
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent, Event
from model.grounding import places
from model.prompts import clean_prompt
from model.settings import DecodingSettings
from model.trace import Trace, TraceLookup

WITH_FACTS, WITHOUT_FACTS, NO_LOOKUPS = "with facts", "without facts", "no lookups"


@dataclass(frozen=True)
class Value:
    """A value that the lookups of the first text returned, and that this text says."""

    text: str
    facts: tuple[Fact, ...]
    """The facts that returned it."""
    given: bool
    """Whether the prompt says it, or it is the name of what was asked about: then saying it again
    shows nothing."""

    def to_json(self) -> dict[str, Any]:
        """As a plain object without ids."""
        return {
            "value": self.text,
            "given": self.given,
            "facts": [fact_json(fact) for fact in self.facts],
        }


@dataclass(frozen=True)
class Said:
    """A value that a text says: where, and which facts returned it to this text."""

    value: Value
    places: tuple[tuple[int, int], ...]
    """Begin and end of each occurrence, in characters of the text."""
    through: tuple[Fact, ...]
    """Under `WITHOUT_FACTS`, other facts than the deleted ones. Empty if no lookup returned it."""


@dataclass(frozen=True)
class TextColumn:
    """The text under one condition."""

    key: str
    trace: Trace
    said: tuple[Said, ...]

    @property
    def shown(self) -> tuple[Said, ...]:
        """What it says of the values that the prompt does not give."""
        return tuple(each for each in self.said if not each.value.given)

    def to_json(self) -> dict[str, Any]:
        """As a plain object, without what differs from run to run."""
        return {
            "column": self.key,
            "text": self.trace.text,
            "finish": self.trace.finish,
            "says": [
                {
                    "value": each.value.text,
                    "returned_by": [fact_json(fact) for fact in each.through],
                }
                for each in self.said
            ],
            "lookups": [lookup_json(entry.lookup) for entry in self.trace.lookups],
        }


@dataclass(frozen=True)
class TextConditions:
    """A text under the three conditions, and what was deleted."""

    prompt: str
    settings: DecodingSettings
    deleted: tuple[Fact, ...]
    """All facts that lookups returned, in the order of the text; `relations` lists have none."""
    values: tuple[Value, ...]
    columns: tuple[TextColumn, ...]
    model: str
    revision: int
    """The revision of the shared graph."""
    edits: int
    """Facts and names that the visitor's draft changes on top of it."""

    def column(self, key: str) -> TextColumn:
        """The column of this key."""
        return next(column for column in self.columns if column.key == key)

    @property
    def taken(self) -> tuple[Value, ...]:
        """The values that the text has from the graph alone, the prompt not giving them."""
        return tuple(value for value in self.values if not value.given)

    def said_in(self, trace: Trace) -> tuple[Said, ...]:
        """What another text says of these values."""
        return said_values(trace, self.values, _names(self.column(WITH_FACTS).trace))

    @property
    def sentence(self) -> str:
        """What it comes to."""
        given = len(self.values) - len(self.taken)
        if not self.deleted:
            return "No lookup of this text returned a fact, so it took nothing from the graph."
        if not self.taken:
            why = ", apart from what the prompt says already" if given else ""
            return (
                f"The text says no value that its lookups returned{why}, so there is nothing to "
                "compare."
            )
        without_facts = self.column(WITHOUT_FACTS).shown
        returned = sum(bool(each.through) for each in without_facts)
        forbidden = len(self.column(NO_LOOKUPS).shown)
        said = len(without_facts)
        if len(self.taken) == 1:
            sentence = _of_one(said, returned, forbidden)
        else:
            sentence = (
                f"Of {len(self.taken)} values that the text took from the graph, {_are(said)} said "
                f"without their facts{_because(returned, said)}, and {_are(forbidden)} said "
                "without lookups."
            )
        if given:
            more = "1 more is" if given == 1 else f"{given} more are"
            sentence += f" {more} not counted, because the prompt or a name says the same."
        return sentence

    def to_json(self) -> dict[str, Any]:
        """As a plain object: two runs are equal. Ids, seconds, paths and draft names are left out.

        It can be made with the command line too: `python -m model audit --json --prompt PROMPT`.
        """
        return {
            "version": FORMAT_VERSION,
            "lamplight": VERSION,
            "model": self.model,
            "revision": self.revision,
            "draft_changes": self.edits,
            "prompt": self.prompt,
            "settings": self.settings.to_json(),
            "sentence": self.sentence,
            "deleted": [fact_json(fact) for fact in self.deleted],
            "values": [value.to_json() for value in self.values],
            "columns": [column.to_json() for column in self.columns],
        }


def _are(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'}"


def _because(returned: int, stated: int) -> str:
    """Why values are said without their facts."""
    if not returned:
        return ""
    if returned == stated:
        return f" (other facts returned {'it' if stated == 1 else 'them'})"
    return f" (other facts returned {returned} of them)"


def _of_one(stated: int, returned: int, forbidden: int) -> str:
    """The sentence of a text that took one value."""
    first, second = ("said" if count else "not said" for count in (stated, forbidden))
    return (
        f"The one value that the text took from the graph is {first} without its facts"
        f"{_because(returned, stated)}, and {second} without lookups."
    )


def text_conditions(
    decoder: Decoder,
    store: TripletStore,
    prompt: str,
    settings: DecodingSettings | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TextConditions | None:
    """Write a text under the three conditions.

    Args:
        decoder: the model.
        store: a store or a draft; nothing is written to it.
        prompt: what to ask.
        settings: of the decoder; greedy ones unless others are given.
        cancelled: asked before each step; True ends it.

    Returns:
        The three texts; None if it was cancelled.

    Raises:
        PromptError: for a prompt that cannot be answered.
        StoreError: if the store cannot be read.
    """
    at = store.revision()
    asked = clean_prompt(prompt, keep_lines=decoder.checkpoint.form.keep_lines)
    given = settings or DecodingSettings(guided=decoder.checkpoint.ranked)
    settings = replace(given, lookups=True)
    full = last_trace(decoder.generate(asked, Retriever(store, at), settings, cancelled))
    if full.finish == "cancelled":
        return None
    deleted = used_facts(full)
    source = Retriever(without(store, [fact.id for fact in deleted], at))
    without_facts = last_trace(decoder.regenerate(full, source, settings, cancelled))
    forbidden = replace(settings, lookups=False)
    closed = last_trace(decoder.generate(asked, source, forbidden, cancelled))
    if "cancelled" in (without_facts.finish, closed.finish):
        return None
    longer = _names(full)
    values = _values(full, longer)
    traces = {WITH_FACTS: full, WITHOUT_FACTS: without_facts, NO_LOOKUPS: closed}
    return TextConditions(
        prompt=asked,
        settings=settings,
        deleted=deleted,
        values=values,
        columns=tuple(
            TextColumn(key, trace, said_values(trace, values, longer))
            for key, trace in traces.items()
        ),
        model=Path(decoder.checkpoint.name).name,
        revision=store.base_revision if isinstance(store, Draft) else at,
        edits=len(store.deltas()) if isinstance(store, Draft) else 0,
    )


def used_facts(trace: Trace) -> tuple[Fact, ...]:
    """All facts that the lookups of a text returned, shown or only counted, in order of use."""
    found = {fact.id: fact for entry in _answered(trace) for fact in entry.lookup.facts}
    return tuple(found.values())


def said_values(trace: Trace, values: Sequence[Value], longer: Sequence[str]) -> tuple[Said, ...]:
    """Which of these values a text says; an occurrence inside a longer name does not count."""
    said = []
    for value in values:
        where = tuple(_free_places(trace.text, value.text, longer))
        if where:
            said.append(Said(value, where, returned_value(trace, value.text)))
    return tuple(said)


def _answered(trace: Trace) -> Iterator[TraceLookup]:
    """The lookups that asked for a relation's value; not those of `relations`."""
    for entry in trace.lookups:
        if fold(entry.lookup.resolved_relation or "") != RELATIONS:
            yield entry


def _returned(trace: Trace) -> Iterator[tuple[str, Fact, TraceLookup]]:
    """Each value that a lookup returned, with its fact. Of an inverse lookup it is the entity."""
    for entry in _answered(trace):
        lookup = entry.lookup
        for (start, end), fact in zip(lookup.value_spans, lookup.facts, strict=False):
            yield lookup.value[start:end], fact, entry


def _names(trace: Trace) -> tuple[str, ...]:
    """The names and values of a text, of which another value may be a part."""
    names = [entry.lookup.resolved_entity or "" for entry in trace.lookups]
    names += [value for value, _, _ in _returned(trace)]
    return tuple(dict.fromkeys(name for name in names if name))


def _values(full: Trace, longer: Sequence[str]) -> tuple[Value, ...]:
    """The values that the first text has from its lookups, in order of use."""
    facts: dict[str, dict[int, Fact]] = {}
    given: set[str] = set()
    for value, fact, entry in _returned(full):
        facts.setdefault(value, {})[fact.id] = fact
        name = entry.lookup.resolved_entity or entry.lookup.entity
        if fold(name) == fold(value) or any(_free_places(full.prompt, value, longer)):
            given.add(value)
    return tuple(
        Value(value, tuple(known.values()), value in given)
        for value, known in facts.items()
        if any(_free_places(full.text, value, longer))
    )


def _free_places(text: str, value: str, longer: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where a text says a value, but for the occurrences inside a longer name.

    "New York City" does not say "city", and "French Republic" does not say "French".
    """
    found = places(text, value)
    if not found:
        return
    around = [place for name in longer if len(name) > len(value) for place in places(text, name)]
    for start, end in found:
        if not any(first <= start and end <= last for first, last in around):
            yield start, end


def last_trace(events: Iterator[Event]) -> Trace:
    """The trace with which the events of a text end."""
    *_, done = events
    assert isinstance(done, DoneEvent)
    return done.trace
