"""*Verify* for a whole text: the one that is read, or that of a typed prompt."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from app.state import actions
from app.state.generation import Turn
from app.state.service import Service
from app.state.session import Session
from app.views import text_verification, verification
from graph.core.edits import Add
from graph.opening import open_store
from model.audit import ordinary_model
from model.audit.ordinary_model import missing_base
from model.audit.text_conditions import text_conditions
from model.audit.verification import canonical
from model.checkpoint import Checkpoint
from model.engine.decoder import Decoder
from tests.app import page_driver
from tests.app.page_driver import Inspect, Server
from tests.app.test_access import everywhere, findings
from tests.model.tiny_base import write_tiny_base
from tests.patience import PATIENCE

needs_shipped = pytest.mark.skipif(not page_driver.SHIPPED, reason="needs the shipped checkpoint")
SECONDS = 60_000 * PATIENCE
ASK = "What is the currency of Kenya?"


def wait_for_columns(page: Inspect) -> None:
    expect(page.page.locator("#verify-state[data-running=no] #text-columns")).to_be_visible(
        timeout=SECONDS
    )


def do(session: Session, action: str, **given: Any) -> None:
    for _ in actions.act(session, {"action": action, **given}):
        pass


@needs_shipped
def test_one_click_from_a_text_to_its_three_columns(
    inspect: Inspect, server: Server, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    before = server.store.revision()
    inspect.ask(ASK)
    read = inspect.page.locator("#reading").inner_text()
    inspect.click("#verify-text")
    wait_for_columns(inspect)
    page = inspect.page
    expect(page.locator("#verified-text")).to_contain_text(ASK)
    first = page.locator("#text-with-facts")
    expect(first.locator("mark")).to_have_text("Kenyan shilling")
    written = first.locator(".proof-text").inner_text()
    assert "".join(written.split()) in "".join(read.split())
    expect(page.locator("#text-without-facts")).to_contain_text("says none of 1 value")
    expect(page.locator("#text-no-lookups")).to_contain_text("says none of 1 value")
    expect(page.locator("#text-sentence")).to_contain_text("is not said without its facts")
    assert server.store.revision() == before
    with page.expect_download() as download:
        inspect.click("#text-export")
    download.value.save_as(tmp_path / "text.json")
    expected = text_conditions(Decoder(checkpoint), server.store, ASK)
    assert expected is not None
    assert (tmp_path / "text.json").read_text("utf-8") == canonical(expected.to_json()) + "\n"
    page.reload()
    wait_for_columns(inspect)
    page.click("#text-deleted a")
    expect(page.locator("#verdict")).to_contain_text("In the graph only", timeout=SECONDS)
    expect(page.locator("#verified-fact")).to_contain_text("Kenya · currency → Kenyan shilling")
    assert "/verify?fact=" in page.url
    page.click("#text-back")
    wait_for_columns(inspect)
    assert page.url.endswith("verify?text")


@needs_shipped
def test_a_typed_prompt_is_verified_over_the_draft(
    visit: Callable[..., Inspect], server: Server
) -> None:
    page = visit(server.url, reduced_motion="reduce")
    page.page.goto(f"{server.url}/verify")
    expect(page.page.locator("#verify-empty")).to_be_visible(timeout=SECONDS)
    page.click("#text-start")
    expect(page.page.locator("#verify-note")).to_contain_text("The prompt is empty")
    page.page.fill("#text-prompt", "Tell me about France.")
    page.click("#text-start")
    wait_for_columns(page)
    expect(page.page.locator("#verify-note")).to_have_count(0)
    expect(page.page.locator("#text-without-facts .came-back")).to_contain_text(
        "came back through France · major city → Paris"
    )
    assert "prompt=Tell+me+about+France." in page.page.url
    everywhere(page, "a verified text")
    page.page.set_viewport_size({"width": 320, "height": 900})
    assert findings(page) == []
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@needs_shipped
def test_a_read_only_store_is_enough(world: Path, checkpoint: Checkpoint) -> None:
    with open_store(f"sqlite:///{world}", read_only=True) as store:
        session = Session.open(Service(store, Decoder(checkpoint)), "a" * 32)
        do(session, "verify-text", fields={"prompt": ASK})
        result = session.verifying.text.result
        assert session.notes.verify == ""
        assert result is not None
        do(session, "verify-text-export")
        assert session.outbox.download is not None
        exported = json.loads(session.outbox.download["text"])
        assert exported["sentence"] == result.sentence
        do(session, "verify-text", fields={"prompt": ASK})
        assert session.verifying.text.result is result, "it is there already"
        do(session, "verify-text", how="again")
        assert session.verifying.text.result is not result


def test_a_text_is_stopped_or_given_up_for_a_fact(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/own.db", create=True) as store:
        store.apply([Add("France", "capital", "Paris")], author="test")
        session = Session.open(Service(store, Decoder(checkpoint)), "b" * 32)
        steps = actions.act(session, {"action": "verify-text", "fields": {"prompt": "France"}})
        turn = next(step for step in steps if isinstance(step, Turn))
        assert session.verifying.text.running
        assert turn.wanted is not None
        assert turn.wanted()
        do(session, "verify-text-stop")
        assert not turn.wanted()
        assert list(steps)[-1] is None
        assert not session.verifying.text.running
        assert session.notes.verify.startswith("Stopped")
        steps = actions.act(session, {"action": "verify-text", "how": "again"})
        turn = next(step for step in steps if isinstance(step, Turn))
        fact = store.facts(store.find_entities("France")[0][0].id, "capital")[0]
        other = actions.act(session, {"action": "verify", "id": str(fact.id)})
        next(step for step in other if isinstance(step, Turn))
        assert turn.wanted is not None
        assert not turn.wanted()
        assert list(steps)[-1] is None
        assert session.verifying.running, "the fact is being verified now"
        assert not session.verifying.text.chosen


def test_an_ordinary_model_is_asked_when_a_visitor_wants_it(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = str(write_tiny_base(tmp_path / "base"))
    monkeypatch.setattr(ordinary_model, "_loaded", {})
    with open_store(f"sqlite:///{tmp_path}/own.db", create=True) as store:
        store.apply([Add("Kenya", "currency", "Kenyan shilling")], author="test")
        session = Session.open(Service(store, Decoder(checkpoint), base=base), "d" * 32)
        do(session, "verify-ordinary")
        assert session.verifying.text.answer is None, "there is no text to compare with"
        do(session, "verify-text", fields={"prompt": ASK})
        assert "Ask an ordinary model" in str(verification.render(session))
        assert ordinary_model._loaded == {}, "it is not loaded before it is asked for"
        steps = actions.act(session, {"action": "verify-ordinary"})
        turn = next(step for step in steps if isinstance(step, Turn))
        assert "ordinary-stop" in str(verification.render(session))
        do(session, "verify-text-stop")
        assert turn.wanted is not None
        assert not turn.wanted()
        assert list(steps)[-1] is None
        assert "Ask an ordinary model" in str(verification.render(session))
        do(session, "verify-ordinary")
        html = str(verification.render(session))
        assert "No word of this answer can be traced" in html
        assert "its answer is unchanged" in html
        do(session, "verify-text", how="again")
        assert session.verifying.text.answer is None, "it belongs to the text that is shown"


@needs_shipped
@pytest.mark.skipif(missing_base() != "", reason="needs the package of the base")
@pytest.mark.slow
def test_the_real_base_answers_on_the_page(inspect: Inspect, server: Server) -> None:
    page = inspect.page
    page.goto(f"{server.url}/verify?prompt=What is the capital of France?")
    wait_for_columns(inspect)
    page.click("#ordinary-ask")
    expect(page.locator("#ordinary-text")).to_contain_text("Paris", timeout=SECONDS)
    expect(page.locator("#ordinary-again")).to_contain_text("its answer is unchanged")
    expect(page.locator("#ordinary")).to_contain_text("SmolLM2-135M-Instruct")
    assert findings(inspect) == []


def test_prompts_and_values_are_escaped(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/own.db", create=True) as store:
        session = Session.open(Service(store, Decoder(checkpoint)), "c" * 32)
        assert text_verification.render(session) == ""
        session.question.prompt = "<img src=x>"
        session.verifying.shown = session.verifying.text.chosen = True
        session.verifying.text.prompt = "<img src=x onerror=alert(1)>"
        html = str(verification.render(session))
        assert "<img" not in html
        assert "&lt;img" in html
