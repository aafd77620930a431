"""What is read from a run's log."""

from __future__ import annotations

import pytest

from training.fit.curve_log import CurveLogger, read_curve
from training.fit.curves import draw_curves, median_rate, training_hours


def test_hours_follow_from_tokens_and_rate(run):
    assert training_hours(read_curve(run)) == pytest.approx(800_000 / 4000 / 3600)


def test_the_speed_is_the_median():
    rates = {"train/tokens_per_second": {1: 10.0, 2: 30.0, 3: 1000.0, 4: 20.0}}
    assert median_rate(rates) == 25
    assert median_rate({}) == 0


def test_each_part_took_as_long_as_its_own_rate_says():
    curves = {
        "train/tokens": {1: 100.0, 2: 300.0, 3: 400.0},
        "train/tokens_per_second": {1: 10.0, 2: 50.0},  # none was logged at the third
    }
    assert training_hours(curves) == pytest.approx((100 / 10 + 200 / 50) / 3600)


def test_the_picture_is_a_png(run, tmp_path):
    draw_curves(read_curve(run), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_resumed_log_keeps_the_later_values(tmp_path):
    for value in (1.0, 2.0):
        CurveLogger(str(tmp_path)).log_metrics({"train/loss": value}, 5)
    assert read_curve(tmp_path) == {"train/loss": {5: 2.0}}
