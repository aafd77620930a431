"""Writer priority: readers in this process pause while an edit commits.

An edit competes with the readers at every statement: for Python's interpreter lock on SQLite, for
the server's processors on Neo4j. Against sixteen threads that read without a pause, one edit took
seconds. A reader pauses only briefly, so that no reader waits for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WriterPriority:
    """Shared by the readers and writers of one store.

    Args:
        seconds: how long a read pauses at most.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._idle = threading.Event()
        self._idle.set()
        self._lock = threading.Lock()
        self._writers = 0
        self._thread = threading.local()

    def wait_for_writers(self) -> None:
        """Wait until no edit is being written, but no longer than `seconds`. Call it before a read.

        A thread that writes does not wait before its own reads.
        """
        if not self._idle.is_set() and not getattr(self._thread, "writes", False):
            self._idle.wait(self.seconds)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Readers in other threads pause while this thread is inside the block."""
        with self._lock:
            self._writers += 1
            self._idle.clear()
        self._thread.writes = True
        try:
            yield
        finally:
            self._thread.writes = False
            with self._lock:
                self._writers -= 1
                if not self._writers:
                    self._idle.set()
