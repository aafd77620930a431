"""The picture of the graph, drawn by Plotly in a real browser, of the shipped world's entities."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.pages.scripts import ASSETS
from app.state.graph_layout import GraphLayout
from app.state.scene import MAX_FAINT_NODES, MAX_HIT_NODES, Scene, bounded
from app.state.scene_reading import EXPAND_BY, NEIGHBOURS_READ, facts_around
from app.state.service import Service
from app.state.session import Selection, Session
from app.views.graph_figure import draw
from graph.core.facts import Fact
from graph.core.protocol import SharedStore
from graph.opening import open_store
from model.engine.decoder import Decoder
from tests.app import scripted
from tests.app.page_driver import Inspect, Server
from tests.patience import PATIENCE

KNOWN = ("France", "Paris", "Japan", "Albert Einstein")
ENTITIES = 20

BARE = """<!doctype html><body><div id="root"><div data-host class="graph-host"
style="width: 562px; height: 460px"></div></div>
<script src="{url}/lamplight/plotly.min.js"></script>
<script src="{url}/lamplight/panel.js"></script>
<script src="{url}/lamplight/graph_view.js"></script>
<script src="{url}/lamplight/graph.js"></script><script>
const props = {{ value: "" }}, drawers = [];
const root = document.querySelector("#root"), watch = (_, draw) => drawers.push(draw);
lamplight.graph(root, props, watch, () => {{}});
const frame = () => new Promise(requestAnimationFrame);
async function show(figure) {{ props.value = figure; for (const draw of drawers) draw();
  await frame(); await frame(); }}
</script>"""

LABELS = """async figure => { await show(figure);
  const frame = document.querySelector('.graph-host').getBoundingClientRect();
  return [...document.querySelectorAll('.annotation')].map(each => {
    const box = each.querySelector('.annotation-text-g').getBoundingClientRect();
    return { text: each.textContent, x0: box.left - frame.left, x1: box.right - frame.left,
      y0: box.top - frame.top, y1: box.bottom - frame.top } }) }"""


@pytest.fixture(scope="module")
def store(world: Path) -> Iterator[SharedStore]:
    opened = open_store(f"sqlite:///{world}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def bare(browser: Browser, scripted_server: Server) -> Iterator[Page]:
    """The page's own drawing code and nothing around it."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(30_000 * PATIENCE)
    url = f"{scripted_server.url}/bare"  # of the server: pages of other sites get no scripts
    content = BARE.format(url=scripted_server.url)
    page.route(url, lambda route: route.fulfill(body=content, content_type="text/html"))
    page.goto(url)
    page.add_style_tag(content=(ASSETS / "page.css").read_text("utf-8"))
    page.wait_for_function("!!(window.Plotly && window.lamplight?.graph)")
    yield page
    page.close()


def scene_of(store: SharedStore, entity_id: int) -> Scene:
    """What a text about an entity shows: its first eight relations, and what lies around."""
    names = store.relation_names(entity_id)[:8]
    hits = [fact for name in names for fact in store.facts(entity_id, name)[:5]]
    return Scene(
        hits=tuple(hits),
        centres=(entity_id,),
        numbers={fact.id: number for number, fact in enumerate(hits, start=1)},
        neighbours=tuple(store.neighbourhood([entity_id], hops=1, limit=NEIGHBOURS_READ)),
        question=f"Tell me about {entity_id}.",
    )


def some_entities(store: SharedStore) -> list[tuple[int, str]]:
    """Twenty entities with enough facts, the same ones each time."""
    chosen = [(store.find_entities(name)[0][0].id, name) for name in KNOWN]
    counts: dict[tuple[int, str], int] = {}
    for fact in store.all_facts():
        key = (fact.entity_id, fact.entity)
        counts[key] = counts.get(key, 0) + 1
    rich = sorted(key for key, count in counts.items() if count >= 5 and key not in chosen)
    return chosen + random.Random(7).sample(rich, ENTITIES - len(chosen))


def test_no_two_labels_overlap_for_twenty_entities(bare: Page, store: SharedStore) -> None:
    shown = 0
    for entity_id, name in some_entities(store):
        scene = scene_of(store, entity_id)
        labels: list[dict[str, Any]] = bare.evaluate(LABELS, json.dumps(draw(scene, GraphLayout())))
        assert name[:10].rstrip() in " ".join(label["text"] for label in labels)
        for at, one in enumerate(labels):
            assert len(one["text"]) <= 24, one
            assert one["x0"] >= -1, (name, one)
            assert one["x1"] <= 563, (name, one)
            for other in labels[at + 1 :]:
                apart = (
                    one["x1"] <= other["x0"] + 1
                    or other["x1"] <= one["x0"] + 1
                    or one["y1"] <= other["y0"] + 1
                    or other["y1"] <= one["y0"] + 1
                )
                assert apart, (name, one, other)
        shown += len(labels)
    assert shown >= 5 * ENTITIES  # so it is not by leaving labels out that none overlaps


