"""Writes an exported trace again, and says whether the same came out.

    found = replay(decoder, store, ExportedTrace.from_json(data))
    found.same, found.sentence

The recorded prompt, settings, seed, revision and edits are taken; so the same model over the same
graph writes the same tokens, on the same kind of device. The graph is only read.
"""

from __future__ import annotations

from dataclasses import dataclass

from graph.core.names import quoted
from graph.core.protocol import TripletStore
from graph.core.state_key import GraphState, parse_state
from graph.editing.pinned_reads import edited
from graph.lookup.result import Lookup
from graph.lookup.retriever import Retriever
from model.engine.decoder import Decoder
from model.engine.events import DoneEvent, TokenEvent
from model.exported_trace import ExportedTrace, public_name
from model.trace import Trace

SHORT = 12  # characters of a hash or an id in a sentence
_BEFORE = 40  # characters of the text before a difference


@dataclass(frozen=True)
class Replay:
    """What came out: whether it is the same, in one or two sentences."""

    same: bool
    sentence: str


def replay(decoder: Decoder, store: TripletStore, exported: ExportedTrace) -> Replay:
    """Write a trace again over a store, and compare.

    Raises:
        PromptError: if the model cannot answer the prompt.
        StoreError: if the store cannot be read.
    """
    old, graph = exported.trace, exported.graph
    model = _other_model(decoder, old)
    if model:
        return Replay(False, model)
    here = parse_state(store.state())
    newest = store.revision() if here is None else here.revision
    same_store = graph is None or here is None or graph.store_id == here.store_id
    if graph is None:
        at = newest
    elif graph.revision <= newest:
        at = graph.revision
    elif same_store:
        return Replay(
            False,
            f"The store has no revision {graph.revision:,}, which the trace read; its newest is "
            f"{newest:,}.",
        )
    else:
        at = newest
    new = _written_again(decoder, Retriever(edited(store, at, exported.edits)), old)
    difference = first_difference(old, new)
    if same_store or graph is None or here is None:
        return Replay(not difference, difference or _same(old, at))
    return Replay(False, f"{_other_store(graph, here)} {difference or 'The text is the same.'}")


def _other_model(decoder: Decoder, old: Trace) -> str:
    """That another model is used than the one that wrote the trace; "" if it is the same."""
    here = decoder.checkpoint.weights
    if not here or not old.weights:  # unknown, so only the names can be compared
        name, was = public_name(decoder.checkpoint.name), public_name(old.model)
        return "" if name == was else f"The model is {name}, and {was} wrote the trace."
    for file in sorted({*here, *old.weights}):
        if here.get(file) != old.weights.get(file):
            return (
                f"The model is another: {file} has the hash {_short(here.get(file))} here and "
                f"{_short(old.weights.get(file))} in the trace. The trace is "
                f"of {public_name(old.model)}; name that with --model."
            )
    return ""


def _other_store(graph: GraphState, here: GraphState) -> str:
    return (
        f"The store is another: its id is {_short(here.store_id)} here and "
        f"{_short(graph.store_id)} in the trace."
    )


def _short(value: str | None) -> str:
    return value[:SHORT] if value else "(none)"


def _same(old: Trace, at: int) -> str:
    lookups = f"{len(old.lookups)} lookup{'' if len(old.lookups) == 1 else 's'}"
    return f"Same: all {len(old.tokens)} tokens and {lookups}, at revision {at:,}."


def _written_again(decoder: Decoder, retriever: Retriever, old: Trace) -> Trace:
    """The text again; of one that was stopped, as much as there is of it."""
    wanted = len(old.tokens) if old.finish == "cancelled" else None
    written = 0

    def enough() -> bool:
        return wanted is not None and written >= wanted

    for event in decoder.generate(old.prompt, retriever, old.settings, enough):
        if isinstance(event, TokenEvent):
            written += 1
        elif isinstance(event, DoneEvent):
            return event.trace
    raise AssertionError("a generation ends with a DoneEvent")


def first_difference(old: Trace, new: Trace) -> str:
    """The first token or lookup that differs, in a sentence; "" if none does."""
    pairs = zip(old.tokens, new.tokens, strict=False)
    token = next((i for i, (was, now) in enumerate(pairs) if was.id != now.id), None)
    reached = min(len(old.tokens), len(new.tokens)) if token is None else token
    for was_made, now_made in zip(old.lookups, new.lookups, strict=False):
        if was_made.start >= reached:
            break
        was, now = was_made.lookup, now_made.lookup
        if (was.entity, was.relation) == (now.entity, now.relation) and _answer(was) != _answer(
            now
        ):
            return _lookup_differs(was_made.index, was, now)
    if token is not None:
        return (
            f"Token {token + 1} is {quoted(new.tokens[token].text)} here and "
            f"{quoted(old.tokens[token].text)} in the trace, after {_end_of(old, token)}."
        )
    if len(new.tokens) < len(old.tokens) or (
        len(new.tokens) > len(old.tokens) and old.finish != "cancelled"
    ):
        return (
            f"The text has {len(new.tokens)} tokens here and {len(old.tokens)} in the trace; they "
            "are the same as far as both go."
        )
    return ""


def _answer(lookup: Lookup) -> object:
    """What the graph answered, without ids, which another store gives its own."""
    facts = [(f.entity, f.relation, f.value, f.source, f.year) for f in lookup.facts]
    return lookup.value, lookup.how, facts


def _lookup_differs(index: int, was: Lookup, now: Lookup) -> str:
    asked = quoted(f"{was.entity} · {was.relation}")
    if was.value != now.value:
        return (
            f"Lookup {index + 1}, {asked}, returns {quoted(now.value)} here and "
            f"{quoted(was.value)} in the trace."
        )
    if was.how != now.how:
        return (
            f"Lookup {index + 1}, {asked}, is found as {now.how} here and as {was.how} in the "
            "trace."
        )
    return (
        f"Lookup {index + 1}, {asked}, returns the same words from other facts: "
        f"{_sources(now)} here, {_sources(was)} in the trace."
    )


def _sources(lookup: Lookup) -> str:
    fact = lookup.facts[0] if lookup.facts else None
    return "none" if fact is None else quoted(f"{fact.entity} · {fact.relation} ({fact.source})")


def _end_of(trace: Trace, token: int) -> str:
    """The words before a token."""
    before = "".join(each.text for each in trace.tokens[:token])
    if not before:
        return "the prompt"
    return quoted(("…" if len(before) > _BEFORE else "") + before[-_BEFORE:].strip())
