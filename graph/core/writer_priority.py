"""Readers of this process stand back while one of its edits is written.

An edit takes turns with the readers at every statement: for Python's interpreter lock on SQLite,
for the server's processors on Neo4j. Against sixteen threads that read without a pause, it took
seconds. A reader waits for a moment only, so that none waits for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Courtesy:
    """Shared by the readers and writers of one store.

    Args:
        seconds: how long a read stands back at the most.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._calm = threading.Event()
        self._calm.set()
        self._lock = threading.Lock()
        self._writing = 0
        self._thread = threading.local()

    def stand_back(self) -> None:
        """Wait until no edit is being written, but no longer than `seconds`; to be called by a
        read. The reads of a thread that writes do not wait."""
        if not self._calm.is_set() and not getattr(self._thread, "writing", False):
            self._calm.wait(self.seconds)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """An edit is being written in this thread."""
        with self._lock:
            self._writing += 1
            self._calm.clear()
        self._thread.writing = True
        try:
            yield
        finally:
            self._thread.writing = False
            with self._lock:
                self._writing -= 1
                if not self._writing:
                    self._calm.set()
