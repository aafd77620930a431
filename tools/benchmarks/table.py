"""The tables of docs/performance.md, made from the benchmarks' results.

    python -m tools.benchmarks.table

Takes the rows of build/bench.json into tools/benchmarks/measured.json, which is kept with the code,
and writes each table between its two marks in docs/performance.md.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

from tools.benchmarks.results import read_results
from training.report.measures import table as markdown

KEPT = Path(__file__).with_name("measured.json")
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- python -m tools.benchmarks.table: {} -->\n", "<!-- end of the table -->"
FULL = 10_000_000  # facts of the rows that `make bench-large` measures

# Each row: its name, what it is, its bound ("" where there is none), and digits after the point.
TABLES = {
    "graph": (
        ("lookup_balanced_accuracy", "balanced accuracy of lookups, two stages", "≥ 0.85", 3),
        ("lookup_flat_balanced_accuracy", "the same, one flat search", "0.20 below", 3),
        ("lookup_flat_calibrated_accuracy", "the same, its threshold calibrated too", "", 3),
        ("lookup_synonym_accuracy", "reworded relations that have a synonym row", "", 3),
        ("lookup_paraphrase_accuracy", "reworded relations that have none", "", 3),
        ("lookup_wrong_ratio", "wrong answers over the flat search's", "≤ 0.25", 3),
        ("lookup_exact_vs_flat", "the flat search's time over ours: exact, alias", "≥ 200", 0),
        ("lookup_fuzzy_vs_flat", "the flat search's time over ours: typing errors", "≥ 3", 1),
        (
            "lookup_encoded_vs_flat",
            "the flat search's time over ours: relation by meaning",
            "≥ 1.5",
            1,
        ),
        ("lookup_memory_ratio", "resident memory, our index over the flat one's", "≤ 0.1", 3),
        ("exact_10m_vs_10k", "exact lookup, 10 million facts over 10 thousand", "≤ 2", 2),
        ("fuzzy_10m_vs_1m", "fuzzy lookup, 10 million facts over 1 million", "≤ 4", 2),
        ("load_facts_per_cpu_second", "facts loaded in a CPU second, CSV to file", "≥ 40,000", 0),
        ("load_peak_mb", "MB of memory at most while ten million facts are loaded", "≤ 1,024", 0),
        ("paper_file_gb", "54.6 million facts, extrapolated: GB of file", "", 1),
        ("paper_load_cpu_hours", "54.6 million facts, extrapolated: CPU hours to load", "", 1),
        ("paper_exact_us", "54.6 million facts, extrapolated: µs of a lookup", "", 0),
        ("neo4j_batch_vs_unwind", "import into Neo4j over a bare UNWIND … MERGE", "≥ 0.6", 2),
        ("reads_under_writes", "reads while four write, relative to reads alone", "≥ 0.4", 2),
    ),
    "model": (
        (
            "decode_vs_generate",
            "tokens a second with lookups, relative to plain `generate`",
            "≥ 1",
            2,
        ),
        (
            "regenerate_vs_generate",
            "time of a regeneration after an edit, relative to writing the text from the start",
            "≤ 0.6",
            2,
        ),
        (
            "guided_vs_unguided",
            "time of a text with guided lookups, relative to the same text without guidance",
            "≤ 1.1",
            2,
        ),
        (
            "page_overhead",
            "tokens a second that the browser shows, relative to the decoder alone",
            "≥ 0.8",
            2,
        ),
        ("edit_to_first_word", "time to the first changed word, page over decoder", "≤ 2", 2),
    ),
    "training": (
        (
            "train_step_vs_bare_loop",
            "tokens a second, the Lightning run over a bare loop with the same loss",
            "≥ 0.95",
            2,
        ),
        (
            "sliced_loss_vs_full",
            "tokens a second, a loss of trained tokens over one of all",
            "",
            2,
        ),
        ("mask_cost_share", "time of the masks over that of a step", "≤ 0.01", 4),
        ("mask_vs_python_loop", "a Python loop's time over the masks'", "≥ 10", 1),
        ("data_loading_ratio", "tokens a second, real data over a cached batch", "≥ 0.98", 3),
    ),
}
"""Rows by table."""


def table(name: str, rows: dict[str, dict[str, Any]]) -> str:
    """A table in Markdown of the measured rows; a row measured on fewer facts says so."""
    lines = []
    for row_name, what, bound, digits in TABLES[name]:
        if (row := rows.get(row_name)) is None:
            continue
        measured = f"{row['ratio']:,.{digits}f}"
        if row.get("facts", FULL) < FULL:
            measured += f" (at {row['facts']:,} facts)"
        lines.append([what, measured, bound])
    return markdown(["what", "measured", "bound"], lines) + "\n"


def missed(rows: dict[str, dict[str, Any]]) -> list[str]:
    """The figures outside their bounds, one sentence each."""
    messages = []
    for name, _, bound, _ in itertools.chain.from_iterable(TABLES.values()):
        sign, _, limit = bound.partition(" ")
        if name not in rows or sign not in ("≥", "≤"):
            continue
        ratio, least = rows[name]["ratio"], float(limit.replace(",", ""))
        if ratio < least if sign == "≥" else ratio > least:
            messages.append(f"{name} is {ratio:,.4g}, and should be {bound}")
    ours, flat = (rows.get(f"lookup_{kind}balanced_accuracy") for kind in ("", "flat_"))
    if ours and flat and ours["ratio"] < flat["ratio"] + 0.20:
        messages.append("lookup_flat_balanced_accuracy is not 0.20 below that of two stages")
    return messages


def main() -> int:
    """Keep the new results, and write the tables."""
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    found = read_results()
    names = [name for rows in TABLES.values() for name, *_ in rows]
    kept = {name: found.get(name, kept.get(name)) for name in names}
    kept = {name: row for name, row in kept.items() if row}
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    text = PAGE.read_text("utf-8")
    for name in TABLES:
        before, begin, rest = text.partition(BEGIN.format(name))
        if not begin:
            raise SystemExit(f"{PAGE.name} has no mark for the table {name}.")
        text = f"{before}{begin}{table(name, kept)}{END}{rest.partition(END)[2]}"
    PAGE.write_text(text, encoding="utf-8")
    print("\n".join(missed(kept)) or "Every bound is met.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
