"""The picture of the graph as a person works in it: the view, moving nodes, drawing facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.app.page_driver import Inspect, Server
from tests.app.test_page import click_in_graph
from tests.patience import PATIENCE

RANGES = """() => { const full = document.querySelector('.graph-host')._fullLayout;
  return [...full.xaxis.range, ...full.yaxis.range] }"""
NODES = """() => { const host = document.querySelector('.graph-host');
  const nodes = host.data?.find(each => each.meta === 'nodes'), full = host._fullLayout;
  const box = host.getBoundingClientRect();
  return Object.fromEntries((nodes?.hovertext ?? []).map((name, i) => [name,
    { x: box.left + full.xaxis.d2p(nodes.x[i]), y: box.top + full.yaxis.d2p(nodes.y[i]),
      at: [nodes.x[i], nodes.y[i]] }])) }"""
STANDS = """([name, [x, y]]) => { const host = document.querySelector('.graph-host');
  const nodes = host.data?.find(each => each.meta === 'nodes');
  const i = nodes?.hovertext.indexOf(name) ?? -1;
  return i >= 0 && Math.hypot(nodes.x[i] - x, nodes.y[i] - y) < 0.02 }"""


def ranges(page: Inspect) -> list[float]:
    """What the axes show."""
    page.page.wait_for_function("!!document.querySelector('.graph-host')?._fullLayout?.xaxis")
    found: list[float] = page.page.evaluate(RANGES)
    return found


def node(page: Inspect, name: str) -> dict[str, Any]:
    """Where a node stands, in pixels of the window and in the picture's units."""
    page.page.wait_for_function(f"name => name in ({NODES})()", arg=name)
    found: dict[str, Any] = page.page.evaluate(NODES)[name]
    return found


def drag(page: Inspect, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press, move in steps and let go, as a hand does."""
    page.page.mouse.move(*start)
    page.page.mouse.down()
    page.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.page.mouse.move(*end)
    page.page.mouse.up()


def move_node(page: Inspect, name: str, dx: float, dy: float) -> list[float]:
    """Drag a node, and wait until the picture has it there; returns its place."""
    before = node(page, name)
    spans = ranges(page)
    box = page.page.locator(".graph-host").bounding_box()
    assert box is not None
    drag(page, (before["x"], before["y"]), (before["x"] + dx, before["y"] + dy))
    across = (spans[1] - spans[0]) / box["width"]
    along = (spans[3] - spans[2]) / box["height"]
    place = [before["at"][0] + dx * across, before["at"][1] - dy * along]
    page.page.wait_for_function(STANDS, arg=[name, place])
    return place


def draw_from(page: Inspect, name: str, end: tuple[float, float]) -> None:
    """Drag from a node's ring to a place."""
    start = node(page, name)
    page.page.mouse.move(start["x"], start["y"])
    drag(page, (start["x"] + 20, start["y"] + 4), end)
    expect(page.page.locator("#draw-relation")).to_be_focused()


def free_place(page: Inspect) -> tuple[float, float]:
    """A place in the picture where nothing stands."""
    box = page.page.locator(".graph-host").bounding_box()
    assert box is not None
    return box["x"] + 0.93 * box["width"], box["y"] + 0.62 * box["height"]


def test_only_the_person_changes_what_is_in_view(scripted_page: Inspect) -> None:
    page = scripted_page.page
    whole = ranges(scripted_page)
    box = page.locator(".graph-host").bounding_box()
    assert box is not None
    page.get_by_role("button", name="Zoom in").click()
    page.wait_for_function(f"old => ({RANGES})()[0] > old", arg=whole[0])
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.7 * box["height"])
    scrolled = page.evaluate("scrollY")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    zoomed = ranges(scripted_page)
    page.wait_for_function(f"old => ({RANGES})()[0] > old", arg=zoomed[0] - 1e-9)
    assert page.evaluate("[scrollY, visualViewport.scale]") == [scrolled, 1]
    corner = (box["x"] + 8, box["y"] + 40)
    drag(scripted_page, corner, (corner[0] + 60, corner[1] + 30))
    page.wait_for_timeout(200 * PATIENCE)  # the drawings of the gesture
    panned = ranges(scripted_page)
    assert panned != zoomed
    scripted_page.change("euro", "Kraken crown")
    assert ranges(scripted_page) == panned
    scripted_page.after(lambda: scripted_page.click("#undo"))
    scripted_page.ask("Tell me about France.")
    assert ranges(scripted_page) == panned
    page.reload()
    scripted_page.wait_for_run(0)
    page.wait_for_function("document.querySelector('.graph-host')?.data?.length")
    assert ranges(scripted_page) == pytest.approx(panned)
    page.get_by_role("button", name="Fit").click()
    page.wait_for_function(f"old => Math.abs(({RANGES})()[0] - old) < 1e-9", arg=whole[0])


