"""The page *Inspect*: its layout, and which event runs which action.

    blocks = make_page(Service(store, decoder))

Every event of the components ends in one of three functions here. None is a public endpoint,
because none means anything without the page around it.
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
from app.state.service import Service
from app.state.session import Session, checked_session_id, new_session_id
from app.state.training_session import TrainingFolders
from app.views import example_cards, fixed_parts, own_facts_panel, page_parts, search_box
from graph.core.errors import StoreError
from model.settings import DecodingSettings

TITLE = "Lamplight: Inspect"
GUIDED = (
    "The model may look up only names that the prompt mentions and relations that the graph has. "
    "It still decides when to look something up."
)
AT_ONCE = 16  # events of all visitors that run at the same time
WAITING = 128  # events that may wait


def make_page(service: Service, folders: TrainingFolders) -> gr.Blocks:
    """The page over a store and a model, and next to it *Training* over a folder of runs."""
    blocks = gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False)
    with blocks:
        session_state = gr.State(None)
        browser = gr.BrowserState(
            None,
            storage_key="lamplight-session",
            secret="lamplight",  # noqa: S106 (no secret)
        )
        Header(fixed_parts.header(), elem_id="header")
        with gr.Row(elem_id="layout"):
            with gr.Column(elem_id="left", scale=58, min_width=320):
                with gr.Row(elem_id="ask-row"):
                    prompt = gr.Textbox(
                        label="Prompt",
                        show_label=False,
                        placeholder=f"Ask a question, for example: {service.examples[0].prompt}",
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
                Panel(fixed_parts.legend(), elem_id="legend-panel")
                draft = Panel(elem_id="draft")
                trace = TraceView(elem_id="trace")
                with gr.Accordion("Decoding", open=False, elem_id="decoding"):
                    guided = gr.Checkbox(
                        service.settings.guided,
                        label="Guided lookups",
                        info=GUIDED,
                        elem_id="guided",
                        container=False,
                    )
                    with gr.Row():
                        temperature = gr.Slider(0, 2, 0, step=0.05, label="Temperature (0: greedy)")
                        top_p = gr.Slider(0.05, 1, 1, step=0.05, label="Top-p")
                        seed = gr.Number(0, precision=0, label="Seed")
                        max_tokens = gr.Slider(16, 480, 400, step=16, label="Maximum tokens")
            with gr.Column(elem_id="right", scale=42, min_width=320):
                with gr.Column(elem_id="facts"):
                    Panel(fixed_parts.facts_head(), elem_id="facts-head")
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
        settings = [temperature, top_p, seed, max_tokens, guided]

        def on_load(claimed: Any) -> Iterator[list[Any]]:
            kept = _kept_before(claimed)
            session_id = checked_session_id(kept.get("id"))
            try:
                session = Session.open(service, session_id)
            except StoreError as problem:
                try:
                    session = Session.open(service, new_session_id())
                except StoreError as again:
                    yield [gr.skip(), gr.skip(), page_parts.lost(str(again))]
                    return
                session.notes.draft = str(problem)
            first = kept.get("prompt")
            words = first if isinstance(first, str) and first else service.examples[0].prompt
            session.question.prompt = session.outbox.prompt_box = words
            yield [session, _kept(session), page_parts.message(session, whole=True)]
            for drawing in _drawings(session, write(session, words, session.question.settings)):
                yield [gr.skip(), *drawing]

        def on_ask(session: Session | None, words: str, *chosen: Any) -> Iterator[list[Any]]:
            if session is None:
                yield [gr.skip(), page_parts.lost()]
                return
            asked = _settings(chosen)
            if isinstance(asked, str):
                session.notes.prompt = asked
                yield [gr.skip(), page_parts.message(session)]
                return
            yield from _drawings(session, write(session, words, asked))

        def on_act(session: Session | None, event: gr.EventData) -> Iterator[list[Any]]:
            if session is None:
                yield [gr.skip(), page_parts.lost()]
                return
            yield from _drawings(session, actions.act(session, event._data))

        def _drawings(session: Session, steps: Steps) -> Iterator[list[Any]]:
            """What changed after each step; at the end everything, as messages can get lost."""
            for _ in steps:
                yield [_kept(session), page_parts.message(session)]
            yield [_kept(session), page_parts.message(session, whole=True)]

        def _kept(session: Session) -> Any:
            """What the browser keeps, sent when it changes."""
            kept = json.dumps({"id": session.id, "prompt": session.question.prompt})
            if session.outbox.kept == kept:
                return gr.skip()
            session.outbox.kept = kept
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
    add_training_page(blocks, folders)
    blocks.queue(max_size=WAITING, api_open=False, default_concurrency_limit=AT_ONCE)
    return blocks


def _kept_before(claimed: Any) -> dict[str, Any]:
    """What the browser kept from its last visit, if that can be read."""
    try:
        kept = json.loads(claimed) if isinstance(claimed, str) else {}
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def _settings(chosen: tuple[Any, ...]) -> DecodingSettings | str:
    """The decoding settings of the form, or what is wrong with them."""
    try:
        temperature, top_p, seed, max_tokens, guided = chosen
        return DecodingSettings(
            temperature=float(temperature or 0),
            top_p=float(top_p or 1),
            seed=int(seed or 0),
            max_tokens=min(int(max_tokens or 400), 480),
            guided=bool(guided),
        )
    except (TypeError, ValueError) as problem:
        return f"These decoding settings are not valid: {problem}"
