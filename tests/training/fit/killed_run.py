"""Trains the same run over and over, killed at random moments: run as `python -m` by a test.

    python -m tests.training.fit.killed_run CONFIG FOLDER SEED KILLS

The packages are imported once; each attempt is a child that is forked off before any computation.
Every other attempt is killed at a random moment after its first checkpoint, or in every fourth one
after its start; the rest by the system in the middle of writing a checkpoint, at a random byte of
it. At last one attempt runs to the end. Prints a JSON object for each attempt.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

import torch

import training.fit.command  # noqa: F401  imported for all children
from training.__main__ import main


def child(config: str, limit: int | None) -> int:
    """Go on with the run; with a `limit`, no file can grow beyond so many bytes."""
    process = os.fork()
    if process:
        return process
    torch.set_num_threads(1)
    if limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # the system's own kill, on that very byte
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    code = 1
    try:
        code = main(["fit", "--config", config, "--ckpt_path", "last"])
    finally:
        sys.stderr.flush()
        os._exit(code)


def wait(process: int, last: Path, before: int) -> None:
    """Until the child has written a checkpoint of its own, or has ended."""
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while written(last) == before and os.waitid(os.P_PID, process, ended) is None:
        time.sleep(0.002)


def written(last: Path) -> int:
    """When the last checkpoint was written; 0 if there is none."""
    return last.stat().st_mtime_ns if last.exists() else 0


def run(config: str, folder: Path, seed: int, kills: int) -> None:
    """All attempts."""
    rng = random.Random(seed)
    last = folder / "checkpoints" / "last.ckpt"
    size, length = 0, 0.0  # bytes of a checkpoint, seconds until an attempt's first one
    for number in range(kills + 1):
        begun, before = time.perf_counter(), written(last)
        cut = number < kills and number % 2 == 1
        limit = int(size * rng.uniform(0.3, 0.99)) if cut else None
        process = child(config, limit)
        if number < kills and not cut:
            if number % 4 == 2:
                time.sleep(rng.uniform(0, length))
            else:
                wait(process, last, before)
                length = time.perf_counter() - begun
                time.sleep(rng.uniform(0, 0.3))
            os.kill(process, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        size = last.stat().st_size
        # Read like any checkpoint; the test compares the steps of one attempt with the next.
        step = torch.load(last, weights_only=True, mmap=True)["global_step"]
        print(json.dumps({"code": code, "cut": cut, "step": step}), flush=True)


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
