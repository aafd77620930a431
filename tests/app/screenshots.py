"""Photographs the page, state by state, into build/screens, and makes one page of the pictures.

python -m tests.app.screenshots [--only STATE,...]        (make screenshots)

`build/screens.html` shows them all. The README's pictures come from here too: docs/inspect.png, and
docs/edit.gif, which moves: an edit, and the text that follows it.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from graph.world import make_world
from model.checkpoint import load_checkpoint
from tests.app import page_driver, scripted
from tests.app.page_driver import Inspect, Server, serve
from tests.app.states import SCREENS, STATES, photograph
from tests.app.test_page import click_in_graph
from tests.machine import CHROMIUM

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SIZES = {"wide": (1440, 900), "medium": (1024, 768), "narrow": (390, 844)}
SCHEMES = ("light", "dark")
MOST_FRAMES = 60  # of the moving picture


def read(page: Inspect) -> None:
    """As it stands after loading."""


def hovered(page: Inspect) -> None:
    """A look at where a word comes from."""
    page.page.locator("#reading .mark").nth(1).hover()


def selected(page: Inspect) -> None:
    """A fact, opened from its word."""
    page.page.locator("#reading .mark").nth(1).click()
    page.page.locator("#card-value").wait_for()


def changed(page: Inspect) -> None:
    """A fact was changed, and the text is compared."""
    page.mark("Paris").first.click()
    page.page.locator("#card-value").wait_for()
    page.page.locator("#card-value").fill("Lyon")
    page.after(lambda: page.click("#save"))


def changed_after(page: Inspect) -> None:
    """The text after the change."""
    changed(page)
    page.tab("after")


def still_said(page: Inspect) -> None:
    """A fact was deleted, and another still says its value."""
    click_in_graph(page, "edge", "France · capital · Paris")
    page.page.locator("#delete").wait_for()
    page.after(lambda: page.click("#delete"))


def more(page: Inspect) -> None:
    """Under More: a reason, add, rename, merge."""
    selected(page)
    page.click("#more summary")


def guided(page: Inspect) -> None:
    """The setting for guided lookups, and what the model considered for one."""
    page.click("#decoding > button")
    page.page.get_by_label("Guided lookups").check()
    page.ask("Who runs Norway?")
    page.page.locator("#reading .mark").first.click()
    page.page.locator("#card-value").wait_for()


def node(page: Inspect) -> None:
    """A node, expanded."""
    click_in_graph(page, "nodes", "Paris")
    page.page.locator("#expand").click()
    page.page.locator("#collapse").wait_for()


def raw(page: Inspect) -> None:
    """The lookups as the model wrote them."""
    page.click("#raw-switch")
    page.page.locator(".raw").wait_for()


def table(page: Inspect) -> None:
    """The table twin of the graph."""
    page.click("[data-view=table]")


def nothing(page: Inspect) -> None:
    """A prompt that meets no entity."""
    page.ask("Tell me about Nowhere at All.")


def bad_prompt(page: Inspect) -> None:
    """A prompt that is too long."""
    page.page.locator("#prompt textarea").fill("x" * 30_000)
    page.click("#ask")
    page.page.locator("#prompt-note").wait_for()
    page.page.locator("#prompt textarea").fill("x")


def own_facts(page: Inspect) -> None:
    """Facts of the visitor's own, read out."""
    page.click("#own-facts summary")
    page.after(lambda: page.click("#own-example"))


def tour(page: Inspect) -> None:
    """The second step of the tour."""
    page.click("#tour-start")
    page.click("[data-page=tour-next]")


VIEWS: tuple[Callable[[Inspect], None], ...] = (
    read, hovered, selected, changed, changed_after, still_said, more, guided, node, raw, table,
    nothing, bad_prompt, own_facts, tour,
)  # fmt: skip
AT_ALL_SIZES = (read, selected, changed)


def photograph_views(browser: Browser, server: Server, wanted: set[str]) -> None:
    """The whole page in each view: one visit each, taken in light and dark."""
    for view in VIEWS:
        if wanted and view.__name__ not in wanted:
            continue
        for size, (width, height) in SIZES.items():
            if size != "wide" and view not in AT_ALL_SIZES:
                continue
            context = browser.new_context(
                viewport={"width": width, "height": height}, reduced_motion="reduce"
            )
            page = Inspect(context, server.url).open()
            view(page)
            for scheme in SCHEMES:
                page.page.emulate_media(color_scheme=scheme)
                page.page.wait_for_timeout(250)
                target = SCREENS / f"{view.__name__}-{size}-{scheme}.png"
                page.page.screenshot(path=target, full_page=size == "narrow")
                print(target.relative_to(ROOT), flush=True)
            context.close()


