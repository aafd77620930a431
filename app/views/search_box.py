"""The entity search: an input and, while one types, the entities that fit."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from graph.core.facts import Entity


def render(found: Sequence[Entity] = (), text: str = "") -> str:
    """The search as escaped HTML."""
    options = "".join(
        f'<li role="option" id="found-{entity.id}" aria-selected="false" data-action="pick" '
        f'data-id="{entity.id}">{escape(entity.name)}</li>'
        for entity in found
    )
    if text and not found:
        popup = '<p id="search-list" class="faint">Nothing in the graph is called that.</p>'
    elif found:
        popup = f'<ul role="listbox" id="search-list" aria-label="Entities">{options}</ul>'
    else:
        popup = ""
    expanded = str(bool(found)).lower()
    return (
        '<label for="search-input" class="unseen">Find an entity</label>'
        '<input id="search-input" type="text" role="combobox" autocomplete="off" '
        f'maxlength="200" aria-expanded="{expanded}" aria-controls="search-list" '
        f'aria-autocomplete="list" placeholder="or find an entity…">{popup}'
    )
