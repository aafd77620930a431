"""The fact's card: what is known about a fact, a node or a miss, and the forms that edit it.

The forms report the ids that they were made with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from app.state.marked_trace import asked_for
from app.views.considered import considered
from app.views.hover_cards import FOUND_BY, asked_and_says, repeated_with
from app.views.sources import sources_html
from app.views.templates import KEPT
from app.views.templates import render as render_template
from graph.core.facts import Entity, Fact
from graph.core.journal import JournalEntry
from graph.core.names import MAX_NAME, MAX_VALUE
from model.trace import TraceLookup

EMPTY = (
    "Choose a lit word, an edge or a row to open its fact here. You can change it, delete it, or "
    "see where it comes from."
)
NOTHING_LIT = (
    "No word of this text is lit, so there is no fact to open. Add one, or ask something else."
)


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
    repeated: bool = False  # whether the text repeats the value
    says: str = ""  # the other relation that the sentence gives the value to
    changed: JournalEntry | None = None
    edited: bool = False
    note: str = ""  # an error, shown next to its cause
    done: str = ""  # what was done
    options: tuple[str, ...] = ()  # values to suggest
    revision: int = 0  # of the shared graph that the text was read from
    typing: str | None = None  # what an example types into *Value*
    acting: str = ""  # the button that an example is about to press
    nothing_lit: bool = False  # whether a finished text has no fact that could be opened
    listed: tuple[int, str] | None = None  # id and name of the entity that such a text is about


def render(card: Card) -> Markup:
    """The card as HTML."""
    if card.kind == "fact" and card.fact is not None:
        return _render(card, about=_about(card, card.fact), json=_as_json(card, card.fact))
    if card.kind == "miss" and card.lookup is not None:
        asked = card.lookup.lookup
        return _render(
            card,
            asked_entity=asked.resolved_entity or asked.entity,
            asked_relation=asked_for(card.lookup),
        )
    return _render(card) if card.kind in ("deleted", "entity") else _render_empty(card)


@lru_cache(KEPT)
def _render_empty(card: Card) -> Markup:
    return _render(card)


def _render(card: Card, **values: Any) -> Markup:
    return render_template(
        "fact_card.html",
        card=card,
        empty=NOTHING_LIT if card.nothing_lit else EMPTY,
        max_name=MAX_NAME,
        max_value=MAX_VALUE,
        considered=() if card.lookup is None else considered(card.lookup),
        **values,
    )


def _about(card: Card, fact: Fact) -> list[tuple[str, str | Markup]]:
    """For researchers: how the model asked, how the graph answered, and where the fact is from."""
    source = sources_html(fact.source) or ("your edit" if card.edited else "none given")
    rows: list[tuple[str, str | Markup]] = [
        ("Source", source + (f", {fact.year}" if fact.year else ""))
    ]
    if card.lookup is not None:
        asked = card.lookup.lookup
        rows.append(("Asked", f"{asked.entity} · {asked.relation}{_guided(card.lookup)}"))
        found = FOUND_BY.get(asked.how, asked.how)
        rows.append(
            ("Found", f"{found} (score {asked.score:.2f}, threshold {asked.threshold:.2f})")
        )
        if asked.runners_up:
            rows.append(
                ("Could also mean", "; ".join(each.entity for each in asked.runners_up[:3]))
            )
        if card.probability is not None:
            use = repeated_with(card.probability)
        else:
            use = "forced" if card.repeated else "looked it up but did not use it"
        rows.append(("Model", use))
        if card.says:
            rows.append(("≠", asked_and_says(fact.relation, card.says)))
    else:
        rows.append(("Model", "did not look it up for this text"))
    rows.append(("Since", _since(card, fact)))
    if card.changed is not None and card.changed.reason:
        rows.append(("Reason", card.changed.reason))
    return rows


def _guided(lookup: TraceLookup) -> str:
    """That a lookup was guided; how sure the model was, where the card lists no other names."""
    if not lookup.guidance:
        return ""
    weighed = considered(lookup)
    return f" (guided; {weighed[0].words} sure)" if len(weighed) == 1 else " (guided)"


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
