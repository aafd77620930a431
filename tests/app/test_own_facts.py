"""*Your facts* in a real browser: dropped, read out, edited, forgotten, and seen by nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.app.page_driver import Inspect, Server
from tests.app.test_access import everywhere

CHEESES = """entity,relation,value
Moonwheel,instance of,cheese
Moonwheel,made in,Vale of Thrum
Moonwheel,aged for,19 months
Vale of Thrum,instance of,valley
"""
BROKEN = "entity,relation,value\nMoonwheel,rind,grey\nMoonwheel,,salt\nMoonwheel,milk\n"

DROP = """text => { const data = new DataTransfer();
  data.items.add(new File([text], 'cheeses.csv', { type: 'text/csv' }));
  for (const kind of ['dragover', 'drop'])
    document.querySelector('#graph').dispatchEvent(
      new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true })) }"""


def test_a_dropped_file_is_read_out_marked_edited_and_forgotten(
    visit: Callable[..., Inspect], server: Server
) -> None:
    page = visit(server.url).open()
    page.page.evaluate(DROP, CHEESES)
    expect(page.page.locator("#own-preview li")).to_have_count(4)
    page.after(lambda: page.click("#own-confirm"))
    expect(page.page.locator("#own-done")).to_contain_text("4 facts from cheeses.csv")
    expect(page.page.locator("#prompt textarea")).to_have_value("Tell me about Moonwheel.")
    for value in ("cheese", "Vale of Thrum", "19 months"):
        assert value in page.marks()
    expect(page.mark("19 months").first).to_have_class("mark edited")
    page.change("19 months", "40 years").tab("after")
    assert "40 years" in page.marks()
    page.open_fact("40 years")
    page.after(lambda: page.click("#delete")).tab("after")
    assert "40 years" not in page.text()
    assert "cheese" in page.marks()
    other = visit(server.url).open()
    other.ask("Tell me about Moonwheel.")
    expect(other.page.locator("#trace-note")).to_contain_text("Nothing here comes from the graph")
    tries = other.page.locator("#trace-note [data-action=try]")
    expect(tries).to_have_count(3)
    other.after(lambda: tries.first.click())
    assert other.marks()


def test_what_else_a_file_is_about_is_offered(inspect: Inspect) -> None:
    page = inspect
    page.click("#own-facts summary")
    page.after(lambda: page.click("#own-example"))
    offered = page.page.locator("#own-others button")
    expect(offered).to_have_text(["Odile Marsh", "Gull Harbour"])
    page.after(lambda: offered.first.click())
    expect(page.page.locator("#prompt textarea")).to_have_value("Tell me about Odile Marsh.")
    assert "lighthouse keeper" in page.marks()


def test_a_broken_file_says_which_lines_and_the_page_goes_on(
    scripted_page: Inspect, tmp_path: Path
) -> None:
    page = scripted_page
    file = tmp_path / "broken.csv"
    file.write_text(BROKEN, encoding="utf-8")
    page.page.locator("#own-file").set_input_files(file)
    expect(page.page.locator("#own-preview")).to_contain_text("grey")
    expect(page.page.locator("#own-bad-3")).to_contain_text("Line 3")
    everywhere(page, "a file that is shown first")
    page.after(lambda: page.click("#own-confirm"))
    expect(page.page.locator("#own-done")).to_contain_text("1 fact from broken.csv")
    expect(page.page.locator("#own-bad-3")).to_contain_text("Line 3")
    expect(page.page.locator("#own-bad-4")).to_contain_text("no value")
    assert "grey" in page.marks()
    file.write_bytes(b"\x89PNG\x00\x01" * 40)
    page.page.locator("#own-file").set_input_files(file)
    expect(page.page.locator("#own-note")).to_contain_text("broken.csv")
    file.write_bytes(b"a,b,c\n" * 400_000)
    page.page.locator("#own-file").set_input_files(file)
    expect(page.page.locator("#own-note")).to_contain_text("2,400,000 bytes")
    page.click("#own-facts summary")
    page.page.locator("#own-text").fill("Moonwheel,smell,of rain")
    page.after(lambda: page.click("#own-take"))
    assert "of rain" in page.marks()
    page.after(lambda: page.click("#own-done [data-action=undo]"))
    assert "of rain" not in page.tab("after").text()
