"""Guided lookups on the page: the setting, what keeps to it, and what the cards show of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from app.state import actions, generation
from app.state.marked_trace import mark_trace
from app.state.scene_reading import read_scene
from app.state.service import Service
from app.state.session import Session, new_session_id
from app.state.text_in_progress import TextInProgress
from app.views import page_parts
from app.views.considered import MOST, Considered, considered, in_one_line
from graph.core.edits import Add
from graph.lookup.retriever import Retriever
from graph.opening import open_store
from model.engine.decoder import Decoder
from model.settings import DecodingSettings
from model.trace import Trace
from tests.app import scripted
from tests.app.page_driver import Inspect, serve
from tests.app.test_access import everywhere

WAVER = "Waver over France."


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    store = open_store(f"sqlite:///{tmp_path / 'small.db'}", create=True)
    for relation, value in (("instance of", "country"), ("capital", "Paris"), ("currency", "euro")):
        store.apply([Add("France", relation, value)], author="test")
    session = Session.open(Service(store, Decoder(scripted.checkpoint())), new_session_id())
    yield session
    store.close()


def do(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def ask(session: Session, prompt: str, guided: bool = True) -> Trace:
    do(generation.ask(session, prompt, DecodingSettings(guided=guided)))
    assert session.text.trace is not None
    return session.text.trace


def act(session: Session, **event: Any) -> Trace:
    do(actions.act(session, event))
    assert session.text.trace is not None
    return session.text.trace


def add(session: Session, relation: str, value: str) -> Trace:
    return act(
        session, action="add", fields={"entity": "France", "relation": relation, "value": value}
    )


def open_first_fact(session: Session) -> str:
    """The card of the first lookup that found a fact."""
    assert session.text.marked is not None
    act(session, action="fact", id=str(next(iter(session.text.marked.facts))))
    return str(page_parts.parts(session)["card"])


# -- the setting


def test_lookups_are_guided_from_the_start_if_the_model_was_trained_on_ranked_lists(
    session: Session,
) -> None:
    assert session.question.settings == DecodingSettings(guided=False)
    ranked = replace(scripted.checkpoint(), ranked=True)
    service = Service(session.service.store, Decoder(ranked))
    assert Session.open(service, new_session_id()).question.settings == DecodingSettings(
        guided=True
    )


def test_an_edit_and_another_prompt_keep_the_setting(session: Session) -> None:
    trace = ask(session, "Tell me about France.")
    assert trace.settings.guided
    assert all(lookup.guidance for lookup in trace.lookups)
    fact_id = str(trace.lookups[-1].lookup.facts[0].id)
    trace = act(session, action="change", id=fact_id, fields={"value": "Kraken crown"})
    assert "Kraken crown" in trace.text
    assert trace.settings.guided
    assert trace.reused > 0
    assert all(lookup.guidance for lookup in trace.lookups)
    trace = act(session, action="try", name="France")
    assert trace.settings.guided
    assert Trace.from_json(json.loads(json.dumps(trace.to_json()))).settings.guided
    assert Session.from_json(session.service, session.to_json()).question.settings.guided
    assert not ask(session, "Tell me about France.", guided=False).settings.guided


def test_a_text_stays_only_if_the_names_to_choose_from_stay(session: Session) -> None:
    ask(session, "Ask France for currency.", guided=False)
    add(session, "motto", "Onwards")
    assert session.text.unread
    ask(session, "Ask France for currency.")
    add(session, "anthem", "Silence")  # the model might choose it now
    assert not session.text.unread
    assert session.text.comparison is not None
    assert not session.text.comparison.changed
    act(session, action="undo")
    assert not session.text.unread


# -- the card


def test_the_card_shows_what_the_model_considered(session: Session) -> None:
    trace = ask(session, WAVER)
    names = considered(trace.lookups[0])
    assert [one.name for one in names] == ["currency", "capital"]
    assert [one.chosen for one in names] == [True, False]
    card = open_first_fact(session)
    assert 'id="considered"' in card
    assert card.index("currency", card.index("considered-head")) < card.index("capital")
    for one in names:
        assert one.words in card
    assert "(guided)" in card
    tips = str(page_parts.parts(session)["trace"])
    assert "considered" in tips
    assert in_one_line(names) in tips


def test_the_card_of_a_sure_choice_says_how_sure_in_a_few_words(session: Session) -> None:
    ask(session, "Ask France for currency.")
    card = open_first_fact(session)
    assert 'id="considered"' not in card
    assert "% sure)" in card
    assert "considered" not in str(page_parts.parts(session)["trace"])


def test_without_guidance_nothing_was_considered(session: Session) -> None:
    ask(session, WAVER, guided=False)
    card = open_first_fact(session)
    assert 'id="considered"' not in card
    assert "guided" not in card


def test_the_card_of_a_miss_shows_it_too(session: Session) -> None:
    trace = ask(session, "Ask France for motto.", guided=False)
    (missed,) = trace.lookups
    considered_names = (("anthem", 0.6), ("motto", 0.3))
    trace.lookups[0] = replace(missed, considered=considered_names, guidance="key")
    act(session, action="miss", id="0")
    card = str(page_parts.parts(session)["card"])
    assert "not recorded" in card
    assert card.index("anthem", card.index("considered-head")) < card.index("60 %")


def test_few_names_are_shown_the_chosen_one_always(session: Session) -> None:
    (lookup,) = ask(session, WAVER).lookups

    def shown(*names: tuple[str, float]) -> list[str]:
        return [one.name for one in considered(replace(lookup, considered=names))]

    many = [(f"relation {i}", 0.1) for i in range(9)]
    assert shown(*many, ("Currency", 0.002)) == [
        *(f"relation {i}" for i in range(MOST)),
        "Currency",
    ]
    assert shown(("currency", 0.9), ("capital", 0.004)) == ["currency"]
    assert shown() == []
    assert in_one_line((Considered("currency", 0.999, True),)) == ""


def test_names_are_text_on_the_card(session: Session) -> None:
    (lookup,) = ask(session, WAVER).lookups
    hostile = "<img src=x onerror=alert(1)> ${1} {{x}}"
    assert session.text.trace is not None
    session.text.trace.lookups[0] = replace(lookup, considered=(("currency", 0.6), (hostile, 0.3)))
    card = open_first_fact(session)
    assert "<img" not in card
    assert "&lt;img" in card


# -- the picture


@pytest.mark.parametrize(
    ("prompt", "expected"), [("Tell me about France.", 3), ("What is France's currency?", 0)]
)
def test_only_a_paragraphs_list_is_drawn_before_it_is_looked_up(
    session: Session, prompt: str, expected: int
) -> None:
    """A question takes one relation of its list, and the others would only crowd the picture."""
    trace = ask(session, "Tell me about France.", guided=False)
    answer = Retriever(session.draft).lookup("France", "relations", prompt)
    listed = replace(trace.lookups[0], lookup=answer)
    begun = TextInProgress(prompt, trace.tokens[: listed.end], [listed], 0.0, 0)
    session.text.marked = mark_trace(begun, finished=False)
    assert len(read_scene(session).expected) == expected


def test_a_text_that_only_read_a_list_offers_what_the_graph_holds(session: Session) -> None:
    """As where none of the listed relations answers the question."""
    trace = ask(session, "Tell me about France.", guided=False)
    listed = trace.lookups[0]
    begun = TextInProgress(trace.prompt, trace.tokens[: listed.end], [listed], 0.0, 0)
    session.text.marked = mark_trace(begun)
    card = str(page_parts.parts(session)["card"])
    assert "No word of this text is lit" in card
    assert "See what the graph holds about France" in card
    act(session, action="node", id=f"e{listed.lookup.entity_id}")
    assert "euro" in str(page_parts.parts(session)["card"])
    ask(session, "Tell me about Nowhere.", guided=False)
    assert "See what" not in str(page_parts.parts(session)["card"])


# -- in a browser


def test_the_setting_is_on_the_page_and_in_the_export(scripted_page: Inspect) -> None:
    page = scripted_page
    page.click("#decoding > button")
    box = page.page.get_by_label("Guided lookups")
    expect(box).not_to_be_checked()
    page.ask(WAVER).open_fact("euro")
    expect(page.page.locator("#considered")).to_have_count(0)
    box.check()
    page.ask(WAVER).open_fact("euro")
    rows = page.page.locator("#considered li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("currency")
    expect(rows.first).to_have_class("chosen")
    expect(rows.last).to_contain_text(re.compile(r"capital.*\d %"))
    mark = page.mark("euro").first
    page.page.mouse.move(0, 0)
    mark.hover()
    expect(page.page.locator(".tip[data-shown]")).to_contain_text(re.compile("considered.*capital"))
    page.change("euro", "Kraken crown").tab("after")
    page.open_fact("Kraken crown")
    expect(page.page.locator("#considered li")).to_have_count(2)
    with page.page.expect_download() as waiting:
        page.click("#export summary")
        page.click("#export a[href*='trace.json']")
    trace = json.loads(waiting.value.path().read_text(encoding="utf-8"))
    assert trace["settings"]["guided"]
    assert [name for name, _ in trace["lookups"][0]["considered"]] == ["currency", "capital"]


def test_the_setting_is_on_for_a_model_of_ranked_lists(
    visit: Callable[..., Inspect], world: Path, tmp_path: Path
) -> None:
    server = serve(world, tmp_path, replace(scripted.checkpoint(), ranked=True))
    try:
        page = visit(server.url).open()
        page.click("#decoding > button")
        box = page.page.get_by_label("Guided lookups")
        expect(box).to_be_checked()
        page.ask(WAVER).open_fact("euro")
        expect(page.page.locator("#considered li")).to_have_count(2)
        box.uncheck()
        page.ask(WAVER).open_fact("euro")
        expect(page.page.locator("#about")).to_contain_text("France · currency")
        expect(page.page.locator("#considered")).to_have_count(0)
    finally:
        server.end()


def test_axe_finds_nothing_serious_in_what_was_considered(scripted_page: Inspect) -> None:
    page = scripted_page
    page.click("#decoding > button")
    page.page.get_by_label("Guided lookups").check()
    page.ask(WAVER).open_fact("euro")
    everywhere(page, "what was considered")
