"""What a visitor reads when the store refuses: its own sentence, unless that says where it lies."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from graph.core.protocol import SharedStore

log = logging.getLogger("lamplight")
UNAVAILABLE = "The store cannot do this now; the log of the server says why."


def sentence_of(problem: Exception, store: SharedStore) -> str:
    """The sentence of a refusal for a visitor; the log has one that is not shown as it is.

    It is the store's own without the address of a server or the folder of a file, so that a visitor
    still reads that the server is away, and not that something is wrong.
    """
    sentence = str(problem)
    if not names_the_store(sentence, store):
        return sentence
    log.warning("the store refused a request: %s", problem)
    for place in _places(store):
        if store.url.startswith("sqlite:"):
            sentence = sentence.replace(place, Path(place).name)
        else:
            sentence = re.sub(rf" (?:at|of) {re.escape(place)}(?::\d+)?", "", sentence)
    return UNAVAILABLE if names_the_store(sentence, store) else sentence


def names_the_store(sentence: str, store: SharedStore) -> bool:
    """Whether a sentence has the address of a store, or its file with its folder."""
    return any(place in sentence for place in _places(store))


def _places(store: SharedStore) -> list[str]:
    """Where a store lies, the longest ways to say so first."""
    place = store.url.partition("://")[2].removeprefix("/")
    if store.url.startswith("sqlite:"):
        paths = {place, str(Path(place).absolute()), str(Path(place).resolve())}
        return sorted((path for path in paths if "/" in path), key=len, reverse=True)
    server = (place.partition("@")[2] or place).partition("/")[0]
    return [server, server.rpartition(":")[0] or server]
