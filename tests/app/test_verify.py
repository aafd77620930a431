"""The page *Verify*: from a fact to a verdict, the texts that it rests on, and its closure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import expect

from app.state import actions, fact_list
from app.state.fact_list import FactList
from app.state.service import Service
from app.state.session import Session
from app.views import verification
from graph.core.edits import Add
from graph.core.facts import Fact
from graph.opening import open_store
from model.audit.verification import KINDS, canonical, verify
from model.checkpoint import Checkpoint
from model.engine.decoder import Decoder
from tests.app import page_driver
from tests.app.page_driver import Inspect, Server
from tests.app.test_access import everywhere, findings
from tests.patience import PATIENCE

needs_shipped = pytest.mark.skipif(not page_driver.SHIPPED, reason="needs the shipped checkpoint")
SECONDS = 60_000 * PATIENCE
VERDICT = "#verdict"


def wait_for_verdict(page: Inspect) -> None:
    expect(page.page.locator("#verify-state[data-running=no] #verdict")).to_be_visible(
        timeout=SECONDS
    )


def facts(store: Any, entity: str, relation: str) -> list[Any]:
    found = store.find_entities(entity)[0][0]
    known: list[Any] = store.facts(found.id, relation)
    return known


@needs_shipped
def test_two_clicks_from_a_word_to_its_verdict(inspect: Inspect, server: Server) -> None:
    inspect.ask("What is the currency of Kenya?")
    inspect.open_fact("Kenyan shilling")  # the first click
    inspect.click("#verify-fact")  # the second one
    wait_for_verdict(inspect)
    page = inspect.page
    expect(page).to_have_title("Lamplight: Verify")
    expect(page.locator("#verified-fact")).to_contain_text("Kenya · currency → Kenyan shilling")
    expect(page.locator(VERDICT)).to_contain_text("In the graph only")
    expect(page.locator("#proof-with-fact mark")).to_have_text("Kenyan shilling")
    for column in ("without-fact", "without-closure", "no-lookups", "completed"):
        expect(page.locator(f"#proof-{column}")).to_contain_text("does not say the value")
    expect(page.locator("#proof-completed .given")).to_have_text("The currency of Kenya is")
    expect(page.locator("#closed-book")).to_contain_text("times as likely as four other names")
    expect(page.locator("#no-closure")).to_be_visible()
    expect(page.locator("#offered")).to_contain_text("Kenya · currency")


@needs_shipped
def test_the_export_is_what_the_command_prints(
    inspect: Inspect, server: Server, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    fact = facts(server.store, "Kenya", "currency")[0]
    inspect.page.goto(f"{server.url}/verify?fact={fact.id}")
    wait_for_verdict(inspect)
    with inspect.page.expect_download() as download:
        inspect.click("#verify-export")
    download.value.save_as(tmp_path / "verification.json")
    exported = (tmp_path / "verification.json").read_text("utf-8")
    expected = verify(Decoder(checkpoint), server.store, fact.id)
    assert exported == canonical(expected.to_json()) + "\n"


@needs_shipped
def test_the_closure_is_deleted_with_one_click_each(
    visit: Callable[..., Inspect], own_server: Server
) -> None:
    own_server.store.apply([Add("Kenya", "coin", "Kenyan shilling")], author="test")
    fact = facts(own_server.store, "Kenya", "currency")[0]
    page = visit(own_server.url)
    page.page.goto(f"{own_server.url}/verify?fact={fact.id}")
    wait_for_verdict(page)
    expect(page.page.locator(VERDICT)).to_contain_text("Kenya · coin")
    expect(page.page.locator(".survivors li")).to_have_count(1)
    page.click(".survivors button")
    expect(page.page.locator("#no-closure")).to_be_visible(timeout=SECONDS)
    expect(page.page.locator(VERDICT)).to_contain_text("In the graph only", timeout=SECONDS)
    assert facts(own_server.store, "Kenya", "coin"), "the shared graph is as it was"
    page.click("#undo-verified")
    expect(page.page.locator("#verify-stale")).to_be_visible(timeout=SECONDS)
    page.click("#verify-again")
    expect(page.page.locator(".survivors li")).to_have_count(1, timeout=SECONDS)


@needs_shipped
def test_axe_finds_nothing_and_no_window_scrolls_sideways(
    visit: Callable[..., Inspect], server: Server
) -> None:
    fact = facts(server.store, "France", "capital")[0]
    page = visit(server.url, reduced_motion="reduce")
    page.page.goto(f"{server.url}/verify")
    expect(page.page.locator("#verify-empty")).to_be_visible(timeout=SECONDS)
    assert findings(page) == []
    page.page.goto(f"{server.url}/verify?fact={fact.id}")
    wait_for_verdict(page)
    page.page.evaluate("document.querySelector('#bar-others').open = true")
    everywhere(page, "a verdict")
    for width in (320, 1920):
        page.page.set_viewport_size({"width": width, "height": 900})
        assert findings(page) == [], f"{width} pixels wide"
        assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@needs_shipped
def test_a_fact_that_is_not_there_is_one_sentence(inspect: Inspect, server: Server) -> None:
    inspect.page.goto(f"{server.url}/verify?fact=12345")
    expect(inspect.page.locator("#verify-note")).to_contain_text(
        "no longer in the graph", timeout=SECONDS
    )
    inspect.page.goto(f"{server.url}/verify?fact=%3Cimg%20src=x%3E")
    expect(inspect.page.locator("#verify-note")).to_be_visible(timeout=SECONDS)
    assert inspect.page.locator("#verify img").count() == 0


@needs_shipped
def test_a_read_only_store_is_verified(world: Path, checkpoint: Checkpoint) -> None:
    with open_store(f"sqlite:///{world}", read_only=True) as store:
        session = Session.open(Service(store, Decoder(checkpoint)), "a" * 32)
        fact = facts(store, "Kenya", "currency")[0]
        started = time.perf_counter()
        for _ in actions.act(session, {"action": "verify", "id": str(fact.id)}):
            pass
        print(f"{time.perf_counter() - started:.1f} s")
        assert session.notes.verify == ""
        assert session.verifying.result is not None
        assert json.loads(canonical(session.verifying.result.to_json()))["verdict"] == "graph"
        html = str(verification.render(session))
        assert KINDS["graph"].capitalize() in html
        for _ in actions.act(session, {"action": "verify-delete", "id": str(fact.id)}):
            pass
        assert "open for reading only" in session.notes.verify


def test_values_are_escaped_and_nothing_is_shown_elsewhere(
    world: Path, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    with open_store(f"sqlite:///{tmp_path}/own.db", create=True) as store:
        store.apply([Add("A&B", "<b>", "<img src=x onerror=alert(1)>")], author="test")
        session = Session.open(Service(store, Decoder(checkpoint)), "b" * 32)
        assert verification.render(session) == ""  # Inspect shows nothing of it
        session.verifying.shown = session.verifying.running = True
        session.verifying.fact_id = facts(store, "A&B", "<b>")[0].id
        html = str(verification.render(session))
        assert "<img" not in html
        assert "&lt;img" in html


@needs_shipped
def test_a_sample_is_verified_with_progress_and_stopped(
    inspect: Inspect, server: Server, tmp_path: Path
) -> None:
    page = inspect.page
    page.goto(f"{server.url}/verify")
    page.locator("#list-number").fill("40")
    page.click("#list-start")
    expect(page.locator(".list-rows tbody tr").first).to_be_visible(timeout=SECONDS)
    page.click("#list-stop")
    expect(page.locator("#list-progress")).to_contain_text("stopped", timeout=SECONDS)
    done = page.locator(".list-rows tbody tr").count()
    assert 1 <= done < 40
    expect(page.locator("#list-shares caption")).to_contain_text(f"{done} facts verified")
    files = {}
    for kind in ("json", "csv", "html"):
        with page.expect_download() as download:
            page.click(f"#list-{kind}")
        files[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[kind])
    data = json.loads(files["json"].read_text("utf-8"))
    assert (data["wanted"], data["verified"], data["seed"]) == (40, done, 0)
    assert sum(row["count"] for row in data["shares"].values()) == done
    assert all(row["low"] <= row["value"] <= row["high"] for row in data["shares"].values())
    assert len(files["csv"].read_text("utf-8").splitlines()) >= done + 1
    offline = inspect.context.new_page()
    offline.route("**/*", lambda route: route.abort() if "http" in route.request.url else None)
    offline.set_content(files["html"].read_text("utf-8"))
    assert offline.locator(".list-rows tbody tr").count() == done
    assert "<script" not in files["html"].read_text("utf-8")
    assert "src=" not in files["html"].read_text("utf-8")
    offline.close()
    assert findings(inspect) == []


@needs_shipped
def test_a_list_says_which_lines_it_does_not_find(world: Path, checkpoint: Checkpoint) -> None:
    with open_store(f"sqlite:///{world}", read_only=True) as store:
        session = Session.open(Service(store, Decoder(checkpoint)), "c" * 32)
        lines = 'Kenya, currency\nKenya, mayor\n"Kenya"\nKenya, capital, Nairobi\n'
        event = {"action": "verify-list", "fields": {"facts": lines}}
        for _ in actions.act(session, event):
            pass
        many = session.verifying.many
        assert [row.fact.value for row in many.rows] == ["Kenyan shilling", "Nairobi"]
        assert len(many.problems) == 2
        alone = verify(Decoder(checkpoint), store, many.rows[0].fact.id)
        assert many.to_json()["facts"][0] == alone.to_json()
        for fields in ({"number": "0", "seed": "1"}, {"number": "x", "seed": ""}, {}):
            for _ in actions.act(session, {"action": "verify-list", "fields": fields}):
                pass
            assert "from 1 to 200" in session.notes.verify


def test_the_same_seed_draws_the_same_facts(world: Path) -> None:
    with open_store(f"sqlite:///{world}", read_only=True) as store:
        assert fact_list.drawn(store, 30, 5).facts == fact_list.drawn(store, 30, 5).facts
        assert fact_list.drawn(store, 30, 5).facts != fact_list.drawn(store, 30, 6).facts
        assert len(fact_list.drawn(store, 10_000, 5).facts) == fact_list.MOST


def test_a_table_has_no_formula() -> None:
    fact = Fact(1, 2, "=1+1", "r", "@x")
    row: Any = SimpleNamespace(
        fact=fact,
        verdict=SimpleNamespace(kind="graph", sentence="So."),
        bar=None,
        columns=[SimpleNamespace(key="with fact", states=True)],
    )
    lines = FactList([fact], None, [], [row]).to_csv().splitlines()
    assert lines[0] == "entity,relation,value,verdict,sentence,says it: with fact,ratio,control"
    assert lines[1] == "'=1+1,r,'@x,in the graph only,So.,yes,,"
