"""What is exported is what was trained, as plain `transformers` and the decoder load it."""

from __future__ import annotations

import hashlib
import json
import shutil

import lightning as L
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from graph.core.edits import Add
from graph.opening import open_store
from graph.version import VERSION
from model.checkpoint import load_checkpoint
from model.prompts import ANSWER_FORM
from training.__main__ import main
from training.data.batches import LookupDataModule
from training.data.documents import Document
from training.data.tokenizer import encode_document
from training.errors import TrainingError
from training.evaluation import cases
from training.fit.curve_log import CurveLogger
from training.fit.export import export, runs_before
from training.fit.module import LookupLanguageModule, load_module


@pytest.fixture(scope="module")
def run(toy_corpus, tmp_path_factory):
    """A run of two steps."""
    folder = tmp_path_factory.mktemp("run")
    module = LookupLanguageModule(
        str(toy_corpus / "tokenizer"),
        hidden_size=32,
        intermediate_size=64,
        layers=2,
        heads=2,
        warmup_steps=1,
    )
    checkpoint = L.pytorch.callbacks.ModelCheckpoint(folder / "checkpoints", save_last=True)
    trainer = L.Trainer(
        accelerator="cpu",
        max_steps=2,
        logger=CurveLogger(str(folder)),
        log_every_n_steps=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        callbacks=[checkpoint],
        default_root_dir=folder,
    )
    trainer.fit(module, datamodule=LookupDataModule(str(toy_corpus), batch_tokens=1024))
    return folder


def test_export_loads_everywhere(run, toy_corpus, tmp_path, capsys):
    out = tmp_path / "world"
    out.mkdir()
    (out / "README.md").write_text("the card", encoding="utf-8")
    assert main(["export", "--run", str(run), "--out", str(out)]) == 0
    assert "MiB" in capsys.readouterr().out
    assert {p.name for p in out.iterdir()} >= {
        "README.md",
        "config.json",
        "curve.png",
        "generation_config.json",
        "held_out.txt",
        "model.safetensors",
        "tokenizer.json",
        "training.json",
    }
    config = json.loads((out / "config.json").read_text("utf-8"))
    assert config["lamplight"] == {
        "prompt_form": {"before": "<|begin|>", "lead": " ", "after": "<|answer|>"},
        "relations": "ranked",
    }
    assert config["dtype"] == "bfloat16"
    assert (out / "held_out.txt").read_text("utf-8") == "Kraków\n"
    facts = json.loads((out / "training.json").read_text("utf-8"))
    assert facts["lamplight"] == VERSION
    assert facts["steps"] == 2
    assert facts["tokens_seen"] > 0
    assert facts["seconds"] > 0
    assert facts["last_run"]["device"] == "1 CPU thread"
    assert facts["last_run"]["hours"] > 0
    assert facts["last_run"]["tokens_per_second"] > 0
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")

    model = AutoModelForCausalLM.from_pretrained(out)
    trained = load_module(run).model
    for ours, theirs in zip(model.parameters(), trained.parameters(), strict=True):
        torch.testing.assert_close(ours.float(), theirs, atol=2e-3, rtol=1e-2)
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert model.config.eos_token_id == tokenizer.eos_token_id
    checkpoint = load_checkpoint(out)
    assert (checkpoint.form, checkpoint.relations, checkpoint.ranked) == (ANSWER_FORM, True, True)
    assert checkpoint.form.before == tokenizer.bos_token
    document = Document("Kraków?", "It is.")
    encoded = encode_document(tokenizer, document)
    assert checkpoint.encode_prompt("Kraków?") == encoded.ids[: encoded.prompt_length]


def test_a_checkpoint_without_a_log_brings_neither_speed_nor_an_old_picture(run, tmp_path):
    alone = shutil.copy(run / "checkpoints" / "last.ckpt", tmp_path / "alone.ckpt")
    out = tmp_path / "world"
    export(run, out)
    export(alone, out)
    facts = json.loads((out / "training.json").read_text("utf-8"))
    assert facts["last_run"] == {"device": "1 CPU thread"}
    assert not (out / "curve.png").exists()


def test_the_runs_behind_the_weights_are_told(run, toy_corpus, tmp_path):
    first = export(run, tmp_path / "first")
    assert json.loads((first / "training.json").read_text("utf-8"))["before"] == []
    second = {"settings": {"learning_rate": 0.5}, "steps": 7, "tokens_seen": 70, "before": [{}]}
    (first / "training.json").write_text(json.dumps(second), encoding="utf-8")
    told = {"tokens_seen": 70, "steps": 7, "corpus_seed": None, "learning_rate": 0.5}
    assert runs_before(str(first)) == [{}, told]
    assert runs_before("") == runs_before(str(tmp_path / "none")) == []


def test_an_exported_checkpoint_can_be_evaluated(run, tmp_path, capsys):
    """The whole command, on an untrained model: the figures are poor, but they are there."""
    out = export(run, tmp_path / "model")
    url = f"sqlite:///{tmp_path / 'toy.db'}"
    store = open_store(url, create=True)
    edits = [Add(n, "capital", f"{n}ville") for n in ("France", "Japan", "Kraków")]
    store.apply(edits, author="test")
    store.close()
    cases.SETTINGS, kept = cases.DecodingSettings(max_tokens=20), cases.SETTINGS
    try:
        file = tmp_path / "found.json"
        command = ["evaluate", "--json", "--model", str(out), "--store", url, "--out", str(file)]
        assert main(command) == 0
    finally:
        cases.SETTINGS = kept
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found == json.loads(file.read_text("utf-8"))
    assert {"value", "low", "high", "n"} == set(found["coverage"])
    assert found["question_validity"]["n"] == 3
    assert found["question_validity_held_out"]["n"] == 1
    assert "seed 0" in printed.err
    sample = ["evaluate", "lookup", "--sample", "1", "--model", str(out), "--store", url]
    assert main(sample) == 0
    assert capsys.readouterr().out.startswith("1. ")  # a suite that is named too is not run


@pytest.mark.slow
def test_suites_measured_beside_each_other_find_the_same(run, tmp_path):
    model, url = export(run, tmp_path / "model"), f"sqlite:///{tmp_path / 'toy.db'}"
    with open_store(url, create=True) as store:
        store.apply([Add(n, "capital", f"{n}ville") for n in ("France", "Japan")], author="test")
    found, told = [], []
    for jobs in ("1", "2"):
        out = tmp_path / f"{jobs}.json"
        options = ["--model", str(model), "--store", url, "--entities", "2", "--out", str(out)]
        assert main(["evaluate", "perplexity", "missing", *options, "--jobs", jobs]) == 0
        found.append(json.loads(out.read_text("utf-8")))
        told.append(json.loads(out.with_suffix(".run.json").read_text("utf-8")))
    assert list(found[0]) == list(found[1])
    assert found[0] == found[1]
    weights = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
    for each in told:
        assert each["sha256"] == weights
        assert list(each["seconds_by_suite"]) == ["missing", "perplexity"]
    assert [each["jobs"] for each in told] == [1, 2]


def test_errors_are_one_sentence(tmp_path, capsys):
    with pytest.raises(TrainingError, match="train first"):
        export(tmp_path, tmp_path / "out")
    assert main(["export", "--run", str(tmp_path)]) == 1
    assert "train first" in capsys.readouterr().err
    assert main(["evaluate", "--model", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["nonsense"]) == 2
    assert main([]) == 2
    assert main(["--help"]) == 0
