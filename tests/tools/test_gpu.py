"""The GPU recipe, rehearsed on a CPU: packed, carried, trained, sent back in parts, and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.base.smollm2 import base_tokenizer
from model.checkpoint import load_checkpoint
from model.engine.decoder import Decoder
from model.prompts import ANSWER_FORM, CHAT_FORM
from model.settings import DecodingSettings
from tests.model.model_fakes import Graph
from tests.model.tiny_base import write_tiny_base
from tests.training.toy import toy_documents, write_toy_corpus
from tools.gpu.__main__ import main
from tools.gpu.parts import join_parts
from training.data.shards import write_corpus

TINY = {"hidden_size": 32, "intermediate_size": 64, "layers": 2, "heads": 2, "warmup_steps": 4}
COMMON = ["--minutes", "1", "--end-seconds", "2", "--width", "384", "--batch-tokens", "3000"]
ABSENT = ("jsonargparse", "gradio", "neo4j", "plotly", "rapidfuzz", "rdflib", "ijson", "gguf")


def _train(config: str, corpus: Path, out: Path, model: dict[str, object], *more: str) -> None:
    arguments = ["train", "--config", config, "--corpus", str(corpus), "--out", str(out)]
    assert main([*arguments, *COMMON, "--model", json.dumps(model), *more]) == 0


def _answer(folder: Path) -> str:
    graph = Graph({"France": {"capital": "Paris"}})
    decoder = Decoder(load_checkpoint(folder))
    *_, last = decoder.generate("Tell me\nabout France.", graph, DecodingSettings(max_tokens=12))
    return last.trace.raw


@pytest.mark.slow
def test_a_world_model_is_packed_trained_joined_and_continued(tmp_path, capsys):
    corpus = write_toy_corpus(tmp_path / "corpus", train=200, validation=20)
    carry = tmp_path / "carry"
    assert main(["pack", "--corpus", str(corpus), "--out", str(carry), "--call-size", "0.26"]) == 0
    for folder in sorted(carry.iterdir()):
        assert main(["unpack", str(folder), "--into", str(tmp_path / "there")]) == 0
    there = tmp_path / "there" / "world"
    assert (there / "train" / "tokens.bin").read_bytes() == (
        corpus / "train" / "tokens.bin"
    ).read_bytes()

    out = tmp_path / "out"
    more = ["--steps", "40", "--log-every", "10", "--part-size", "0.02"]
    _train("world", there, out, TINY, *more)
    printed = capsys.readouterr().out
    losses = [
        float(line.split("loss ")[1].split()[0])
        for line in printed.splitlines()
        if " rate " in line
    ]
    assert losses[-1] < losses[0]
    assert "tokens/s" in printed
    assert "relation" in printed
    assert len(list(out.iterdir())) > 2
    assert all(
        path.stat().st_size <= 0.02 * 2**20 for path in out.iterdir() if path.suffix != ".json"
    )

    model = tmp_path / "world"
    assert main(["join", str(out), "--name", "world", "--out", str(model)]) == 0
    assert load_checkpoint(model).form == ANSWER_FORM
    assert _answer(model) is not None
    _train("world", there, tmp_path / "more", TINY, "--steps", "3", "--start-from", str(model))
    index = join_parts(tmp_path / "more", "world", tmp_path / "again")
    assert index["training"]["validation"]["last"]["loss"] < losses[0]
    assert index["training"]["before"][0]["steps"] == 40


@pytest.mark.slow
def test_an_adapter_is_trained_joined_and_continued(tmp_path):
    base = write_tiny_base(tmp_path / "base")
    splits = {"train": toy_documents(100, 1), "validation": toy_documents(10, 2)}
    write_corpus(tmp_path / "corpus", splits, base_tokenizer(base))
    model = {"adapter_rank": 4, "adapter_alpha": 8, "warmup_steps": 2}
    more = ["--base", str(base), "--steps", "8"]
    _train("adapter", tmp_path / "corpus", tmp_path / "out", model, *more)
    folder = tmp_path / "adapter"
    join_parts(tmp_path / "out", "adapter", folder)
    assert load_checkpoint(folder).form == CHAT_FORM
    assert _answer(folder) is not None
    more += ["--start-from", str(folder)]
    _train("adapter", tmp_path / "corpus", tmp_path / "more", model, *more)


def test_parts_of_different_moments_are_refused(tmp_path):
    from tools.gpu.parts import PartsError, write_parts

    written = write_parts({"a": bytes(5000)}, tmp_path, "world", {}, size=0.002)
    assert len(written) > 3
    written[0].write_bytes(b"x" * written[0].stat().st_size)
    with pytest.raises(PartsError, match="different moments"):
        join_parts(tmp_path, "world", tmp_path / "joined")
    written[1].unlink()
    with pytest.raises(PartsError, match="A part is missing"):
        join_parts(tmp_path, "world", tmp_path / "joined")


def test_training_needs_no_package_that_a_lent_machine_lacks():
    """The command imports with those packages blocked."""
    code = (
        "import sys\n"
        f"for name in {ABSENT!r}: sys.modules[name] = None\n"
        "import tools.gpu.train, tools.gpu.carrying, model.base.adapter\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
