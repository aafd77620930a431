"""Whether a value is a link: the one rule that edits and imports share."""

from __future__ import annotations

from graph.core.names import is_number_or_date


def is_link(declared: bool | None, value: str) -> bool | None:
    """Whether a value of a relation is a link, given what the relation declares of its values.

    None where the graph decides: the value is a link if it is spelt exactly as an entity. A number
    or a date never is one by accident ("2012" is a year before it is a film).
    """
    if declared is None and is_number_or_date(value):
        return False
    return declared


def declares_link(kind: str | None) -> bool | None:
    """Whether a relation's values are links by its declared kind; None where it declares none."""
    return None if kind is None else kind == "link"
