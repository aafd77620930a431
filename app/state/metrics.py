"""What a server counts, in the format of Prometheus: `GET /metrics`.

    metrics = Metrics()
    metrics.wrote(trace)
    metrics.exposition()        # bytes, and their content type in `CONTENT_TYPE`

Labels are words of the code alone: ways in, statuses, outcomes. No prompt, name or value is counted
under its own spelling.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    generate_latest,
)

from model.trace import Trace

CONTENT_TYPE = CONTENT_TYPE_LATEST
OUTCOMES = ("exact", "alias", "inverse", "fuzzy", "miss")
REMEMBERED = 256  # texts whose ids are known, so that none is counted twice


class Metrics:
    """The counters of one server. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "lamplight_requests",
            "Requests, by the way in that they took and the status of the answer.",
            ("route", "status"),
            registry=self.registry,
        )
        self._texts = Counter(
            "lamplight_texts", "Texts written, those that were stopped too.", registry=self.registry
        )
        self._tokens = Counter("lamplight_tokens", "Tokens of those texts.", registry=self.registry)
        self._lookups = Counter(
            "lamplight_lookups",
            "Lookups of those texts, by how they were answered.",
            ("outcome",),
            registry=self.registry,
        )
        for outcome in OUTCOMES:  # so that a rate starts at zero
            self._lookups.labels(outcome)
        self.edits = Counter(
            "lamplight_edits", "Edits of drafts, without undos and redos.", registry=self.registry
        )
        self.publishes = Counter(
            "lamplight_publishes", "Drafts that were published.", registry=self.registry
        )
        self._waiting = Gauge(
            "lamplight_texts_waiting", "Texts that wait for their turn.", registry=self.registry
        )
        ProcessCollector(registry=self.registry)  # process_resident_memory_bytes and others
        self._known: dict[str, None] = {}
        self._lock = threading.Lock()

    def requested(self, route: str, status: int) -> None:
        """Count a request; `route` is the pattern of a way in, never the path itself."""
        self._requests.labels(route, str(status)).inc()

    def wrote(self, trace: Trace) -> None:
        """Count a text with its tokens and lookups, once."""
        with self._lock:
            if trace.id in self._known:
                return
            self._known[trace.id] = None
            while len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]
        self._texts.inc()
        self._tokens.inc(len(trace.tokens))
        for made in trace.lookups:
            self._lookups.labels(made.lookup.how).inc()

    def waiting(self, count: Callable[[], int]) -> None:
        """Where the number of texts that wait comes from."""
        self._waiting.set_function(count)

    def exposition(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self.registry)
