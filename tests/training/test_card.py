"""The model card says what its sources say."""

from __future__ import annotations

import json

import pytest

from tests.training.conftest import FOUND
from training.card import measure_table, training_hours, write_card
from training.logs import CurveLogger, read_curve
from training.module import TrainingError


def test_the_card_holds_every_number(model, run):
    card = write_card(model, run, model / "evaluation.json").read_text("utf-8")
    for part in (
        "6.9 million parameters (3.0 MiB)",
        "| 0.967 (0.950 to 0.980; n = 3,210) | 0.910 (0.900 to 0.920; n = 40) | 0.955 (0.940",
        "| `closed_book_held_out` |",  # a measure of its own, of no other's held-out entities
        "On 16.4 million tokens (padding included): ",
        "2,050 steps, ",
        "at 4,000 tokens a second",
        "seed is 7",
        "the 2 held-out entities",
        "| paragraph | 75 (75.0%) |",
        "| learning_rate | 0.002 |",
    ):
        assert part in card
    assert (model / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_card_tells_of_all_training_and_of_the_last_run_apart(model, run):
    path = model / "training.json"
    facts = json.loads(path.read_text("utf-8"))
    facts["settings"]["start_from"], facts["seconds"] = "model/checkpoints/world", 9000.0
    path.write_text(json.dumps(facts), encoding="utf-8")
    card = write_card(model, run, model / "evaluation.json").read_text("utf-8")
    assert "on 16.4 million tokens (padding included) in 2.5 hours. The last: " in card


def test_the_card_has_the_throughput_by_size_and_context(model, run):
    assert "How fast" not in write_card(model, run, model / "evaluation.json").read_text("utf-8")
    rates = {"5 M": {"256": 6543.2, "1024": 4000.0}, "20 M": {"256": 2345.6, "1024": 1500.4}}
    path = model / "scaling.json"
    path.write_text(json.dumps({"threads": 2, "tokens_per_second": rates}), encoding="utf-8")
    card = write_card(model, run, model / "evaluation.json").read_text("utf-8")
    assert "| parameters | context 256 | context 1,024 |\n| --- | ---: | ---: |\n" in card
    assert "| 20 M | 2,346 | 1,500 |\n\n## Limits" in card


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


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("coverage", "relations that the graph listed"),
        ("edit_question_novel", "`edit_question`, of edits to made-up values"),
        ("foreign_edit_paraphrase_unseen", "`edit_paraphrase_unseen` on the chemical compounds"),
        ("foreign_stars_lookup_validity", "`lookup_validity` on the graph stars"),
        ("perplexity_static_annotated", "`perplexity_static`, on an annotated corpus"),
        ("something_else", ""),
    ],
)
def test_a_measure_of_another_graph_or_corpus_says_so(name, says):
    row = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}
    (line,) = measure_table({name: row}).splitlines()[2:]
    assert line.split(" | ")[1].startswith(says)
    assert bool(line.split(" | ")[1]) == bool(says)


def test_measures_without_held_out_have_an_empty_cell():
    assert measure_table(FOUND).splitlines()[-1].endswith("n = 100) |  |  |")


def test_a_resumed_log_keeps_the_later_values(tmp_path):
    for value in (1.0, 2.0):
        CurveLogger(str(tmp_path)).log_metrics({"train/loss": value}, 5)
    assert read_curve(tmp_path) == {"train/loss": {5: 2.0}}
