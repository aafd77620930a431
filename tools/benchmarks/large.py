"""Ten million facts: loading, exact lookups and fuzzy search, each over a smaller store's.

    python -m tools.benchmarks.lookups --large [FACTS]

Names are made of real words, three or four of those that occur in the shipped world, about six
facts to an entity. The stores are made in build/bench_scratch and removed afterwards.
"""

from __future__ import annotations

import csv
import math
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.exchange.formats import read_rows
from graph.lookup.retriever import Retriever
from graph.lookup.spelling import words_of
from graph.opening import open_store
from graph.world import DATA
from tools.benchmarks.queries import mistyped

SCRATCH = Path("build") / "bench_scratch"
FACTS = 10_000_000
PAPER = 54_600_000  # facts of the database in arXiv 2505.15962
ASKED = 400
_RELATIONS = 40


@dataclass(frozen=True)
class Measured:
    """What one size of a store came to."""

    facts: int
    rate: float
    """Facts a second of processor time, CSV to store."""
    peak_mb: float
    file_mb: float
    exact: float
    """Median seconds of an exact lookup."""
    fuzzy: float
    """Median seconds of one with slips in the name."""


def large_rows(facts: int = FACTS, report: Callable[[str], None] = print) -> dict[str, Any]:
    """The rows marked *; `facts` less than ten million are a trial, and the rows say so."""
    least, less, most = (_measure(size, report) for size in (10_000, facts // 10, facts))
    more = {"runs": ASKED, "facts": facts}
    return {
        "exact_10m_vs_10k": {"ratio": most.exact / least.exact, **more},
        "fuzzy_10m_vs_1m": {"ratio": most.fuzzy / less.fuzzy, **more},
        "load_facts_per_cpu_second": {"ratio": most.rate, **more, "runs": 1},
        "load_peak_mb": {"ratio": most.peak_mb, **more, "runs": 1},
        **extrapolated(less, most, report),
    }


def extrapolated(
    less: Measured, most: Measured, report: Callable[[str], None] = print
) -> dict[str, Any]:
    """What the paper's database would come to, from two sizes that were measured.

    The file grows by as much a fact as between the two; the load's time a fact and a lookup's time
    grow by as much at each doubling because they grow with the depth and the spread of the
    trees. What did not grow between the two is taken to stay.
    """

    def at_each_doubling(small: float, large: float) -> float:
        each = (large - small) / math.log2(most.facts / less.facts)
        return large + max(0.0, each) * math.log2(PAPER / most.facts)

    slope = (most.file_mb - less.file_mb) / (most.facts - less.facts)
    file_gb = (most.file_mb + slope * (PAPER - most.facts)) / 1e3
    hours = PAPER * at_each_doubling(1 / less.rate, 1 / most.rate) / 3600
    exact_us = 1e6 * at_each_doubling(less.exact, most.exact)
    report(
        f"{PAPER:,} facts, extrapolated from {less.facts:,} and {most.facts:,}: a file of "
        f"{file_gb:.1f} GB ({1e6 * slope:.0f} bytes a fact), loaded in {hours:.1f} CPU hours "
        f"({1e6 / less.rate:.1f} and {1e6 / most.rate:.1f} µs a fact, the same more at each "
        f"doubling), an exact lookup in {exact_us:.0f} µs ({1e6 * less.exact:.0f} and "
        f"{1e6 * most.exact:.0f}, likewise)"
    )
    return {
        f"paper_{name}": {"ratio": value, "runs": 1, "facts": most.facts, "extrapolated": PAPER}
        for name, value in (
            ("file_gb", file_gb),
            ("load_cpu_hours", hours),
            ("exact_us", exact_us),
        )
    }


def _measure(size: int, report: Callable[[str], None]) -> Measured:
    folder = SCRATCH / f"large-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        names = write_facts(folder / "facts.csv", size)
        rate, peak = _load(folder)
        file_mb = (folder / "store.db").stat().st_size / 1e6
        report(
            f"{size:,} facts of {names:,} entities: {rate:,.0f} facts a CPU second, "
            f"peak {peak:,.0f} MB, file {file_mb:,.0f} MB"
        )
        exact, fuzzy = _ask(folder, names)
        report(f"  exact {1e6 * exact:.1f} µs, fuzzy {1e3 * fuzzy:.2f} ms (p50)")
        return Measured(size, rate, peak, file_mb, exact, fuzzy)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_facts(path: Path, facts: int, seed: int = 0) -> int:
    """A CSV file of so many facts; returns how many entities they are about."""
    rng = random.Random(seed)
    with (DATA / "world.csv").open(encoding="utf-8", newline="") as file:
        names = {row["entity"] for row in csv.DictReader(file)}
    words = sorted({word for name in names for word in words_of(name) if len(word) > 3})
    values = sorted(names)
    entities = max(1, facts // 6)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("entity", "relation", "value", "source"))
        for number in range(facts):
            if number % 6 == 0 and number // 6 < entities:
                name = name_of(number // 6, words)
            rows.writerow((name, f"relation {number % _RELATIONS}", rng.choice(values), "made up"))
    return entities


def name_of(number: int, words: list[str]) -> str:
    """The name of an entity: three or four words, another for each number."""
    rng = random.Random(number)
    return " ".join(rng.choice(words).capitalize() for _ in range(3 + number % 2))


def _load(folder: Path) -> tuple[float, float]:
    """Facts a second of processor time, and the most memory in MB, of the import as a command."""
    url = f"sqlite:///{folder}/store.db"
    open_store(url, create=True).close()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    script = (
        "import resource, sys; from graph.__main__ import main; code = main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
    )
    command = [sys.executable, "-c", script, "import", str(folder / "facts.csv"), "--store", url]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with open_store(url) as store:
        facts = store.statistics().facts
    return facts / seconds, int(printed.split()[-1]) / 1000


def _ask(folder: Path, entities: int) -> tuple[float, float]:
    """Median seconds of an exact lookup, and of one with slips in the name."""
    rng = random.Random(1)
    rows = read_rows(folder / "facts.csv")
    chosen = set(rng.sample(range(entities), min(ASKED, entities)))
    asked = [
        (row.entity, row.relation)  # type: ignore[union-attr]
        for number, row in enumerate(rows)
        if number % 6 == 0 and number // 6 in chosen
    ]
    rng.shuffle(asked)
    with open_store(f"sqlite:///{folder}/store.db") as store:
        retriever = Retriever(store, embeddings=False)
        retriever.lookup("a warm", "start")
        exact, fuzzy, found = [], [], 0
        for name, relation in asked:
            begun = time.perf_counter()
            lookup = retriever.lookup(name, relation)
            exact.append(time.perf_counter() - begun)
            assert lookup.how == "exact"
            wrong = mistyped(name, rng)
            begun = time.perf_counter()
            found += retriever.lookup(wrong, relation).resolved_entity == name
            fuzzy.append(time.perf_counter() - begun)
    assert found > len(asked) / 2, f"{found} of {len(asked)} misspelt names were found"
    return statistics.median(exact), statistics.median(fuzzy)