def test_the_plain_wheel_scrolls_the_page_and_says_how_to_zoom(scripted_page: Inspect) -> None:
    page = scripted_page.page
    before = ranges(scripted_page)
    page.set_viewport_size({"width": 1100, "height": 500})
    page.locator(".graph-host").hover(position={"x": 30, "y": 60})
    page.mouse.wheel(0, 120)
    expect(page.locator("[data-hint]")).to_be_visible()
    page.wait_for_function("scrollY > 0")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function(f"old => ({RANGES})().join() === old.join()", arg=before)


def test_a_node_that_is_moved_stays_there(scripted_page: Inspect) -> None:
    page = scripted_page.page
    before = ranges(scripted_page)
    place = move_node(scripted_page, "Paris", 40, -50)
    assert ranges(scripted_page) == before
    expect(page.locator("#draft-bar")).to_have_count(0)  # not an edit
    scripted_page.change("euro", "Kraken crown")
    page.wait_for_function(STANDS, arg=["Paris", place])
    scripted_page.after(lambda: scripted_page.click("#undo"))
    scripted_page.ask("Tell me about France.")
    page.wait_for_function(STANDS, arg=["Paris", place])
    scripted_page.ask("Tell me about Japan.")
    scripted_page.ask("Tell me about France.")
    page.wait_for_function(STANDS, arg=["Paris", place])
    page.reload()
    scripted_page.wait_for_run(0)
    page.wait_for_function(STANDS, arg=["Paris", place])


def test_a_fact_is_drawn_from_one_node_to_another(scripted_page: Inspect) -> None:
    page = scripted_page.page
    target = node(scripted_page, "Spain")
    draw_from(scripted_page, "France", (target["x"], target["y"]))
    expect(page.locator("#draw-form .draw-sentence")).to_contain_text("Spain")
    names = page.locator("#draw-relations option").evaluate_all("all => all.map(e => e.value)")
    assert "capital" in names
    assert "relations" not in names
    page.keyboard.type("rival")
    scripted_page.after(lambda: page.keyboard.press("Enter"))
    expect(page.locator("#draw-form")).to_have_count(0)
    expect(page.locator("#draft-list")).to_contain_text("rival")
    expect(page.locator("#card .card-title")).to_contain_text("rival")
    page.wait_for_function(
        "() => document.querySelector('.graph-host').data"
        ".some(e => e.hovertext?.includes('France · rival · Spain'))"
    )


def test_a_fact_with_a_new_value_stands_where_it_was_dropped(scripted_page: Inspect) -> None:
    page = scripted_page.page
    before, end = ranges(scripted_page), free_place(scripted_page)
    draw_from(scripted_page, "France", end)
    page.keyboard.type("motto")
    page.keyboard.press("Tab")
    page.keyboard.type("Liberty <b>first</b>")
    scripted_page.after(lambda: page.keyboard.press("Enter"))
    new = node(scripted_page, "Liberty &lt;b&gt;first&lt;/b&gt;")
    assert abs(new["x"] - end[0]) < 2
    assert abs(new["y"] - end[1]) < 2
    assert ranges(scripted_page) == before


