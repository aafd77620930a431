"""An answer that is wrong: say what is right, and it is saved as a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from app.state import actions, generation
from app.state.service import Service
from app.state.session import Session, new_session_id
from app.views import page_parts
from graph.core.edits import Add, Delete
from graph.opening import open_store
from model.engine.decoder import Decoder
from model.settings import DecodingSettings
from tests.app import scripted
from tests.app.page_driver import Inspect, serve_on
from tests.app.test_access import everywhere
from tests.graph.helpers import fact_of
from training.case_file import Case, read_cases

FACTS = [("capital", "Paris"), ("currency", "euro"), ("head <b>", 'Émile "E" & co')]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    with open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True) as store:
        for relation, value in FACTS:
            store.apply([Add("France", relation, value)], author="test")
        store.apply([Add("Japan", "capital", "Tokyo")], author="test")
        yield store


@pytest.fixture
def session(store: Any, tmp_path: Path) -> Session:
    service = Service(store, Decoder(scripted.checkpoint()), tmp_path / "cases.jsonl")
    session = Session.open(service, new_session_id())
    for _ in generation.ask(session, "Tell me about France.", DecodingSettings()):
        pass
    return session


def act(session: Session, **event: Any) -> str:
    for _ in actions.act(session, event):
        pass
    return str(page_parts.parts(session)["trace"])


def test_the_right_fact_is_chosen_and_saved(session: Session, store: Any) -> None:
    assert "This answer is wrong" in str(page_parts.parts(session)["trace"])
    form = act(session, action="wrong")
    fact = fact_of(store, "France", "currency")
    assert f'<option value="{fact.id}">currency: euro</option>' in form
    assert "head &lt;b&gt;: Émile &#34;E&#34; &amp; co" in form
    assert "Tokyo" not in form
    assert "Saved to cases.jsonl, which has 1 case now." in act(
        session, action="wrong-save", fields={"answer": str(fact.id)}
    )
    (case,) = read_cases(session.service.cases)  # type: ignore[arg-type]
    assert case == Case(
        "Tell me about France.",
        "France",
        "currency",
        "euro",
        session.text.trace.text.strip(),
        case.model,
    )
    assert store.revision() == session.draft.base_revision, "the graph is as it was"
    for _ in generation.ask(session, "Tell me about Japan.", DecodingSettings()):
        pass
    assert "This answer is wrong" in str(page_parts.parts(session)["trace"]), "for the next text"


def test_that_the_graph_does_not_hold_it_is_an_answer_too(session: Session) -> None:
    act(session, action="wrong")
    act(session, action="wrong-save", fields={"answer": "none"})
    (case,) = read_cases(session.service.cases)  # type: ignore[arg-type]
    assert (case.entity, case.relation, case.expected()["none"]) == ("France", "", True)


@pytest.mark.parametrize("answer", ["", "12345", "x", "<img src=x>"])
def test_no_answer_and_one_that_is_not_there_save_nothing(session: Session, answer: str) -> None:
    act(session, action="wrong")
    said = act(session, action="wrong-save", fields={"answer": answer})
    assert 'id="wrong-refused"' in said
    assert "<img" not in said
    act(session, action="wrong")
    assert "wrong-refused" not in act(session, action="wrong"), "it is said once"
    assert not session.service.cases.exists()  # type: ignore[union-attr]


def test_a_fact_that_was_deleted_meanwhile_and_a_full_disk_are_one_sentence(
    session: Session, store: Any
) -> None:
    act(session, action="wrong")
    fact = fact_of(store, "France", "currency")
    store.apply([Delete(fact.id)], author="another")
    session.draft = session.service.draft(session.id)
    said = act(session, action="wrong-save", fields={"answer": str(fact.id)})
    assert "no longer in the graph" in said
    session.service.cases.mkdir()  # type: ignore[union-attr]  # it cannot be written
    capital = fact_of(store, "France", "capital")
    said = act(session, action="wrong-save", fields={"answer": str(capital.id)})
    assert "cannot be written" in said


def test_nothing_is_offered_without_a_file_or_while_a_text_is_written(
    session: Session, store: Any
) -> None:
    session.run.writing = True
    assert "This answer is wrong" not in str(page_parts.parts(session)["trace"])
    other = Session.open(Service(store, session.service.decoder), new_session_id())
    for _ in generation.ask(other, "Tell me about France.", DecodingSettings()):
        pass
    assert "This answer is wrong" not in str(page_parts.parts(other)["trace"])
    assert "wrong-refused" not in act(other, action="wrong-save", fields={"answer": "none"})


def test_it_is_said_in_a_browser(visit: Callable[..., Inspect], store: Any, tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    server = serve_on(store, Decoder(scripted.checkpoint()), cases=path)
    page = visit(server.url, reduced_motion="reduce").open()
    page.ask("Tell me about France.")
    page.click("#wrong-open")
    expect(page.page.locator("#wrong-answer")).to_be_visible()
    everywhere(page, "the form for a wrong answer")
    page.click("#wrong-cancel")
    expect(page.page.locator("#wrong-answer")).to_have_count(0)
    page.click("#wrong-open")
    page.page.locator("#wrong-answer").select_option(label="currency: euro")
    page.click("#wrong-save")
    expect(page.page.locator("#wrong-saved")).to_contain_text("cases.jsonl, which has 1 case")
    assert [case.value for case in read_cases(path)] == ["euro"]
    server.end()
