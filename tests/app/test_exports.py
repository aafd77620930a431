"""What a text is saved as: HTML, the trace, the graph, the draft, and a citation."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Download, expect

from app.api.exports import FILES, NO_PAGE
from app.state.exported_text import HEAD, NothingToExport, file_name
from app.views import sources
from app.views.colours import DARK, LIGHT
from graph.__main__ import main as graph
from graph.core.edits import Add
from graph.opening import open_store
from graph.version import VERSION
from model.exported_trace import ExportedTrace
from model.replay import replay
from tests.app.page_driver import Inspect, Server
from tests.app.recorded_states import HOSTILE, Visit, visit
from tests.app.test_access import everywhere, findings

SVG = "{http://www.w3.org/2000/svg}"
ASK = "Tell me about France."


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Visit]:
    made = visit(tmp_path).ask(ASK)
    made.session.page_id = "a-page-of-the-test"
    yield made
    made.session.service.store.close()


def content(page: Visit, name: str) -> str:
    return FILES[name](page.session).content


def replayed(page: Visit, data: Any) -> bool:
    service = page.session.service
    return replay(service.decoder, service.store, ExportedTrace.from_json(data)).same


# -- the trace


def test_the_trace_has_marks_hashes_and_no_path(page: Visit, tmp_path: Path) -> None:
    data = json.loads(content(page, "trace.json"))
    store = page.session.service.store
    assert data["store"] == {"id": store.store_id, "revision": store.revision()}
    assert data["model"] == "scripted"
    assert data["text"] == page.session.text.trace.text  # type: ignore[union-attr]
    for mark in data["marks"]:
        assert data["text"][mark["start"] : mark["end"]] == mark["words"]
    assert "euro" in {mark["words"] for mark in data["marks"]}
    assert data["citation"].startswith(f"Lamplight {VERSION}, model scripted, graph ")
    assert str(tmp_path) not in json.dumps(data)
    assert replayed(page, data)


def test_a_trace_over_edits_is_written_again_from_the_file(page: Visit) -> None:
    page.change("France", "currency", "florin").add("France", "motto", "Onwards")
    page.act("delete", id=str(page.fact("France", "population").id))
    page.act("undo").act("redo")
    data = json.loads(content(page, "trace.json"))
    assert len(data["edits"]) == 3
    assert "with edits of a draft" in data["citation"]
    page.act("discard")
    assert replayed(page, data)


def test_a_text_whose_edits_were_undone_has_none(page: Visit) -> None:
    page.change("France", "currency", "florin").act("undo")
    data = json.loads(content(page, "trace.json"))
    assert data["edits"] == []
    assert "with edits" not in data["citation"]
    assert replayed(page, data)


def test_a_published_text_is_exported_as_one_of_the_shared_graph(page: Visit) -> None:
    page.change("France", "currency", "florin").act("publish")
    data = json.loads(content(page, "trace.json"))
    assert data["edits"] == []
    assert data["store"]["revision"] == page.session.service.store.revision()
    assert replayed(page, data)


def test_a_text_that_the_graph_has_left_behind_is_not_exported(page: Visit) -> None:
    page.change("France", "currency", "florin")
    page.session.draft.discard()  # as another process would
    with pytest.raises(NothingToExport, match="ask again, then export"):
        content(page, "trace.json")


def test_an_earlier_revision_is_exported_as_it_was_read(page: Visit) -> None:
    before = page.session.service.store.revision()
    page.session.service.store.apply([Add("France", "motto", "Onwards")], author="somebody")
    page.session.draft = page.session.service.draft(page.session.id)
    data = json.loads(content(page, "trace.json"))
    assert data["store"]["revision"] == before
    assert replayed(page, data)


# -- the draft


def test_the_draft_is_a_table_that_an_import_takes(
    page: Visit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page.add("France", "motto", '=1+1, "quoted"').change("France", "currency", "florin")
    rows = list(csv.DictReader(io.StringIO(content(page, "draft.csv"))))
    assert tuple(rows[0]) == HEAD
    assert [(row["relation"], row["value"], row["edit"], row["before"]) for row in rows] == [
        ("motto", '=1+1, "quoted"', "add", ""),
        ("currency", "florin", "change", "euro"),
    ]
    file, url = tmp_path / "draft.csv", f"sqlite:///{tmp_path / 'other.db'}"
    file.write_text(content(page, "draft.csv"), encoding="utf-8")
    assert graph(["init", "--empty", "--store", url]) == 0
    assert graph(["import", str(file), "--store", url]) == 0
    with open_store(url) as store:
        assert {(f.entity, f.relation, f.value) for f in store.all_facts()} == {
            ("France", "motto", '=1+1, "quoted"'),
            ("France", "currency", "florin"),
        }
    page.act("delete", id=str(page.fact("France", "population").id))
    page.act("rename", id=page.entity("Japan"), fields={"name": "Nippon"})
    rows = list(csv.DictReader(io.StringIO(content(page, "draft.csv"))))
    assert {(row["edit"], row["entity"], row["before"]) for row in rows} >= {
        ("delete", "France", "68.5 million"),
        ("rename", "Nippon", "Japan"),
    }
    file.write_text(content(page, "draft.csv"), encoding="utf-8")
    assert graph(["import", str(file), "--skip-bad", "--store", url]) == 0
    with open_store(url) as store:
        assert store.statistics().facts == 2
    capsys.readouterr()


# -- HTML and SVG


def test_hostile_words_stay_words(page: Visit) -> None:
    page.add("France", "motto", HOSTILE).ask(ASK)
    html, svg = content(page, "text.html"), content(page, "graph.svg")
    for made in (html, svg):
        assert "<img" not in made
        assert "&lt;img" in made
    ET.fromstring(svg)
    page.ask(f"Tell me about {HOSTILE}.")
    assert "<img" not in content(page, "text.html") + content(page, "graph.svg")


def test_only_http_addresses_become_links() -> None:
    assert sources.is_address("https://example.org/a?b=c")
    for source in (
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org",
        "HTTPS example",
        "https://a b",
        "https://a\nb",
        " https://a",
        "wikidata",
        "ftp://a.example",
        "https://a/" + "x" * 3000,
    ):
        assert not sources.is_address(source)
    assert sources.sources("https://a.example/x; wikidata") == [
        ("https://a.example/x", True),
        ("wikidata", False),
    ]


def test_an_address_is_a_link_on_the_card_and_in_the_file(page: Visit) -> None:
    address = "https://a.example/?q=%22&r=<b>"
    edit = Add("France", "motto", "Onwards", f"{address}; wikidata; javascript:alert(1)", 2024)
    page.session.service.store.apply([edit], author="somebody")
    page.ask(ASK).open("France", "motto")
    card = str(page.parts()["card"])
    link = (
        '<a href="https://a.example/?q=%22&amp;r=&lt;b&gt;" target="_blank" '
        'rel="noopener noreferrer">https://a.example/?q=%22&amp;r=&lt;b&gt;</a>'
    )
    assert f"<dd>{link}; wikidata; javascript:alert(1), 2024</dd>" in card
    assert link in content(page, "text.html")
    assert card.count("<a ") == 2  # and the one to Verify


def test_the_picture_has_the_nodes_and_edges_of_the_page(page: Visit) -> None:
    page.parts()
    figure = json.loads(page.session.outbox.drawing.figure)  # type: ignore[union-attr]
    svg = ET.fromstring(content(page, "graph.svg"))
    titles = {title.text for title in svg.iter(f"{SVG}title")}
    for trace in figure["data"]:
        for words in trace.get("hovertext", ()):
            assert words in titles
    drawn = sum(len(trace["x"]) for trace in figure["data"] if trace["meta"] == "nodes")
    nodes = svg.findall(f"{SVG}g")[3]
    assert len(nodes) == drawn > 3
    assert {"France", "euro", "Paris"} <= {text.text for text in svg.iter(f"{SVG}text")}
    assert "var(--" not in content(page, "graph.svg")


def test_there_is_nothing_to_export_before_a_text(tmp_path: Path) -> None:
    made = visit(tmp_path)
    for name in ("text.html", "trace.json", "graph.svg"):
        with pytest.raises(NothingToExport, match="ask something first"):
            content(made, name)
    assert content(made, "draft.csv").strip() == ",".join(HEAD)
    made.session.service.store.close()


def test_names_of_files_are_plain() -> None:
    assert file_name('Où est Kraków? "; x\r\n', "1a2b3c4d5e", "json") == (
        "lamplight-ou-est-krakow-x-1a2b3c4d.json"
    )
    assert file_name("東京", "1a2b3c4d5e", "svg") == "lamplight-1a2b3c4d.svg"
    assert len(file_name("x" * 900, "1a2b3c4d5e", "svg")) < 80


def test_colours_are_those_of_the_page() -> None:
    assert LIGHT["mark"] == "#8A5A00"
    assert DARK["mark"] == "#F0C04A"
    assert DARK.keys() <= LIGHT.keys()


# -- in a browser, over HTTP


def saved(page: Inspect, name: str) -> Download:
    with page.page.expect_download() as waiting:
        page.click("#export summary")
        page.click(f"#export a[href*='{name}']")
    return waiting.value


def test_each_file_is_saved_from_the_menu(
    scripted_page: Inspect, browser: Browser, tmp_path: Path
) -> None:
    page = scripted_page
    page.ask(ASK)
    page.click("#export summary")
    expect(page.page.locator("#export li")).to_have_count(4)  # no draft
    everywhere(page, "with the menu open")
    page.page.keyboard.press("Escape")
    expect(page.page.locator("#export[open]")).to_have_count(0)
    page.change("euro", "Kraken crown").tab("after")
    text = page.text()
    endings = {"text.html": "html", "trace.json": "json", "graph.svg": "svg", "draft.csv": "csv"}
    paths = {}
    for name, ending in endings.items():
        download = saved(page, name)
        assert re.fullmatch(
            rf"lamplight-[a-z-]+-[0-9a-f]{{8}}\.{ending}", download.suggested_filename
        )
        paths[name] = tmp_path / name
        download.save_as(paths[name])
        expect(page.page.locator("#export[open]")).to_have_count(0)
    assert json.loads(paths["trace.json"].read_text("utf-8"))["text"] == text
    assert "Kraken crown" in paths["draft.csv"].read_text("utf-8")

    # The file opens without a network and without scripts.
    context = browser.new_context(java_script_enabled=True, offline=True)
    opened = Inspect(context, paths["text.html"].as_uri())
    opened.page.goto(paths["text.html"].as_uri())
    words = opened.page.locator(".reading").inner_text()
    assert "Kraken crown" in words
    opened.page.locator(".mark.edited").first.click()
    expect(opened.page.locator("tr:target")).to_contain_text("Kraken crown")
    assert opened.page.locator("script").count() == 0
    everywhere(opened, "the text as a file")
    opened.page.goto(paths["graph.svg"].as_uri())
    assert findings(opened) == []
    context.close()


def test_the_citation_is_copied(visit: Callable[..., Inspect], scripted_server: Server) -> None:
    page = visit(scripted_server.url, permissions=["clipboard-read", "clipboard-write"]).open()
    page.ask(ASK)
    page.click("#export summary")
    page.click("#copy-citation")
    expect(page.page.locator("#copy-citation")).to_have_text("Copied")
    copied = page.page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(
        r"Lamplight \S+, model scripted, graph [0-9a-f]{12} at revision \d+, [\d-]{10}\.", copied
    )


def test_files_belong_to_the_cookie_and_to_a_known_page(
    scripted_page: Inspect, scripted_server: Server
) -> None:
    page = scripted_page.ask(ASK)
    address = page.page.locator("#export a").first.get_attribute("href", timeout=1000)
    url = f"{scripted_server.url}/{address}"
    stranger = httpx.Client()
    assert stranger.get(url).json() == {"error": NO_PAGE}
    cookies = {each["name"]: each["value"] for each in page.context.cookies()}
    mine = httpx.Client(cookies=cookies)
    answer = mine.get(url)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="lamplight-')
    assert answer.headers["cache-control"] == "no-store"
    known = len(next(iter(scripted_server.channel.browsers.values())).pages)
    assert mine.get(url.split("?")[0], params={"page": "x" * 32}).status_code == 404
    assert mine.get(url.replace("text.html", "secrets.txt")).status_code == 404
    assert mine.get(url.split("?")[0], params={"page": "../.."}).status_code == 422
    assert len(next(iter(scripted_server.channel.browsers.values())).pages) == known
