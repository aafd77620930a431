"""What a session looks like: one value for each part of the page, and those that changed on a wire.

Gradio makes a component anew for each output of an event that is skipped, nine tenths of a
millisecond for each of a dozen parts and each drawing of a text. So one output carries them all:
a JSON object of `{part: [number, value]}`, which `assets/panel.js` hands to the parts. A part draws
what has a higher number than what it shows. A browser may miss a message, since it looks at the
newest only; so each holds what changed of late, and the last one of an event holds everything.
"""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from app.state.comparison import visible_deltas
from app.state.session import Sent, Session
from app.views import (
    draft_bar,
    example_cards,
    fact_table,
    graph_figure,
    own_facts_panel,
    search_box,
    trace_text,
)
from app.views import fact_card as card_view
from app.views.edit_summary import invented_html, unread_html
from app.views.templates import macro

ONCE = ("prompt", "download")  # shown once, and then the visitor's
OF_LATE = 2.0  # seconds for which a change is sent again with each message
FACTS_ON_CARD = 14
GRAPH_EVERY = 0.4  # seconds between two drawings of the graph while a text is written
TO_TRY = ("France", "Japan", "Albert Einstein", "Jupiter", "Danube", "Kenya")  # after a miss
_STOP, _NOTE, _OFFER, _LEFT_OUT, _NO_HIT, _STATUS = (
    macro("page_parts.html", name)
    for name in ("stop", "prompt_note", "prompt_offer", "left_out", "no_hit", "status")
)


def message(session: Session, whole: bool = False) -> str:
    """What the browser may not show yet, as JSON; all that the page shows if `whole`."""
    with session.lock:
        now = time.monotonic()
        for name, value in parts(session).items():
            sent = session.sent.get(name)
            if value is None or (name not in ONCE and sent is not None and sent.value == value):
                continue
            session.number += 1
            session.sent[name] = Sent(session.number, value, now)
        session.box = session.download = None
        fresh = {
            name: [sent.number, sent.value]
            for name, sent in session.sent.items()
            if (whole and name not in ONCE) or now - sent.at < OF_LATE
        }
        return json.dumps(fresh, ensure_ascii=False)


LOST = "This page lost its server session; reload it. The edits of your draft are kept."
_LAST = 10**15  # a number after those of any session


def lost(sentence: str = LOST) -> str:
    """The message to a page that has no session: why, in one sentence."""
    return json.dumps({"prompt-note-panel": [_LAST, _NOTE(sentence)]})


@lru_cache
def stop_html(writing: bool) -> Markup:
    """The stop button, to be pressed only while the model writes."""
    return _STOP(writing)


def parts(session: Session) -> dict[str, str | None]:
    """The value of each part by the id of its element; None for what stays as it is."""
    key = session.scene_key()
    # While a text is rewritten its graph stands, and the first new word need not wait for it. While
    # one is written the graph follows in steps: each drawing costs the browser more than the words.
    late = time.monotonic() - session.drawn_at >= GRAPH_EVERY or not session.writing
    if session.drawn is None or (session.drawn[0] != key and late and not session.rewriting):
        scene = session.scene()
        figure = json.dumps(graph_figure.draw(scene, session.chart), ensure_ascii=False)
        session.drawn = (key, scene, figure, fact_table.render(scene))
        session.drawn_at = time.monotonic()
    _, scene, figure, table = session.drawn
    return {
        "prompt": session.box,
        "prompt-note-panel": _prompt_note(session),
        "own": own_facts_panel.render(session.own),
        "examples": example_cards.render(
            session.service.examples, session.prompt, bool(session.deltas_now())
        ),
        "search": search_box.render(session.found, session.search_text),
        "trace": _trace(session),
        "graph-note": _graph_note(session, scene),
        "graph": figure,
        "table": table,
        "card": card_view.render(_card(session)),
        "draft": _draft(session),
        "status": _status(session),
        "stop": stop_html(session.writing),
        "download": None if session.download is None else json.dumps(session.download),
    }


def _prompt_note(session: Session) -> str:
    """What is wrong with the prompt, or that it has a name that was changed."""
    note, offer = session.prompt_note, session.offer
    if note:
        return _NOTE(note)
    return "" if offer is None else _OFFER(offer.old, offer.prompt)


