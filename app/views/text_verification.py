"""What *Verify* shows of a whole text: three columns, the values they say, what was deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from app.state.session import Session
from app.views.templates import Macros
from model.audit.ordinary_model import base_name, missing_base
from model.audit.text_conditions import (
    NO_LOOKUPS,
    WITH_FACTS,
    WITHOUT_FACTS,
    Said,
    TextColumn,
    TextConditions,
)

TITLES = {
    WITH_FACTS: "With the graph as it is",
    WITHOUT_FACTS: "Its facts deleted",
    NO_LOOKUPS: "Lookups forbidden",
}
_HTML = Macros("text_verification.html")


def render(session: Session) -> Markup | str:
    """The text that is verified, as HTML; "" while the page shows a fact."""
    state, text = session.verifying, session.verifying.text
    if not text.chosen:
        return ""
    result = text.result
    return _HTML.text(
        prompt=text.prompt,
        running=text.running,
        waiting=state.waiting,
        result=None if result is None else _shown(result),
        stale=result is not None and text.graph != session.draft.state(),
        seconds=text.seconds,
        ordinary=None if result is None else _ordinary(session, result),
    )


def form(session: Session) -> Markup:
    """The field for a prompt, and a button for the text of this tab."""
    text = session.verifying.text
    busy, back = text.running or text.asking, bool(text.prompt) and not text.chosen
    return _HTML.form(session.question.prompt, busy, back)


def _shown(result: TextConditions) -> dict[str, Any]:
    return {
        "sentence": result.sentence,
        "columns": [_column(result, column) for column in result.columns],
        "deleted": result.deleted,
        "edits": result.edits,
        "revision": result.revision,
        "model": result.model,
    }


def _column(result: TextConditions, column: TextColumn) -> dict[str, Any]:
    first = column.key == WITH_FACTS
    return {
        "id": column.key.replace(" ", "-"),
        "title": TITLES[column.key],
        "count": len(column.shown),
        "of": len(result.taken),
        "pieces": _pieces(column.trace.text, column.shown),
        "said": [] if first else [(each.value.text, each.through) for each in column.shown],
        "lookups": [
            f"{entry.lookup.entity} · {entry.lookup.relation} → {entry.lookup.value}"
            for entry in column.trace.lookups
            if entry.lookup.ranking is None
        ],
        "cut": column.trace.finish in ("length", "context"),
    }


def _ordinary(session: Session, result: TextConditions) -> dict[str, Any]:
    """What an ordinary model answers, or how it can be asked."""
    text, base = session.verifying.text, session.service.base
    answer = text.answer
    return {
        "name": base_name(base),
        "missing": missing_base(base),
        "asking": text.asking,
        "pieces": [] if answer is None else _pieces(answer.text, answer.said),
        "said": 0 if answer is None else len(answer.said),
        "of": len(result.taken),
        "deleted": len(result.deleted),
        "edits": result.edits,
        "answer": answer,
    }


def _pieces(text: str, values: Sequence[Said]) -> list[tuple[str, str]]:
    """The text in pieces: each with "", or "returned" or "unreturned" for a value."""
    found = sorted(
        (start, -end, "returned" if each.through else "unreturned")
        for each in values
        for start, end in each.places
    )
    pieces, at = [], 0
    for start, end, kind in found:
        if start >= at:
            pieces += [(text[at:start], ""), (text[start:-end], kind)]
            at = -end
    return [piece for piece in [*pieces, (text[at:], "")] if piece[0]]
