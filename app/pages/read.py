"""The page *Inspect*: its layout, and which event runs which action.

    blocks = make_page(Service(store, decoder))

All events of the components end in one of three functions here, and none is a public endpoint:
each is private, since it means nothing without the page around it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.pages.components import Download, GraphView, Header, Panel, Search, TraceView, Wire
from app.pages.training import add_training_page
from app.state import actions
from app.state.generation import Steps
from app.state.generation import ask as write
from app.state.session import Service, Session, checked_session_id, new_session_id
from app.state.training_session import TrainingFolders
from app.views import example_cards, own_facts_panel, page_parts, search_box, tour
from app.views.masthead import masthead
from app.views.templates import render
from graph.core.errors import StoreError
from model.settings import DecodingSettings

TITLE = "Lamplight: Inspect"
SENTENCE = (
    "The words that light up were copied from a graph of facts. Change one, and the text follows."
)
AT_ONCE = 16  # events that run at the same time, of all visitors
WAITING = 128  # events that may wait


def _header() -> str:
    return masthead("inspect", SENTENCE, tour=True) + tour.render()


def make_page(service: Service, workshop: TrainingFolders) -> gr.Blocks:
    """The page over a store and a model, and beside it *Training* over a folder of runs."""
    with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False) as blocks:
        session_state = gr.State(None)
        browser = gr.BrowserState(
            None,
            storage_key="lamplight-session",
            secret="lamplight",  # noqa: S106 (no secret)
        )
        Header(_header(), elem_id="header")
        with gr.Row(elem_id="layout"):
            with gr.Column(elem_id="left", scale=58, min_width=320):
                with gr.Row(elem_id="ask-row"):
                    prompt = gr.Textbox(
                        label="Prompt",
                        show_label=False,
                        placeholder=f"Ask about something, such as: {service.examples[0].prompt}",
                        lines=1,
                        max_lines=4,
                        elem_id="prompt",
                        scale=5,
                        container=False,
                    )
                    ask = gr.Button("Ask", variant="primary", elem_id="ask", scale=0, min_width=72)
                    stop = Panel(page_parts.stop_html(False), elem_id="stop")
                prompt_note = Panel(elem_id="prompt-note-panel")
                with gr.Row(elem_id="start-row"):
                    chosen_example = Panel(
                        example_cards.render(service.examples), elem_id="examples"
                    )
                    search = Search(search_box.render(), elem_id="search")
                own = Panel(own_facts_panel.render(), elem_id="own")
                Panel(render("legend.html"), elem_id="legend-panel")
                draft = Panel(elem_id="draft")
                trace = TraceView(elem_id="trace")
                with gr.Accordion("Decoding", open=False, elem_id="decoding"), gr.Row():
                    temperature = gr.Slider(0, 2, 0, step=0.05, label="Temperature (0: greedy)")
                    top_p = gr.Slider(0.05, 1, 1, step=0.05, label="Top-p")
                    seed = gr.Number(0, precision=0, label="Seed")
                    max_tokens = gr.Slider(16, 480, 400, step=16, label="Most tokens")
            with gr.Column(elem_id="right", scale=42, min_width=320):
                with gr.Column(elem_id="facts"):
                    Panel(render("facts_head.html"), elem_id="facts-head")
                    graph = GraphView("", elem_id="graph")
                    Panel(elem_id="graph-note")
                    table = Panel(elem_id="table")
                card = Panel(elem_id="card")
        Panel(elem_id="status", elem_classes=["unseen"])
        Download("", elem_id="download")

        wire = Wire("", elem_id="wire")

        options: dict[str, Any] = {
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": AT_ONCE,
            "trigger_mode": "multiple",
        }
        settings = [temperature, top_p, seed, max_tokens]

        def on_load(claimed: Any) -> Iterator[list[Any]]:
            kept = _kept_before(claimed)
            session_id = checked_session_id(kept.get("id"))
            try:
                session = Session(service, session_id, service.draft(session_id))
            except StoreError as problem:
                session_id = new_session_id()
                try:
                    session = Session(service, session_id, service.draft(session_id))
                except StoreError as again:
                    yield [gr.skip(), gr.skip(), page_parts.lost(str(again))]
                    return
                session.draft_note = str(problem)
            first = kept.get("prompt")
            session.box = first if isinstance(first, str) and first else service.examples[0].prompt
            words = session.prompt = session.box
            yield [session, _kept(session), page_parts.message(session, whole=True)]
            for drawing in _drawings(session, write(session, words, session.settings)):
                yield [gr.skip(), *drawing]

        def on_ask(session: Session | None, words: str, *chosen: Any) -> Iterator[list[Any]]:
            if session is None:
                yield [gr.skip(), page_parts.lost()]
                return
            asked = _settings(chosen)
            if isinstance(asked, str):
                session.prompt_note = asked
                yield [gr.skip(), page_parts.message(session)]
                return
            yield from _drawings(session, write(session, words, asked))

        def on_act(session: Session | None, event: gr.EventData) -> Iterator[list[Any]]:
            if session is None:
                yield [gr.skip(), page_parts.lost()]
                return
            yield from _drawings(session, actions.act(session, event._data))

        def _drawings(session: Session, steps: Steps) -> Iterator[list[Any]]:
            """After each step what changed, and at the end, since messages get lost, everything."""
            for _ in steps:
                yield [_kept(session), page_parts.message(session)]
            yield [_kept(session), page_parts.message(session, whole=True)]

        def _kept(session: Session) -> Any:
            """What the browser keeps, sent when it changes."""
            kept = json.dumps({"id": session.id, "prompt": session.prompt})
            if session.kept == kept:
                return gr.skip()
            session.kept = kept
            return kept

        blocks.load(on_load, [browser], [session_state, browser, wire], **options)
        for event in (ask.click, prompt.submit):
            event(on_ask, [session_state, prompt, *settings], [browser, wire], **options)
        for part in (
            chosen_example,
            search,
            own,
            prompt_note,
            stop,
            draft,
            trace,
            table,
            card,
            graph,
        ):
            part.act(on_act, [session_state], [browser, wire], **options)
    add_training_page(blocks, workshop)
    blocks.queue(max_size=WAITING, api_open=False, default_concurrency_limit=AT_ONCE)
    return blocks


def _kept_before(claimed: Any) -> dict[str, Any]:
    """What the browser kept of its last visit, if that can be read."""
    try:
        kept = json.loads(claimed) if isinstance(claimed, str) else {}
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def _settings(chosen: tuple[Any, ...]) -> DecodingSettings | str:
    """The decoding settings that the form holds, or what is wrong with them."""
    try:
        temperature, top_p, seed, max_tokens = chosen
        return DecodingSettings(
            temperature=float(temperature or 0),
            top_p=float(top_p or 1),
            seed=int(seed or 0),
            max_tokens=min(int(max_tokens or 400), 480),
        )
    except (TypeError, ValueError) as problem:
        return f"The decoding settings cannot be used: {problem}"
