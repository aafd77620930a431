"""A folder of runs is read while they are written."""

from __future__ import annotations

import json
import os
import time

import pytest

from training.errors import TrainingError
from training.fit.curve_log import CurveLogger, CurveReader, read_curve
from training.fit.line_files import GrowingFile, append_lines
from training.report.runs import Runs, thinned

SAMPLE = {
    "tokens": 100,
    "prompt": "Where?",
    "pieces": [["text", "Here."]],
    "lookups": 0,
    "misses": 0,
    "finish": "end",
}


def log(folder, step, tokens, **losses):
    values = {f"train/loss_{role}": loss for role, loss in losses.items()}
    rate = {"train/tokens": tokens, "train/tokens_per_second": 4000.0}
    CurveLogger(str(folder)).log_metrics({**values, **rate}, step)


@pytest.fixture
def folder(tmp_path):
    """Two runs, one of them an hour old, and things that are none."""
    for name in ("new", "old"):
        log(tmp_path / name, 9, 1000.0, text=2.0, entity=1.0)
        if name == "new":
            CurveLogger(str(tmp_path / name)).log_metrics({"validation/loss_text": 1.5}, 14)
        log(tmp_path / name, 19, 2000.0, text=1.0, entity=0.5)
    os.utime(tmp_path / "old" / "curve.csv", (time.time() - 3600,) * 2)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no run")
    return tmp_path


def test_runs_are_listed_with_what_they_say(folder):
    runs = Runs(folder)
    assert list(runs.written()) == ["new", "old"]
    new, old = runs.run("new"), runs.run("old")
    assert new.live
    assert not old.live
    assert (old.step, old.tokens, old.speed) == (20, 2000, 4000.0)
    assert old.by_role("train", perplexity=False) == {
        "text": [(1000.0, 2.0), (2000.0, 1.0)],
        "entity": [(1000.0, 1.0), (2000.0, 0.5)],
    }
    assert old.by_role("train", perplexity=True)["text"][1][1] == pytest.approx(2.71828, rel=1e-4)
    assert old.by_role("validation", perplexity=True) == {}


def test_the_place_of_a_validation_is_between_the_logged_ones(folder):
    CurveLogger(str(folder / "new")).log_metrics({"validation/loss_text": 1.2}, 20)
    run = Runs(folder).run("new")
    assert run.over_tokens("validation/loss_text") == [(1500.0, 1.5), (2000.0, 1.2)]
    assert run.step == 20


@pytest.mark.parametrize("name", ["", ".", "..", "../new", ".hidden", "empty", "notes.txt", "/etc"])
def test_only_runs_of_the_folder_are_read(folder, name):
    with pytest.raises(TrainingError):
        Runs(folder).run(name)
    with pytest.raises(TrainingError):
        Runs(folder / "new").run("../old")


def test_a_folder_that_is_not_there_has_no_runs(tmp_path):
    assert Runs(tmp_path / "none").written() == {}


def test_a_line_that_is_half_written_waits_for_its_end(folder):
    runs = Runs(folder)
    before = runs.run("new")
    path = folder / "new" / "curve.csv"
    whole = path.read_bytes()
    path.write_bytes(whole + b"29,train/tokens,30")
    assert runs.run("new").tokens == 2000 == before.tokens
    with path.open("ab") as file:
        file.write(b"00.0\n")
    assert runs.run("new").tokens == 3000


def test_a_line_that_a_kill_cut_spoils_no_other(folder):
    path = folder / "new" / "curve.csv"
    with path.open("ab") as file:
        file.write(b"29,train/tok")
    log(folder / "new", 29, 3000.0, text=0.9)
    run = Runs(folder).run("new")
    assert run.tokens == 3000
    assert run.newest("train/loss_text") == 0.9
    assert "train/tok" not in run.curves


def test_a_resumed_run_drops_what_came_after_its_checkpoint(folder):
    reader = CurveReader(folder / "new")
    reader.read()
    CurveLogger(str(folder / "new")).log_metrics({"validation/loss_text": 9.0}, 30)
    assert reader.read()["validation/loss_text"] == {14: 1.5, 30: 9.0}
    log(folder / "new", 15, 1600.0, text=1.1)
    curves = reader.read()
    assert curves == read_curve(folder / "new")
    assert curves["train/loss_text"] == {9: 2.0, 15: 1.1}
    assert list(curves["validation/loss_text"]) == [14]


def test_samples_and_settings(folder):
    runs = Runs(folder)
    assert runs.run("new").samples == ()
    path = folder / "new" / "samples.jsonl"
    for step in (10, 20, 10):  # killed after 20, resumed before it
        append_lines(path, json.dumps({**SAMPLE, "step": step}) + "\n")
    append_lines(path, '{"step": 1}\n[1]\nnot JSON\n')
    samples = runs.run("new").samples
    assert [sample.step for sample in samples] == [10]
    assert samples[0].pieces == (("text", "Here."),)

    config = folder / "new" / "config.yaml"
    config.write_text("model: {layers: 6, base: ''}\ntrainer: {callbacks: [a], max_epochs: 1}\n")
    assert runs.run("new").settings == {"model.layers": "6", "trainer.max_epochs": "1"}
    config.write_text("model: {layers: [6")  # while it is being written
    os.utime(config, (time.time() + 5,) * 2)
    assert runs.run("new").settings == {"model.layers": "6", "trainer.max_epochs": "1"}


def test_a_file_that_is_replaced_is_read_from_its_beginning(tmp_path):
    path = tmp_path / "lines.txt"
    file = GrowingFile(path)
    assert file.new_lines() == ([], False)
    append_lines(path, "a\nb\n")
    assert file.new_lines() == (["a", "b"], True)
    assert file.new_lines() == ([], False)
    append_lines(path, "c\n")
    assert file.new_lines() == (["c"], False)
    path.write_text("d\n")
    assert file.new_lines() == (["d"], True)


def test_thinned_curves_keep_their_end_and_their_mean():
    points = [(float(n), float(n % 2)) for n in range(1001)]
    few = thinned(points, 101)
    assert len(few) == 101
    assert few[-1] == points[-1]
    assert all(0.4 <= value <= 0.6 for _, value in few[:-1])
    assert thinned(points[:50], 101) == points[:50]
