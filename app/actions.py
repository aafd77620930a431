"""What a person can do on the page. Each action is a generator: it changes the session and yields
whenever there is something new to draw.

What the browser sends is {"action": name, ...}. Nothing of it is trusted: an unknown action does
nothing, ids are parsed and looked up, texts are cleaned by the graph, and whatever is wrong ends
as one sentence beside its cause, after which the page works on.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from app.changes import between, compare
from app.examples import Example, by_name
from app.graph_view import Chart
from app.reading import read
from app.session import AUTHOR, EXPAND_BY, Selection, Session
from graph.edits import Add, Change, Delete, Edit, Rename
from graph.errors import Conflict, StoreError
from graph.facts import Fact, clean_name, fold, parse_id
from graph.retriever import Retriever
from model.decoder import DoneEvent, Event, LookupEvent, TokenEvent
from model.prompts import PromptError, clean_prompt
from model.settings import DecodingSettings
from model.trace import Trace

log = logging.getLogger("lamplight")

REDRAW_EVERY = 0.1  # seconds between two drawings of a text that is being written
SHOW_FOR = 0.9  # seconds that an example shows what it is about to edit
Steps = Iterator[None]


def ask(session: Session, prompt: object, settings: DecodingSettings) -> Steps:
    """Write a new text for a prompt."""
    session.clear_notes()
    try:
        if not isinstance(prompt, str):
            raise PromptError("The prompt is not text; type a question.")
        prompt = clean_prompt(prompt)
    except PromptError as problem:
        session.prompt_note = str(problem)
        yield
        return
    session.prompt = prompt
    session.settings = settings
    session.draft = session.service.draft(session.id)  # without edits, it reads the newest
    session.before = session.comparison = None
    session.deltas = []
    session.selection = Selection()
    session.chart, session.expanded = Chart(), {}
    session.tab = "changes"
    yield from _write(session, None)


def rewrite(session: Session) -> Steps:
    """Write the present text again over the edited graph, and compare."""
    if not session.prompt:
        yield
        return
    old = session.trace
    if old is None or old.prompt != session.prompt or old.finish == "cancelled":
        yield from _write(session, None)
        return
    yield from _write(session, old)


def _write(session: Session, old: Trace | None) -> Steps:
    """Run the decoder, anew or over an old trace, and draw what it writes as it is written."""
    with session.lock:
        session.run += 1
        run = session.run
        session.writing = True
        session.rewriting = old is not None
        session.status = "Rewriting after your edit" if old else "Writing"
    before = read(old) if old else None

    def cancelled() -> bool:
        return session.run != run or session.stopped == run

    try:
        retriever = Retriever(session.draft)
        decoder = session.service.decoder
        events: Iterator[Event]
        if old is None:
            session.reading = None
            events = decoder.generate(session.prompt, retriever, session.settings, cancelled)
        else:
            events = decoder.regenerate(old, retriever, session.settings, cancelled)
        yield
        for trace, done in _growing(session, events, retriever):
            if session.run != run:
                return
            session.reading = read(trace, finished=done)
            session.stale = _rest(before.text, trace) if before and not done else ""
            if old is None and not done and not session.reading.listed:
                session.chart = Chart()  # nobody can say yet how many facts will stand around
            if done:
                _finish(session, trace, before)
            yield
    except (PromptError, StoreError) as problem:
        if session.run == run:
            session.trace_note = str(problem)
    except Exception:
        log.exception("a generation failed")
        if session.run == run:
            session.trace_note = "The text could not be written; ask again, or reload the page."
    finally:
        if session.run == run:
            session.writing = session.rewriting = False
            session.stale = ""
    if session.run == run:
        yield


def _finish(session: Session, trace: Trace, before: Any) -> None:
    """Keep a finished text, and what it says that the one before did not."""
    session.writing = session.rewriting = False
    session.stale = ""
    assert session.reading is not None
    if before is not None:
        session.before = before
        session.comparison = compare(before, session.reading, session.deltas, trace.seconds)
    session.trace = trace
    if trace.finish == "cancelled":
        session.trace_note = "Stopped: the text is unfinished."
        session.comparison = None
        session.status = "Stopped"
    elif trace.finish in ("length", "context"):
        session.trace_note = (
            f"The text was cut at {len(trace.tokens)} tokens; raise the limit under Decoding."
        )
        session.status = "Cut at the limit"
    else:
        count = len({mark.fact_id for mark in session.reading.marks})
        facts = f"{count} fact{'' if count == 1 else 's'} copied from the graph"
        session.status = f"Rewritten: {facts}" if before else f"Written: {facts}"


def _growing(
    session: Session, events: Iterator[Event], retriever: Retriever
) -> Iterator[tuple[Trace, bool]]:
    """The trace as far as it is written, at most every `REDRAW_EVERY` seconds, at last whole."""
    tokens: list[Any] = []
    lookups: list[Any] = []
    drawn = 0.0
    for event in events:
        if isinstance(event, DoneEvent):
            yield event.trace, True
            return
        if isinstance(event, TokenEvent):
            tokens.append(event.token)
            if event.reused:
                continue
        elif isinstance(event, LookupEvent):
            lookups.append(event.lookup)
        now = time.monotonic()
        if now - drawn < REDRAW_EVERY:
            continue
        drawn = now
        partial = Trace(
            prompt=session.prompt,
            prompt_ids=[],
            tokens=list(tokens),
            lookups=[lookup for lookup in lookups if lookup.end <= len(tokens)],
            model="",
            settings=session.settings,
            revision=retriever.revision,
            state=retriever.state,
            finish="",
            seconds=0.0,
        )
        yield partial, False


def _rest(old: str, trace: Trace) -> str:
    """What is left of the old text behind what is written anew, to be shown as stale."""
    return old[len(trace.text) :]


# -- editing


def _edit(session: Session, edits: Sequence[Edit], reason: str = "") -> Steps:
    """Do edits in the draft and rewrite the text."""
    session.clear_notes()
    try:
        old = session.draft.deltas()
        session.draft.apply(edits, author=AUTHOR, reason=reason)
    except StoreError as problem:
        session.card_note = str(problem)
        yield
        return
    session.undone = 0
    yield from _after_edit(session, old)


def _after_edit(session: Session, old: list[Any]) -> Steps:
    session.deltas = between(old, session.draft.deltas())
    session.tab = "changes"
    yield from rewrite(session)


def _fact_or_note(session: Session, claimed: object) -> Fact | None:
    """The fact of an id that came back, or None and a sentence beside the card."""
    try:
        fact_id = parse_id(claimed)
    except StoreError as problem:
        session.card_note = str(problem)
        return None
    fact = session.draft.fact(fact_id)
    if fact is None:
        known = session.reading.facts.get(fact_id) if session.reading else None
        what = f"{known.relation} of {known.entity}" if known else "That fact"
        session.card_note = f"{what} is not in the graph any more; it was deleted meanwhile."
    return fact


def _entity_id(claimed: object) -> int:
    text = str(claimed)
    return parse_id(text[1:] if text.startswith("e") else text)


def change(session: Session, said: dict[str, Any]) -> Steps:
    """Give a fact another value."""
    session.clear_notes()
    fact = _fact_or_note(session, said.get("id"))
    if fact is None:
        yield
        return
    value = _field(said, "value")
    if value.strip() == fact.value:
        session.card_note = "The value is as it was; type another one to change it."
        yield
        return
    yield from _edit(session, [Change(fact.id, value)])


def delete(session: Session, said: dict[str, Any]) -> Steps:
    """Delete a fact."""
    session.clear_notes()
    fact = _fact_or_note(session, said.get("id"))
    if fact is None:
        yield
        return
    yield from _edit(session, [Delete(fact.id)])


def add(session: Session, said: dict[str, Any]) -> Steps:
    """Add a fact."""
    yield from _edit(
        session, [Add(_field(said, "entity"), _field(said, "relation"), _field(said, "value"))]
    )


def rename(session: Session, said: dict[str, Any]) -> Steps:
    """Give an entity another name."""
    session.clear_notes()
    try:
        entity_id = _entity_id(said.get("id"))
    except StoreError as problem:
        session.card_note = str(problem)
        yield
        return
    if session.draft.entity(entity_id) is None:
        session.card_note = "That entity is not in the graph any more."
        yield
        return
    yield from _edit(session, [Rename(entity_id, _field(said, "name"))])


def restore(session: Session, said: dict[str, Any]) -> Steps:
    """Bring back a fact that this draft deleted."""
    session.clear_notes()
    gone = {str(fact.id): fact for fact in session.deleted()}
    fact = gone.get(str(said.get("id")))
    if fact is None:
        session.card_note = "That fact is not among those that you deleted."
        yield
        return
    again = Add(
        fact.entity, fact.relation, fact.value, fact.source, fact.year, fact.value_id is not None
    )
    yield from _edit(session, [again])


def undo(session: Session, said: dict[str, Any]) -> Steps:
    """Take back the last edit of the draft."""
    yield from _step_back_or_on(session, session.draft.undo, 1)


def redo(session: Session, said: dict[str, Any]) -> Steps:
    """Do again what was undone last."""
    yield from _step_back_or_on(session, session.draft.redo, -1)


def _step_back_or_on(session: Session, step: Callable[..., int], undone: int) -> Steps:
    session.clear_notes()
    try:
        old = session.draft.deltas()
        step(author=AUTHOR)
    except StoreError as problem:
        session.draft_note = str(problem)
        yield
        return
    session.undone = max(0, session.undone + undone)
    yield from _after_edit(session, old)


def publish(session: Session, said: dict[str, Any]) -> Steps:
    """Write the draft to the shared store, or show what is in the way."""
    session.clear_notes()
    try:
        revision = session.draft.publish(author=AUTHOR)
    except Conflict as conflict:
        session.conflict = conflict
        session.draft_note = str(conflict)
    except StoreError as problem:
        session.draft_note = str(problem)
    else:
        session.undone = 0
        session.draft_done = f"Published as revision {revision}; everybody sees it now."
        session.status = session.draft_done
    yield


def discard(session: Session, said: dict[str, Any]) -> Steps:
    """Drop the draft and rewrite the text over the shared graph."""
    session.clear_notes()
    try:
        old = session.draft.deltas()
        session.draft.discard()
    except StoreError as problem:
        session.draft_note = str(problem)
        yield
        return
    session.undone = 0
    yield from _after_edit(session, old)
    session.draft_done = "Your edits were dropped."
    yield


# -- looking


def select_fact(session: Session, said: dict[str, Any]) -> Steps:
    """Open a fact, from a mark, an edge, a row or the card."""
    session.card_note = session.card_done = ""
    fact = _fact_or_note(session, said.get("id"))
    if fact is not None:
        session.selection = Selection("fact", fact.id)
        session.options = ()
    yield


def select_lookup(session: Session, said: dict[str, Any]) -> Steps:
    """Open a miss, or the first fact of a lookup."""
    session.card_note = session.card_done = ""
    index = str(said.get("id"))
    reading = session.reading
    if reading is None or not index.isdecimal() or int(index[:6]) >= len(reading.trace.lookups):
        session.card_note = "There is no such lookup in this text."
    else:
        lookup = reading.lookup(int(index))
        if lookup.lookup.facts:
            session.selection = Selection("fact", lookup.lookup.facts[0].id)
        else:
            session.selection = Selection("miss", lookup.index)
    yield


def select_node(session: Session, said: dict[str, Any]) -> Steps:
    """Open an entity, or the fact whose literal a node is."""
    key = str(said.get("id"))
    if key.startswith("f"):
        yield from select_fact(session, {"id": key[1:]})
        return
    session.card_note = session.card_done = ""
    try:
        entity_id = _entity_id(key)
    except StoreError as problem:
        session.card_note = str(problem)
    else:
        if session.draft.entity(entity_id) is None:
            session.card_note = "That entity is not in the graph any more."
        else:
            session.selection = Selection("entity", entity_id)
    yield


def expand(session: Session, said: dict[str, Any]) -> Steps:
    """Show eight more neighbours of a node."""
    yield from select_node(session, said)
    if session.selection.kind == "entity" and not session.card_note:
        entity_id = session.selection.id
        session.expanded[entity_id] = session.expanded.get(entity_id, 0) + EXPAND_BY
        yield


def collapse(session: Session, said: dict[str, Any]) -> Steps:
    """Put away the neighbours that a node was expanded by."""
    yield from select_node(session, said)
    if session.selection.kind == "entity":
        session.expanded.pop(session.selection.id, None)
        yield


def tab(session: Session, said: dict[str, Any]) -> Steps:
    """Choose which text to see."""
    if said.get("tab") in ("before", "changes", "after"):
        session.tab = str(said["tab"])
    yield


def raw(session: Session, said: dict[str, Any]) -> Steps:
    """Show the lookups as the model wrote them, or hide them again."""
    session.raw = not session.raw
    yield


def stop(session: Session, said: dict[str, Any]) -> Steps:
    """Stop writing; what is written stays."""
    session.stopped = session.run
    yield


def suggest(session: Session, said: dict[str, Any]) -> Steps:
    """Entities to choose as a value, while one types."""
    text = str(said.get("text", ""))[:200]
    session.options = tuple(entity.name for entity in _search(session, text, 8))
    yield


def search(session: Session, said: dict[str, Any]) -> Steps:
    """Entities by what one types."""
    text = str(said.get("text", ""))[:200].strip()
    session.search_text = text
    session.found = tuple(_search(session, text, 8))
    yield


def _search(session: Session, text: str, limit: int) -> list[Any]:
    if not text.strip():
        return []
    try:
        return session.draft.search(text, limit=limit)
    except StoreError:
        return []


def pick(session: Session, said: dict[str, Any]) -> Steps:
    """Put a found entity into the prompt."""
    session.search_text, session.found = "", ()
    try:
        entity = session.draft.entity(_entity_id(said.get("id")))
    except StoreError as problem:
        session.prompt_note = str(problem)
        yield
        return
    if entity is None:
        session.prompt_note = "That entity is not in the graph any more."
    else:
        session.prompt_note = ""
        session.box = f"Tell me about {entity.name}."
    yield


def ask_about(session: Session, said: dict[str, Any]) -> Steps:
    """Ask about the entity of a node."""
    yield from pick(session, said)
    if session.box is not None and not session.prompt_note:
        yield from ask(session, session.box, session.settings)


def try_entity(session: Session, said: dict[str, Any]) -> Steps:
    """Ask about an entity that a banner offered."""
    try:
        name = clean_name(str(said.get("name", "")))
    except ValueError as problem:
        session.prompt_note = str(problem)
        yield
        return
    session.box = f"Tell me about {name}."
    yield from ask(session, session.box, session.settings)


def example(session: Session, said: dict[str, Any]) -> Steps:
    """Play one of the four examples, its edit in full view."""
    chosen = by_name(said.get("name"))
    if chosen is None:
        yield
        return
    session.box = chosen.prompt
    if chosen.before_asking:
        session.clear_notes()
        edits = _example_edits(session, chosen)
        try:
            if edits:
                session.draft.apply(edits, author=AUTHOR)
        except StoreError as problem:
            session.prompt_note = str(problem)
            yield
            return
        session.undone = 0
        yield from ask(session, chosen.prompt, session.settings)
        return
    yield from ask(session, chosen.prompt, session.settings)
    run = session.run
    if not chosen.edits or session.trace_note:
        return
    edits = _example_edits(session, chosen)
    if not edits:
        entity, relation = chosen.edits[0][1:3]
        session.card_note = (
            f"This graph has no {relation} of {entity}, so there is nothing to edit."
        )
        yield
        return
    first = edits[0]
    assert isinstance(first, Change | Delete)
    session.selection = Selection("fact", first.fact_id)
    yield
    time.sleep(SHOW_FOR)
    if session.run == run:
        yield from _edit(session, edits)


def _example_edits(session: Session, chosen: Example) -> list[Edit]:
    """The edits of an example that this graph allows."""
    edits: list[Edit] = []
    for kind, entity, relation, value in chosen.edits:
        known = session.draft.find_entities(entity)[:1]
        if kind == "add":
            there = session.draft.facts(known[0][0].id, relation) if known else []
            if all(fold(fact.value) != fold(value) for fact in there):
                edits.append(Add(entity, relation, value))
            continue
        for found, _ in known:
            for fact in session.draft.facts(found.id, relation)[:1]:
                if kind == "delete":
                    edits.append(Delete(fact.id))
                elif fold(fact.value) != fold(value):
                    edits.append(Change(fact.id, value))
    return edits


def export(session: Session, said: dict[str, Any]) -> Steps:
    """Hand the finished trace to the browser as a file."""
    if session.trace is None:
        yield
        return
    text = json.dumps(session.trace.to_json(), ensure_ascii=False, indent=1)
    name = f"lamplight-trace-{session.trace.id[:8]}.json"
    session.download = {"name": name, "type": "application/json", "text": text}
    yield


def _field(said: dict[str, Any], name: str) -> str:
    fields = said.get("fields")
    value = fields.get(name, "") if isinstance(fields, dict) else ""
    return value if isinstance(value, str) else ""


ACTIONS: dict[str, Callable[[Session, dict[str, Any]], Steps]] = {
    "fact": select_fact,
    "miss": select_lookup,
    "lookup": select_lookup,
    "node": select_node,
    "expand": expand,
    "collapse": collapse,
    "change": change,
    "delete": delete,
    "add": add,
    "rename": rename,
    "restore": restore,
    "undo": undo,
    "redo": redo,
    "publish": publish,
    "discard": discard,
    "tab": tab,
    "raw": raw,
    "stop": stop,
    "suggest": suggest,
    "search": search,
    "pick": pick,
    "ask-about": ask_about,
    "try": try_entity,
    "example": example,
    "export": export,
}


def act(session: Session, said: object) -> Steps:
    """Do what the browser reported."""
    if not isinstance(said, dict):
        return
    action = ACTIONS.get(str(said.get("action")))
    if action is None:
        return
    try:
        yield from action(session, said)
    except StoreError as problem:
        session.card_note = str(problem)
        yield
    except Exception:
        log.exception("an action failed")
        session.card_note = "That did not work; nothing was changed. Try again or reload the page."
        yield
