"""Annotation through Ray Data: the same file as in one process, also after a kill.

Runs where Ray is installed (pip install -r requirements-ray.txt).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graph.core.edits import Add
from graph.opening import open_store
from training.__main__ import main

HAS_RAY = True
try:
    import ray  # noqa: F401
except ImportError:
    HAS_RAY = False
needs_ray = pytest.mark.skipif(
    not HAS_RAY, reason="Ray is not installed: pip install -r requirements-ray.txt"
)
NAMES = ("Ada", "Bo", "Cy")


@pytest.fixture
def source(tmp_path) -> Path:
    """Many texts on three people of a small graph."""
    with open_store(f"sqlite:///{tmp_path / 'people.db'}", create=True) as store:
        store.apply([Add(n, "birth place", f"{n}ville") for n in NAMES], author="test")
    path = tmp_path / "texts.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(600):
            name = NAMES[number % 3]
            text = f"{name} was born in {name}ville. [It's] no lookup -> here; text {number}."
            file.write(json.dumps({"text": text, "title": name}) + "\n")
    return path


def _arguments(source: Path, out: str, *more: str) -> list[str]:
    store = f"sqlite:///{source.parent / 'people.db'}"
    named = ["--out", str(source.parent / out), "--align", store, "--batch", "8"]
    return ["annotate", str(source), *named, *more]


@needs_ray
@pytest.mark.timeout(900)
def test_ray_annotates_the_same_and_goes_on_after_a_kill(source, capsys):
    assert main(_arguments(source, "plain.jsonl")) == 0
    expected = (source.parent / "plain.jsonl").read_text("utf-8")
    assert expected.count("-> Adaville") == 200

    out, partial = source.parent / "ray.jsonl", source.parent / "ray.jsonl.partial"
    command = _arguments(source, "ray.jsonl", "--ray", "local")
    first = subprocess.Popen(
        [sys.executable, "-m", "training", *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])},
        stderr=subprocess.DEVNULL,  # Ray's own processes would hold a pipe open
    )
    while first.poll() is None and not (partial.is_file() and partial.stat().st_size):
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert not out.exists()
    begun = partial.read_text("utf-8").count("\n")
    assert 0 < begun < 600
    assert main(command) == 0
    assert out.read_text("utf-8") == expected


@needs_ray
@pytest.mark.timeout(900)
def test_what_goes_wrong_on_a_worker_is_one_sentence(source, capsys):
    (source.parent / "people.db").write_bytes(b"no store")
    assert main(_arguments(source, "out.jsonl", "--ray", "local")) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if line.startswith("Error: ")] == [told[-1]]
    assert "people.db" in told[-1]


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_it_is_told_how_to_get_it(source, capsys):
    assert main(_arguments(source, "out.jsonl", "--ray", "local")) == 1
    assert "pip install -r requirements-ray.txt" in capsys.readouterr().err
