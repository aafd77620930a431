"""How much slower a browser shows the text than the decoder writes it, in a real Chromium.

The page and the decoder alone are timed in turn, on the same decoder, store and prompts. The times
of the page are taken inside the browser, from the click to what can be read.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from graph.core.edits import Change
from graph.core.facts import RELATIONS, Fact
from graph.lookup.retriever import Retriever
from model.engine.decoder import Decoder
from model.engine.events import TokenEvent
from model.roles import Role
from model.trace import Trace
from tests.machine import CHROMIUM
from tools.benchmarks.runs import ROUNDS, Pair, Setting, finish

STARTS, VOWELS = "BDFKLMNRTVZ", "aeiou"  # of made-up values

# Milliseconds from a click until #reading holds the words, or until the text is whole where none
# are given.
CLICK = """([selector, words]) => new Promise((resolve) => {
  const status = () => document.querySelector('#status-words');
  const before = Number(status()?.dataset.run ?? 0);
  const reached = () => words
    ? (document.querySelector('#reading')?.textContent ?? '').includes(words)
    : Number(status()?.dataset.run ?? 0) > before && status().dataset.writing === 'no';
  let begun = 0;
  const watch = new MutationObserver(() => {
    if (!reached()) return;
    watch.disconnect();
    resolve(performance.now() - begun);
  });
  watch.observe(document.body, { subtree: true, childList: true, characterData: true,
    attributes: true });
  begun = performance.now();
  document.querySelector(selector).click() })"""


@contextmanager
def _page(setting: Setting) -> Iterator[tuple[object, object]]:
    """A page over the benchmark's decoder and store, and its server."""
    from playwright.sync_api import sync_playwright

    from tests.app import page_driver

    server = page_driver.serve_on(setting.store, setting.decoder)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=page_driver.FLAGS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = page_driver.Inspect(context, server.url).open()
        try:
            yield page, server
        finally:
            browser.close()
            server.end()


def page_overhead(setting: Setting) -> Iterator[Pair]:
    """Tokens a second: from the click on *Ask* to the whole text, over the decoder alone."""
    with _page(setting) as (inspect, _):
        page = inspect.page  # type: ignore[attr-defined]
        page.evaluate(CLICK, ["#ask", ""])  # the first is slower
        for _ in range(ROUNDS):
            for prompt in setting.prompts:
                page.locator("#prompt textarea").fill(prompt)
                shown = page.evaluate(CLICK, ["#ask", ""]) / 1000
                begun = time.perf_counter()
                trace = finish(setting.decoder.generate(prompt, Retriever(setting.store)))
                alone = time.perf_counter() - begun
                yield Pair(len(trace.tokens) / shown, len(trace.tokens) / alone)


def edit_to_first_word(setting: Setting) -> Iterator[Pair]:
    """Seconds: from saving an edit to the first changed word on the page, over the decoder's own.

    The edited fact is the one whose lookup stands in the middle of the text; the changed word is
    the first of its new value.
    """
    rng = random.Random(0)
    with _page(setting) as (inspect, _):
        page = inspect.page  # type: ignore[attr-defined]
        for run in range(ROUNDS):
            for number, prompt in enumerate(setting.prompts):
                before = finish(setting.decoder.generate(prompt, Retriever(setting.store)))
                fact = _middle(before)
                if fact is None:
                    continue
                word = rng.choice(STARTS) + rng.choice(VOWELS) + "rveld"
                page.locator("#prompt textarea").fill(prompt)
                page.evaluate(CLICK, ["#ask", ""])
                mark = page.locator(f"#reading .mark[data-facts~='{fact.id}']")
                if not mark.count():
                    continue
                mark.first.click()
                page.locator(f"#card-{fact.id}").wait_for()
                page.locator("#card-value").fill(word)
                shown = page.evaluate(CLICK, ["#save", word]) / 1000
                page.wait_for_function(
                    "document.querySelector('#status-words').dataset.writing === 'no'"
                )
                page.evaluate(CLICK, ["#undo", ""])
                draft = setting.store.draft(f"bench-page-{run}-{number}")
                draft.apply([Change(fact.id, word)], author="bench")
                alone = _until(word, setting.decoder, before, Retriever(draft))
                draft.discard()
                if alone is not None:
                    yield Pair(shown, alone)


def _middle(trace: Trace) -> Fact | None:
    asked = [each.lookup for each in trace.lookups if each.lookup.relation != RELATIONS]
    facts = asked[len(asked) // 2].facts if asked else ()
    return facts[0] if facts else None


def _until(word: str, decoder: Decoder, before: Trace, retriever: Retriever) -> float | None:
    """Seconds until the decoder has written a word; None if it never does."""
    begun, text, taken = time.perf_counter(), "", None
    for event in decoder.regenerate(before, retriever):
        if isinstance(event, TokenEvent) and event.token.role == Role.TEXT:
            text += event.token.text
            if taken is None and word in text:
                taken = time.perf_counter() - begun
    return taken
