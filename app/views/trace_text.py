"""The trace as an escaped HTML string: the text with its marks, the raw lookups, the word diff.

Everything that comes from a model, a graph or a person goes through `html.escape` here. A mark is
an inline element with a stable id (its fact and occurrence), so it breaks across lines and keeps
the focus through streaming and rewriting. Numbers and signs are drawn by the style sheet from
`data-` attributes: copying the text copies its words alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from app.state.comparison import Comparison, ExplainedSegment
from app.state.marked_trace import Chip, MarkedTrace, asked_for
from app.views.edit_summary import ask_button, summary_html
from graph.core.facts import Fact
from graph.core.names import fold
from graph.world import source_names
from model.grounding import Mark
from model.roles import Role
from model.trace import TraceLookup

HOW = {  # what stands after "found"
    "exact": "by its exact name",
    "alias": "by another name",
    "fuzzy": "by a similar name or meaning",
    "miss": "not at all",
}


@dataclass(frozen=True)
class View:
    """What decides how the text looks, besides the text."""

    raw: bool = False
    tab: str = "changes"  # of "before", "changes", "after", where there is something to compare
    selected: frozenset[int] = frozenset()  # fact ids
    edited: frozenset[int] = frozenset()  # fact ids that this session's draft adds or changes
    selected_lookup: int | None = None  # a miss that is opened
    writing: bool = False  # the model is still writing
    rewriting: bool = False  # it writes the old text again, over an edited graph
    deleted: tuple[Fact, ...] = ()  # facts that the draft deleted and this text had said
    stale: str = ""  # the rest of the old text, while it is being rewritten
    note: str = ""  # an error of the generation, one sentence
    suggestions: tuple[str, ...] = ()  # entities to try, where a prompt met none
    speed: str = ""  # time and tokens a second
    summary: str = ""  # what the last edit did to the text, escaped, where nothing is compared


@dataclass
class _Layer:
    """Pieces of the text that get an element around them; none overlaps another."""

    pieces: list[tuple[int, int, str, str]] = field(default_factory=list)

    def add(self, begin: int, end: int, opening: str, closing: str) -> None:
        """Put an element around `begin:end`, unless it would cross one that is there."""
        if begin < end and all(end <= b or e <= begin for b, e, *_ in self.pieces):
            self.pieces.append((begin, end, opening, closing))


def _weave(
    text: str, begin: int, end: int, layers: Sequence[_Layer], inserts: Sequence[tuple[int, str]]
) -> str:
    """`text[begin:end]` escaped, the elements of the layers around it, outermost first."""
    if not layers:
        out, at = [], begin
        for offset, html in inserts:
            if begin < offset <= end:
                out += [escape(text[at:offset]), html]
                at = offset
        return "".join([*out, escape(text[at:end])])
    out, at = [], begin
    for b, e, opening, closing in sorted(layers[0].pieces):
        b, e = max(b, begin), min(e, end)
        if b >= e:
            continue
        out.append(_weave(text, at, b, layers[1:], inserts))
        out += [opening, _weave(text, b, e, layers[1:], ()), closing]
        # What would stand inside the element stands right behind it.
        out += [html for offset, html in inserts if b < offset <= e]
        at = e
    out.append(_weave(text, at, end, layers[1:], inserts))
    return "".join(out)


def _groups(reading: MarkedTrace) -> list[list[Mark]]:
    """The marks by the words they stand on: one word may repeat a capital and a largest city."""
    groups: dict[tuple[int, int], list[Mark]] = {}
    for mark in reading.marks:
        groups.setdefault((mark.start, mark.end), []).append(mark)
    return list(groups.values())


def _mark_layer(reading: MarkedTrace, view: View, prefix: str = "m") -> _Layer:
    layer = _Layer()
    seen: dict[int, int] = {}
    for group in _groups(reading):
        first = group[0]
        seen[first.fact_id] = seen.get(first.fact_id, 0) + 1
        mark_id = f"{prefix}{first.fact_id}-{seen[first.fact_id]}"
        layer.add(first.start, first.end, _mark_opening(reading, view, group, mark_id), "</span>")
    return layer


def _mark_opening(reading: MarkedTrace, view: View, group: Sequence[Mark], mark_id: str) -> str:
    ids = [mark.fact_id for mark in group]
    numbers = " ".join(str(reading.numbers.get(fact_id, 0)) for fact_id in ids)
    classes = ["mark"]
    label = f"fact {' and '.join(numbers.split())}"
    if view.edited.intersection(ids):
        classes.append("edited")
        label += ", your edit"
    chosen = next((fact_id for fact_id in ids if fact_id in view.selected), None)
    if chosen is not None:
        classes.append("selected")
        label += ", selected"
    signs = len(numbers) + ("edited" in classes)  # of the number behind it, and the pencil
    # Where one word repeats two facts, a second click opens the second.
    opens = ids[0] if chosen is None else ids[(ids.index(chosen) + 1) % len(ids)]
    return (
        f'<span class="{" ".join(classes)}" id="{mark_id}" role="button" tabindex="-1" data-mark '
        f'style="--signs:{signs}" '
        f'data-action="fact" data-id="{opens}" data-facts="{" ".join(map(str, ids))}" '
        f'data-number="{numbers}" aria-describedby="tip-{ids[0]}" '
        f'aria-label="{escape(reading.words(group[0]))} ({label})">'
    )


def _chip(reading: MarkedTrace, view: View, chip: Chip) -> str:
    lookup = reading.lookup(chip.lookup)
    if chip.fact is None:
        chosen = " selected" if view.selected_lookup == chip.lookup else ""
        relation = asked_for(lookup)
        asked = f"{lookup.lookup.entity} · {relation}" if relation else lookup.lookup.entity
        gone = _deleted_here(lookup, view)
        if gone is not None:
            action, target, says, offer = "restore", gone.id, "you deleted this", "Restore"
        else:
            action, target = "miss", chip.lookup
            says, offer = "not recorded", "Add this fact" if relation else "Add a fact"
        return (
            f'<span class="chip miss{chosen}" id="miss-{chip.lookup}" role="button" tabindex="-1" '
            f'data-mark data-action="{action}" data-id="{target}" '
            f'aria-describedby="tip-miss-{chip.lookup}" data-offer="{offer}" '
            f'aria-label="{escape(asked)}: {says}. {offer}">{says}</span>'
        )
    number = reading.numbers[chip.fact.id]
    chosen = " selected" if chip.fact.id in view.selected else ""
    edited = " edited" if chip.fact.id in view.edited else ""
    return (
        f'<span class="chip unused{chosen}{edited}" id="c{chip.fact.id}" role="button" '
        f'tabindex="-1" data-mark data-action="fact" data-id="{chip.fact.id}" '
        f'aria-describedby="tip-{chip.fact.id}" '
        f'aria-label="fact {number}, looked up and not said">{number}</span>'
    )


def _deleted_here(lookup: TraceLookup, view: View) -> Fact | None:
    """The fact that this session deleted and a lookup therefore missed."""
    asked = lookup.lookup
    return next(
        (
            fact
            for fact in view.deleted
            if fact.entity_id == asked.entity_id and fold(fact.relation) == fold(asked.relation)
        ),
        None,
    )


def _flag_layer(reading: MarkedTrace) -> _Layer:
    layer = _Layer()
    for begin, end, index in reading.contradicted:
        value = reading.lookup(index).lookup.value
        layer.add(
            begin,
            end,
            f'<span class="contradicted" title="The graph says {escape(value)}.">',
            f'</span><span class="says" role="button" tabindex="-1" id="says-{index}" data-mark '
            f'data-action="lookup" data-id="{index}">≠ graph says {escape(_short(value))}</span>',
        )
    for begin, end in reading.unsupported:
        layer.add(
            begin,
            end,
            '<span class="unsupported" title="No fact was looked up for this.">',
            "</span>",
        )
    return layer


def text_html(reading: MarkedTrace, view: View, begin: int = 0, end: int | None = None) -> str:
    """A stretch of the text with flags, marks and chips."""
    end = len(reading.text) if end is None else end
    inserts = [
        (chip.at, _chip(reading, view, chip))
        for chip in reading.chips
        if begin <= chip.at <= end and (chip.at > begin or begin == 0)
    ]
    first = "".join(html for at, html in inserts if at <= begin)
    layers = (_flag_layer(reading), _mark_layer(reading, view))
    return first + _weave(reading.text, begin, end, layers, inserts)


def raw_html(reading: MarkedTrace) -> str:
    """The document as the model wrote it, the lookups in it, coloured by role."""
    out: list[str] = []
    current: Role | None = None
    for token in reading.trace.tokens:
        if token.role != current or token.role == Role.MARKER:
            if current is not None:
                out.append("</span>")
            out.append(f'<span class="role-{token.role.name.lower()}">')
            current = token.role
        out.append(escape(token.text))
    if current is not None:
        out.append("</span>")
    return "".join(out)


def diff_html(before: MarkedTrace, after: MarkedTrace, comparison: Comparison, view: View) -> str:
    """Both texts as one: what was removed and what was added, each with its cause."""
    old_marks = (_mark_layer(before, View(), "b"),)
    out = []
    for change in comparison.changes:
        if change.kind == "same":
            out.append(text_html(after, view, *change.after))
            continue
        cause = escape(change.cause)
        (b, b_end), (a, a_end) = change.before, change.after
        if (b == b_end) != (a == a_end):  # only removed, or only added: keep the space outside
            text, at, end = (after.text, a, a_end) if b == b_end else (before.text, b, b_end)
            skip = int(text[at].isspace() and end - at > 1)
            out.append(" " * skip)
            a, b = (a + skip, b) if b == b_end else (a, b + skip)
        removed = _weave(before.text, b, b_end, _inert(old_marks), ())
        added = text_html(after, view, a, a_end)
        out.append(f'<span class="change" title="{cause}">')
        if removed.strip():
            out.append(f'<del><span class="unseen">removed: </span>{removed}</del>')
        if added.strip():
            out.append(f'<ins><span class="unseen">added: </span>{added}</ins>')
        out.append(f"{_cause_tag(change)}</span>")
    return "".join(out)


def _cause_tag(change: ExplainedSegment) -> str:
    """Beside a change, the fact that it comes from; the sentence is for screen readers."""
    classes = "cause follows" if change.follows else "cause"
    return (
        f'<span class="{classes}" data-cause="{escape(change.tag)}" aria-hidden="true"></span>'
        f'<span class="unseen"> ({escape(change.cause)}) </span>'
    )


def _inert(layers: Iterable[_Layer]) -> list[_Layer]:
    """Marks of the old text: struck out with it, and not to be clicked."""
    return [
        _Layer([(b, e, '<span class="mark gone">', "</span>") for b, e, *_ in layer.pieces])
        for layer in layers
    ]


def tips_html(reading: MarkedTrace, view: View) -> str:
    """The cards that open on hover or focus, one for each fact that was looked up and each miss."""
    out = []
    for fact_id, fact in reading.facts.items():
        lookup = reading.lookup(reading.lookup_of[fact_id])
        marks = reading.marks_of(fact_id)
        rows = [("found", _how(lookup))]
        if fact.source:
            year = f", {fact.year}" if fact.year else ""
            rows.insert(0, ("source", f"{source_names(fact.source)}{year}"))
        rows.append(("model", _probability(reading, marks)))
        if fact_id in view.edited:
            rows.insert(0, ("your edit", "seen by you alone until you publish"))
        rows += [
            ("also", f"{other.entity} · {other.relation}") for other in _said_with(reading, fact_id)
        ]
        out.append(
            f'<span class="tip" id="tip-{fact_id}" role="tooltip">'
            f'<span class="tip-fact"><b>{escape(fact.entity)}</b> · {escape(fact.relation)} · '
            f"<b>{escape(_short(fact.value, 120))}</b></span>{_rows(rows)}</span>"
        )
    for chip in reading.chips:
        if chip.fact is None:
            lookup = reading.lookup(chip.lookup)
            relation = asked_for(lookup)
            out.append(
                f'<span class="tip" id="tip-miss-{chip.lookup}" role="tooltip">'
                f'<span class="tip-fact"><b>{escape(lookup.lookup.entity)}</b>'
                f"{' · ' if relation else ''}{escape(relation)}"
                f"</span>{_rows([('found', _how(lookup))])}</span>"
            )
    return "".join(out)


def _said_with(reading: MarkedTrace, fact_id: int) -> list[Fact]:
    """Other facts that the words of this one repeat too."""
    return [
        reading.facts[mark.fact_id]
        for group in _groups(reading)
        if len(group) > 1 and any(mark.fact_id == fact_id for mark in group)
        for mark in group
        if mark.fact_id != fact_id
    ]


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f'<span class="tip-row"><span>{escape(name)}</span> {escape(value)}</span>'
        for name, value in rows
    )


def _how(lookup: TraceLookup) -> str:
    if lookup.closed != "model":
        return "the model never finished this lookup, so nothing was asked"
    asked = lookup.lookup
    if asked.is_miss and asked.resolved_entity:
        return f"the graph has no “{asked.relation}” for {asked.resolved_entity}"
    if asked.is_miss:
        return f"the graph has nothing called “{asked.entity}”"
    score = "" if asked.how == "exact" else f" (score {asked.score:.2f})"
    return HOW.get(asked.how, asked.how) + score


def _probability(reading: MarkedTrace, marks: Sequence[Mark]) -> str:
    if not marks:
        return "did not say it"
    probability = reading.trace.probability(marks[0].start, marks[0].end)
    if probability is None:
        return "its words were forced"
    return gave(probability)


def gave(probability: float) -> str:
    """How probable the model thought its own words, in a sentence whose subject is the model."""
    return f"repeated what the graph gave, with a probability of {percent(probability)}"


def percent(probability: float) -> str:
    """A probability for a reader: never a rounded 100 % that was not certain."""
    if probability > 0.995:
        return "over 99 %"
    return "under 1 %" if probability < 0.005 else f"{probability:.0%}".replace("%", " %")


def _short(text: str, length: int = 40) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def deleted_html(view: View) -> str:
    """The facts that this session deleted from what is being read, each with a way back."""
    if not view.deleted:
        return ""
    chips = "".join(
        f'<li><span class="chip miss">{escape(fact.entity)} · {escape(fact.relation)} · '
        f"<s>{escape(_short(fact.value))}</s></span> you deleted this "
        f'<button type="button" class="quiet" data-action="restore" data-id="{fact.id}">Restore'
        f'<span class="unseen"> {escape(fact.relation)}</span></button></li>'
        for fact in view.deleted
    )
    return f'<ul class="deleted" id="deleted">{chips}</ul>'


def _tabs(view: View) -> str:
    names = (("before", "Before"), ("changes", "Changes"), ("after", "After"))
    return (
        '<div class="tabs" role="group" aria-label="Which text">'
        + "".join(
            f'<button type="button" id="tab-{name}" data-action="tab" data-tab="{name}" '
            f'aria-pressed="{str(view.tab == name).lower()}">{label}</button>'
            for name, label in names
        )
        + "</div>"
    )


def _toolbar(view: View, compared: bool, finished: bool) -> str:
    tabs = _tabs(view) if compared else "<div></div>"
    off = "" if finished else " disabled"
    speed = (
        '<details class="speed" id="speed"><summary>Timing</summary>'
        f'<span id="speed-words">{escape(view.speed)}</span></details>'
        if view.speed
        else ""
    )
    return (
        f'<div class="toolbar" id="trace-toolbar">{tabs}<div class="tools">{speed}'
        f'<button type="button" id="raw-switch" class="quiet" data-action="raw" '
        f'aria-pressed="{str(view.raw).lower()}">Raw lookups</button>'
        f'<button type="button" id="export" class="quiet" data-action="export"{off}>'
        "Export JSON</button></div></div>"
    )


def empty_html() -> str:
    """Before anything was asked."""
    return '<p class="reading faint" id="reading">Ask about something above.</p>'


def render(
    reading: MarkedTrace | None,
    view: View,
    before: MarkedTrace | None = None,
    comparison: Comparison | None = None,
) -> str:
    """The whole panel: toolbar, banner, text, summary, hover cards."""
    if reading is None:
        note = (
            f'<p class="error" role="alert" id="trace-note">{escape(view.note)}</p>'
            if view.note
            else ""
        )
        if view.writing:
            return note + '<p class="reading" id="reading"><span class="caret"></span></p>'
        return note or empty_html()
    compared = before is not None and comparison is not None and not view.writing
    banner = summary = ""
    if view.note:
        banner = f'<p class="error" role="alert" id="trace-note">{escape(view.note)}</p>'
    elif view.writing and view.rewriting:
        banner = (
            '<p class="stale-note" id="trace-note">Rewriting after your edit. <span class="stale">'
            "Pale</span> is the old text, not yet rewritten.</p>"
        )
    elif not view.writing and reading.hit_nothing:
        banner = _nothing_banner(view)
    caret = '<span class="caret" id="caret"></span>' if view.writing else ""
    reader = reading
    if compared and view.tab == "before":
        assert before is not None
        reader = before
    if view.raw:
        body = f'<pre class="raw" id="reading">{raw_html(reader)}{caret}</pre>' + raw_legend()
    elif compared and view.tab == "changes":
        assert before is not None
        assert comparison is not None
        body = f'<p class="reading" id="reading">{diff_html(before, reading, comparison, view)}</p>'
    else:
        stale = f'<span class="stale">{escape(view.stale)}</span>' if view.stale else ""
        body = f'<p class="reading" id="reading">{text_html(reader, view)}{caret}{stale}</p>'
    if not view.writing:
        summary = summary_html(comparison) if compared and comparison is not None else view.summary
    return (
        _toolbar(view, compared, not view.writing)
        + banner
        + f'<div id="reading-frame" aria-busy="{str(view.writing).lower()}">{body}</div>'
        + summary
        + deleted_html(view)
        + f'<div class="tips" id="tips">{tips_html(reader, view)}</div>'
    )


def raw_legend() -> str:
    """The colours of the roles, in words."""
    roles = ("text", "entity", "relation", "value", "marker")
    return (
        '<p class="raw-legend" id="raw-legend">'
        + " ".join(f'<span class="role-{role}">{role}</span>' for role in roles)
        + "</p>"
    )


def _nothing_banner(view: View) -> str:
    tries = "".join(map(ask_button, view.suggestions))
    offer = f" Try {tries} or find another entity above." if tries else ""
    return (
        '<p class="banner" id="trace-note"><b>Nothing here comes from the graph.</b> '
        f"No lookup found a fact, so none of these words is backed by one.{offer}</p>"
    )
