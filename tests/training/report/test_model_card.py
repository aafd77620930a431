"""The model card says what its sources say."""

from __future__ import annotations

import json

import pytest

from graph.version import VERSION
from model.checkpoint import WORLD
from training.errors import TrainingError
from training.report.model_card import write_card
from training.report.reader_verdicts import Verdict, read_verdicts


def test_the_card_holds_every_number(model):
    card = write_card(model).read_text("utf-8")
    for part in (
        "6.9 million parameters (3.0 MiB)",
        "| 0.967 (0.950 to 0.980; n = 3,210) | 0.910 (0.900 to 0.920; n = 40) | 0.955 (0.940",
        "| `closed_book_held_out` |",  # a measure of its own, of no other's held-out entities
        "On 16.4 million tokens (padding included), by `python -m training fit",
        "2,050 steps, 0.5 hours on 2 CPU threads at 4,000 tokens a second (the median). The",
        "](curve.png)",
        "on the shipped graph with seed 0, in 25 minutes with 2 processes.\n",
        "seed is 7",
        "the 2 held-out\nentities",
        "| paragraph | 75 (75.0%) |",
        "| learning_rate | 0.002 |",
    ):
        assert part in card
    assert card.endswith(f"\n\n*Card written by Lamplight {VERSION}.*\n")


def test_the_key_figures_come_first_and_the_rest_is_folded(model):
    card = write_card(model).read_text("utf-8")
    open_part, _, folded = card.partition("<details>")
    assert "## Key figures\n\n| measure | what | all | held-out entities |\n" in open_part
    assert "| `coverage` |" in open_part
    assert "`closed_book_held_out`" not in open_part
    assert "| `closed_book_held_out` |" in folded
    assert "## Limits" in open_part
    assert card.count("<details>\n<summary>") == card.count("\n</details>\n") == 2


def test_a_run_without_a_log_has_neither_speed_nor_curves(model):
    path = model / "training.json"
    facts = json.loads(path.read_text("utf-8"))
    del facts["last_run"]
    path.write_text(json.dumps(facts), encoding="utf-8")
    (model / "curve.png").unlink()
    card = write_card(model).read_text("utf-8")
    assert "2,050 steps. The" in card
    assert "curve.png" not in card


def test_the_card_tells_of_all_training_and_of_the_last_run_apart(model):
    path = model / "training.json"
    facts = json.loads(path.read_text("utf-8"))
    facts["settings"]["start_from"], facts["seconds"] = "model/checkpoints/world", 9000.0
    path.write_text(json.dumps(facts), encoding="utf-8")
    card = write_card(model).read_text("utf-8")
    assert "on 16.4 million tokens (padding included) in 2.5 hours. The last run was " in card


def test_the_card_has_the_verdicts_of_a_reader(model):
    lines = [
        "1. (yes) Ulm is a city.",
        "2. (**not natural**: said (twice)) Ulm is a city (a city).",
        "3. (**not readable**: breaks off) Bari (a city) is",
        "nor a verdict",
    ]
    (model / "natural.md").write_text("\n".join(lines), encoding="utf-8")
    assert read_verdicts(model)[1] == Verdict("Ulm is a city (a city).", False, True)
    assert [v.readable for v in read_verdicts(model)] == [True, True, False]
    card = write_card(model).read_text("utf-8")
    assert "by eye, in which every sentence is one that a person would write | 0.333 (" in card
    assert "by eye, without a loop or a broken sentence | 0.667 (" in card


def test_the_card_tells_of_the_runs_before(model):
    assert "The earlier runs" not in write_card(model).read_text("utf-8")
    path = model / "training.json"
    facts = json.loads(path.read_text("utf-8"))
    facts["before"] = [{"tokens_seen": 5_000_000, "steps": 1234, "corpus_seed": 3}]
    path.write_text(json.dumps(facts), encoding="utf-8")
    assert "| 5.0 | 1,234 | 3 |  |  |" in write_card(model).read_text("utf-8")


def test_the_card_has_the_throughput_by_size_and_context(model):
    assert "How fast" not in write_card(model).read_text("utf-8")
    rates = {"5 M": {"256": 6543.2, "1024": 4000.0}, "20 M": {"256": 2345.6, "1024": 1500.4}}
    path = model / "scaling.json"
    path.write_text(json.dumps({"threads": 2, "tokens_per_second": rates}), encoding="utf-8")
    card = write_card(model).read_text("utf-8")
    assert "| parameters | context 256 | context 1,024 |\n| --- | ---: | ---: |\n" in card
    assert "| 20 M | 2,346 | 1,500 |\n\n</details>\n" in card


def test_the_shipped_card_is_what_its_sources_say(tmp_path):
    shipped = WORLD
    for file in shipped.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "README.md").unlink()
    assert write_card(tmp_path).read_text("utf-8") == (shipped / "README.md").read_text("utf-8")


def test_what_is_missing_is_told(model):
    (model / "evaluation.json").unlink()
    with pytest.raises(TrainingError, match="measure it with"):
        write_card(model)
    (model / "training.json").unlink()
    with pytest.raises(TrainingError, match="export the run"):
        write_card(model)