def test_a_hub_expands_by_eight_and_collapses(store: SharedStore) -> None:
    """Thousands of facts lead to some nodes: the picture stays bounded and says what is left."""
    hub = max(
        (store.find_entities(name)[0][0] for name in ("France", "United States of America", "Paris")
         if store.find_entities(name)),
        key=lambda entity: len(store.facts_to(entity.id)),
    )  # fmt: skip
    assert len(store.facts_to(hub.id)) > 100
    scene, layout = scene_of(store, hub.id), GraphLayout()
    strong, faint, left_out = bounded(scene)
    assert len({fact.value for fact in strong}) <= MAX_HIT_NODES
    assert len(faint) >= 1
    assert left_out > 0
    draw(scene, layout)
    before = dict(layout.positions)
    assert len(before) <= 1 + MAX_HIT_NODES + MAX_FAINT_NODES
    session = Session.open(Service(store, Decoder(scripted.checkpoint())), "0" * 32)
    for step in (1, 2):
        around = facts_around(session.draft, hub.id, step * EXPAND_BY)
        assert len(around) == step * EXPAND_BY
        more = Scene(**{**vars(scene), "expanded": tuple(around)})
        draw(more, layout)
        assert {key: layout.positions[key] for key in before} == before
    assert session.selection == Selection()


def test_the_graph_follows_the_theme_and_can_be_enlarged(scripted_page: Inspect) -> None:
    page = scripted_page.page
    ink = "document.querySelector('.graph-host').data.find(e => e.meta === 'nodes').marker.color"
    page.wait_for_function("document.querySelector('.graph-host')?.data?.length")
    light = page.evaluate(ink)
    page.click("#theme")
    page.wait_for_function(f"old => ({ink}).join() !== old.join()", arg=light)
    page.click("#theme")
    small = page.locator("#graph").bounding_box()
    page.click("#enlarge")
    expect(page.locator("#enlarge")).to_have_text("Make smaller")
    large = page.locator("#graph").bounding_box()
    assert small is not None
    assert large is not None
    assert large["width"] > 1.5 * small["width"]
    page.wait_for_function(
        "wide => document.querySelector('.graph-host')._fullLayout.width > wide", arg=small["width"]
    )
    page.click("#enlarge")


def test_a_finger_on_the_graph_scrolls_the_page(
    visit: Callable[..., Inspect], scripted_server: Server
) -> None:
    narrow = {"width": 390, "height": 844}
    page = visit(scripted_server.url, viewport=narrow, has_touch=True, is_mobile=True).open()
    page.page.wait_for_function(
        "document.querySelector('.graph-host')._fullLayout?.dragmode === false"
    )
    # A page scrolls under a finger unless somebody forbids it: by style, or by taking the events.
    page.page.locator("#graph").scroll_into_view_if_needed()
    taken = page.page.evaluate(
        """() => {
          const box = document.querySelector('.graph-host').getBoundingClientRect();
          const [x, y] = [box.x + 0.2 * box.width, box.y + 0.2 * box.height];
          const under = document.elementFromPoint(x, y);
          const touch = new Touch({identifier: 1, target: under, clientX: x, clientY: y});
          const send = (kind, touches) => {
            const options = {bubbles: true, cancelable: true, touches, changedTouches: [touch]};
            return !under.dispatchEvent(new TouchEvent(kind, options));
          };
          const prevented = [send('touchstart', [touch]), send('touchmove', [touch])];
          send('touchend', []);
          const styles = [];
          for (let e = under; e; e = e.parentElement) styles.push(getComputedStyle(e).touchAction);
          return {inside: Boolean(under.closest('#graph')), prevented, styles};
        }"""
    )
    assert taken["inside"]
    assert taken["prevented"] == [False, False]
    assert set(taken["styles"]) <= {"auto", "manipulation", "pan-y"}


def test_three_steps_read_as_a_path_in_the_browser(bare: Page) -> None:
    chain = tuple(
        Fact(n, 10 * n, f"Entity {n}", "leads to", f"Entity {n + 1}", 10 * (n + 1))
        for n in (1, 2, 3)
    )
    scene = Scene(chain, centres=(10,), numbers={1: 1, 2: 2, 3: 3}, question="three steps")
    labels = bare.evaluate(LABELS, json.dumps(draw(scene, GraphLayout())))
    places = {label["text"]: (label["x0"] + label["x1"]) / 2 for label in labels}
    order = [f"Entity {n}" for n in (1, 2, 3, 4)]
    assert sorted(order, key=lambda name: places[name]) == order
