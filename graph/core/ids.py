"""Ids of facts, entities and rules: 63 bits, ordered by time, text in JSON."""

from __future__ import annotations

import random
import threading
import time

from graph.core.errors import StoreError
from graph.core.names import quoted

LARGEST_ID = 2**63 - 1


def parse_id(text: object) -> int:
    """The id that came back as text from a page; raises `StoreError` for a made-up one."""
    number = str(text)
    if not (number.isascii() and number.isdigit() and 0 < int(number[:20]) <= LARGEST_ID):
        raise StoreError(f"{quoted(number)} is no id of this store; choose from what it shows.")
    return int(number)


def is_id(number: object) -> bool:
    """Whether a number can be an id at all; what is asked for any other is simply not there."""
    return type(number) is int and 0 < number <= LARGEST_ID


_last_id = 0
_id_lock = threading.Lock()


def new_id() -> int:
    """A 63-bit id, later ones larger: 42 bits of milliseconds, then 21 that tell apart.

    The first id of a millisecond starts at a random place, so two processes do not meet.
    """
    return new_ids(1)[0]


def new_ids(count: int) -> range:
    """So many ids in a row, as `new_id` gives them one by one."""
    global _last_id
    with _id_lock:
        fresh = (time.time_ns() // 1_000_000 << 21) | random.getrandbits(20)
        first = max(fresh, _last_id + 1)
        _last_id = first + count - 1
        return range(first, first + count)