def test_a_drawn_value_can_be_a_new_entity(scripted_page: Inspect) -> None:
    page = scripted_page.page
    draw_from(scripted_page, "France", free_place(scripted_page))
    page.keyboard.type("rival")
    page.locator("#draw-value").fill("Ruritania")
    page.locator("#draw-kind").select_option("entity")
    scripted_page.after(lambda: page.locator("#draw-add").click())
    click_in_graph(scripted_page, "nodes", "Ruritania")
    expect(page.locator("#card h2")).to_have_text("Ruritania")


def test_escape_leaves_nothing_of_a_drawing(scripted_page: Inspect) -> None:
    page = scripted_page.page
    end = free_place(scripted_page)
    draw_from(scripted_page, "France", end)
    page.keyboard.press("Escape")
    expect(page.locator("#draw-form")).to_have_count(0)
    start = node(scripted_page, "France")
    page.mouse.move(start["x"], start["y"])
    page.mouse.move(start["x"] + 20, start["y"] + 4)
    page.mouse.down()
    page.mouse.move(*end)
    expect(page.locator(".graph-overlay .drawn").first).to_be_attached()
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".graph-overlay .drawn")).to_have_count(0)
    expect(page.locator("#draw-form")).to_have_count(0)
    expect(page.locator("#draft-bar")).to_have_count(0)


def test_a_refused_fact_says_why_next_to_its_form(scripted_page: Inspect) -> None:
    page = scripted_page.page
    draw_from(scripted_page, "France", free_place(scripted_page))
    page.keyboard.type("relations")
    page.locator("#draw-value").fill("x")
    page.keyboard.press("Enter")
    expect(page.locator("#draw-note")).to_contain_text("is reserved")
    expect(page.locator("#draw-value")).to_have_value("x")
    page.keyboard.press("Escape")
    expect(page.locator("#draw-form")).to_have_count(0)


def test_less_than_five_pixels_is_a_click(scripted_page: Inspect) -> None:
    page = scripted_page.page
    start = node(scripted_page, "Paris")
    drag(scripted_page, (start["x"], start["y"]), (start["x"] + 3, start["y"] + 2))
    expect(page.locator("#card h2")).to_have_text("Paris")
    assert node(scripted_page, "Paris")["at"] == start["at"]


def test_two_fingers_zoom_and_one_scrolls(
    visit: Callable[..., Inspect], scripted_server: Server
) -> None:
    narrow = {"width": 390, "height": 844}
    page = visit(scripted_server.url, viewport=narrow, has_touch=True, is_mobile=True).open()
    page.page.locator("#graph").scroll_into_view_if_needed()
    page.page.wait_for_function("document.querySelector('.graph-host')?.data?.length")
    before = ranges(page)
    box = page.page.locator(".graph-host").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    client = page.context.new_cdp_session(page.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (x - 30, y), (x + 30, y))
    for spread in (45, 60, 80):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    page.page.wait_for_function(f"old => ({RANGES})()[0] > old + 0.2", arg=before[0])
    assert page.page.evaluate("visualViewport.scale") == 1


def test_the_keyboard_walks_opens_and_undoes(scripted_page: Inspect) -> None:
    page = scripted_page.page
    scripted_page.change("euro", "Kraken crown")
    page.locator(".graph-host").focus()
    page.keyboard.press("ArrowRight")
    said = page.locator("[data-announce]")
    expect(said).to_contain_text("shown")
    before = said.text_content()
    page.keyboard.press("ArrowDown")
    expect(said).not_to_have_text(before or "")
    name = (said.text_content() or "").split(". ")[0]
    page.keyboard.press("Enter")
    page.wait_for_function(  # an entity's name is a heading, a plain value is in its field
        "name => [document.querySelector('#card h2')?.textContent,"
        " document.querySelector('#card-value')?.value].includes(name)",
        arg=name,
    )
    scripted_page.after(lambda: page.keyboard.press("Control+z"))
    expect(page.locator("#draft-bar")).to_contain_text("No edits")
    scripted_page.after(lambda: page.keyboard.press("Control+y"))
    expect(page.locator("#draft-bar")).to_contain_text("1 edit")
    page.locator("#prompt textarea").focus()
    page.keyboard.press("Control+z")  # keys act only in the graph
    expect(page.locator("#draft-bar")).to_contain_text("1 edit")


