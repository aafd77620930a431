"""The four examples: one idea each, shown with a real edit of the visitor's own draft."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Example:
    """One card. `edits` are (kind, entity, relation, value), done after the text was read."""

    name: str
    verb: str
    words: str
    prompt: str
    edits: tuple[tuple[str, str, str, str], ...] = ()
    before_asking: bool = False  # the facts are added first, then asked about


EXAMPLES = (
    Example("read", "Read", "See each fact light up.", "Tell me about France."),
    Example(
        "change",
        "Change",
        "See Japan get another capital.",
        "Tell me about Japan.",
        (("change", "Japan", "capital", "Kyoto"),),
    ),
    Example(
        "forget",
        "Forget",
        "See Kenya's currency deleted.",
        "Tell me about Kenya.",
        (("delete", "Kenya", "currency", ""),),
    ),
    Example(
        "invent",
        "Invent",
        "See a country made up.",
        "Tell me about Zubrowka.",
        (
            ("add", "Zubrowka", "instance of", "country"),
            ("add", "Zubrowka", "capital", "Lutz"),
            ("add", "Zubrowka", "currency", "klubeck"),
            ("add", "Zubrowka", "borders", "Poland"),
            ("add", "Zubrowka", "favourite dish", "apple strudel"),
        ),
        before_asking=True,
    ),
)


def by_name(name: object) -> Example | None:
    """The example of that name."""
    return next((example for example in EXAMPLES if example.name == name), None)


def render(prompt: str = "", edited: bool = False) -> str:
    """The four cards as HTML; the one that is played is shown as chosen.

    One that only reads is no longer so once the visitor has `edited` something.
    """
    cards = "".join(
        f'<button type="button" class="example" id="example-{example.name}" '
        f'data-action="example" data-name="{example.name}" '
        f'aria-pressed="{_chosen(example, prompt, edited)}"><b>{escape(example.verb)}</b>'
        f"<span>{escape(example.words)}</span></button>"
        for example in EXAMPLES
    )
    return f'<div class="examples" role="group" aria-label="Examples">{cards}</div>'


def _chosen(example: Example, prompt: str, edited: bool) -> str:
    return str(example.prompt == prompt and (bool(example.edits) or not edited)).lower()
