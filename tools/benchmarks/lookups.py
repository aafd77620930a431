"""Compares lookups in two stages with one flat search over embeddings of all facts, as in LMLM.

    python -m tools.benchmarks.lookups [--large [FACTS]]

The rows `lookup_*` say how often each is right on the 600 queries of `benchmarks/queries.py`, and
how long each takes. One half of the queries calibrates the thresholds, and the figures are from the
other half. The flat search uses FAISS's IndexFlatIP over MiniLM embeddings of "entity relation" for
every fact, with the threshold 0.6. Encoding them takes ten minutes of processor time. That happens
once, because they are stored in build/bench_scratch.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from graph.core.import_rows import FactRow, RelationRow
from graph.core.vectors import Vectors
from graph.lookup.encoder import installed_encoder, load_encoder
from graph.lookup.retriever import Retriever, Thresholds
from graph.opening import open_store
from graph.world import make_world, world_rows
from tools.benchmarks.facts import renamed_facts
from tools.benchmarks.large import FACTS, large_rows
from tools.benchmarks.queries import UNANSWERABLE, Query, draw
from tools.benchmarks.results import write_results

SCRATCH = Path("build") / "bench_scratch"
TIMED_FACTS = 200_000
BLOCK = 20  # lookups that one side makes before the other side's turn
FLAT_THRESHOLD = 0.6
Answer = frozenset[str]
Rows = dict[str, dict[str, Any]]


class Flat:
    """The reference's index: one vector for each entity and relation, all compared in a search."""

    def __init__(self, pairs: Sequence[tuple[str, str]], vectors_ND: Vectors) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        self.pairs = pairs
        self.index = faiss.IndexFlatIP(vectors_ND.shape[1])
        self.index.add(vectors_ND)

    def search(self, vectors_QD: Vectors) -> list[tuple[tuple[str, str], float]]:
        """For each query, the nearest pair and its cosine."""
        scores_Q1, places_Q1 = self.index.search(vectors_QD, 1)
        return [
            (self.pairs[place], float(score))
            for place, score in zip(places_Q1[:, 0], scores_Q1[:, 0], strict=True)
        ]


def lookup_rows(report: Callable[[str], None] = print) -> Rows:
    """All rows of this module; none, and a message, if the encoder is not installed."""
    if installed_encoder() is None:
        report("lookup_*: skipped; install requirements-embeddings.txt to measure them.")
        return {}
    SCRATCH.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{SCRATCH}/lookups.db"
    (SCRATCH / "lookups.db").unlink(missing_ok=True)
    make_world(url)
    with open_store(url) as store:
        rows = accuracy_rows(store, report)
    rows.update(timing_rows(report))
    return rows


def accuracy_rows(store: Any, report: Callable[[str], None]) -> Rows:
    """How often the two stages and the flat search are right, and how often they are wrong."""
    queries = draw(store)
    first, second = queries[::2], queries[1::2]
    pairs = sorted({(fact.entity, fact.relation) for fact in store.all_facts()})
    values: dict[tuple[str, str], Answer] = {}
    for fact in store.all_facts():
        pair = (fact.entity, fact.relation)
        values[pair] = values.get(pair, frozenset()) | {fact.value}
    flat = Flat(pairs, _vectors([f"{entity} {relation}" for entity, relation in pairs]))
    encoder = installed_encoder()
    assert encoder is not None
    asked_QD = encoder.encode([f"{q.entity} {q.relation}" for q in queries])
    near = dict(zip(queries, flat.search(asked_QD), strict=True))

    def flat_answers(threshold: float, of: Sequence[Query]) -> list[Answer]:
        return [values[near[q][0]] if near[q][1] >= threshold else frozenset() for q in of]

    def our_answers(thresholds: Thresholds, embeddings: bool, of: Sequence[Query]) -> list[Answer]:
        retriever = Retriever(store, thresholds=thresholds, embeddings=embeddings)
        return [
            frozenset(fact.value for fact in retriever.lookup(q.entity, q.relation).facts)
            for q in of
        ]

    choices: list[tuple[Thresholds, bool]] = [
        (Thresholds(entity, 0.75, meaning), embeddings)
        for entity, meaning in product((0.7, 0.75, 0.8, 0.85), (0.5, 0.55, 0.6, 0.65, 0.7, 0.75))
        for embeddings in (True, False)
        if embeddings or meaning == 0.6
    ]
    chosen = max(choices, key=lambda c: balanced_accuracy(first, our_answers(c[0], c[1], first)))
    report(f"two stages, calibrated: {chosen[0]}, embeddings {chosen[1]}")
    ours = our_answers(chosen[0], chosen[1], second)
    theirs = flat_answers(FLAT_THRESHOLD, second)
    cuts = [cut / 100 for cut in range(40, 100, 2)]
    best_cut = max(cuts, key=lambda cut: balanced_accuracy(first, flat_answers(cut, first)))
    rows: Rows = {
        "lookup_balanced_accuracy": {"ratio": balanced_accuracy(second, ours)},
        "lookup_flat_balanced_accuracy": {"ratio": balanced_accuracy(second, theirs)},
        "lookup_wrong_ratio": {"ratio": _wrong(second, ours) / max(1, _wrong(second, theirs))},
    }
    calibrated = flat_answers(best_cut, second)
    rows["lookup_flat_calibrated_accuracy"] = {"ratio": balanced_accuracy(second, calibrated)}
    for name, answers in (("", ours), ("flat_", theirs)):
        right = Counter(q.kind for q, a in zip(second, answers, strict=True) if right_is(q, a))
        total = Counter(q.kind for q in second)
        for kind in ("synonym", "paraphrase"):
            rows[f"lookup_{name}{kind}_accuracy"] = {"ratio": right[kind] / total[kind]}
        shares = ", ".join(f"{kind} {right[kind]}/{total[kind]}" for kind in total)
        report(f"{name or 'two stages '}right: {shares}")
    ends = _intervals(second, ours, theirs)
    for name, (low, high) in ends.items():
        rows[name].update(low=low, high=high)
    for row in rows.values():
        row["runs"] = len(second)
        row["flat_pairs"] = len(pairs)
    return rows