def photograph_states(browser: Browser, server: Server, wanted: set[str]) -> None:
    """The text in each state of a mark, light and dark."""
    page = Inspect(browser.new_context(viewport={"width": 1440, "height": 900}), server.url).open()
    for state in STATES:
        if wanted and state.name not in wanted:
            continue
        page.page.emulate_media(color_scheme="light")
        state.reach(page)
        for scheme in SCHEMES:
            page.page.emulate_media(color_scheme=scheme)
            page.page.wait_for_timeout(250)
            print(photograph(page, state, scheme).relative_to(ROOT), flush=True)
    page.context.close()


def film(browser: Browser, server: Server, target: Path) -> None:
    """An edit and its rewrite as a short moving picture, played by the page's own example."""
    context = browser.new_context(viewport={"width": 1280, "height": 760})
    page = Inspect(context, server.url).open()
    frames: list[tuple[Image.Image, int]] = []

    def take(milliseconds: int) -> None:
        picture = Image.open(io.BytesIO(page.page.screenshot()))
        small = picture.convert("RGB").resize((944, 560), Image.Resampling.LANCZOS)
        frames.append((small, milliseconds))

    page.ask("Tell me about Japan.")
    take(1600)
    page.mark("Tokyo").first.click()
    page.page.locator("#card-value").wait_for()
    take(1100)
    for end in range(1, 6):
        page.page.locator("#card-value").fill("Kyoto"[:end])
        take(130)
    before = page.run()
    page.click("#save")
    while len(frames) < MOST_FRAMES and not page.ended(before):
        take(110)
    page.wait_for_run(before)
    take(3200)
    context.close()
    # The colours furthest apart, so that amber and violet stay what they are among all the paper.
    palette = frames[-1][0].quantize(255, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame, _ in frames]
    drawn[0].save(
        target,
        save_all=True,
        append_images=drawn[1:],
        duration=[milliseconds for _, milliseconds in frames],
        loop=0,
        optimize=True,
    )
    print(target.relative_to(ROOT), f"{target.stat().st_size // 1024} KiB", flush=True)


def write_page(target: Path) -> None:
    """One HTML page of all pictures, light and dark side by side."""
    captions = {view.__name__: view.__doc__ or "" for view in VIEWS}
    captions |= {f"state-{state.name}": state.reach.__doc__ or "" for state in STATES}
    rows = []
    for light in sorted(SCREENS.glob("*-light.png")):
        name = light.stem.removesuffix("-light")
        words = next((words for key, words in captions.items() if name.startswith(key)), "")
        pictures = "".join(
            f'<img src="screens/{name}-{scheme}.png" alt="{escape(name)}, {scheme}">'
            for scheme in SCHEMES
        )
        rows.append(f"<section><h2>{escape(name)}</h2><p>{escape(words)}</p>{pictures}</section>")
    target.write_text(
        "<!doctype html><meta charset=utf-8><title>Lamplight: the page in all its states</title>"
        "<style>body{font:15px system-ui;margin:24px;background:#ddd}section{margin:0 0 36px}"
        "img{max-width:49%;margin-right:1%;vertical-align:top;box-shadow:0 1px 6px #0004}"
        "h2{margin:0;font-size:17px}p{margin:2px 0 8px}</style>" + "".join(rows),
        encoding="utf-8",
    )
    print(target.relative_to(ROOT), flush=True)


def main() -> int:
    """Returns 0; the pictures are named VIEW-SIZE-SCHEME.png and state-STATE-SCHEME.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="views, states or film, parted by commas")
    options = parser.parse_args()
    wanted = set(filter(None, options.only.split(",")))
    SCREENS.mkdir(parents=True, exist_ok=True)
    DOCS.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp())
    make_world(f"sqlite:///{folder / 'made.db'}")
    checkpoint = load_checkpoint() if page_driver.SHIPPED else scripted.checkpoint()
    servers = {}
    for name, model in (("own", checkpoint), ("erring", scripted.checkpoint())):
        (folder / name).mkdir()
        servers[name] = serve(folder / "made.db", folder / name, model)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=page_driver.FLAGS)
        photograph_views(browser, servers["own"], wanted)
        photograph_states(browser, servers["erring"], wanted)
        if not wanted or "film" in wanted:
            film(browser, servers["own"], DOCS / "edit.gif")
        browser.close()
    for server in servers.values():
        server.end()
    picture = SCREENS / "changed-wide-light.png"
    if picture.exists():
        shutil.copy(picture, DOCS / "inspect.png")
    write_page(ROOT / "build" / "screens.html")
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
