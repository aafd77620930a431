"""A run that began before classes moved resumes, is displayed, and is exported."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from training.__main__ import main
from training.fit.class_paths import MOVED, with_present_paths
from training.fit.curve_log import read_curve
from training.report.runs import Runs

CONFIGS = Path("training") / "configs"


def _class(path: str) -> type:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def _write_old_config(run: Path, corpus: Path) -> Path:
    """The configuration of a tiny run, as it was written before the moves."""
    config = {
        "seed_everything": 0,
        "data": {"corpus": str(corpus), "batch_tokens": 2048},
        "model": {"hidden_size": 16, "intermediate_size": 32, "layers": 1, "heads": 2},
        "trainer": {
            "accelerator": "cpu",
            "devices": 1,
            "precision": "32-true",
            "max_epochs": -1,
            "max_steps": 4,
            "val_check_interval": 2,
            "check_val_every_n_epoch": None,
            "num_sanity_val_steps": 0,
            "log_every_n_steps": 1,
            "enable_model_summary": False,
            "enable_progress_bar": False,
            "default_root_dir": str(run),
            "logger": [
                {"class_path": "training.logs.CurveLogger", "init_args": {"folder": str(run)}}
            ],
            "callbacks": [
                {"class_path": "training.memory.TrimMemory"},
                {"class_path": "training.dynamic_perplexity.DynamicPerplexity"},
                {
                    "class_path": "training.samples.SampleWriter",
                    "init_args": {"folder": str(run), "prompts": ["Tell me about France."]},
                },
                {
                    "class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
                    "init_args": {
                        "dirpath": str(run / "checkpoints"),
                        "every_n_train_steps": 2,
                        "save_last": True,
                        "enable_version_counter": False,
                    },
                },
            ],
        },
    }
    run.mkdir(parents=True)
    path = run.with_suffix(".yaml")
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def _with_old_paths(run: Path) -> Path:
    """The run's own `config.yaml`, with the class paths that it had before the moves."""
    path = run / "config.yaml"
    text = path.read_text(encoding="utf-8")
    for old, present in MOVED.items():
        text = text.replace(present, old)
    path.write_text(text, encoding="utf-8")
    assert "class_path: training.samples.SampleWriter" in text
    assert "class_path: training.logs.CurveLogger" in text
    return path


def test_a_run_from_before_the_moves_resumes_displays_and_exports(toy_corpus, tmp_path):
    run = tmp_path / "runs" / "early"
    config = _write_old_config(run, toy_corpus)
    assert main(["fit", "--config", str(config)]) == 0
    assert max(read_curve(run)["train/loss"]) == 3

    own_config = _with_old_paths(run)
    resume = ["fit", "--config", str(own_config), "--ckpt_path", "last"]
    assert main([*resume, "--trainer.max_steps", "6"]) == 0
    curve = read_curve(run)["train/loss"]
    assert sorted(curve)[:4] == [0, 1, 2, 3]
    assert len(curve) == 6

    _with_old_paths(run)
    shown = Runs(tmp_path / "runs").run("early")
    assert shown.settings["model.hidden_size"] == "16"
    assert shown.by_role("validation", perplexity=True)["text"]

    assert main(["export", "--run", str(run), "--out", str(tmp_path / "exported")]) == 0
    facts = json.loads((tmp_path / "exported" / "training.json").read_text("utf-8"))
    assert facts["steps"] == 6


def test_old_paths_given_on_the_command_line_are_mapped(toy_corpus, tmp_path):
    config = _write_old_config(tmp_path / "run", toy_corpus)
    command = ["fit", "--config", str(config), "--trainer.max_steps", "1"]
    command += ["--trainer.callbacks", "training.memory.TrimMemory"]
    command += ["--trainer.logger", "training.logs.CurveLogger"]
    command += ["--trainer.logger.folder", str(tmp_path / "elsewhere")]
    assert main(command) == 0
    assert "train/loss" in read_curve(tmp_path / "elsewhere")


def test_a_setting_shown_names_the_present_class(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text(
        "trainer: {logger: {class_path: training.logs.CurveLogger}}\n", encoding="utf-8"
    )
    settings = Runs(tmp_path).run("run").settings
    assert settings["trainer.logger.class_path"] == "training.fit.curve_log.CurveLogger"


@pytest.mark.parametrize("path", MOVED.values())
def test_every_present_path_is_a_class(path):
    assert isinstance(_class(path), type)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_configurations_name_classes_that_exist(path):
    for name in re.findall(r"class_path: (training\.[\w.]+)", path.read_text("utf-8")):
        assert isinstance(_class(name), type)
        assert name not in MOVED


def test_other_strings_stay_as_they_are():
    config = {"prompts": ["training.samples", "Where is training.logs?"], "threads": 2, "a": None}
    assert with_present_paths(config) == config
