"""What a session looks like: one value for each part of the page, by the id of its element."""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from app.state.comparison import visible_deltas
from app.state.exported_text import citation
from app.state.outbox import Drawing
from app.state.scene import Scene, bounded
from app.state.scene_reading import read_scene, scene_key
from app.state.session import Session
from app.views import (
    draft_bar,
    example_cards,
    fact_picker,
    fact_table,
    graph_figure,
    own_facts_panel,
    search_box,
    trace_text,
    verification,
    wrong_answer,
)
from app.views import fact_card as card_view
from app.views.edit_summary import invented_html, unread_html
from app.views.templates import macro

FACTS_ON_CARD = 14
GRAPH_EVERY = 0.4  # seconds between two drawings of the graph while a text is written
TO_TRY = ("France", "Japan", "Albert Einstein", "Jupiter", "Danube", "Kenya")  # after a miss
_STOP, _NOTE, _OFFER, _LEFT_OUT, _NO_HIT, _STATUS = (
    macro("page_parts.html", name)
    for name in ("stop", "prompt_note", "prompt_offer", "left_out", "no_hit", "status")
)


def draw(session: Session) -> bool:
    """Put what the page shows now into its outbox; returns whether any of it is new."""
    with session.lock:
        return session.outbox.put(parts(session))


def without_session(sentence: str) -> dict[str, str]:
    """The parts of a page whose session cannot be opened: why, in one sentence."""
    return {"prompt-note-panel": _NOTE(sentence)}


@lru_cache
def stop_html(writing: bool) -> Markup:
    """The stop button, to be pressed only while the model writes."""
    return _STOP(writing)


def parts(session: Session) -> dict[str, str | None]:
    """The value of each part by the id of its element; None for what stays as it is."""
    drawing = _drawing(session)
    download = session.outbox.download or verification.download(session)
    return {
        "prompt": session.outbox.prompt_box,
        "prompt-note-panel": _prompt_note(session),
        "own": own_facts_panel.render(session.imported),
        "examples": example_cards.render(
            session.service.examples, session.question.prompt, bool(session.deltas())
        ),
        "search": search_box.render(session.search.found, session.search.text),
        "trace": _trace(session),
        "graph-note": _graph_note(session, drawing.scene),
        "graph": drawing.figure,
        "graph-picker": fact_picker.render(
            session.picture.drawn, session.search.suggestions, session.notes.card
        ),
        "table": drawing.table,
        "card": card_view.render(_card(session)),
        "draft": _draft(session),
        "status": _status(session),
        "verify": verification.render(session),
        "stop": stop_html(session.run.writing),
        "download": None if download is None else json.dumps(download),
    }


def _drawing(session: Session) -> Drawing:
    """The graph and its table, drawn again if what they show has changed."""
    # While a text is rewritten its graph stands, and the first new word need not wait for it. While
    # one is written the graph follows in steps: each drawing costs the browser more than the words.
    last, key, now = session.outbox.drawing, scene_key(session), time.monotonic()
    if last is not None:
        late = now - last.at >= GRAPH_EVERY or not session.run.writing
        if last.key == key or session.run.rewriting or not late:
            return last
    scene = read_scene(session)
    figure = json.dumps(graph_figure.draw(scene, session.picture.layout), ensure_ascii=False)
    drawing = Drawing(key, scene, figure, fact_table.render(scene), time.monotonic())
    session.outbox.drawing = drawing
    return drawing


def _prompt_note(session: Session) -> str:
    """What is wrong with the prompt, or that it has a name that was changed."""
    note, offer = session.notes.prompt, session.notes.offer
    if note:
        return _NOTE(note)
    return "" if offer is None else _OFFER(offer.old, offer.prompt)


def _graph_note(session: Session, scene: Scene) -> str:
    strong, faint, left_out = bounded(scene)
    if left_out:
        return _LEFT_OUT(left_out)
    if session.text.marked is not None and not session.run.writing and not strong and not faint:
        return _NO_HIT()
    return ""


def _status(session: Session) -> str:
    """A few words for screen readers; which generation they are of, for tests and scripts."""
    run = session.run
    return _STATUS(run.number, run.writing, run.status)


