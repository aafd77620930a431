"""The scripts and the style that the pages load from `/lamplight/`, by name."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import plotly

ASSETS = Path(__file__).parents[1] / "assets"
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
SCRIPTS = {
    "api.css": ASSETS / "api.css",
    "channel.js": ASSETS / "channel.js",
    "panel.js": ASSETS / "panel.js",
    "trace.js": ASSETS / "trace.js",
    "graph.js": ASSETS / "graph.js",
    "graph_view.js": ASSETS / "graph_view.js",
    "graph_overlay.js": ASSETS / "graph_overlay.js",
    "graph_picker.js": ASSETS / "graph_picker.js",
    "graph_menu.js": ASSETS / "graph_menu.js",
    "graph_keys.js": ASSETS / "graph_keys.js",
    "graph_gestures.js": ASSETS / "graph_gestures.js",
    "curves.js": ASSETS / "curves.js",
    "tour.js": ASSETS / "tour.js",
    "verify.js": ASSETS / "verify.js",
    "plotly.min.js": PLOTLY,
}


@cache
def content_hash(path: Path) -> str:
    """What changes with a file's content: 16 hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def script_tag(name: str) -> str:
    """The tag that loads a script once, before a component's own code runs.

    The hash changes with the file, so that a browser never runs an older one from its cache.
    """
    return f'<script src="lamplight/{name}?{content_hash(SCRIPTS[name])}"></script>'
