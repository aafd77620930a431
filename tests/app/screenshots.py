"""Photographs the page, state by state, into build/screens, and the README's picture.

python -m tests.app.screenshots        (make screenshots)
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))

import page_driver  # noqa: E402
import scripted  # noqa: E402
from page_driver import Inspect, serve  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from test_page import click_in_graph  # noqa: E402

from graph.world import make_world  # noqa: E402
from model.checkpoint import load_checkpoint  # noqa: E402

OUT = ROOT / "build" / "screens"
SIZES = {"wide": (1440, 900), "medium": (1024, 768), "narrow": (390, 844)}


def read(page: Inspect) -> None:
    """The first text, as it stands after loading."""


def selected(page: Inspect) -> None:
    page.open_fact("euro")


def hovered(page: Inspect) -> None:
    page.mark("Paris").first.hover()


def changed(page: Inspect) -> None:
    page.change("euro", "Kraken crown")


def changed_after(page: Inspect) -> None:
    changed(page)
    page.tab("after")


def deleted(page: Inspect) -> None:
    click_in_graph(page, "edge", "France · capital · Paris")
    page.page.locator("#delete").wait_for()
    page.after(lambda: page.click("#delete"))


def node(page: Inspect) -> None:
    click_in_graph(page, "nodes", "Paris")
    page.page.locator("#expand").click()
    page.page.locator("#collapse").wait_for()


def raw(page: Inspect) -> None:
    page.click("#raw-switch")
    page.page.locator(".raw").wait_for()


def table(page: Inspect) -> None:
    page.click("[data-view=table]")


def nothing(page: Inspect) -> None:
    page.ask("Tell me about the Kingdom of Nowhere at All.")


def bad_prompt(page: Inspect) -> None:
    page.page.locator("#prompt textarea").fill("x" * 3000)
    page.click("#ask")
    page.page.locator("#prompt-note").wait_for()
    page.page.locator("#prompt textarea").fill("x")


def contradicted(page: Inspect) -> None:
    page.ask("Contradict France.")


def missed(page: Inspect) -> None:
    page.ask("Ask France for motto.")
    page.click("#reading .chip.miss")
    page.page.locator("#add-relation").wait_for()


STATES: list[Callable[[Inspect], None]] = [
    read, selected, hovered, changed, changed_after, deleted, node, raw, table, nothing, bad_prompt,
]  # fmt: skip
ERRING: list[Callable[[Inspect], None]] = [contradicted, missed]


def main() -> int:
    """Returns 0; the pictures are named STATE-SIZE-SCHEME.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="states, parted by commas")
    options = parser.parse_args()
    wanted = set(filter(None, options.only.split(",")))
    OUT.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp())
    make_world(f"sqlite:///{folder / 'made.db'}")
    checkpoint = load_checkpoint() if page_driver.SHIPPED else scripted.checkpoint()
    servers = {}
    for name, model in (("own", checkpoint), ("erring", scripted.checkpoint())):
        (folder / name).mkdir()
        servers[name] = serve(folder / "made.db", folder / name, model)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=page_driver.CHROMIUM, args=page_driver.FLAGS
        )
        for state in (*STATES, *ERRING):
            if wanted and state.__name__ not in wanted:
                continue
            for size, (width, height) in SIZES.items():
                for scheme in ("light", "dark"):
                    if size != "wide" and (state not in (read, selected, changed)):
                        continue
                    context = browser.new_context(
                        viewport={"width": width, "height": height}, color_scheme=scheme
                    )
                    server = servers["erring" if state in ERRING else "own"]
                    page = Inspect(context, server.url).open()
                    state(page)
                    page.page.wait_for_timeout(250)
                    target = OUT / f"{state.__name__}-{size}-{scheme}.png"
                    page.page.screenshot(path=target, full_page=size == "narrow")
                    print(target.relative_to(ROOT), flush=True)
                    context.close()
        browser.close()
    for server in servers.values():
        server.end()
    picture = OUT / "changed-wide-light.png"
    if picture.exists():
        (ROOT / "docs").mkdir(exist_ok=True)
        shutil.copy(picture, ROOT / "docs" / "inspect.png")
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
