"""What a configuration can switch on: callbacks, memory savers, loggers, sharding."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.training.fit.test_starting_model import _fit
from tools.benchmarks.scaling import SIZES, new_module
from training.fit.command import main as fit
from training.fit.curve_log import read_curve
from training.fit.module import load_module

CONFIGS = Path("training") / "configs"
EVERY_STEP = (
    *("--trainer.limit_val_batches", "1", "--trainer.val_check_interval", "1"),
    *("--trainer.check_val_every_n_epoch", "null"),
)


def _extras(folder: Path, **settings: object) -> list[str]:
    """The shipped file of extras with other settings of its early stopping, as options."""
    given = yaml.safe_load((CONFIGS / "extras.yaml").read_text("utf-8"))
    stopping = next(c for c in given["trainer"]["callbacks+"] if "Stopping" in c["class_path"])
    stopping["init_args"] |= settings
    path = folder / "extras.yaml"
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    return ["--config", str(path), *EVERY_STEP]


@pytest.mark.slow
def test_extras_find_a_rate_and_stop_early(toy_corpus, tmp_path):
    more = _extras(tmp_path, patience=1, min_delta=100.0)  # nothing is improvement enough
    assert _fit(tmp_path, toy_corpus, "--trainer.max_steps", "30", *more) == 0
    assert max(read_curve(tmp_path)["train/loss"]) == 1
    rate = load_module(tmp_path).hparams["learning_rate"]
    assert 1e-8 < rate < 1
    assert rate != pytest.approx(1e-2)  # of debug.yaml


@pytest.mark.slow
@pytest.mark.timeout(900)  # compiling takes a minute or two on a busy machine
@pytest.mark.parametrize("switch", ["gradient_checkpointing", "compile"])
def test_switches_change_no_loss(switch, toy_corpus, tmp_path):
    if switch == "compile" and not shutil.which("g++"):
        pytest.skip("torch.compile needs a C++ compiler on a CPU")
    losses = []
    for value in ("false", "true"):
        more = ["--trainer.max_steps", "2", "--model.layers", "1", f"--model.{switch}", value]
        assert _fit(tmp_path / value, toy_corpus, *more) == 0
        losses.append(read_curve(tmp_path / value)["train/loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--config", str(CONFIGS / "fsdp.yaml")], ("FSDPStrategy", "LlamaDecoderLayer")),
        (["--trainer.logger+", "lightning.pytorch.loggers.WandbLogger"], ("WandbLogger",)),
    ],
)
def test_what_a_cpu_cannot_run_is_at_least_read(options, says, capsys):
    """PyTorch shards over accelerators only, and wandb is not a requirement."""
    with pytest.raises(SystemExit) as ended:
        fit(["fit", "--config", str(CONFIGS / "llama2-382M.yaml"), *options, "--print_config"])
    printed = capsys.readouterr()
    assert ended.value.code in (0, None), printed.err
    assert all(name in printed.out for name in says)


@pytest.mark.parametrize("size", SIZES)
def test_a_size_has_so_many_parameters_and_is_given_after_the_worlds_file(size, capsys):
    parameters = sum(p.numel() for p in new_module(size).parameters())
    assert parameters == pytest.approx(int(size.removesuffix("M")) * 1e6, rel=0.1)
    files = [CONFIGS / "world.yaml", CONFIGS / f"size-{size}.yaml"]
    given = [part for file in files for part in ("--config", str(file))]
    with pytest.raises(SystemExit):
        fit(["fit", *given, "--print_config"])
    printed = yaml.safe_load(capsys.readouterr().out)
    shape = yaml.safe_load(files[1].read_text("utf-8"))["model"]
    assert shape.items() <= printed["model"].items()
    assert printed["model"]["learning_rate"] == 2.0e-3  # of world.yaml


def test_a_run_logs_the_utilisation_and_to_tensorboard(toy_corpus, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = ["--trainer.logger+", "lightning.pytorch.loggers.TensorBoardLogger"]
    logger += ["--trainer.logger.save_dir", str(tmp_path / "board")]
    more = ["--trainer.max_steps", "4", "--model.peak_teraflops", "0.5", *logger]
    assert _fit(tmp_path, toy_corpus, *more) == 0
    curves = read_curve(tmp_path)
    parameters = sum(p.numel() for p in load_module(tmp_path).parameters())
    for step, rate in curves["train/tokens_per_second"].items():
        expected = 6 * parameters * rate / 0.5e12  # arXiv 2001.08361
        found = curves["train/model_flops_utilisation"][step]
        assert found == pytest.approx(expected, rel=1e-3)
    (events,) = (tmp_path / "board").rglob("events.out.tfevents.*")
    board = EventAccumulator(str(events))
    board.Reload()
    losses = {event.step: event.value for event in board.Scalars("train/loss")}
    assert losses == pytest.approx(curves["train/loss"], rel=1e-4)
