"""Runs an iterator in a thread of its own, so that its next items are made while a page is drawn.

Of the time between two drawings of a text, some 10 ms go by in Gradio and on the way to the
browser. Where the decoder waited for them, the browser showed three quarters of its pace.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")

AT_ONCE = 16  # iterators that run at the same time, of all visitors; others wait their turn
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ahead")


def ahead(items: Iterator[Item]) -> Iterator[list[Item]]:
    """What has come since the last time, at least one item, until there are no more.

    What the iterator raises is raised here, after the items before it. Where this generator is
    closed early, the iterator gets no further than its next item.
    """
    arrived: SimpleQueue[Item | None] = SimpleQueue()  # None: there are no more
    unwanted = threading.Event()

    def run() -> None:
        try:
            for item in items:
                arrived.put(item)
                if unwanted.is_set():
                    return
        finally:
            arrived.put(None)

    running = _threads.submit(run)
    try:
        more = True
        while more:
            batch = []
            waited: Item | None = arrived.get()
            try:
                while waited is not None:
                    batch.append(waited)
                    waited = arrived.get_nowait()
                more = False
            except Empty:
                pass
            if batch:
                yield batch
    finally:
        unwanted.set()
    running.result()
