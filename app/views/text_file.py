"""A text as one HTML file: its lit words with their facts, and what wrote it.

    html = render(exported_text(session))

The file loads nothing and needs no script: a lit word is a link to its row in the table below.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from markupsafe import Markup

from app.state.comparison import describe
from app.state.exported_text import ExportedText
from app.state.marked_trace import Chip, MarkedTrace, asked_for
from app.views.colours import DARK, LIGHT
from app.views.hover_cards import FOUND_BY, mark_groups
from app.views.sources import sources_html
from app.views.templates import Macros
from app.views.templates import render as render_template
from app.views.weaving import Layer, weave
from graph.core.facts import Fact
from model.exported_trace import public_name
from model.weight_hashes import checkpoint_hash

_HTML = Macros("text_file.html")
EDITS_LISTED = 200


def render(text: ExportedText) -> str:
    """The file."""
    trace, marked, graph = text.trace, text.marked, text.exported.graph
    edited = frozenset(delta.after.id for delta in text.deltas if isinstance(delta.after, Fact))
    return str(
        render_template(
            "text_page.html",
            prompt=trace.prompt,
            reading=_woven(marked, edited),
            rows=[_row(marked, fact, fact.id in edited) for fact in marked.facts.values()],
            misses=[
                (each.lookup.entity, asked_for(each))
                for each in trace.lookups
                if each.lookup.is_miss
            ],
            edits=[describe(delta) for delta in text.deltas[:EDITS_LISTED]],
            edits_left=max(0, len(text.deltas) - EDITS_LISTED),
            model=public_name(trace.model),
            checkpoint=checkpoint_hash(trace.weights),
            weights=sorted(trace.weights.items()),
            graph=graph,
            settings=", ".join(
                f"{name.replace('_', ' ')} {_shown(value)}"
                for name, value in trace.settings.to_json().items()
            ),
            written=trace.written,
            finish=trace.finish,
            citation=text.citation,
            light=LIGHT,
            dark=DARK,
        )
    )


def _shown(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _row(marked: MarkedTrace, fact: Fact, edited: bool) -> dict[str, Any]:
    lookup = marked.lookup(marked.lookup_of[fact.id]).lookup
    return {
        "number": marked.numbers[fact.id],
        "fact": fact,
        "sources": sources_html(fact.source),
        "edited": edited,
        "found": FOUND_BY.get(lookup.how, lookup.how),
        "repeated": bool(marked.marks_of(fact.id)),
    }


def _woven(marked: MarkedTrace, edited: frozenset[int]) -> Markup:
    """The text with its marks, flags and chips."""
    flags, marks = Layer(), Layer()
    for begin, end, index in marked.contradicted:
        flags.add(
            begin, end, partial(_HTML.flagged, f"graph says {marked.lookup(index).lookup.value}")
        )
    for each in marked.other_relations:
        asked = marked.lookup(each.lookup).lookup
        relation = asked.resolved_relation or asked.relation
        words = f"asked for {relation}, says {each.says}"
        flags.add(each.start, each.end, partial(_HTML.flagged, words))
    for begin, end in marked.unsupported:
        flags.add(begin, end, _HTML.unsupported)
    for group in mark_groups(marked):
        facts = [marked.facts[mark.fact_id] for mark in group if mark.fact_id in marked.facts]
        if facts:
            wrap = partial(
                _HTML.mark,
                [marked.numbers[fact.id] for fact in facts],
                facts[0],
                any(fact.id in edited for fact in facts),
            )
            marks.add(group[0].start, group[0].end, wrap)
    inserts = [(chip.at, _chip(marked, chip)) for chip in marked.chips]
    first = Markup("").join(html for at, html in inserts if at <= 0)
    return first + weave(marked.text, 0, len(marked.text), (flags, marks), inserts)


def _chip(marked: MarkedTrace, chip: Chip) -> Markup:
    if chip.fact is not None:
        return _HTML.unused(marked.numbers[chip.fact.id])
    lookup = marked.lookup(chip.lookup)
    relation = asked_for(lookup)
    return _HTML.miss(f"{lookup.lookup.entity} · {relation}" if relation else lookup.lookup.entity)
