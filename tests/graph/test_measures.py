"""What the README says that the graph measures is what was measured."""

from __future__ import annotations

import json

from tests.benchmarks.large import Measured, extrapolated
from tests.benchmarks.table import BEGIN, END, KEPT, README, table


def test_the_readme_has_the_table_of_the_results_that_are_kept() -> None:
    kept = json.loads(KEPT.read_text("utf-8"))
    assert kept
    assert f"{BEGIN}{table(kept)}{END}" in README.read_text("utf-8"), (
        "the README's table is stale: python -m tests.benchmarks.table"
    )


def test_a_trial_is_said_to_be_one() -> None:
    rows = {"exact_10m_vs_10k": {"ratio": 1.234, "facts": 1_000_000}}
    assert "| 1.23 (at 1,000,000 facts) | ≤ 2 |" in table(rows)


def test_an_extrapolation_goes_on_as_it_was_measured() -> None:
    told: list[str] = []
    less = Measured(1_000_000, 50_000, 400, 160, 70e-6, 1e-3)
    most = Measured(2_000_000, 40_000, 400, 320, 70e-6, 1e-3)
    rows = extrapolated(less, most, told.append)
    assert abs(rows["paper_file_gb"]["ratio"] - 0.16 * 54.6) < 1e-6
    # 25 µs a fact at two million, 5 µs more at each of the 4.77 doublings to 54.6 million.
    assert abs(rows["paper_load_cpu_hours"]["ratio"] - 54.6 * (25 + 5 * 4.7708) / 3600) < 1e-4
    assert abs(rows["paper_exact_us"]["ratio"] - 70) < 1e-6
    assert "extrapolated from 1,000,000 and 2,000,000" in told[0]
