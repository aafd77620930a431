"""The trace as HTML: the text with its marks, the raw lookups, the word diff.

The words are woven with the elements around them (`weaving`); each element comes from
`text_elements.html`. A mark is an inline element with a stable id (its fact and occurrence), so it
breaks across lines and keeps the focus through streaming and rewriting. Numbers and signs are drawn
by the style sheet from `data-` attributes: copying the text copies its words alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby

from markupsafe import Markup, escape

from app.state.comparison import Comparison
from app.state.marked_trace import Chip, MarkedTrace, asked_for
from app.views.edit_summary import summary_html
from app.views.hover_cards import hover_cards_html, mark_groups
from app.views.templates import joined, macro
from app.views.weaving import Layer, weave
from graph.core.facts import Fact
from graph.core.names import fold
from model.roles import Role
from model.trace import TraceLookup

TABS = (("before", "Before"), ("changes", "Changes"), ("after", "After"))
_MARK, _REMOVED_MARK, _MISS, _UNUSED, _CONTRADICTED, _OTHER, _UNSUPPORTED, _ROLE, _CHANGE = (
    macro("text_elements.html", name)
    for name in (
        "mark",
        "removed_mark",
        "miss",
        "unused",
        "contradicted",
        "other_relation",
        "unsupported",
        "role",
        "change",
    )
)
REMEMBERED = 4096  # marks kept; those of a text are drawn again for each word of it
_PANEL, _EMPTY = macro("trace_text.html", "panel"), macro("trace_text.html", "empty")


@dataclass(frozen=True)
class View:
    """What decides how the text looks, apart from the text itself."""

    raw: bool = False
    tab: str = "changes"  # of "before", "changes", "after", where there is something to compare
    selected: frozenset[int] = frozenset()  # fact ids
    edited: frozenset[int] = frozenset()  # fact ids that this session's draft adds or changes
    selected_lookup: int | None = None  # a miss that is opened
    writing: bool = False  # the model is still writing
    rewriting: bool = False  # it writes the old text again, over an edited graph
    waiting: int = 0  # texts that are written before this one
    deleted: tuple[Fact, ...] = ()  # deleted by the draft, about what the text asks about
    stale: str = ""  # the rest of the old text, while it is being rewritten
    note: str = ""  # an error of the generation, one sentence
    suggestions: tuple[str, ...] = ()  # entities to try, where a prompt met none
    speed: str = ""  # time and tokens a second
    wrong: str | Markup = ""  # a way to say that the answer is wrong
    summary: str | Markup = ""  # what the last edit did to the text, where nothing is compared
    page: str = ""  # the id of the tab, for the addresses of its files
    citation: str = ""  # what wrote the text, in one line; "" while there is nothing to export
    has_edits: bool = False  # whether the draft has edits to export


def _mark_layer(marked: MarkedTrace, view: View) -> Layer:
    layer = Layer()
    text, seen = marked.text, Counter[int]()
    for group in mark_groups(marked):
        fact_id, begin, end = group[0].fact_id, group[0].start, group[0].end
        seen[fact_id] += 1
        ids = tuple(mark.fact_id for mark in group)
        wrap = partial(
            _mark_html,
            f"m{fact_id}-{seen[fact_id]}",
            text[begin:end],
            ids,
            tuple(marked.numbers.get(each, 0) for each in ids),
            not view.edited.isdisjoint(ids),
            next((each for each in ids if each in view.selected), None),
        )
        layer.add(begin, end, wrap)
    return layer


@lru_cache(REMEMBERED)
def _mark_html(
    mark_id: str,
    words: str,
    ids: tuple[int, ...],
    numbers: tuple[int, ...],
    edited: bool,
    selected: int | None,
    inner: Markup,
) -> Markup:
    """A mark; its words may repeat several facts, of which one may be selected."""
    classes, label = "mark", f"fact {' and '.join(map(str, numbers))}"
    if edited:
        classes += " edited"
        label += ", your edit"
    if selected is not None:
        classes += " selected"
        label += ", selected"
    shown_numbers = " ".join(map(str, numbers))
    return _MARK(
        {
            "id": mark_id,
            "classes": classes,
            "signs": len(shown_numbers) + edited,  # the numbers behind it, and the pencil
            # Where one word repeats two facts, a second click opens the second.
            "opens": ids[0] if selected is None else ids[(ids.index(selected) + 1) % len(ids)],
            "first": ids[0],
            "facts": " ".join(map(str, ids)),
            "numbers": shown_numbers,
            "words": words,
            "label": label,
        },
        inner,
    )


def _chip(marked: MarkedTrace, view: View, chip: Chip) -> Markup:
    if chip.fact is not None:
        fact_id = chip.fact.id
        return _UNUSED(
            fact_id, marked.numbers[fact_id], fact_id in view.selected, fact_id in view.edited
        )
    lookup = marked.lookup(chip.lookup)
    relation = asked_for(lookup)
    gone = _deleted_here(lookup, view)
    if gone is not None:
        action, target, says, offer = "restore", gone.id, "you deleted this", "Restore"
    else:
        action, target, says = "miss", chip.lookup, "not recorded"
        offer = "Add this fact" if relation else "Add a fact"
    return _MISS(
        {
            "lookup": chip.lookup,
            "selected": view.selected_lookup == chip.lookup,
            "asked": f"{lookup.lookup.entity} · {relation}" if relation else lookup.lookup.entity,
            "action": action,
            "target": target,
            "says": says,
            "offer": offer,
        }
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


def _flag_layer(marked: MarkedTrace) -> Layer:
    layer = Layer()
    for begin, end, index in marked.contradicted:
        layer.add(begin, end, partial(_CONTRADICTED, index, marked.lookup(index).lookup.value))
    for each in marked.other_relations:
        asked = marked.lookup(each.lookup).lookup
        relation = asked.resolved_relation or asked.relation
        layer.add(each.start, each.end, partial(_OTHER, each.lookup, relation, each.says))
    for begin, end in marked.unsupported:
        layer.add(begin, end, _UNSUPPORTED)
    return layer


def text_html(
    marked: MarkedTrace, view: View, begin: int = 0, end: int | None = None, opening: bool = True
) -> Markup:
    """A stretch of the text with flags, marks and chips; `opening`: it begins the text."""
    end = len(marked.text) if end is None else end
    inserts = [
        (chip.at, _chip(marked, view, chip))
        for chip in marked.chips
        if begin <= chip.at <= end and (chip.at > begin or opening)
    ]
    first = [html for at, html in inserts if at <= begin]
    layers = (_flag_layer(marked), _mark_layer(marked, view))
    return joined([*first, weave(marked.text, begin, end, layers, inserts)])


def raw_html(marked: MarkedTrace) -> Markup:
    """The document as the model wrote it, the lookups in it, coloured by role."""
    numbered = enumerate(marked.trace.tokens)
    runs = groupby(numbered, key=lambda each: (each[1].role, each[1].role == Role.MARKER and each))
    return joined(
        _ROLE(role.name.lower(), "".join(token.text for _, token in run)) for (role, _), run in runs
    )


def diff_html(
    before: MarkedTrace, after: MarkedTrace, comparison: Comparison, view: View
) -> Markup:
    """Both texts as one: what was removed and what was added, each with its cause."""
    old_marks = [Layer([(b, e, _REMOVED_MARK) for b, e, _ in _mark_layer(before, View()).pieces])]
    out: list[Markup] = []
    beginning = next((i for i, each in enumerate(comparison.changes) if each.after[1]), 0)
    for index, change in enumerate(comparison.changes):
        opening = index == beginning  # what stands before the first word is drawn once
        if change.kind == "same":
            out.append(text_html(after, view, *change.after, opening))
            continue
        (b, b_end), (a, a_end) = change.before, change.after
        if (b == b_end) != (a == a_end):  # only removed, or only added: keep the space outside
            text, at, end = (after.text, a, a_end) if b == b_end else (before.text, b, b_end)
            skip = int(text[at].isspace() and end - at > 1)
            out.append(escape(" " * skip))
            a, b = (a + skip, b) if b == b_end else (a, b + skip)
        removed = weave(before.text, b, b_end, old_marks, ())
        added = text_html(after, view, a, a_end, opening)
        out.append(_CHANGE(removed, added, change.cause, change.tag, change.follows))
    return joined(out)


def render(
    marked: MarkedTrace | None,
    view: View,
    before: MarkedTrace | None = None,
    comparison: Comparison | None = None,
) -> Markup:
    """The whole panel: toolbar, banner, text, summary, hover cards."""
    if marked is None:
        return _EMPTY(view.note, view.writing, view.waiting)
    summary, stale, shown, compared = view.summary, "", marked, False
    if before is not None and comparison is not None and not view.writing:
        compared = True
        summary = summary_html(comparison)
        if view.tab == "before":
            shown = before
    if view.raw:
        text = raw_html(shown)
    elif compared and view.tab == "changes":
        assert before is not None
        assert comparison is not None
        text = diff_html(before, marked, comparison, view)
    else:
        text, stale = text_html(shown, view), view.stale
    return _PANEL(
        view,
        text,
        hover_cards_html(shown, view.edited),
        "" if view.writing else summary,
        stale,
        marked.hit_nothing,
        _tab_choices(view) if compared else (),
    )


def _tab_choices(view: View) -> list[dict[str, object]]:
    """Before, changes or after: which text to see."""
    return [
        {"words": words, "id": f"tab-{name}", "data": {"tab": name}, "chosen": view.tab == name}
        for name, words in TABS
    ]