def right_is(query: Query, answer: Answer) -> bool:
    """Whether an answer is right: exactly the values, or a miss if there are none."""
    return answer == query.values


def balanced_accuracy(queries: Sequence[Query], answers: Sequence[Answer]) -> float:
    """The mean of two shares: right answers to answerable queries, and misses of the others."""
    sides: dict[bool, list[bool]] = {True: [], False: []}
    for query, answer in zip(queries, answers, strict=True):
        sides[query.kind in UNANSWERABLE].append(right_is(query, answer))
    return statistics.fmean(statistics.fmean(side) for side in sides.values())


def _wrong(queries: Sequence[Query], answers: Sequence[Answer]) -> int:
    """How many answers are neither right nor a miss."""
    return sum(bool(a) and not right_is(q, a) for q, a in zip(queries, answers, strict=True))


def _intervals(
    queries: Sequence[Query], ours: Sequence[Answer], theirs: Sequence[Answer]
) -> dict[str, tuple[float, float]]:
    """95 % intervals of the balanced accuracies and of the ratio of wrong answers, by bootstrap."""
    rng = random.Random(0)
    drawn: dict[str, list[float]] = {"lookup_balanced_accuracy": [], "lookup_wrong_ratio": []}
    drawn["lookup_flat_balanced_accuracy"] = []
    for _ in range(300):
        places = rng.choices(range(len(queries)), k=len(queries))
        some = [queries[i] for i in places]
        one, other = [ours[i] for i in places], [theirs[i] for i in places]
        drawn["lookup_balanced_accuracy"].append(balanced_accuracy(some, one))
        drawn["lookup_flat_balanced_accuracy"].append(balanced_accuracy(some, other))
        drawn["lookup_wrong_ratio"].append(_wrong(some, one) / max(1, _wrong(some, other)))
    return {
        name: (float(np.percentile(values, 2.5)), float(np.percentile(values, 97.5)))
        for name, values in drawn.items()
    }


def _vectors(texts: Sequence[str]) -> Vectors:
    """The texts' embeddings, stored on disk because the whole world takes ten minutes."""
    encoder = installed_encoder()
    assert encoder is not None
    name = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
    path = SCRATCH / f"minilm-{name}.npy"
    if path.exists():
        kept: Vectors = np.load(path)
        return kept
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    vectors_ND = np.zeros((len(texts), 384), np.float32)
    for begin in range(0, len(order), 128):
        places = order[begin : begin + 128]
        vectors_ND[places] = encoder.encode_uncached([texts[i] for i in places])  # type: ignore[attr-defined]
    np.save(path, vectors_ND)
    return vectors_ND


