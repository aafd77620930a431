"""The page *Training*: runs, curves by role, samples over time, and the mask of a document.

    add_training_page(blocks, TrainingFolders("build/runs", "build/corpus"))

It is a route of its own in the same application, so *Inspect* loads none of it. A timer asks for
changes; if there are none, nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from app.pages.components import CurvesView, TrainingHeader, TrainingPanel
from app.state.training_session import TrainingFolders, TrainingSession
from app.views import training_parts
from app.views.masthead import masthead

SENTENCE = "What a model in training has learnt so far, by the role of its tokens."
EVERY = 2  # seconds between two readings of the run's files


def add_training_page(blocks: gr.Blocks, folders: TrainingFolders) -> None:
    """Add the page to an application, at the address `training`."""
    with blocks.route("Training", "training", show_in_navbar=False):
        state = gr.State(None)
        TrainingHeader(masthead("training", SENTENCE), elem_id="header")
        with gr.Row(elem_id="workshop"):
            with gr.Column(elem_id="runs-column", min_width=0, scale=0):
                runs = TrainingPanel(elem_id="runs")
            with gr.Column(elem_id="run-column", min_width=0):
                head = TrainingPanel(elem_id="run-head")
                with gr.Row(elem_id="curves-row"):
                    curves = CurvesView("", elem_id="curves")
                    values = TrainingPanel(elem_id="values")
                samples = TrainingPanel(elem_id="samples")
                mask = TrainingPanel(elem_id="mask")
        status = TrainingPanel(elem_id="status", elem_classes=["unseen"])
        timer = gr.Timer(EVERY)

        parts = {
            "runs": runs,
            "head": head,
            "curves": curves,
            "values": values,
            "samples": samples,
            "mask": mask,
            "status": status,
        }
        outputs: list[Any] = [parts[name] for name in training_parts.OUTPUTS]
        options: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

        def on_load() -> list[Any]:
            session = TrainingSession(folders)
            return [session, *training_parts.updates(session)]

        def on_tick(session: TrainingSession | None) -> list[Any]:
            return (
                [gr.skip() for _ in outputs] if session is None else training_parts.updates(session)
            )

        def on_act(session: TrainingSession | None, event: gr.EventData) -> list[Any]:
            if session is None:
                return training_parts.lost()
            session.act(event._data)
            return training_parts.updates(session)

        blocks.load(on_load, None, [state, *outputs], **options)
        # A tick is skipped while the last one is still running.
        timer.tick(on_tick, [state], outputs, trigger_mode="once", **options)
        acting: list[Callable[..., Any]] = [part.act for part in (runs, head, samples, mask)]
        for act in acting:
            act(on_act, [state], outputs, trigger_mode="multiple", **options)
