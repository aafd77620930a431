"""What a visitor reads when the store refuses: its own sentence, unless that says where it lies."""

from __future__ import annotations

import logging
from pathlib import Path

from graph.core.protocol import SharedStore

log = logging.getLogger("lamplight")
UNAVAILABLE = "The store cannot do this now; the log of the server says why."


def sentence_of(problem: Exception, store: SharedStore) -> str:
    """The sentence of a refusal for a visitor; the log has one that is not shown."""
    if not names_the_store(str(problem), store):
        return str(problem)
    log.warning("the store refused a request: %s", problem)
    return UNAVAILABLE


def names_the_store(sentence: str, store: SharedStore) -> bool:
    """Whether a sentence has the address, the file or the folder of a store."""
    place = store.url.partition("://")[2].removeprefix("/")
    if store.url.startswith("sqlite:"):
        return place in sentence or str(Path(place).absolute()) in sentence
    server = place.partition("@")[2] or place
    return server.partition("/")[0].partition(":")[0] in sentence