def timing_rows(report: Callable[[str], None]) -> Rows:
    """The flat search's median time over ours at 200,000 facts, encoding included.

    Both sides take turns in blocks of lookups, because a text makes its lookups one after another.
    Right after a flat search, which moves 307 MB through the processor's caches, one of our lookups
    takes eight times as long.
    """
    url = f"sqlite:///{SCRATCH}/timed.db"
    make_timed_store(url)
    encoder = load_encoder()  # a new one, which has none of the phrases in its cache
    assert encoder is not None
    generator = np.random.default_rng(0)
    vectors_ND = generator.standard_normal((TIMED_FACTS, 384), dtype=np.float32)
    vectors_ND /= np.linalg.norm(vectors_ND, axis=1, keepdims=True)
    flat = Flat([("", "")] * TIMED_FACTS, vectors_ND)
    del vectors_ND
    with open_store(url) as store:
        queries = draw(store)
        retriever = Retriever(store, encoder=encoder)
        paraphrases = [q for q in queries if q.kind == "paraphrase"]
        kinds = {
            "lookup_exact_vs_flat": [
                q for q in queries if q.kind in ("alias", "lacks the relation", "unknown relation")
            ],
            "lookup_fuzzy_vs_flat": [q for q in queries if q.kind == "typo"],
            # Each phrase once, because both sides cache the vectors of phrases.
            "lookup_encoded_vs_flat": list({q.relation: q for q in paraphrases}.values()),
        }
        kinds["lookup_exact_vs_flat"] = [
            q if q.kind == "alias" else _answered(store, q) for q in kinds["lookup_exact_vs_flat"]
        ]
        retriever.lookup("France", "a phrase nobody wrote")  # reads the vocabulary
        rows = {}
        for name, asked in kinds.items():
            ours: list[float] = []
            theirs: list[float] = []
            for begin in range(0, 60, BLOCK):
                block = asked[:60][begin : begin + BLOCK]
                for query in block:
                    begun = time.perf_counter()
                    retriever.lookup(query.entity, query.relation)
                    ours.append(time.perf_counter() - begun)
                for query in block:
                    # a phrase that is not in the encoder's cache
                    text = f"{query.entity} {query.relation} {len(theirs)}"
                    begun = time.perf_counter()
                    flat.search(encoder.encode([text]))
                    theirs.append(time.perf_counter() - begun)
            one, other = statistics.median(ours), statistics.median(theirs)
            report(f"{name}: flat search {1e3 * other:.2f} ms, ours {1e3 * one:.3f} ms")
            rows[name] = {"ratio": other / one, "ours_ms": 1e3 * one, "runs": len(ours)}
    mine, flat_size, encoder_size = (_resident(url, what) for what in ("ours", "flat", "encoder"))
    report(f"resident memory: ours {mine:.1f} MB, flat {flat_size:.1f}, encoder {encoder_size:.1f}")
    rows["lookup_memory_ratio"] = {
        "ratio": mine / flat_size,
        "ours_mb": mine,
        "flat_mb": flat_size,
        "encoder_mb": encoder_size,
        "file_mb": Path(url.removeprefix("sqlite:///")).stat().st_size / 1e6,  # on disk
        "runs": 1,
    }
    return rows


def _answered(store: Any, query: Query) -> Query:
    """An exact lookup of the same entity, by its first fact."""
    fact = store.facts(store.find_entities(query.entity)[0][0].id)[0]
    return Query("exact", fact.entity, fact.relation, frozenset({fact.value}), None)


def make_timed_store(url: str, facts: int = TIMED_FACTS) -> None:
    """Make a store of this many facts: copies of the shipped world with renamed entities."""
    path = Path(url.removeprefix("sqlite:///"))
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)

    def rows() -> Iterable[Any]:
        world = list(world_rows())
        yield from (row for row in world if isinstance(row, RelationRow))
        yield from renamed_facts(facts)
        yield from (row for row in world if not isinstance(row, FactRow | RelationRow))

    with open_store(url, create=True) as store:
        store.load(rows(), author="bench", kind="init")


def _resident(url: str, what: str) -> float:
    """Megabytes of memory that one index adds to a new process."""
    script = "from tools.benchmarks.lookups import gain; import sys; print(gain(*sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, url, what], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def gain(url: str, what: str) -> float:
    """Megabytes of resident memory that one index adds to this process, which must be new."""
    import faiss  # noqa: F401  # imported first, so that the library does not count

    with open_store(url) as store:
        queries = draw(store)
    before = _resident_now()
    encoder = installed_encoder()
    assert encoder is not None
    encoder.encode(["something"])
    if what == "encoder":
        return _resident_now() - before
    before = _resident_now()
    if what == "ours":
        with open_store(url) as store:
            retriever = Retriever(store)
            for query in queries:
                retriever.lookup(query.entity, query.relation)
            return _resident_now() - before
    if what == "flat":
        flat = Flat([("", "")] * TIMED_FACTS, np.ones((TIMED_FACTS, 384), np.float32))
        flat.search(encoder.encode(["something"]))
    return _resident_now() - before


def _resident_now() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    return 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the lookups, or a store of ten million facts; add the rows to build/bench.json."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmarks.lookups",
        description="Measure the lookups and add the rows to build/bench.json.",
    )
    parser.add_argument(
        "--large",
        type=int,
        nargs="?",
        const=FACTS,
        metavar="FACTS",
        help=f"measure a large store instead, of this many facts (default: {FACTS:,})",
    )
    options = parser.parse_args(arguments)
    rows = large_rows(options.large) if options.large else lookup_rows()
    for name, row in rows.items():
        print(f"{name:36} {row['ratio']:12,.3f}")
    write_results(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
