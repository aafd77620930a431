"""Ids of facts, entities and rules: 63 bits, ordered by time, text in JSON."""

from __future__ import annotations

import random
import threading
import time

from graph.core.errors import StoreError
from graph.core.names import quoted

LARGEST_ID = 2**63 - 1


def parse_id(text: object) -> int:
    """An id that came back from a page as text; raises `StoreError` for anything else."""
    number = str(text)
    if not (number.isascii() and number.isdigit() and 0 < int(number[:20]) <= LARGEST_ID):
        raise StoreError(f"{quoted(number)} is not an id; copy one that this store shows.")
    return int(number)


def is_id(number: object) -> bool:
    """Whether a number can be an id at all; nothing has any other id."""
    return type(number) is int and 0 < number <= LARGEST_ID


_last_id = 0
_id_lock = threading.Lock()


def new_id() -> int:
    """A new 63-bit id, larger than earlier ones: 42 bits of milliseconds, then 21 that differ.

    The first id of each millisecond begins at a random number, so that two processes are unlikely
    to choose the same.
    """
    return new_ids(1)[0]


def new_ids(count: int) -> range:
    """Consecutive new ids, the same as `count` calls of `new_id`."""
    global _last_id
    with _id_lock:
        fresh = (time.time_ns() // 1_000_000 << 21) | random.getrandbits(20)
        first = max(fresh, _last_id + 1)
        _last_id = first + count - 1
        return range(first, first + count)
