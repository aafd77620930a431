"""Readers of a store stand back while an edit is written, and never for long."""

from __future__ import annotations

import threading
import time

from graph.core.edits import Add
from graph.sqlite.store import READER_PAUSE_SECONDS, SqliteStore

READERS = 16
EDITS = 20  # of each kind, in turn


def test_edits_beside_many_readers_take_less_for_it(sqlite: SqliteStore) -> None:
    """Without writer priority, every statement of an edit has to win Python's interpreter lock."""
    sqlite.apply([Add("France", "capital", "Paris")], author="Ada")
    entity = sqlite.find_entities("France")[0][0]
    over = threading.Event()
    counts = [0] * READERS

    def read(number: int) -> None:
        while not over.is_set():
            sqlite.facts(entity.id)
            counts[number] += 1

    readers = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for reader in readers:
        reader.start()
    taken = {0.0: 0.0, READER_PAUSE_SECONDS: 0.0}
    try:
        for number in range(EDITS):
            for pause in taken:
                sqlite._priority.seconds = pause
                begun = time.perf_counter()
                sqlite.apply([Add(f"Land {number}", "has", str(pause))], author="Ada")
                taken[pause] += time.perf_counter() - begun
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert min(counts) > 0
    assert taken[READER_PAUSE_SECONDS] < 0.7 * taken[0.0], taken


def test_a_long_write_holds_no_reader_up(sqlite: SqliteStore) -> None:
    sqlite.apply([Add("France", "capital", "Paris")], author="Ada")
    begun = time.perf_counter()
    with sqlite.transaction(brief=False):
        reader = threading.Thread(target=sqlite.revision)
        reader.start()
        reader.join(10)
        assert not reader.is_alive()
    assert time.perf_counter() - begun < 10


def test_a_read_waits_for_a_moment_and_then_reads_on(sqlite: SqliteStore) -> None:
    """Also where the edit takes longer than a reader may wait; the writer's own reads do not."""
    sqlite.apply([Add("France", "capital", "Paris")], author="Ada")
    waits: list[float] = []

    def read() -> None:
        begun = time.perf_counter()
        assert sqlite.revision() == 1
        waits.append(time.perf_counter() - begun)

    with sqlite.transaction():
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(10)
        assert waits
        assert waits[0] >= READER_PAUSE_SECONDS * 0.9
        begun = time.perf_counter()
        sqlite.revision()
        assert time.perf_counter() - begun < waits[0]
    assert sqlite.revision() == 1
