"""The head of each page: the name, the way to the other page, one sentence, the theme."""

from __future__ import annotations

PAGES = (("inspect", "Inspect", "./"), ("training", "Training", "training"))  # key, name, address


def masthead(page: str, sentence: str, tools: str = "") -> str:
    """The head of the page with this key, as HTML; `tools` are buttons beside the theme's."""
    links = "".join(
        f'<a href="{address}"{" aria-current=page" if key == page else ""}>{name}</a>'
        for key, name, address in PAGES
    )
    return (
        f'<header class="masthead"><div><h1>Lamplight</h1><nav aria-label="Pages">{links}</nav>'
        f'<p>{sentence}</p></div><div class="row">{tools}'
        '<button type="button" id="theme" data-page="theme" class="quiet" '
        'title="Light or dark"><span aria-hidden="true">◐ </span>Theme</button></div></header>'
    )
