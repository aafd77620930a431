"""Samples over time: written now and then, with the graph, without touching the training."""

from __future__ import annotations

import pytest
import torch
import yaml

from graph.core.edits import Add
from graph.opening import open_store
from tests.training.fit.test_fit import CONFIGS, _config
from tests.training.toy import FACTS
from training.__main__ import main
from training.fit.module import load_module
from training.fit.samples import SampleReader

PROMPTS = ["Tell me about France.", "What is the capital of Japan?"]


@pytest.fixture(scope="module")
def store_url(tmp_path_factory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'toy.db'}"
    with open_store(url, create=True) as store:
        edits = [Add(e, r, v) for e, facts in FACTS.items() for r, v in facts.items()]
        store.apply(edits, author="test")
    return url


def fit(folder, corpus, *options):
    config = _config("debug", folder, corpus)
    command = ["fit", "--config", str(config), "--trainer.enable_progress_bar", "false"]
    assert main([*command, *options]) == 0


def with_samples(folder, store_url, every=20):
    settings = {"folder": str(folder), "prompts": PROMPTS, "store": store_url, "most_time": 1.0}
    options = ["--trainer.callbacks+=training.fit.samples.SampleWriter"]
    settings |= {"every_n_steps": every, "max_tokens": 60}
    return [
        *options,
        *(f"--trainer.callbacks.{name}={value}" for name, value in settings.items()),
    ]


@pytest.mark.slow
def test_samples_are_written_and_go_on_after_a_resumption(toy_corpus, tmp_path, store_url):
    run = tmp_path / "run"
    options = with_samples(run, store_url)
    fit(run, toy_corpus, "--trainer.max_steps", "60", *options)
    samples = SampleReader(run).read()
    steps = [sample.step for sample in samples]
    assert steps == [20, 20, 40, 40, 60, 60]
    assert [sample.prompt for sample in samples] == PROMPTS * 3
    assert samples[-1].tokens > samples[0].tokens > 0
    last = samples[-2]
    assert last.lookups >= 1
    assert last.misses < last.lookups  # the graph answered
    assert ("entity", " France") in last.pieces
    values = {text.strip() for role, text in last.pieces if role == "value"}
    assert values & {"country", "Paris", "euro", "instance of; capital; currency"}

    # A kill in the middle of a line, then 70 steps from the checkpoint of step 60.
    with (run / "samples.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 80, "tok')
    fit(run, toy_corpus, "--trainer.max_steps", "70", "--ckpt_path", "last", *options)
    assert sorted({sample.step for sample in SampleReader(run).read()}) == [20, 40, 60, 70]


def test_samples_leave_the_training_as_it_was(toy_corpus, tmp_path, store_url):
    fit(
        tmp_path / "with",
        toy_corpus,
        "--trainer.max_steps",
        "12",
        *with_samples(tmp_path / "with", store_url, every=4),
    )
    fit(tmp_path / "without", toy_corpus, "--trainer.max_steps", "12")
    assert len(SampleReader(tmp_path / "with").read()) == 6
    ours, theirs = (load_module(tmp_path / name).state_dict() for name in ("with", "without"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_no_store_no_samples(toy_corpus, tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'none.db'}"
    fit(tmp_path, toy_corpus, "--trainer.max_steps", "3", *with_samples(tmp_path, url, every=1))
    told = [line for line in capsys.readouterr().err.splitlines() if "No samples" in line]
    assert len(told) == 1
    assert not (tmp_path / "samples.jsonl").exists()
    assert not (tmp_path / "none.db").exists()


def test_samples_that_take_too_long_come_less_often(toy_corpus, tmp_path, store_url):
    options = [*with_samples(tmp_path, store_url, every=1), "--trainer.callbacks.most_time=1e-6"]
    fit(tmp_path, toy_corpus, "--trainer.max_steps", "8", *options)
    assert sorted({sample.step for sample in SampleReader(tmp_path).read()}) == [1, 8]


def test_the_shipped_configuration_samples():
    world = yaml.safe_load((CONFIGS / "world.yaml").read_text("utf-8"))
    writer = next(c for c in world["trainer"]["callbacks"] if "SampleWriter" in c["class_path"])
    assert writer["init_args"]["folder"] == world["trainer"]["default_root_dir"]
    assert writer["init_args"]["store"] == "sqlite:///world.db"
