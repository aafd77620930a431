"""The page *Verify*: where one fact lives, in the graph or in the weights.

It is a route of its own in the same application. What it shows comes over the channel, as on
*Inspect*: it is part of the same tab, with the same draft.
"""

from __future__ import annotations

import gradio as gr

from app.pages.components import Download, Panel, VerifyPanel, Wire
from app.views.masthead import masthead

SENTENCE = "Where a fact lives: in the graph, or in the weights of the model."


def add_verify_page(blocks: gr.Blocks) -> None:
    """Add the page to an application, at the address `verify`."""
    with blocks.route("Verify", "verify", show_in_navbar=False):
        Panel(masthead("verify", SENTENCE), elem_id="header")
        with gr.Column(elem_id="verify-column"):
            VerifyPanel(elem_id="verify")
        Download("", elem_id="download")
        Wire("", elem_id="wire")
