"""Bad input ends a command with one clear sentence, and nothing good is lost by it."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from pathlib import Path

import pytest
import torch

from tests.training.annotation.test_articles import examples
from tests.training.fit.test_starting_model import _fit
from tests.training.toy import write_toy_corpus
from training.__main__ import main
from training.fit.module import load_module
from training.fit.run_checkpoints import WholeCheckpoints

INNER = "<|db_entity|> B<|db_relationship|> r<|db_return|> w<|db_end|>"
BROKEN = {  # text of an article: what is reported about it
    "a [dblookup('A', 'r') -> v": "character 2: it never closes",
    "a <|db_entity|> A<|db_relationship|> r": "character 2: it never closes",
    "a<|db_end|> b": "character 1: a marker stands outside a lookup",
    f"a<|db_entity|> A<|db_relationship|> {INNER} w<|db_end|> w": "character 1: it never closes",
    "a [dblookup('A', 'r') -> [dblookup('B', 'r') -> w] w] w": "character 2: it never closes",
}


def _told(capsys) -> str:
    """What was printed as an error: one line."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("command", ["shards", "extract", "show-mask"])
def test_unbalanced_and_nested_lookups_are_told_with_their_place(
    command, text, toy_corpus, tmp_path, capsys
):
    source, out = tmp_path / "a.json", tmp_path / "out"
    broken = [*examples(), {"annotated_text": text}]
    source.write_text(json.dumps(broken), encoding="utf-8")
    options = {
        "shards": ["--out", str(out), "--vocabulary", "400"],
        "extract": ["--store", f"sqlite:///{tmp_path / 'a.db'}"],
        "show-mask": ["--tokenizer", str(toy_corpus / "tokenizer"), "--document", "13"],
    }
    looks = command == "show-mask"  # shows what can be read, and reports the rest
    assert main([command, str(source), *options[command]]) == (0 if looks else 1)
    told = capsys.readouterr().err if looks else _told(capsys)
    assert f"document 13, {BROKEN[text]}" in told
    assert not out.exists()


@pytest.mark.parametrize("name", ["empty.json", "empty.jsonl", "empty.txt", "blank.jsonl"])
@pytest.mark.parametrize("command", ["shards", "extract", "show-mask", "annotate", "tokenizer"])
def test_an_empty_file_is_told(command, name, toy_corpus, tmp_path, capsys):
    source, out = tmp_path / name, tmp_path / "out"
    source.write_text("\n \n" if "blank" in name else "", encoding="utf-8")
    store = f"sqlite:///{tmp_path / 'a.db'}"
    options = {
        "shards": ["--out", str(out)],
        "extract": ["--store", store],
        "show-mask": ["--tokenizer", str(toy_corpus / "tokenizer")],
        "annotate": ["--out", str(out), "--align", store],
        "tokenizer": ["--out", str(out)],
    }
    main(["extract", _good(tmp_path), "--store", store])
    capsys.readouterr()
    assert main([command, str(source), *options[command]]) == 1
    told = _told(capsys)
    assert name in told
    assert any(reason in told for reason in ("holds no", "no text", "is not JSON"))
    assert not out.exists()


def _good(folder: Path) -> str:
    path = folder / "good.json"
    path.write_text(json.dumps(examples()), encoding="utf-8")
    return str(path)


def test_weights_that_are_no_numbers_are_not_saved(toy_corpus, tmp_path, capsys):
    """The step after which they are none is a step after which a checkpoint is due."""
    assert _fit(tmp_path, toy_corpus, "--trainer.max_steps", "2") == 0
    kept = (tmp_path / "checkpoints" / "last.ckpt").read_bytes()
    run = tmp_path / "checkpoints"
    options = ["--trainer.max_steps", "8", "--model.learning_rate", "1e38"]
    assert _fit(tmp_path, toy_corpus, *options, "--model.start_from", str(run)) == 1
    assert "--model.start_from" in _told(capsys)
    assert (run / "last.ckpt").read_bytes() == kept
    assert all(math.isfinite(p.sum().item()) for p in load_module(run).parameters())


def test_a_checkpoint_of_another_tokenizer_is_refused(toy_corpus, tmp_path, capsys):
    assert _fit(tmp_path, toy_corpus, "--trainer.max_steps", "2") == 0
    for size in (600, 500):  # as many tokens as there, and fewer
        other = write_toy_corpus(tmp_path / f"other-{size}", vocab_size=size)
        path = other / "tokenizer" / "tokenizer.json"
        swapped = json.loads(path.read_text("utf-8"))
        vocabulary = swapped["model"]["vocab"]
        a, b = list(vocabulary)[300:302]
        vocabulary[a], vocabulary[b] = vocabulary[b], vocabulary[a]
        path.write_text(json.dumps(swapped), encoding="utf-8")
        assert _fit(tmp_path, other, "--trainer.max_steps", "4", "--ckpt_path", "last") == 1
        assert "trained with another tokenizer" in _told(capsys)


@pytest.mark.parametrize("damage", ["cut", "text", "pickle", "gone", "shape"])
def test_a_checkpoint_that_cannot_be_gone_on_with_is_told(damage, toy_corpus, tmp_path, capsys):
    assert _fit(tmp_path, toy_corpus, "--trainer.max_steps", "2") == 0
    path, options = tmp_path / "checkpoints" / "last.ckpt", []
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "text":
        path.write_text("nothing", encoding="utf-8")
    elif damage == "pickle":
        torch.save({"state_dict": {}, "run": Path(tmp_path)}, path)  # an object, not plain values
    elif damage == "gone":
        path = tmp_path / "none.ckpt"
    else:
        options = ["--model.hidden_size", "32"]
    more = ["--trainer.max_steps", "4", "--ckpt_path", str(path), *options]
    assert _fit(tmp_path, toy_corpus, *more) == 1
    told = _told(capsys)
    assert ("has another shape" if damage == "shape" else "cannot be read as a checkpoint") in told


def test_the_settings_given_count_not_the_checkpoint_s(toy_corpus, tmp_path):
    assert _fit(tmp_path, toy_corpus, "--trainer.max_steps", "2") == 0
    path = tmp_path / "checkpoints" / "last.ckpt"
    more = ["--trainer.max_steps", "3", "--ckpt_path", str(path), "--model.weight_decay", "0.25"]
    assert _fit(tmp_path, toy_corpus, *more) == 0
    assert load_module(path).hparams["weight_decay"] == 0.25


def test_a_checkpoint_is_written_beside_its_place(tmp_path, monkeypatch):
    """The temporary folder may be another disk, from which nothing can be moved in one go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    writer, path = WholeCheckpoints(), tmp_path / "run" / "last.ckpt"
    writer.save_checkpoint({"step": torch.tensor(1)}, path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        writer.save_checkpoint({"step": torch.tensor(2)}, path)
    assert writer.load_checkpoint(path, weights_only=True)["step"] == 1
    assert [p.name for p in path.parent.iterdir()] == ["last.ckpt"]


def test_a_corpus_in_parts_is_told(toy_corpus, tmp_path, capsys):
    shutil.copytree(toy_corpus, tmp_path / "corpus")
    (tmp_path / "corpus" / "train" / "tokens.bin").write_bytes(b"")
    assert _fit(tmp_path / "run", tmp_path / "corpus") == 1
    assert "truncated" in _told(capsys)