def _graph_note(session: Session, scene: graph_figure.Scene) -> str:
    strong, faint, left_out = graph_figure.bounded(scene)
    if left_out:
        return _LEFT_OUT(left_out)
    if session.reading is not None and not session.writing and not strong and not faint:
        return _NO_HIT()
    return ""


def _status(session: Session) -> str:
    """A few words for screen readers; which generation they are of, for tests and scripts."""
    return _STATUS(session.run, session.writing, session.status)


def _trace(session: Session) -> str:
    reading = session.reading
    deleted: tuple[Any, ...] = ()
    if reading is not None:
        about = {each.lookup.entity_id for each in reading.trace.lookups}
        deleted = tuple(fact for fact in session.deleted() if fact.entity_id in about)
    selection = session.selection
    suggestions: tuple[str, ...] = ()
    if reading is not None and reading.hit_nothing and not session.writing:
        suggestions = tuple(name for name in TO_TRY if session.draft.find_entities(name))[:3]
    view = trace_text.View(
        raw=session.raw,
        tab=session.tab,
        selected=session.selected_facts(),
        edited=session.edited(),
        selected_lookup=selection.id if selection.kind == "miss" else None,
        writing=session.writing,
        rewriting=session.rewriting,
        deleted=deleted,
        stale=session.stale,
        note=session.trace_note,
        suggestions=suggestions,
        speed=session.speed,
        summary=_summary(session),
    )
    return trace_text.render(reading, view, session.before, session.comparison)


def _summary(session: Session) -> str:
    """What the last edit did, where no two texts are compared."""
    if session.unread:
        return unread_html(session.deltas, session.prompt)
    if session.invented is None:
        return ""
    return invented_html(*session.invented)


def _card(session: Session) -> card_view.Card:
    selection, reading, draft = session.selection, session.reading, session.draft
    notes: dict[str, Any] = {
        "note": session.card_note,
        "done": session.card_done,
        "options": session.options,
    }
    if selection.kind == "fact":
        fact = draft.fact(selection.id)
        if fact is None:
            gone = next((fact for fact in session.deleted() if fact.id == selection.id), None)
            kind = "none" if gone is None else "deleted"
            return card_view.Card(kind=kind, fact=gone, **notes)
        lookup = number = probability = None
        said = False
        if reading is not None and fact.id in reading.lookup_of:
            lookup = reading.lookup(reading.lookup_of[fact.id])
            number = reading.numbers[fact.id]
            marks = reading.marks_of(fact.id)
            said = bool(marks)
            if marks:
                probability = reading.trace.probability(marks[0].start, marks[0].end)
        history = draft.history(fact_id=fact.id, limit=1)
        history += session.service.store.history(fact_id=fact.id, limit=1) if not history else []
        return card_view.Card(
            kind="fact",
            fact=fact,
            lookup=lookup,
            number=number,
            probability=probability,
            said=said,
            changed=history[0] if history and history[0].kind != "import" else None,
            edited=fact.id in session.edited(),
            revision=draft.base_revision,
            typing=session.typing,
            acting=session.acting,
            **notes,
        )
    if selection.kind == "entity":
        entity = draft.entity(selection.id)
        if entity is None:
            return card_view.Card(**notes)
        facts = draft.facts(entity.id, limit=FACTS_ON_CARD + 1)
        return card_view.Card(
            kind="entity",
            entity=entity,
            facts=tuple(facts[:FACTS_ON_CARD]),
            more_facts=len(facts) > FACTS_ON_CARD,
            expanded=session.expanded.get(entity.id, 0),
            **notes,
        )
    lookups = reading.trace.lookups if reading is not None else []
    if selection.kind == "miss" and selection.id < len(lookups):
        return card_view.Card(
            kind="miss",
            lookup=lookups[selection.id],
            **notes,
        )
    dark = reading is not None and not session.writing and not reading.lookup_of
    return card_view.Card(dark=dark, **notes)


def _draft(session: Session) -> str:
    deltas = session.deltas_now()
    return draft_bar.render(
        visible_deltas(deltas) if deltas else [],
        can_undo=session.draft.can_undo(),
        can_redo=session.draft.can_redo(),
        note=session.draft_note,
        done=session.draft_done,
        conflict=session.conflict,
    )
