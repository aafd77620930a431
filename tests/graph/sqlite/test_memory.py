"""A file is loaded in the same memory however long it is.

A load keeps only caches of a stated size in memory, which ten million facts fill
(docs/performance.md has their size). Here they are small, so anything else that grew would show.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOAD = """
import resource, sys
from pathlib import Path
import graph.sqlite.load
from graph.exchange.formats import read_rows
from graph.opening import open_store
graph.sqlite.load._CACHED, graph.sqlite.load._PAGES_KB = 5_000, 8_000
with open_store(f"sqlite:///{sys.argv[2]}", create=True) as store:
    report = store.load(read_rows(Path(sys.argv[1])), author="test")
print(report.facts, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def loaded(folder: Path, facts: int) -> tuple[int, int]:
    """How many facts a process of its own loads from a CSV, and its memory at most, in MiB."""
    path = folder / f"{facts}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("entity,relation,value,source\n")
        for i in range(facts):
            n = i // 4  # names are made of few words, as real ones are
            name = f"A{n % 53} B{n // 53 % 53} C{n // 53 // 53}"
            file.write(f"{name},relation {i % 40},value {i},book\n")
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(path), str(folder / f"{facts}.db")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    number, peak = map(int, done.stdout.split())
    return number, peak


@pytest.mark.timeout(300)
def test_a_load_takes_no_more_memory_for_six_times_the_facts(tmp_path: Path) -> None:
    (less, first), (more, second) = loaded(tmp_path, 50_000), loaded(tmp_path, 300_000)
    assert (less, more) == (50_000, 300_000)
    assert second < first + 32, f"{first} MiB for {less:,} facts and {second} MiB for {more:,}"
