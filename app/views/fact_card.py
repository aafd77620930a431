"""The fact's card: what is known of a fact, a node or a miss, and the forms that edit it.

Every name, value and source is escaped here; the forms report the ids that they were made with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from app.state.marked_trace import asked_for
from app.views.trace_text import HOW, gave
from graph.core.facts import Entity, Fact
from graph.core.journal import JournalEntry
from graph.core.names import MAX_NAME, MAX_VALUE
from graph.world import source_names
from model.trace import TraceLookup

EMPTY = (
    "Choose a lit word, an edge or a row: its fact opens here, and you can change it, delete it, "
    "or see where it comes from."
)
NOTHING_LIT = "No word of this text is lit, so there is no fact to open; add one, or ask anew."


@dataclass(frozen=True)
class Card:
    """What the card is about; `kind` is "none", "fact", "deleted", "entity" or "miss"."""

    kind: str = "none"
    fact: Fact | None = None
    entity: Entity | None = None
    facts: tuple[Fact, ...] = ()  # of the entity
    more_facts: bool = False
    expanded: int = 0  # neighbours that the graph shows because the node was expanded
    lookup: TraceLookup | None = None
    number: int | None = None
    probability: float | None = None
    said: bool = False
    changed: JournalEntry | None = None
    edited: bool = False
    note: str = ""  # an error, beside its cause
    done: str = ""  # what was done
    options: tuple[str, ...] = ()  # values to suggest
    revision: int = 0  # of the shared graph that the text was read from
    typing: str | None = None  # what an example types into *Value*
    acting: str = ""  # the button that an example is about to press
    dark: bool = False  # whether a finished text has no fact that could be opened


def render(card: Card) -> str:
    """The card as escaped HTML."""
    note = (
        f'<p class="error" id="card-note" role="alert">{escape(card.note)}</p>' if card.note else ""
    )
    done = f'<p class="done" id="card-done">{escape(card.done)}</p>' if card.done else ""
    if card.kind == "fact" and card.fact is not None:
        body = _fact(card, card.fact, note)
    elif card.kind == "deleted" and card.fact is not None:
        body = _deleted(card.fact, note)
    elif card.kind == "entity" and card.entity is not None:
        body = _entity(card, card.entity, note)
    elif card.kind == "miss" and card.lookup is not None:
        body = _miss(card.lookup, note)
    else:
        told = NOTHING_LIT if card.dark else EMPTY
        body = f'{note}<p class="faint card-empty" id="card-empty">{told}</p>'
    options = "".join(f'<option value="{escape(option)}"></option>' for option in card.options)
    return f'{body}{done}<datalist id="value-options">{options}</datalist>'


def _fact(card: Card, fact: Fact, note: str) -> str:
    kind = "number edited" if card.edited else "number"
    number = f'<span class="{kind}" id="card-number">{card.number}</span>' if card.number else ""
    edited = '<span class="tag edit-tag">✎ your edit</span>' if card.edited else ""
    value = fact.value if card.typing is None else card.typing
    save, delete = (" acting" if card.acting == name else "" for name in ("change", "delete"))
    return (
        f'<div id="card-{fact.id}" class="card-body">'
        f'<h2 class="card-title">{number}<button type="button" class="entity" data-action="node" '
        f'data-id="e{fact.entity_id}">{escape(fact.entity)}</button>'
        f'<span class="dot">·</span><span>{escape(fact.relation)}</span>{edited}</h2>'
        f'<form id="change-form" data-action="change" data-id="{fact.id}">'
        '<label for="card-value">Value</label>'
        f'<input id="card-value" name="value" type="text" value="{escape(value)}" '
        f'maxlength="{MAX_VALUE}" list="value-options" autocomplete="off" data-suggest>'
        f'<button type="submit" class="primary{save}" id="save">Save and rewrite</button>'
        f'<button type="button" class="danger{delete}" id="delete" data-action="delete" '
        f'data-id="{fact.id}">Delete</button></form>{note}{_about(card, fact)}'
        f"{_more(fact.entity_id, fact.entity)}</div>"
    )


def _about(card: Card, fact: Fact) -> str:
    """For the researcher: how the model asked, how the graph answered, and where it comes from."""
    source = source_names(fact.source) or ("your edit" if card.edited else "none given")
    rows = [("Source", source + (f", {fact.year}" if fact.year else ""))]
    if card.lookup is not None:
        asked = card.lookup.lookup
        rows.append(("Asked", f"{asked.entity} · {asked.relation}"))
        found = HOW.get(asked.how, asked.how)
        rows.append(
            ("Found", f"{found} (score {asked.score:.2f}, threshold {asked.threshold:.2f})")
        )
        if asked.runners_up:
            rows.append(("Or meant", "; ".join(each.entity for each in asked.runners_up[:3])))
        if card.probability is not None:
            said = gave(card.probability)
        else:
            said = "looked it up and did not say it" if not card.said else "forced"
        rows.append(("Model", said))
    else:
        rows.append(("Model", "did not look it up for this text"))
    rows.append(("Since", _since(card, fact)))
    if card.changed is not None and card.changed.reason:
        rows.append(("Reason", card.changed.reason))
    return (
        '<dl class="about" id="about">'
        + "".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rows
        )
        + "</dl>"
        f'<button type="button" class="quiet" id="copy-json" data-page="copy" '
        f'data-copy="{escape(_as_json(card, fact))}">Copy as JSON</button>'
    )


def _since(card: Card, fact: Fact) -> str:
    """Which revision it stands in, and who wrote it when."""
    if card.changed is None:
        return f"revision {fact.since}" if fact.since else "your draft"
    when = card.changed.time[:16].replace("T", " ")
    if card.edited:
        return f"your draft, {when} UTC"
    return f"revision {fact.since}, {card.changed.author}, {when} UTC"


def _as_json(card: Card, fact: Fact) -> str:
    """The fact, the lookup that returned it and what the model thought of its words, as data."""
    data: dict[str, Any] = {"fact": fact.to_json(), "revision": card.revision}
    if card.lookup is not None:
        data["lookup"] = card.lookup.to_json()
        data["probability"] = card.probability
    if card.changed is not None:
        data["changed"] = {
            name: getattr(card.changed, name) for name in ("kind", "author", "time", "reason")
        }
    return json.dumps(data, ensure_ascii=False)


def _deleted(fact: Fact, note: str) -> str:
    return (
        f'<div id="card-gone-{fact.id}" class="card-body">'
        f'<h2 class="card-title"><button type="button" class="entity" data-action="node" '
        f'data-id="e{fact.entity_id}">{escape(fact.entity)}</button>'
        f'<span class="dot">·</span><span>{escape(fact.relation)}</span>'
        '<span class="tag">you deleted this</span></h2>'
        f'<p class="gone-value"><s>{escape(fact.value)}</s></p>{note}'
        f'<button type="button" id="restore" data-action="restore" data-id="{fact.id}">Restore'
        "</button></div>"
    )


def _more(entity_id: int, name: str, is_open: bool = False) -> str:
    return (
        f'<details class="more" id="more"{" open" if is_open else ""}><summary>More: add, rename, '
        f"merge, give a reason</summary>{_reason()}{_add_form(name)}{_rename_form(entity_id, name)}"
        f"{_merge_form(entity_id, name)}</details>"
    )


def _reason() -> str:
    """Goes with whatever is saved or deleted next on this card."""
    return (
        '<div class="stack" id="reason-row"><label for="reason">Reason</label>'
        '<input id="reason" name="reason" type="text" value="" maxlength="300" autocomplete="off" '
        'placeholder="kept with whatever you save or delete here"></div>'
    )


def _add_form(entity: str, relation: str = "") -> str:
    return (
        '<form id="add-form" class="stack" data-action="add">'
        f'<input type="hidden" name="entity" value="{escape(entity)}">'
        f"<p>Add a fact about {escape(entity)}</p>"
        '<label for="add-relation">Relation</label>'
        f'<input id="add-relation" name="relation" type="text" value="{escape(relation)}" '
        f'maxlength="{MAX_NAME}" autocomplete="off">'
        '<label for="add-value">Value</label>'
        f'<input id="add-value" name="value" type="text" value="" maxlength="{MAX_VALUE}" '
        'list="value-options" autocomplete="off" data-suggest>'
        '<button type="submit" id="add">Add and rewrite</button></form>'
    )


def _rename_form(entity_id: int, name: str) -> str:
    return (
        f'<form id="rename-form" class="stack" data-action="rename" data-id="{entity_id}">'
        f"<p>Rename {escape(name)}; the old name stays as an alias</p>"
        '<label for="rename-name">Name</label>'
        f'<input id="rename-name" name="name" type="text" value="{escape(name)}" '
        f'maxlength="{MAX_NAME}" autocomplete="off">'
        '<button type="submit" id="rename">Rename and rewrite</button></form>'
    )


def _merge_form(entity_id: int, name: str) -> str:
    return (
        f'<form id="merge-form" class="stack" data-action="merge" data-id="{entity_id}">'
        f"<p>Merge another entity into {escape(name)}: its facts and names come here</p>"
        '<label for="merge-other">Other</label>'
        f'<input id="merge-other" name="other" type="text" value="" maxlength="{MAX_NAME}" '
        'list="value-options" autocomplete="off" data-suggest>'
        '<button type="submit" id="merge">Merge and rewrite</button></form>'
    )


def _fact_buttons(facts: Sequence[Fact]) -> str:
    return "".join(
        f'<li><span class="faint">{escape(fact.relation)}</span> '
        f'<button type="button" class="cell" data-action="fact" data-id="{fact.id}">'
        f"{escape(fact.value)}</button></li>"
        for fact in facts
    )


def _entity(card: Card, entity: Entity, note: str) -> str:
    aliases = (
        f'<p class="faint">also: {escape(", ".join(entity.aliases[:6]))}</p>'
        if entity.aliases
        else ""
    )
    collapse = (
        f'<button type="button" id="collapse" data-action="collapse" data-id="e{entity.id}">'
        "Collapse</button>"
        if card.expanded
        else ""
    )
    more = '<li class="faint">and more</li>' if card.more_facts else ""
    facts = _fact_buttons(card.facts)
    listing = (
        f'<ul class="facts">{facts}{more}</ul>'
        if facts
        else ('<p class="faint">The graph holds no fact about it, it is only a value.</p>')
    )
    return (
        f'<div id="card-e{entity.id}" class="card-body">'
        f'<h2 class="card-title"><span>{escape(entity.name)}</span></h2>{aliases}'
        '<div class="row">'
        f'<button type="button" id="ask-about" data-action="ask-about" data-id="e{entity.id}">'
        "Ask about it</button>"
        f'<button type="button" id="expand" data-action="expand" data-id="e{entity.id}">'
        f"Expand in the graph</button>{collapse}</div>{note}{listing}"
        f"{_more(entity.id, entity.name)}</div>"
    )


def _miss(lookup: TraceLookup, note: str) -> str:
    asked = lookup.lookup
    entity, relation = asked.resolved_entity or asked.entity, asked_for(lookup)
    wanted = f'<span class="dot">·</span><span>{escape(relation)}</span>' if relation else ""
    return (
        f'<div id="card-miss-{lookup.index}" class="card-body">'
        f'<h2 class="card-title"><span>{escape(entity)}</span>{wanted}'
        f'<span class="tag">not recorded</span></h2>{note}{_add_form(entity, relation)}</div>'
    )
