"""A step may be cut into parts, in time and over processes, and its gradient stays the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from tests.training.fit.gradient_run import DOCUMENTS, run
from tests.training.toy import run_alone
from training.data.batches import plan_batches
from training.data.shards import Shard
from training.fit.curve_log import read_curve
from training.fit.module import LookupLanguageModule, load_module

WHOLE = 1 << 20  # tokens: all documents in one batch


def _cut(corpus: Path, number: int) -> int:
    """A size of batches that cuts the documents into so many."""
    lengths_N = Shard(corpus / "train").lengths_N[:DOCUMENTS]
    for batch_tokens in range(100, 8000, 20):
        if len(plan_batches(lengths_N, batch_tokens, 0, 0)) == number:
            return batch_tokens
    raise AssertionError(f"no size cuts the documents into {number} batches")


@pytest.fixture(scope="module")
def whole(toy_corpus, tmp_path_factory):
    gradient, batches = run(toy_corpus, tmp_path_factory.mktemp("whole"), WHOLE, 1, 1)
    assert batches == 1
    return gradient


def _same(found, expected):
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5, rtol=0, msg=name)
    assert max(gradient.abs().max() for gradient in expected.values()) > 1e-3


def test_accumulation_of_four_gives_the_gradient_of_the_whole(toy_corpus, tmp_path, whole):
    gradient, batches = run(toy_corpus, tmp_path, _cut(toy_corpus, 4), 4, 1)
    assert batches == 4
    _same(gradient, whole)


@pytest.mark.timeout(1500)  # a busy machine takes its time to start two interpreters
def test_two_processes_give_the_gradient_of_the_whole(toy_corpus, tmp_path, whole):
    """Two real processes under gloo; each reads its own half of the documents."""
    size = _cut(toy_corpus, 2)
    run_alone("fit.gradient_run", toy_corpus, tmp_path, size, 1, 2)
    _same(torch.load(tmp_path / "gradient.pt", weights_only=True), whole)
    shard = Shard(toy_corpus / "train")
    documents = [tuple(shard.document(index)[0].tolist()) for index in range(DOCUMENTS)]
    read = [_rows(tmp_path / f"read-{rank}.pt") for rank in (0, 1)]
    assert all(read)
    assert sorted(read[0] + read[1]) == sorted(documents)  # each once, by one of the two


@pytest.mark.timeout(1500)
def test_two_processes_that_accumulate_give_the_gradient_of_the_whole(toy_corpus, tmp_path, whole):
    run_alone("fit.gradient_run", toy_corpus, tmp_path, _cut(toy_corpus, 4), 2, 2)
    _same(torch.load(tmp_path / "gradient.pt", weights_only=True), whole)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_two_processes_go_on_from_a_checkpoint_as_if_never_stopped(toy_corpus, tmp_path):
    """The weights after step 6, straight through and from the checkpoint of step 2, in fp32."""
    straight, resumed = tmp_path / "straight", tmp_path / "resumed"
    _fit_by_two(straight, toy_corpus)
    middle = straight / "checkpoints" / "epoch=0-step=2.ckpt"
    _fit_by_two(resumed, toy_corpus, "--ckpt_path", str(middle))
    assert max(read_curve(resumed)["train/loss"]) == 5
    assert min(read_curve(resumed)["train/loss"]) == 2  # and no step before
    ours, theirs = (load_module(folder).state_dict() for folder in (resumed, straight))
    begun = LookupLanguageModule.load_from_checkpoint(middle, weights_only=True).state_dict()
    assert any(not torch.equal(begun[name], weights) for name, weights in theirs.items())
    for name, weights in theirs.items():
        assert torch.equal(ours[name], weights), name


def _fit_by_two(folder: Path, corpus: Path, *options: str) -> None:
    """Six steps of debug.yaml on two processes, with a checkpoint every two."""
    text = (Path("training") / "configs" / "debug.yaml").read_text("utf-8")
    config = yaml.safe_load(text.replace("build/runs/debug", str(folder)))
    config["trainer"] |= {"max_steps": 6, "devices": 2, "strategy": "ddp"}
    config["trainer"]["enable_progress_bar"] = False
    saving = config["trainer"]["callbacks"][0]["init_args"]
    saving |= {"every_n_train_steps": 2, "save_top_k": -1}
    config["data"] |= {"corpus": str(corpus), "batch_tokens": 500, "limit_documents": 200}
    folder.mkdir()
    path = folder / "given.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "training", "fit", "--config", str(path), *options],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]


def _rows(path: Path) -> list[tuple[int, ...]]:
    """The documents that one rank read, without their padding."""
    batches = torch.load(path, weights_only=True)
    rows = [row.tolist() for batch in batches for row in batch]
    return [tuple(row[: row.index(1) + 1]) for row in rows]  # 1 ends a document
