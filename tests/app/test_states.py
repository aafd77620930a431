"""Each state of a mark: reached, never shown by colour alone, and photographed in both themes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.app.page_driver import Inspect, Server, fresh
from tests.app.states import STATES, State, photograph

SCHEMES = ("light", "dark")

LOOK = """([selector, nth, properties]) => {
  const element = document.querySelectorAll('#reading ' + selector)[nth];
  const style = getComputedStyle(element), after = getComputedStyle(element, '::after').content;
  const drawn = after.replace(/"/g, '').replace('attr(data-number)', element.dataset.number)
    .replace('attr(data-offer)', element.dataset.offer);
  const next = element.nextElementSibling?.textContent ?? '';
  return { sign: (element.textContent + drawn + ' ' + next).replace(/\\s+/g, ' '),
    style: Object.fromEntries(properties.map(name => [name, style[name]])) } }"""


@pytest.fixture(scope="module")
def page(one_visitor: BrowserContext, scripted_server: Server) -> Iterator[Inspect]:
    """One page for all states."""
    made = fresh(one_visitor, scripted_server.url)
    yield made
    made.page.emulate_media(color_scheme="light")
    made.close()


def rgb(colour: str) -> str:
    return "rgb({}, {}, {})".format(*(int(colour[at : at + 2], 16) for at in (1, 3, 5)))


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_state(page: Inspect, state: State) -> None:
    page.page.emulate_media(color_scheme="light")
    state.reach(page)
    selector, _, nth = state.element.partition(" >> nth=")
    expect(page.page.locator(f"#reading {selector}").first).to_be_visible()
    for scheme, colour in zip(SCHEMES, state.colour, strict=True):
        page.page.emulate_media(color_scheme=scheme)
        page.page.wait_for_function(
            "dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark"
        )
        properties = [*state.look, state.coloured]
        seen = page.page.evaluate(LOOK, [selector, int(nth or 0), properties])
        assert seen["style"] == {**state.look, state.coloured: rgb(colour)}
        assert state.sign in seen["sign"]
        picture = photograph(page, state, scheme)
        assert picture.stat().st_size > 2000
