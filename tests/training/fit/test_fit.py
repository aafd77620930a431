"""The command line trains, goes on where it stopped, and fails early with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from training.__main__ import main
from training.data.shards import Shard
from training.fit.curve_log import read_curve

CONFIGS = Path("training") / "configs"


def _config(name: str, folder: Path, corpus: Path) -> Path:
    """A configuration of ours that reads and writes elsewhere."""
    text = (CONFIGS / f"{name}.yaml").read_text("utf-8")
    text = text.replace(f"build/runs/{name}", str(folder))
    text = text.replace(f"build/corpus/{name}", str(corpus))
    path = folder / f"{name}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_debug_overfits_one_batch_and_resumes(toy_corpus, tmp_path, capsys):
    config = _config("debug", tmp_path / "run", toy_corpus)
    command = ["fit", "--config", str(config), "--trainer.enable_progress_bar", "false"]
    assert main([*command, "--trainer.max_steps", "60"]) == 0
    losses = read_curve(tmp_path / "run")["train/loss"]
    assert losses[0] > 5
    assert losses[59] < 0.3 * losses[0]
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").is_file()

    assert main([*command, "--trainer.max_steps", "70", "--ckpt_path", "last"]) == 0
    curves = read_curve(tmp_path / "run")
    assert sorted(curves["train/loss"]) == list(range(70))
    assert curves["train/loss"][69] < losses[59]
    tokens = curves["train/tokens"]
    assert tokens[69] == pytest.approx(70 * tokens[0])


@pytest.mark.parametrize("exported", [False, True])
def test_starts_from_the_weights_of_an_earlier_run(toy_corpus, tmp_path, exported):
    config = _config("debug", tmp_path / "run", toy_corpus)
    command = ["fit", "--config", str(config), "--trainer.enable_progress_bar", "false"]
    assert main([*command, "--trainer.max_steps", "40"]) == 0
    curve = read_curve(tmp_path / "run")
    losses = curve["train/loss"]
    earlier = tmp_path / "run"
    if exported:
        earlier = tmp_path / "exported"
        assert main(["export", "--run", str(tmp_path / "run"), "--out", str(earlier)]) == 0

    config = _config("debug", tmp_path / "next", toy_corpus)
    command = ["fit", "--config", str(config), "--trainer.enable_progress_bar", "false"]
    command += ["--trainer.max_steps", "2", "--model.start_from", str(earlier)]
    assert main(command) == 0
    after = read_curve(tmp_path / "next")
    assert after["train/loss"][0] < 0.6 * losses[0]
    assert after["train/tokens"][0] > max(curve["train/tokens"].values())  # what is behind counts


def test_no_corpus_is_one_sentence(tmp_path, capsys):
    config = _config("world", tmp_path / "run", tmp_path / "none")
    assert main(["fit", "--config", str(config)]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("Error: ")
    assert "build the corpus first" in error


def test_a_damaged_corpus_is_one_sentence(toy_corpus, tmp_path, capsys):
    import shutil

    copy = tmp_path / "corpus"
    shutil.copytree(toy_corpus, copy)
    content = bytearray((copy / "train" / "targets.bin").read_bytes())
    content[0] ^= 1
    (copy / "train" / "targets.bin").write_bytes(content)
    config = _config("debug", tmp_path / "run", copy)
    assert main(["fit", "--config", str(config), "--trainer.logger", "false"]) == 1
    assert "does not match its checksum" in capsys.readouterr().err


def test_configurations_describe_a_run(toy_corpus):
    """The shipped one trains in bf16, clips, decays and keeps its last checkpoint."""
    world = yaml.safe_load((CONFIGS / "world.yaml").read_text("utf-8"))
    trainer = world["trainer"]
    assert trainer["precision"] == "bf16-mixed"
    assert trainer["gradient_clip_val"] == 1.0
    checkpoint = next(c for c in trainer["callbacks"] if "ModelCheckpoint" in c["class_path"])
    assert checkpoint["init_args"]["save_last"]
    debug = yaml.safe_load((CONFIGS / "debug.yaml").read_text("utf-8"))
    shard = Shard(toy_corpus / "train")
    limit = debug["data"]["limit_documents"]
    assert limit * shard.lengths_N.max() <= debug["data"]["batch_tokens"]
