"""The states of a mark, each reached as a person would, with how it has to look.

The tests check them and photograph them; `make screenshots` puts the pictures on one page.
All are reached on the scripted model, which errs on demand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import expect

from tests.app.page_driver import Inspect

SCREENS = Path(__file__).parents[2] / "build" / "screens"
AMBER, VIOLET = ("#8A5A00", "#F0C04A"), ("#5B2E91", "#D3BDF7")
RED, GREY = ("#A3190F", "#FFB4AB"), ("#5E584E", "#ABA69C")


@dataclass(frozen=True)
class State:
    """A state: how to reach it, the element that shows it, and its look in light and dark."""

    name: str
    reach: Callable[[Inspect], object]
    element: str
    colour: tuple[str, str]
    look: dict[str, str] = field(default_factory=dict)  # computed style, without the colour
    sign: str = ""  # what shows it besides the colour: part of the text or of the drawn sign
    coloured: str = "textDecorationColor"  # the property that has the colour


def from_the_graph(page: Inspect) -> None:
    """A text as it was written."""
    page.ask("Tell me about France.")


def selected(page: Inspect) -> None:
    """A mark that was clicked."""
    page.ask("Tell me about France.").open_fact("euro")


def edited(page: Inspect) -> None:
    """A value that the visitor changed."""
    page.ask("Tell me about Japan.").change("Tokyo", "Kyoto")
    page.tab("after")
    page.click("#reading .mark:not(.edited)")  # so that the edited one is not the selected one


def contradicted(page: Inspect) -> None:
    """The model says something else than it looked up."""
    page.ask("Contradict France.")


def other_relation(page: Inspect) -> None:
    """The model says of another relation what it looked up."""
    page.ask("Mistake France.")


def unused(page: Inspect) -> None:
    """The model looked something up and did not say it."""
    page.ask("Skip France.")


def missed(page: Inspect) -> None:
    """The model asked for what the graph does not have."""
    page.ask("Ask France for motto.")


def deleted(page: Inspect) -> None:
    """The model asked for what the visitor deleted."""
    page.ask("Ask Kenya for currency.").open_fact("Kenyan shilling")
    page.after(lambda: page.click("#delete"))
    expect(page.page.locator("#card")).to_contain_text("you deleted this")


STATES = (
    State(
        "from-the-graph",
        from_the_graph,
        ".mark >> nth=1",
        AMBER,
        {"textDecorationLine": "underline", "textDecorationStyle": "solid"},
        "2",
    ),
    State(
        "your-edit",
        edited,
        ".mark.edited",
        VIOLET,
        {"textDecorationLine": "underline", "textDecorationStyle": "double"},
        "✎",
    ),
    State(
        "contradicted",
        contradicted,
        ".contradicted",
        RED,
        {"textDecorationLine": "underline", "textDecorationStyle": "wavy"},
        "≠ graph says",
    ),
    State(
        "other-relation",
        other_relation,
        ".contradicted",
        RED,
        {"textDecorationLine": "underline", "textDecorationStyle": "wavy"},
        "≠ asked for",
    ),
    State(
        "looked-up-not-said",
        unused,
        ".chip.unused",
        AMBER,
        {"borderTopStyle": "solid"},
        coloured="borderTopColor",
    ),
    State(
        "miss",
        missed,
        ".chip.miss",
        GREY,
        {"borderTopStyle": "dashed"},
        "not recorded · Add this fact",
        coloured="borderTopColor",
    ),
    State(
        "deleted",
        deleted,
        ".chip.miss",
        GREY,
        {"borderTopStyle": "dashed"},
        "you deleted this · Restore",
        coloured="borderTopColor",
    ),
    State(
        "selected",
        selected,
        ".mark.selected",
        AMBER,
        {"outlineStyle": "solid"},
        coloured="outlineColor",
    ),
)


def photograph(page: Inspect, state: State, scheme: str) -> Path:
    """A picture of the text in this state, in light or dark."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    target = SCREENS / f"state-{state.name}-{scheme}.png"
    page.page.locator("#trace").screenshot(path=target)
    return target
