"""A run that is killed at any moment goes on from its last checkpoint, to the very same weights."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path

import pytest
import torch
import yaml

from tests.training.toy import run_alone
from training.fit.module import load_module

STEPS, KILLS = 60, 6


def _config(folder: Path, corpus: Path) -> Path:
    """Many small steps over several epochs in fp32, with a checkpoint every third one."""
    config = yaml.safe_load((Path("training") / "configs" / "debug.yaml").read_text("utf-8"))
    config["data"] = {"corpus": str(corpus), "batch_tokens": 1024}
    config["model"] |= {"hidden_size": 32, "intermediate_size": 64, "heads": 2}
    config["trainer"] |= {
        "max_steps": STEPS,
        "enable_progress_bar": False,
        "log_every_n_steps": 10,
        "default_root_dir": str(folder),
    }
    config["trainer"]["logger"][0]["init_args"]["folder"] = str(folder)
    keeper = config["trainer"]["callbacks"][0]["init_args"]
    keeper |= {"dirpath": str(folder / "checkpoints"), "every_n_train_steps": 3}
    folder.mkdir()
    path = folder / "given.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def _run(folder: Path, corpus: Path, seed: int, kills: int) -> list[dict]:
    printed = run_alone("fit.killed_run", _config(folder, corpus), folder, seed, kills)
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


@pytest.mark.slow
@pytest.mark.timeout(1500)  # a busy machine takes its time for so many runs
def test_killed_runs_end_with_the_weights_of_an_uninterrupted_one(toy_corpus, tmp_path):
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    (straight,) = _run(tmp_path / "straight", toy_corpus, seed, 0)
    assert (straight["code"], straight["step"]) == (0, STEPS)
    attempts = _run(tmp_path / "killed", toy_corpus, seed, KILLS)
    print(attempts)
    codes = [attempt["code"] for attempt in attempts]
    assert codes[0] == -signal.SIGKILL
    assert codes[-1] == 0
    written = [attempt for attempt in attempts if attempt["cut"]]
    assert len(written) == KILLS // 2
    # In the middle of writing a checkpoint, if the run was not at its end already.
    assert written[0]["code"] == -signal.SIGXFSZ
    steps = [attempt["step"] for attempt in attempts]
    assert steps == sorted(steps)
    assert steps[-1] == STEPS
    ours, theirs = (load_module(tmp_path / name) for name in ("killed", "straight"))
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other), name
    left = sorted(p.name for p in (tmp_path / "killed" / "checkpoints").iterdir())
    assert "last.ckpt" in left