def test_the_menu_deletes_and_a_ghost_brings_back(scripted_page: Inspect) -> None:
    page = scripted_page.page
    start = node(scripted_page, "French")
    page.mouse.click(start["x"], start["y"], button="right")
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(page.locator(".graph-host")).to_be_focused()
    scripted_page.open_fact("French")
    scripted_page.after(lambda: page.click("#delete"))
    ghost = "You deleted this; click to restore: France · official language · French"
    scripted_page.after(lambda: click_in_graph(scripted_page, "edge", ghost))
    scripted_page.tab("after")
    assert "French" in scripted_page.marks()


def test_a_node_is_renamed_in_place_from_the_menu(scripted_page: Inspect) -> None:
    page = scripted_page.page
    start = node(scripted_page, "France")
    page.mouse.click(start["x"], start["y"])
    expect(page.locator("#card h2")).to_have_text("France")
    page.wait_for_function(
        "() => document.querySelector('.graph-host').data"
        ".find(each => each.meta === 'nodes').meta_selected.includes(true)"
    )
    page.locator(".graph-host").press("Shift+F10")
    page.get_by_role("menuitem", name="Rename").click()
    box = page.locator("[data-name-box] input")
    expect(box).to_have_value("France")
    box.fill("Gallia")
    scripted_page.after(lambda: box.press("Enter"))
    node(scripted_page, "Gallia")
    expect(page.locator("#draft-bar")).to_contain_text("1 edit")


def test_a_value_is_changed_in_place_and_the_old_one_is_struck_through(
    scripted_page: Inspect,
) -> None:
    page = scripted_page.page
    start = node(scripted_page, "68.5 million")
    page.mouse.click(start["x"], start["y"], button="right")
    page.get_by_role("menuitem", name="Change the value").click()
    box = page.locator("[data-name-box] input")
    expect(box).to_have_value("68.5 million")
    box.fill("70 million")
    scripted_page.after(lambda: box.press("Enter"))
    label = page.locator(".graph-host .annotation", has_text="70 million")
    expect(label).to_contain_text("68.5 million")


def test_a_fact_is_added_by_taps_alone(
    visit: Callable[..., Inspect], scripted_server: Server
) -> None:
    narrow = {"width": 390, "height": 844}
    page = visit(scripted_server.url, viewport=narrow, has_touch=True, is_mobile=True).open()
    page.page.locator("#graph").scroll_into_view_if_needed()
    start = node(page, "France")
    page.page.touchscreen.tap(start["x"], start["y"])
    page.page.locator("#draw-fact").tap()
    expect(page.page.locator("[data-arm-hint]")).to_be_visible()
    page.page.locator("#graph").scroll_into_view_if_needed()
    target = node(page, "Paris")
    page.page.touchscreen.tap(target["x"], target["y"])
    expect(page.page.locator("#draw-form .draw-sentence")).to_contain_text("Paris")
    page.page.locator("#draw-relation").fill("pride")
    page.after(lambda: page.page.locator("#draw-add").tap())
    expect(page.page.locator("#draft-list")).to_contain_text("pride")


def test_a_relation_is_changed_in_one_edit(scripted_page: Inspect) -> None:
    page = scripted_page.page
    start = node(scripted_page, "68.5 million")
    page.mouse.click(start["x"], start["y"], button="right")
    page.get_by_role("menuitem", name="Change the relation").click()
    box = page.locator("[data-name-box] input")
    expect(box).to_have_value("population")
    box.fill("people")
    scripted_page.after(lambda: box.press("Enter"))
    expect(page.locator("#card .card-title")).to_contain_text("people")
    scripted_page.after(lambda: scripted_page.click("#undo"))
    expect(page.locator("#draft-bar")).to_contain_text("No edits")
