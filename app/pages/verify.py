"""The page *Verify*: where a fact lives, in the graph or in the weights, or all facts of a text.

It is a route of its own in the same application. What it shows comes over the channel, as on
*Inspect*: it is part of the same tab, with the same draft.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from app.pages.components import Download, Panel, VerifyPanel, Wire
from app.views.masthead import masthead
from model.checkpoint import DEFAULT_NAME, Checkpoint

SENTENCE = "Where a fact lives: in the graph, or in the weights of the model."


def add_verify_page(blocks: gr.Blocks, checkpoint: Checkpoint) -> None:
    """Add the page to an application, at the address `verify`, whose texts `checkpoint` writes."""
    sentence = SENTENCE
    if checkpoint.base:
        writes, verified = Path(checkpoint.name).name, DEFAULT_NAME
        sentence += (
            f" It verifies {verified}, because the base of {writes} knows the world; a whole text "
            "is verified with the model that wrote it."
        )
    with blocks.route("Verify", "verify", show_in_navbar=False):
        Panel(masthead("verify", sentence), elem_id="header")
        with gr.Column(elem_id="verify-column"):
            VerifyPanel(elem_id="verify")
        Download("", elem_id="download")
        Wire("", elem_id="wire")
