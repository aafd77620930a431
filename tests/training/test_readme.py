"""The commands of the README's section *Train your own* work, in their order, at a tiny size."""

from __future__ import annotations

import gzip
import json
import re
import shlex
from pathlib import Path

import pytest

from model.settings import DecodingSettings
from tests.training.released import write_released
from tests.training.test_articles import examples
from training.__main__ import COMMANDS as KNOWN
from training.__main__ import main
from training.evaluation import cases, suite_context
from training.fit.command import main as fit

ROOT = Path(__file__).parent.parent.parent
SECTION = re.search(
    r"^## Train your own\n(.*?)^## ", (ROOT / "README.md").read_text("utf-8"), re.M | re.S
)[1]
BLOCKS = re.findall(r"^```\n(.*?)^```", SECTION, re.M | re.S)
COMMANDS = [line.partition("  #")[0].strip() for block in BLOCKS for line in block.splitlines()]
INLINE = re.findall(r"`([^`]+)`", re.sub(r"^```\n.*?^```", "", SECTION, flags=re.M | re.S))
OPTIONS = [" ".join(span.split()) for span in INLINE if re.match(r"--(\w+\.|ckpt_path)", span)]

SMALLER = {  # what the README says: what is run here
    "--tokens 200000": "--tokens 3000 --tokenizer-documents 300 --vocabulary 700",
    "--config training/configs/world.yaml": "--config training/configs/world.yaml "
    "--data.batch_tokens 2048 --model.hidden_size 32 --model.intermediate_size 64 "
    "--model.layers 1 --model.heads 2 --trainer.max_steps 2 --trainer.enable_progress_bar false",
    "--config training/configs/debug.yaml": "--config training/configs/debug.yaml "
    "--trainer.max_steps 2 --trainer.enable_progress_bar false",
    "--entities 100": "--entities 1",
    "--out build/corpus/wiki": "--out build/corpus/wiki --vocabulary 400",
    "Qwen/Qwen2.5-7B-Instruct": "annotator",
}
LONGEST = DecodingSettings(max_tokens=16)  # of a text in the evaluation; an untrained model rambles


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A checkout as the README has it, with the files that its commands read."""
    for room in ("graph", "training"):
        (tmp_path / room).symlink_to(ROOT / room)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "articles.json").write_text(json.dumps({"examples": examples()}), "utf-8")
    packed = gzip.compress((tmp_path / "articles.json").read_bytes())
    (tmp_path / "articles.json.gz").write_bytes(packed)
    (tmp_path / "texts.jsonl").write_text('{"text": "France is a country in Europe."}\n', "utf-8")
    write_released(tmp_path / "annotator")
    config = tmp_path / "annotator" / "config.json"
    config.write_text(config.read_text("utf-8").replace(": 256,", ": 2048,"), "utf-8")
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(900)  # half a minute on a quiet machine
def test_every_command_runs(folder, capsys, monkeypatch):
    for module in (cases, suite_context):
        monkeypatch.setattr(module, "SETTINGS", LONGEST)
    left = set(SMALLER)
    for command in COMMANDS:
        for words, smaller in SMALLER.items():
            if words in command:
                left.discard(words)
                command = command.replace(words, smaller)
        python, dash, module, *arguments = shlex.split(command)
        assert (python, dash, module) == ("python", "-m", "training")
        assert main(arguments) == 0, f"{command}\n{capsys.readouterr().err}"
    assert not left, "the README says something else by now"
    assert len(COMMANDS) > 9
    for made in ("build/model/model.safetensors", "by-graph.jsonl", "by-model.jsonl", "wiki.db"):
        assert (folder / made).is_file(), made
    assert "France" in (folder / "by-graph.jsonl").read_text("utf-8")


@pytest.mark.parametrize("options", OPTIONS)
def test_every_option_named_in_passing_is_one(options, capsys):
    """Placeholders are taken as they are: the options are read, and nothing is trained."""
    with pytest.raises(SystemExit) as ended:
        fit(["fit", *shlex.split(options), "--print_config"])
    printed = capsys.readouterr()
    assert ended.value.code in (0, None), printed.err


def test_every_file_and_command_named_in_passing_is_there():
    for span in INLINE:
        words = span.split()
        if words[:3] == ["python", "-m", "training"]:
            assert words[3] in (*KNOWN, "COMMAND"), span
        elif words[0].startswith("training/"):
            assert (ROOT / words[0]).exists(), span
    assert len(OPTIONS) >= 5
