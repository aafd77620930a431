"""One prompt under three conditions: with a fact, without it, and without lookups.

The same prompt is written under three conditions (after arXiv 2607.00605):

- FULL: the graph is intact.
- DEL-ON: the fact is deleted, lookups are allowed.
- DEL-OFF: the fact is deleted, and `<|db_entity|>` is forbidden.

If the text still states the value under DEL-ON because another fact returned it, that is *recovery*
(through the graph). If the text states it although nothing returned it, that is *leakage* (from the
weights), unless the prompt itself states it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.editing.deletion import without
from graph.lookup.retriever import Retriever
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent, LookupSource
from model.grounding import says
from model.settings import DecodingSettings
from model.trace import Trace


@dataclass(frozen=True)
class Audit:
    """One prompt under the three conditions."""

    fact: Fact
    full: Trace
    del_on: Trace
    del_off: Trace

    def says(self, condition: str) -> bool:
        """Whether the text says the fact's value under "full", "del_on" or "del_off"."""
        trace: Trace = getattr(self, condition)
        return says(trace.text, self.fact.value)

    @property
    def recovered_through(self) -> tuple[Fact, ...]:
        """Other facts that returned the value under DEL-ON."""
        return returned_by(self.del_on, self.fact)

    @property
    def recovered(self) -> bool:
        """Whether the value is still said after the deletion because another fact holds it."""
        return self.says("del_on") and bool(self.recovered_through)

    @property
    def leaked(self) -> bool:
        """Whether the value is said where neither the graph returned it nor the prompt says it."""
        if says(self.full.prompt, self.fact.value):
            return False
        return self.says("del_off") or (self.says("del_on") and not self.recovered_through)

    def to_json(self) -> dict[str, Any]:
        """As a plain object."""
        return {
            "fact": self.fact.to_json(),
            "said": {name: self.says(name) for name in ("full", "del_on", "del_off")},
            "recovered": self.recovered,
            "recovered_through": [fact.to_json() for fact in self.recovered_through],
            "leaked": self.leaked,
            "traces": {
                "full": self.full.to_json(),
                "del_on": self.del_on.to_json(),
                "del_off": self.del_off.to_json(),
            },
        }


def audit(
    decoder: Decoder,
    prompt: str,
    fact: Fact,
    intact: LookupSource,
    deleted: LookupSource,
    settings: DecodingSettings | None = None,
) -> Audit:
    """Write `prompt` under the three conditions, from retrievers with and without the fact."""
    settings = replace(settings or DecodingSettings(), lookups=True)
    full = _last(decoder.generate(prompt, intact, settings))
    return Audit(
        fact=fact,
        full=full,
        del_on=_last(decoder.regenerate(full, deleted)),
        del_off=_last(decoder.generate(prompt, deleted, replace(settings, lookups=False))),
    )


def audit_fact(
    decoder: Decoder,
    prompt: str,
    store: Any,
    fact_id: int,
    settings: DecodingSettings | None = None,
) -> Audit:
    """Audit a fact of a store or draft; it is deleted in memory only.

    Raises StoreError if there is no such fact.
    """
    fact = store.fact(fact_id)
    if fact is None:
        raise StoreError(f"There is no fact {fact_id} to audit; it may have been deleted.")
    deleted = without(store, [fact_id])
    return audit(decoder, prompt, fact, Retriever(store), Retriever(deleted), settings)


def returned_by(trace: Trace, fact: Fact) -> tuple[Fact, ...]:
    """The other facts through which lookups of a trace returned a fact's value.

    Of an inverse lookup, the returned value is the entity of the other fact.
    """
    return tuple(other for other in returned_value(trace, fact.value) if other.id != fact.id)


def returned_value(trace: Trace, value: str) -> tuple[Fact, ...]:
    """The facts through which lookups of a trace returned a value, or one that contains it."""
    found: dict[int, Fact] = {}
    for entry in trace.lookups:
        lookup = entry.lookup
        for (start, end), fact in zip(lookup.value_spans, lookup.facts, strict=False):
            if says(lookup.value[start:end], value):
                found[fact.id] = fact
    return tuple(found.values())


def _last(events: Any) -> Trace:
    *_, done = events
    assert isinstance(done, DoneEvent)
    return done.trace
