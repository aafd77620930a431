"""The page for everybody: audited by axe, used by keyboard alone, quiet for screen readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.app.page_driver import Inspect, Server


def findings(page: Inspect) -> list[str]:
    """What axe, which its package brings along, finds serious or critical."""
    results: dict[str, Any] = Axe().run(page.page).response
    return [
        f"{found['id']}: {node['target']} {node.get('failureSummary', '')}"
        for found in results["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]


def everywhere(page: Inspect, what: str) -> None:
    """No finding in light and dark, at 1440 and at 390 pixels, and no scrolling sideways."""
    for width, height in ((390, 844), (1440, 900)):
        page.page.set_viewport_size({"width": width, "height": height})
        for scheme in ("dark", "light"):
            page.page.emulate_media(color_scheme=scheme)
            page.page.wait_for_timeout(250)  # colours fade over
            assert findings(page) == [], f"{what}, {width} pixels wide, {scheme}"
        assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what


def test_axe_finds_nothing_serious(scripted_page: Inspect) -> None:
    page = scripted_page
    everywhere(page, "before an edit")
    page.change("euro", "Kraken crown")
    everywhere(page, "after an edit")
    page.click("#more summary")
    page.click("#own-facts summary")
    page.click("[data-view=table]")
    page.click("#tour-start")
    expect(page.page.locator("#tour")).to_be_visible()
    assert findings(page) == []
    page.page.keyboard.press("Escape")
    page.ask("Contradict France.")
    page.click("#raw-switch")
    assert findings(page) == []
    page.ask("Tell me about Nowhere at All.")
    assert findings(page) == []


def focused(page: Inspect) -> str:
    return str(page.page.evaluate("document.activeElement.id"))


def test_a_mark_keeps_the_focus_through_streaming_and_diff(scripted_page: Inspect) -> None:
    page = scripted_page
    page.page.locator("#prompt textarea").fill("Slowly France")
    before = page.run()
    page.click("#ask")
    expect(page.page.locator("#caret")).to_be_visible()  # the marks before are the last text's
    mark = page.page.locator("#reading .mark").nth(1)
    expect(mark).to_be_visible()
    mark.focus()
    chosen = focused(page)
    assert chosen
    page.wait_for_run(before)
    assert focused(page) == chosen
    page.mark("euro").first.evaluate("mark => mark.click()")  # a click that moves no focus
    expect(page.page.locator("#card-value")).to_have_value("euro")
    assert focused(page) == chosen
    page.page.locator("#card-value").evaluate("input => (input.value = 'Kraken crown')")
    page.after(lambda: page.page.locator("#change-form").evaluate("form => form.requestSubmit()"))
    expect(page.page.locator("#reading ins")).to_contain_text("Kraken crown")
    assert focused(page) == chosen
    page.page.keyboard.press("ArrowRight")
    assert focused(page) != chosen


def test_marks_are_one_stop_of_the_tab_key(scripted_page: Inspect) -> None:
    stops = scripted_page.page.locator("#reading [data-mark][tabindex='0']")
    expect(stops).to_have_count(1)
    stops.focus()
    scripted_page.page.keyboard.press("End")
    expect(stops).to_have_count(1)
    scripted_page.page.keyboard.press("Tab")
    assert not scripted_page.page.evaluate("!!document.activeElement.closest('#reading')")


def test_copying_keeps_the_words_alone(scripted_page: Inspect) -> None:
    page = scripted_page
    copied = page.page.evaluate(
        """() => { const all = document.createRange();
        all.selectNodeContents(document.querySelector('#reading'));
        const now = getSelection(); now.removeAllRanges(); now.addRange(all);
        return now.toString() }"""
    )
    assert copied.strip() == page.text()
    assert "country" in copied
    assert not any(number in copied.split("country")[0] for number in "123")


def test_a_screen_reader_hears_few_words(scripted_page: Inspect) -> None:
    """One region speaks, at most three times a generation, and never a token."""
    page = scripted_page
    page.page.evaluate(
        """() => { window.heard = [];
        const region = document.querySelector('#status');
        new MutationObserver(() => {
          const words = region.querySelector('#status-words').textContent.trim();
          if (words && words !== window.heard.at(-1)) window.heard.push(words);
        }).observe(region, { subtree: true, childList: true, characterData: true }) }"""
    )
    page.ask("Tell me about Japan.")
    heard = page.page.evaluate("window.heard")
    assert 1 <= len(heard) <= 3
    assert "copied from the graph" in heard[-1]
    live = page.page.locator("[aria-live]:not([aria-live=off]), [role=status], [role=log]")
    around_the_text = """all => { const text = document.querySelector('#reading');
      return all.filter(each => each.contains(text) || text.contains(each)).length }"""
    assert live.evaluate_all(around_the_text) == 0


def test_the_tour_has_four_steps_and_gives_the_focus_back(scripted_page: Inspect) -> None:
    page = scripted_page.page
    page.locator("#tour-start").focus()
    page.keyboard.press("Enter")
    seen = []
    for _ in range(4):
        heading = page.locator("#tour section:not([hidden]) h2")
        expect(heading).to_have_count(1)
        seen.append(heading.text_content())
        expect(page.locator(".toured")).to_have_count(1)
        box = page.locator("#tour").bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= 1440 - box["width"]
        page.keyboard.press("Enter")  # Next has the focus
    assert len(set(seen)) == 4
    expect(page.locator("#tour")).to_be_hidden()
    assert focused(scripted_page) == "tour-start"
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#tour")).to_be_hidden()


def box(page: Inspect, selector: str) -> dict[str, float]:
    """Where an element stands, in pixels."""
    found = page.page.locator(selector).bounding_box()
    assert found is not None
    return dict(found)  # type: ignore[arg-type]


SIZES = [(1440, 900), (1024, 768), (390, 844)]


def test_the_layout_at_three_widths(visit: Callable[..., Inspect], scripted_server: Server) -> None:
    page = visit(scripted_server.url).open()
    page.open_fact("euro")
    for width, height in SIZES:
        page.page.set_viewport_size({"width": width, "height": height})
        page.page.wait_for_timeout(200)
        left, right, text, graph, card, prompt = (
            box(page, name)
            for name in ("#left", "#right", "#reading", "#graph", "#card", "#prompt")
        )
        assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if width == 390:
            assert prompt["y"] < text["y"] < card["y"] < graph["y"]
            continue
        share = left["width"] / (left["width"] + right["width"])
        assert abs(share - (0.58 if width == 1440 else 0.55)) < 0.02
        assert graph["height"] >= 400
        assert graph["y"] < card["y"]
        if width == 1440:
            assert page.page.evaluate("document.documentElement.scrollHeight <= innerHeight")
            for name in ("#prompt", "#reading", "#graph", "#card"):
                expect(page.page.locator(name)).to_be_in_viewport(ratio=0.99)
    characters = page.page.locator("#reading").evaluate(
        """text => parseFloat(getComputedStyle(text).maxWidth) / (() => {
          const probe = document.createElement('span'); probe.textContent = '0';
          text.append(probe); const wide = probe.getBoundingClientRect().width; probe.remove();
          return wide })()"""
    )
    assert characters <= 68.5
