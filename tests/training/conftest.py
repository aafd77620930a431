"""A toy corpus and a tiny module, made once for all tests of this room, and what a card is of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.training.toy import write_toy_corpus
from training.fit.curve_log import CurveLogger

FOUND = {
    "coverage": {"value": 0.9671, "low": 0.95, "high": 0.98, "n": 3210},
    "coverage_held_out": {"value": 0.955, "low": 0.94, "high": 0.97, "n": 1001},
    "coverage_macro": {"value": 0.91, "low": 0.9, "high": 0.92, "n": 40},
    "closed_book_held_out": {"value": 1.2, "low": 1.0, "high": 1.4, "n": 50},
    "natural": {"value": 0.93, "low": 0.86, "high": 0.97, "n": 100},
}


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def toy_corpus(tmp_path_factory) -> Path:
    return write_toy_corpus(tmp_path_factory.mktemp("corpus") / "toy", train=80)


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
        "last_run": {"hours": 0.52, "tokens_per_second": 4000.0, "device": "2 CPU threads"},
        "corpus": {
            "seed": 7,
            "splits": {"train": {"kinds": {"paragraph": 75, "question": 25}}},
        },
    }
    (folder / "training.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / "curve.png").write_bytes(b"")
    (folder / "evaluation.json").write_text(json.dumps(FOUND), encoding="utf-8")
    run = {"sha256": "", "seed": 0, "jobs": 2, "seconds": 1500.0}
    (folder / "evaluation.run.json").write_text(json.dumps(run), encoding="utf-8")
    return folder
