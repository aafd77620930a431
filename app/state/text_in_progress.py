"""A text while the model writes it: what a reader can see so far, and how long it took.

It has the tokens and lookups of a trace and nothing else. A trace is a record with a model, a
revision and an end, so it exists only once the text is finished.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from model.engine.events import DoneEvent, Event, LookupEvent, TokenEvent
from model.roles import Role
from model.trace import Trace, TracedText, TraceLookup, TraceToken

REDRAW_EVERY = 0.1  # seconds between two drawings of a text in progress
REDRAW_FIRST = 0.015  # the same for the first drawings, which a reader is waiting for
FIRST_DRAWINGS = 4
_WHOLE_WORD = re.compile(r"\w\W")  # before one there is nothing to read, and a drawing costs time


@dataclass
class TextInProgress(TracedText):
    """A snapshot of what is written. Its last lookup may still be repeated in the text."""

    prompt: str
    tokens: list[TraceToken]
    lookups: list[TraceLookup]
    seconds: float  # from the start of the generation
    reused: int  # tokens reused from the trace that is rewritten


def follow(prompt: str, events: Iterator[Event]) -> Iterator[TextInProgress | Trace]:
    """A snapshot from time to time, and at the end the finished trace."""
    tokens: list[TraceToken] = []
    lookups: list[TraceLookup] = []
    begun, drawn = time.monotonic(), 0.0
    reused = drawings = 0
    new = ""  # the model's own words after the reused tokens
    for event in events:
        if isinstance(event, DoneEvent):
            yield event.trace
            return
        if isinstance(event, TokenEvent):
            tokens.append(event.token)
            if event.reused:
                reused += 1
                continue
            if event.token.role == Role.TEXT:
                new += event.token.text
        elif isinstance(event, LookupEvent):
            lookups.append(event.lookup)
        now = time.monotonic()
        wait = REDRAW_FIRST if drawings < FIRST_DRAWINGS else REDRAW_EVERY
        if not _WHOLE_WORD.search(new) or now - drawn < wait:
            continue
        drawn, drawings = now, drawings + 1
        complete = [lookup for lookup in lookups if lookup.end <= len(tokens)]
        yield TextInProgress(prompt, list(tokens), complete, now - begun, reused)
