"""What docs/performance.md says was measured is what was measured."""

from __future__ import annotations

import json

import pytest

from tools.benchmarks.large import Measured, extrapolated
from tools.benchmarks.table import BEGIN, END, KEPT, PAGE, TABLES, missed, table


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_the_tables_of_the_results_that_are_kept(name: str) -> None:
    kept = json.loads(KEPT.read_text("utf-8"))
    assert {row for row, *_ in TABLES[name]} <= kept.keys()
    assert f"{BEGIN.format(name)}{table(name, kept)}{END}" in PAGE.read_text("utf-8"), (
        "the table of docs/performance.md is stale: python -m tools.benchmarks.table"
    )


def test_every_figure_that_is_kept_is_within_its_bound() -> None:
    assert missed(json.loads(KEPT.read_text("utf-8"))) == []


def test_a_figure_outside_its_bound_is_told() -> None:
    rows = {"mask_cost_share": {"ratio": 0.02}, "load_facts_per_cpu_second": {"ratio": 39_999}}
    assert missed(rows) == [
        "load_facts_per_cpu_second is 4e+04, and should be ≥ 40,000",
        "mask_cost_share is 0.02, and should be ≤ 0.01",
    ]
    assert missed({"mask_cost_share": {"ratio": 0.01}}) == []
    rows = {"lookup_balanced_accuracy": {"ratio": 0.9}}
    assert missed(rows | {"lookup_flat_balanced_accuracy": {"ratio": 0.69}}) == []
    assert missed(rows | {"lookup_flat_balanced_accuracy": {"ratio": 0.71}}) != []


def test_a_trial_is_said_to_be_one() -> None:
    rows = {"exact_10m_vs_10k": {"ratio": 1.234, "facts": 1_000_000}}
    assert "| 1.23 (at 1,000,000 facts) | ≤ 2 |" in table("graph", rows)


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
