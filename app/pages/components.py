"""The components that Gradio lacks: each subclasses `gr.HTML` and keeps one host element for good.

The template is constant, so Gradio never touches the inside of the host. The value is an escaped
HTML string, or a figure, and is handed to the JavaScript of `assets/`, which merges or draws it. On
*Inspect* both it and what a person does go over the channel, which a `Wire` opens (see `app.api`).
On *Training* they go through Gradio: what a person does is the event `act`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr

from app.pages.scripts import script_tag
from app.views import fixed_parts


class Panel(gr.HTML):
    """A piece of the page: an escaped HTML string whose elements report actions."""

    scripts: tuple[str, ...] = ("panel.js",)
    template = '<div data-host class="host"></div>'
    code = "lamplight.panel(element, props, watch, send);"
    wired = True  # whether it belongs to the channel

    def __init__(self, value: Any = "", **options: Any) -> None:
        name, start = options.get("elem_id"), "const send = (data) => trigger('act', data); "
        if self.wired:
            start = "const send = (data) => lamplight.act(data); "
            if name:
                start += f"[props, watch] = lamplight.part({json.dumps(name)}, props, watch); "
        super().__init__(
            value,
            html_template=self.template,
            js_on_load=start + self.code,
            head="".join(script_tag(name) for name in self.scripts),
            apply_default_css=False,
            **options,
        )


class Header(Panel):
    """The masthead with the tour."""

    scripts = ("panel.js", "tour.js")


class TraceView(Panel):
    """The text with its marks, from `trace_text.render`."""

    scripts = ("panel.js", "trace.js")
    code = "lamplight.trace(element, props, watch, send);"


class GraphView(Panel):
    """The facts as a picture, from `graph_figure.draw`; drawn by the plotly.js of the package.

    What a person works with in it stands next to the host, in the constant template.
    """

    scripts = (
        "plotly.min.js",
        "panel.js",
        "graph_view.js",
        "graph_overlay.js",
        "graph_picker.js",
        "graph_menu.js",
        "graph_keys.js",
        "graph_gestures.js",
        "graph.js",
    )
    template = str(fixed_parts.graph_frame())
    code = "lamplight.graph(element, props, watch, send);"


class VerifyPanel(Panel):
    """What *Verify* shows; its script asks for the fact that the address names."""

    scripts = ("panel.js", "verify.js")
    code = f"document.title = 'Lamplight: Verify'; {Panel.code} lamplight.openVerify();"


class TrainingPanel(Panel):
    """A piece of *Training*, which Gradio itself brings up to date."""

    wired = False


class TrainingHeader(TrainingPanel):
    """The masthead of *Training*; sets the title, which Gradio takes from the first page."""

    code = f"document.title = 'Lamplight: Training'; {Panel.code}"


class CurvesView(TrainingPanel):
    """Curves over tokens, from `curves_figure.figure`; the table next to them holds the same."""

    scripts = ("plotly.min.js", "panel.js", "graph.js", "curves.js")
    template = (
        '<div data-host class="curves-host" role="img" aria-label="The curves by role; '
        'the table below holds the same values"></div>'
    )
    code = "lamplight.curves(element, props, watch);  // reports no 'act'"


class Search(Panel):
    """An entity search that asks while a person types, from `search_box.render`."""

    code = "lamplight.search(element, props, watch, send);"


class Wire(Panel):
    """Opens the channel, which brings to the other parts of the page what they show.

    Its one line says so while the connection is lost.
    """

    scripts = ("panel.js", "channel.js")
    template = '<p data-connection role="status"></p>'
    code = "lamplight.wire(element);"


class Download(Panel):
    """Hands the browser a file made in memory: `{name, type, text}`."""

    template = "<div></div>"
    code = "lamplight.download(element, props, watch);"


# Gradio writes a stub file next to the module of every subclass. Type checkers would read it
# instead of this module.
Path(__file__).with_suffix(".pyi").unlink(missing_ok=True)