def _trace(session: Session) -> str:
    marked = session.text.marked
    deleted: tuple[Any, ...] = ()
    if marked is not None:
        about = {each.lookup.entity_id for each in marked.trace.lookups}
        deleted = tuple(fact for fact in session.deleted_facts() if fact.entity_id in about)
    selection = session.selection
    suggestions: tuple[str, ...] = ()
    if marked is not None and marked.hit_nothing and not session.run.writing:
        suggestions = tuple(name for name in TO_TRY if session.draft.find_entities(name))[:3]
    has_edits = bool(session.deltas())
    view = trace_text.View(
        raw=session.text.raw,
        tab=session.text.tab,
        selected=session.selected_ids(),
        edited=session.edited_ids(),
        selected_lookup=selection.id if selection.kind == "miss" else None,
        writing=session.run.writing,
        rewriting=session.run.rewriting,
        waiting=session.run.waiting,
        deleted=deleted,
        stale=session.text.stale,
        note=session.notes.text,
        suggestions=suggestions,
        speed=session.text.speed,
        summary=_summary(session),
        wrong=wrong_answer.render(session),
        page=session.page_id,
        citation="" if session.text.trace is None else citation(session.text.trace, has_edits),
        has_edits=has_edits,
    )
    return trace_text.render(marked, view, session.text.before, session.text.comparison)


def _summary(session: Session) -> str:
    """What the last edit did, where no two texts are compared."""
    if session.text.unread:
        return unread_html(session.text.deltas, session.question.prompt)
    if session.text.made_up is None:
        return ""
    return invented_html(session.text.made_up.entity, session.text.made_up.facts)


def _card(session: Session) -> card_view.Card:
    selection, marked, draft = session.selection, session.text.marked, session.draft
    notes: dict[str, Any] = {
        "note": session.notes.card,
        "done": session.notes.card_done,
        "options": session.search.suggestions,
    }
    if selection.kind == "fact":
        fact = draft.fact(selection.id)
        if fact is None:
            gone = next((fact for fact in session.deleted_facts() if fact.id == selection.id), None)
            kind = "none" if gone is None else "deleted"
            return card_view.Card(kind=kind, fact=gone, **notes)
        lookup = number = probability = None
        repeated, says = False, ""
        if marked is not None and fact.id in marked.lookup_of:
            lookup = marked.lookup(marked.lookup_of[fact.id])
            number = marked.numbers[fact.id]
            marks = marked.marks_of(fact.id)
            repeated, says = bool(marks), marked.says(fact.id)
            if marks:
                probability = marked.trace.probability(marks[0].start, marks[0].end)
        history = draft.history(fact_id=fact.id, limit=1)
        history += session.service.store.history(fact_id=fact.id, limit=1) if not history else []
        return card_view.Card(
            kind="fact",
            fact=fact,
            lookup=lookup,
            number=number,
            probability=probability,
            repeated=repeated,
            says=says,
            changed=history[0] if history and history[0].kind != "import" else None,
            edited=fact.id in session.edited_ids(),
            revision=draft.base_revision,
            typing=session.example.typing,
            acting=session.example.button,
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
            expanded=session.picture.expanded.get(entity.id, 0),
            **notes,
        )
    lookups = marked.trace.lookups if marked is not None else []
    if selection.kind == "miss" and selection.id < len(lookups):
        return card_view.Card(
            kind="miss",
            lookup=lookups[selection.id],
            **notes,
        )
    if marked is None or session.run.writing or marked.lookup_of:
        return card_view.Card(**notes)
    about = [(each.lookup.entity_id, each.lookup.resolved_entity) for each in marked.listed[:1]]
    listed = next(((id_, name) for id_, name in about if id_ is not None and name), None)
    return card_view.Card(nothing_lit=True, listed=listed, **notes)


def _draft(session: Session) -> str:
    deltas = session.deltas()
    return draft_bar.render(
        visible_deltas(deltas) if deltas else [],
        can_undo=session.draft.can_undo(),
        can_redo=session.draft.can_redo(),
        note=session.notes.draft,
        done=session.notes.draft_done,
        conflict=session.notes.conflict,
        publishes=session.service.publishes,
    )
