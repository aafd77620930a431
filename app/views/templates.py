"""The HTML of the page: templates of `app/templates`, compiled once, with all values escaped.

    html = render("search_box.html", found=entities, text="Par")

A view prepares plain values; the template holds the markup. Values are escaped unless they are
`Markup`, which only `render` and macros make. A name that a template lacks is an error.

A line break in a template, with the indentation around it, is not part of the page where a tag or
an expression is next to it; between two words it is a space. (JSX has the same rule.) Markup can so
be indented without adding nodes to the page, which the browser would merge on each redraw.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup, escape

from app.state.comparison import ISOLATED

FOLDER = Path(__file__).parents[1] / "templates"
KEPT = (
    64  # drawings of a part that are kept, because most parts stay as they are while a text grows
)
_NEXT_TO_MARKUP = re.compile(r"(?<=[>}])[ \t]*\n\s*|[ \t]*\n\s*(?=[<{])")
_BETWEEN_WORDS = re.compile(r"[ \t]*\n\s*")


class JoinLines(Extension):
    """Takes the layout of a template's source out of what it renders."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Joins the lines; see the module's own description for the rule."""
        return _BETWEEN_WORDS.sub(" ", _NEXT_TO_MARKUP.sub("", source.strip()))


def thousands(number: float) -> str:
    """A whole number for a reader: 5,000."""
    return f"{number:,.0f}"


def plural(count: int, noun: str) -> str:
    """A counted noun: "1 fact", "5,000 facts"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def shortened(text: str, length: int = 40) -> str:
    """A text, cut with an ellipsis where it is longer than `length` characters."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def percent(probability: float) -> str:
    """A probability in per cent, never rounded to a 100 % that was not certain."""
    if probability > 0.995:
        return "over 99 %"
    return "under 1 %" if probability < 0.005 else f"{probability:.0%}".replace("%", " %")


def bdi(text: str) -> Markup:
    """A name or value whose direction does not move the words next to it."""
    return Markup("<bdi>{}</bdi>").format(text)


def bidirectional(text: str) -> Markup:
    """A sentence with the names that `comparison.isolated` put into it, each in an element."""
    begin, end = ISOLATED.split("{}")
    return Markup(str(escape(text)).replace(begin, "<bdi>").replace(end, "</bdi>"))  # noqa: S704


def true_or_false(value: object) -> str:
    """A truth value as ARIA attributes spell it."""
    return "true" if value else "false"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        extensions=[JoinLines],
    )
    made.filters |= {
        "thousands": thousands,
        "plural": plural,
        "shortened": shortened,
        "true_or_false": true_or_false,
        "bdi": bdi,
        "bidirectional": bidirectional,
    }
    return made


environment = _environment()


def render(template: str, **values: Any) -> Markup:
    """The HTML of a template with these values.

    It is `Markup`, so that another template can hold it: autoescape has escaped the values.
    """
    return Markup(environment.get_template(template).render(values))  # noqa: S704


def macro(template: str, name: str) -> Callable[..., Markup]:
    """A macro of a template, as a function: cheaper than `render` for what is drawn often."""
    made: Callable[..., Markup] = getattr(environment.get_template(template).module, name)
    return made


class Macros:
    """The macros of a template as methods: `Macros("page_parts.html").stop(True)`."""

    def __init__(self, template: str) -> None:
        self._template = template

    def __getattr__(self, name: str) -> Callable[..., Markup]:
        return macro(self._template, name)


def joined(pieces: Iterable[Markup]) -> Markup:
    """Pieces of HTML as one; `Markup.join` would look for what to escape in each of them again."""
    return Markup("".join(pieces))  # noqa: S704
