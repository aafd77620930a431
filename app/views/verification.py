"""What *Verify* shows: the verdict of a fact, the texts it rests on, the bar and the closure."""

from __future__ import annotations

import math
from typing import Any

from markupsafe import Markup

from app.state.fact_list import FactList
from app.state.session import Session
from app.views import text_verification
from app.views.templates import Macros
from app.views.templates import render as render_template
from graph.core.facts import Fact
from graph.editing.closure import KINDS as LEAKS
from graph.version import VERSION
from model.audit.closed_book import SIGN, Bar
from model.audit.verification import (
    COMPLETED,
    KINDS,
    NO_LOOKUPS,
    WITH_FACT,
    WITHOUT_CLOSURE,
    WITHOUT_FACT,
    Column,
    Verification,
    canonical,
)
from model.grounding import places

GROUPS = (
    ("With the fact", ((WITH_FACT, "The graph as it is"),)),
    (
        "The fact deleted",
        ((WITHOUT_FACT, "Only the fact deleted"), (WITHOUT_CLOSURE, "Its closure deleted too")),
    ),
    (
        "Lookups forbidden",
        ((NO_LOOKUPS, "The same question"), (COMPLETED, "The statement, to be completed")),
    ),
)
FACTS_OFFERED = 40
_LONGEST_BAR = 1000.0  # the ratio at the end of the scale
_HTML = Macros("verification.html")


def render(session: Session) -> Markup | str:
    """The page as HTML; "" while this tab has not opened it."""
    state = session.verifying
    if not state.shown:
        return ""
    result = None if state.text.chosen else state.result
    return _HTML.page(
        note=session.notes.verify,
        text=text_verification.render(session),
        text_running=state.text.running or state.text.asking,
        text_form=text_verification.form(session),
        fact=result.fact if result is not None else _asked(session),
        running=state.running,
        waiting=state.waiting,
        result=None if result is None else _shown(result),
        stale=result is not None and state.graph != session.draft.state(),
        seconds=state.seconds,
        offered=_offered(session),
        number=state.number,
        can_undo=session.draft.can_undo(),
        many=_many(state.many),
    )


def download(session: Session) -> dict[str, str] | None:
    """The file that a person asked for, once: the list in one of three formats."""
    kind, many = session.verifying.export, session.verifying.many
    session.verifying.export = ""
    if kind == "json":
        return _file("json", "application/json", canonical(many.to_json()) + "\n")
    if kind == "csv":
        return _file("csv", "text/csv", many.to_csv())
    return _file("html", "text/html", list_page(many)) if kind == "html" else None


def _file(ending: str, kind: str, text: str) -> dict[str, str]:
    return {"name": f"lamplight-verifications.{ending}", "type": kind, "text": text}


def list_page(many: FactList) -> str:
    """The list as one HTML file that loads nothing."""
    return str(
        render_template(
            "verification_list.html",
            many=_many(many),
            texts=[_shown(row) | {"fact": row.fact} for row in many.rows],
            json=canonical(many.to_json()),
            version=VERSION,
        )
    )


def _many(many: FactList) -> dict[str, Any]:
    ratio = many.ratio
    first = many.rows[0] if many.rows else None
    return {
        "running": many.running,
        "wanted": len(many.facts),
        "done": len(many.rows),
        "seed": many.seed,
        "problems": many.problems,
        "model": "" if first is None else first.model,
        "revision": 0 if first is None else first.revision,
        "edits": 0 if first is None else first.edits,
        "sign": f"{SIGN:.0f}",
        "ratio": None
        if ratio is None
        else f"{times(ratio['value'])} [{times(ratio['low'])}, {times(ratio['high'])}]",
        "shares": [
            {
                "kind": kind,
                "name": KINDS[kind],
                "count": round(row["value"] * row["n"]),
                "share": f"{row['value']:.0%} [{row['low']:.0%}, {row['high']:.0%}]".replace(
                    "%", " %"
                ),
            }
            for kind, row in many.shares.items()
        ],
        "rows": [
            {
                "fact": row.fact,
                "kind": row.verdict.kind,
                "name": KINDS[row.verdict.kind],
                "sentence": row.verdict.sentence,
                "states": [column.states for column in row.columns],
                "ratio": "–" if row.bar is None else times(row.bar.ratio),
            }
            for row in many.rows
        ],
    }


def _asked(session: Session) -> Fact | None:
    """The fact that is being verified."""
    state = session.verifying
    return session.draft.fact(state.fact_id) if state.running and state.fact_id else None


def _offered(session: Session) -> list[Fact]:
    """The facts that the text of this tab looked up; a verified text lists its own."""
    marked = session.text.marked
    if marked is None or session.run.writing or session.verifying.text.chosen:
        return []
    known = (session.draft.fact(fact_id) for fact_id in marked.facts)
    return [fact for fact in known if fact is not None][:FACTS_OFFERED]


def _shown(result: Verification) -> dict[str, Any]:
    return {
        "kind": result.verdict.kind,
        "name": KINDS[result.verdict.kind],
        "sentence": result.verdict.sentence,
        "prompt": result.columns[0].trace.prompt,
        "groups": [
            {
                "name": name,
                "columns": [_column(result, key, title) for key, title in columns],
            }
            for name, columns in GROUPS
        ],
        "bar": None if result.bar is None else _bar(result.bar),
        "leaks": [
            {"meaning": LEAKS[leak.kind], "facts": leak.facts, "last": leak.facts[-1]}
            for leak in result.leaks
        ],
        "edits": result.edits,
        "revision": result.revision,
        "model": result.model,
        "common": result.common,
    }


def _column(result: Verification, key: str, title: str) -> dict[str, Any]:
    column = result.column(key)
    return {
        "id": key.replace(" ", "-"),
        "title": title,
        "states": column.states,
        "beginning": column.beginning,
        "pieces": _pieces(column, result.fact.value),
        "lookups": [
            f"{entry.lookup.entity} · {entry.lookup.relation} → {entry.lookup.value}"
            for entry in column.trace.lookups
            if entry.lookup.ranking is None
        ],
    }


def _pieces(column: Column, value: str) -> list[tuple[str, bool]]:
    """The text in pieces, and whether each is the value."""
    text, pieces, at = column.text, [], 0
    for start, end in places(text, value):
        if start >= at:
            pieces += [(text[at:start], False), (text[start:end], True)]
            at = end
    return [piece for piece in [*pieces, (text[at:], False)] if piece[0]]


def _bar(bar: Bar) -> dict[str, Any]:
    return {
        "ratio": times(bar.ratio),
        "width": _width(bar.ratio),
        "sign": f"{SIGN:.0f}",
        "sign_width": _width(SIGN),
        "is_sign": bar.is_sign,
        "kind": bar.kind or "entity",
        "others": [
            {"entity": other.entity, "value": other.value, "ratio": times(math.exp(gain))}
            for other, gain in zip(bar.others, bar.gains, strict=True)
        ],
        "control": None if bar.control is None else times(bar.control),
        "control_width": 0.0 if bar.control is None else _width(bar.control),
        "controls": bar.controls,
    }


def times(ratio: float) -> str:
    """A ratio for a reader."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.2g}"


def _width(ratio: float) -> float:
    """The length of a ratio's bar in per cent, on a logarithmic scale from 1/10 on."""
    low, high = math.log(0.1), math.log(_LONGEST_BAR)
    return round(100 * min(1.0, max(0.01, (math.log(max(ratio, 1e-9)) - low) / (high - low))), 1)
