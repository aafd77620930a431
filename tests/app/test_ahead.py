"""An iterator that runs ahead of whoever takes its items."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from app.ahead import ahead


def flat(batches: Iterator[list[int]]) -> list[int]:
    return [item for batch in batches for item in batch]


def test_every_item_comes_in_order() -> None:
    assert flat(ahead(iter(range(1000)))) == list(range(1000))
    assert flat(ahead(iter([]))) == []


def test_items_are_made_while_the_taker_is_busy() -> None:
    batches = ahead(iter(range(100)))
    taken = next(batches)
    time.sleep(0.2)
    taken += next(batches, [])
    assert taken == list(range(100))


def test_what_is_raised_comes_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield from range(3)
        raise ValueError("no fourth")

    taken: list[int] = []

    def take() -> None:
        for batch in ahead(broken()):
            taken.extend(batch)

    with pytest.raises(ValueError, match="no fourth"):
        take()
    assert taken == [0, 1, 2]


def test_a_taker_who_leaves_stops_it() -> None:
    ended = threading.Event()
    made = []

    def endless() -> Iterator[int]:
        try:
            while True:
                made.append(0)
                yield 0
                time.sleep(0.001)
        finally:
            ended.set()

    items = endless()
    batches = ahead(items)
    next(batches)
    batches.close()
    time.sleep(0.1)
    count = len(made)
    time.sleep(0.1)
    assert len(made) == count
    items.close()
    assert ended.is_set()
