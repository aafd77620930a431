"""A limit on the share of a run's time that anything but training may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class TimeShare:
    """Allows work while it has taken at most a given share of the time since `begin`."""

    def __init__(self, most: float) -> None:
        self.most = most
        self._begun = time.perf_counter()
        self._spent = 0.0  # seconds

    def begin(self) -> None:
        """Count the time from now on."""
        self._begun = time.perf_counter()

    def allows(self) -> bool:
        """Whether there is time left; always true before the first work."""
        return self._spent <= self.most * (time.perf_counter() - self._begun)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time spent inside."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._spent += time.perf_counter() - begun
