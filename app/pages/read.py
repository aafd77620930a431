"""The page *Inspect*: its layout and its inputs.

    blocks = make_page(Service(store, decoder), folders)

Gradio draws the inputs and hands their values to the browser's own code. What a person does, and
what the page shows, goes over the channel (`app.api`); no event here reaches the server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.pages.components import Download, GraphView, Header, Panel, Search, TraceView, Wire
from app.pages.training import add_training_page
from app.pages.verify import add_verify_page
from app.state.service import Service
from app.state.training_session import TrainingFolders
from app.views import example_cards, fixed_parts, own_facts_panel, page_parts, search_box

TITLE = "Lamplight: Inspect"
GUIDED = (
    "The model may look up only names that the prompt mentions and relations that the graph has. "
    "It still decides when to look something up."
)
# The browser's own code may come later than the first click.
ASK = (
    "((window.lamplight ??= {}).ask ??"
    " ((...given) => (lamplight.early ??= []).push(['ask', ...given])))"
)
AT_ONCE = 16  # events of *Training* that run at the same time
WAITING = 128  # events that may wait


def make_page(
    service: Service,
    folders: TrainingFolders,
    more: Callable[[gr.Blocks], None] = lambda blocks: None,
) -> gr.Blocks:
    """The page over a store and a model, and next to it *Verify*, and *Training* over runs.

    `more` adds what is not a page of this package.
    """
    blocks = gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False)
    with blocks:
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
                    Panel(page_parts.stop_html(False), elem_id="stop")
                Panel(elem_id="prompt-note-panel")
                with gr.Row(elem_id="start-row"):
                    Panel(example_cards.render(service.examples), elem_id="examples")
                    Search(search_box.render(), elem_id="search")
                Panel(own_facts_panel.render(), elem_id="own")
                Panel(fixed_parts.legend(service.decoder.checkpoint), elem_id="legend-panel")
                Panel(elem_id="draft")
                TraceView(elem_id="trace")
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
                    GraphView("", elem_id="graph")
                    Panel(elem_id="graph-note")
                    Panel(elem_id="table")
                Panel(elem_id="card")
        Panel(elem_id="status", elem_classes=["unseen"])
        Download("", elem_id="download")
        Wire("", elem_id="wire")

        settings = {  # by their names in `app.api.schema`
            "temperature": temperature,
            "top_p": top_p,
            "seed": seed,
            "max_tokens": max_tokens,
            "guided": guided,
        }
        names = ", ".join(settings)
        options: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        for event in (ask.click, prompt.submit):
            event(
                None,
                [prompt, *settings.values()],
                None,
                js=f"(prompt, {names}) => {{ {ASK}(prompt, {{ {names} }}); return []; }}",
                **options,
            )
    add_verify_page(blocks, service.decoder.checkpoint)
    add_training_page(blocks, folders)
    more(blocks)
    blocks.queue(max_size=WAITING, api_open=False, default_concurrency_limit=AT_ONCE)
    return blocks
