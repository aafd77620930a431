"""The README's table of what the graph measures, made from the benchmarks' results.

    python -m tests.benchmarks.table

Takes the graph's rows of build/bench.json into tests/benchmarks/graph.json, which is kept with the
code, and writes the table between the README's two marks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

RESULTS = Path("build") / "bench.json"
KEPT = Path(__file__).with_name("graph.json")
README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- python -m tests.benchmarks.table -->\n", "<!-- end of the table -->"
FULL = 10_000_000  # facts of the rows that `make bench-large` measures

# Each row: its name, what it is, its bound ("" where there is none), and digits after the point.
ROWS = (
    ("lookup_balanced_accuracy", "lookups answered right (balanced), two stages", "≥ 0.85", 3),
    ("lookup_flat_balanced_accuracy", "the same, one flat search", "0.20 below", 3),
    ("lookup_flat_calibrated_accuracy", "the same, its threshold calibrated too", "", 3),
    ("lookup_synonym_accuracy", "reworded relations that have a synonym row", "", 3),
    ("lookup_paraphrase_accuracy", "reworded relations that have none", "", 3),
    ("lookup_wrong_ratio", "wrong answers over the flat search's", "≤ 0.25", 3),
    ("lookup_exact_vs_flat", "the flat search's time over ours: exact, alias", "≥ 200", 0),
    ("lookup_fuzzy_vs_flat", "the flat search's time over ours: typing errors", "≥ 3", 1),
    ("lookup_encoded_vs_flat", "the flat search's time over ours: relation by meaning", "≥ 1.5", 1),
    ("lookup_memory_ratio", "resident memory, our index over the flat one's", "≤ 0.1", 3),
    ("exact_10m_vs_10k", "exact lookup, 10 million facts over 10 thousand", "≤ 2", 2),
    ("fuzzy_10m_vs_1m", "fuzzy lookup, 10 million facts over 1 million", "≤ 4", 2),
    ("load_facts_per_cpu_second", "facts loaded in a CPU second, CSV to file", "≥ 40,000", 0),
    ("paper_file_gb", "54.6 million facts, extrapolated: GB of file", "", 1),
    ("paper_load_cpu_hours", "54.6 million facts, extrapolated: CPU hours to load", "", 1),
    ("paper_exact_us", "54.6 million facts, extrapolated: µs of a lookup", "", 0),
    ("neo4j_batch_vs_unwind", "import into Neo4j over a bare UNWIND … MERGE", "≥ 0.6", 2),
    ("reads_under_writes", "reads while four write, over reads alone", "≥ 0.4", 2),
)


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The table in Markdown, of what was measured; what was, on too little, says so."""
    lines = ["| what | measured | bound |", "| --- | --- | --- |"]
    for name, what, bound, digits in ROWS:
        if (row := rows.get(name)) is None:
            continue
        measured = f"{row['ratio']:,.{digits}f}"
        if row.get("facts", FULL) < FULL:
            measured += f" (at {row['facts']:,} facts)"
        lines.append(f"| {what} | {measured} | {bound} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Keep the new results, and write the README's table."""
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    found = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    kept = {name: found.get(name, kept.get(name)) for name, *_ in ROWS}
    kept = {name: row for name, row in kept.items() if row}
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}{table(kept)}{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
