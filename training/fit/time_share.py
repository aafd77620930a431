"""How much of a run's time something beside the training may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class TimeShare:
    """Lets something be done so long as it has taken at most a share of the time since `begin`."""

    def __init__(self, most: float) -> None:
        self.most = most
        self._begun = time.perf_counter()
        self._spent = 0.0  # seconds

    def begin(self) -> None:
        """Count the time from now on."""
        self._begun = time.perf_counter()

    def allows(self) -> bool:
        """Whether there is time left; the first time there is."""
        return self._spent <= self.most * (time.perf_counter() - self._begun)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Counts what is done meanwhile."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._spent += time.perf_counter() - begun
