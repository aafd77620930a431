"""Identifiers (IRIs) of entities and relations, and how two of one name get different names.

One IRI is one entity or one relation. The first of a name keeps it, and a later one gets a
qualifier from its IRI: `Heron (film)` for `http://example.org/film/Heron`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from graph.core.errors import StoreError
from graph.core.names import MAX_NAME, clean_name, quoted

MAX_IRI = 2048  # characters
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`\x00-\x1f\ud800-\udfff]+")


def looks_like_iri(text: str) -> bool:
    """Whether a text may be an identifier: a scheme, a colon, and no spaces.

    >>> looks_like_iri("http://example.org/film/Heron"), looks_like_iri("Star Wars: Episode IV")
    (True, False)
    """
    return len(text) <= MAX_IRI and _IRI.fullmatch(text) is not None


def clean_iri(text: str) -> str:
    """An identifier as it is kept, "" if there is none; raises `StoreError` if it is not an IRI."""
    if text and not looks_like_iri(text):
        raise StoreError(f"The identifier {quoted(text)} is not an IRI.")
    return text


def qualified(name: str, iri: str, is_taken: Callable[[str], bool]) -> str:
    """The name of a second thing of this name: the first one that is free.

    >>> qualified("Heron", "http://example.org/film/Heron", lambda name: False)
    'Heron (film)'
    >>> qualified("Heron", "http://example.org/film/Heron", lambda name: "film" in name)
    'Heron (example.org)'
    """
    for qualifier in _qualifiers(iri):
        candidate = clean_name(f"{name} ({qualifier})")
        if not is_taken(candidate):
            return candidate
    number = 2
    while is_taken(candidate := clean_name(f"{name} ({number})")):
        number += 1
    return candidate


def _qualifiers(iri: str) -> Iterator[str]:
    """The parts of an IRI before its last one, the nearest first, and then the whole of it."""
    rest = iri.partition(":")[2].strip("/#")
    for part in reversed(re.split(r"[/#:?&=]+", rest)[:-1]):
        text = " ".join(unquote(part).replace("_", " ").split())
        if text and text.isprintable() and len(text) < MAX_NAME // 4:
            yield text
    if len(iri) < MAX_NAME // 2:
        yield iri
