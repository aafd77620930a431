"""The model card says what its sources say."""

from __future__ import annotations

import json

import pytest

from training.card import measure_table, training_hours, write_card
from training.logs import CurveLogger, read_curve
from training.module import TrainingError

FOUND = {
    "coverage": {"value": 0.9671, "low": 0.95, "high": 0.98, "n": 3210},
    "coverage_held_out": {"value": 0.955, "low": 0.94, "high": 0.97, "n": 1001},
    "coverage_macro": {"value": 0.91, "low": 0.9, "high": 0.92, "n": 40},
    "closed_book_held_out": {"value": 1.2, "low": 1.0, "high": 1.4, "n": 50},
    "natural": {"value": 0.93, "low": 0.86, "high": 0.97, "n": 100},
}


@pytest.fixture
def run(tmp_path):
    logger = CurveLogger(str(tmp_path / "run"))
    for step in range(9, 100, 10):
        tokens = (step + 1) * 8000.0
        logger.log_metrics(
            {
                "train/tokens": tokens,
                "train/tokens_per_second": 4000.0,
                "train/loss_text": 5.0 / step,
                "train/copy_accuracy": step / 100,
                "epoch": 0,
            },
            step,
        )
    logger.log_metrics({"validation/loss": 1.5, "validation/copy_accuracy": 0.5}, 99)
    return tmp_path / "run"


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(bytes(3 * 2**20))
    (folder / "held_out.txt").write_text("Ulm\nBari\n", encoding="utf-8")
    facts = {
        "parameters": 6_900_000,
        "steps": 2050,
        "tokens_seen": 16_400_000,
        "settings": {"hidden_size": 256, "learning_rate": 0.002},
        "corpus": {
            "seed": 7,
            "splits": {"train": {"kinds": {"paragraph": 75, "question": 25}}},
        },
    }
    (folder / "training.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / "evaluation.json").write_text(json.dumps(FOUND), encoding="utf-8")
    return folder


def test_the_card_holds_every_number(model, run):
    card = write_card(model, run, model / "evaluation.json").read_text("utf-8")
    for part in (
        "6.9 million parameters (3.0 MiB)",
        "| 0.967 (0.950 to 0.980; n = 3,210) | 0.910 (0.900 to 0.920; n = 40) | 0.955 (0.940",
        "| `closed_book_held_out` |",  # a measure of its own, of no other's held-out entities
        "2,050 steps, 16.4 million",
        "at 4,000 tokens a second",
        "seed is 7",
        "the 2 held-out entities",
        "| paragraph | 75 (75.0%) |",
        "| learning_rate | 0.002 |",
    ):
        assert part in card
    assert (model / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_hours_follow_from_tokens_and_rate(run):
    assert training_hours(read_curve(run)) == pytest.approx(800_000 / 4000 / 3600)


def test_what_is_missing_is_told(model, run, tmp_path):
    with pytest.raises(TrainingError, match="give the folder of the run"):
        write_card(model, tmp_path / "none", model / "evaluation.json")
    with pytest.raises(TrainingError, match="measure it with"):
        write_card(model, run, tmp_path / "none.json")
    (model / "training.json").unlink()
    with pytest.raises(TrainingError, match="export the run"):
        write_card(model, run, model / "evaluation.json")


def test_measures_without_held_out_have_an_empty_cell():
    assert measure_table(FOUND).splitlines()[-1].endswith("n = 100) |  |  |")


def test_a_resumed_log_keeps_the_later_values(tmp_path):
    for value in (1.0, 2.0):
        CurveLogger(str(tmp_path)).log_metrics({"train/loss": value}, 5)
    assert read_curve(tmp_path) == {"train/loss": {5: 2.0}}
