"""Where a fact is from: each source by the name that people know, and as a link if it is one."""

from __future__ import annotations

from markupsafe import Markup

from app.views.templates import macro
from graph.world import source_names

LONGEST_ADDRESS = 2000  # characters
_SOURCES = macro("shared.html", "sources")


def is_address(source: str) -> bool:
    """Whether a source is an address that may become a link: http or https, and nothing else."""
    if not source.startswith(("http://", "https://")):
        return False
    return source.isprintable() and " " not in source and len(source) <= LONGEST_ADDRESS


def sources(source: str) -> list[tuple[str, bool]]:
    """Each source of a fact by the name that people know, and whether it is an address."""
    return [(source_names(each), is_address(each)) for each in source.split("; ") if each]


def sources_html(source: str) -> Markup:
    """The sources as HTML."""
    return _SOURCES(sources(source))
