"""Published edits are kept while commands use the same file, in this process and in others."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from graph.__main__ import main
from graph.core.edits import Add
from graph.opening import open_store
from tests import handles
from tests.soak_published_edits import REFUSED, commands, make, soak, verify

# Runs commands in one process after another, so that Python starts once.
ANOTHER_PROCESS = """
import json, sys
from graph.__main__ import main
for line in sys.stdin:
    print(main(json.loads(line)), flush=True)
"""
Run = Callable[[list[str]], int]


@contextmanager
def second_process() -> Iterator[Run]:
    process = subprocess.Popen(
        [sys.executable, "-c", ANOTHER_PROCESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(handles.ROOT)},
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def run(arguments: list[str]) -> int:
        process.stdin.write(json.dumps(arguments) + "\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        for line in process.stdout or ():
            if line.strip().isdigit():  # the commands print too
                return int(line)
        raise AssertionError("the process ended")

    yield run
    process.stdin.close()
    assert process.wait(timeout=30) == 0


@contextmanager
def second_store() -> Iterator[Run]:
    yield main


@pytest.mark.parametrize("elsewhere", [second_process, second_store])
def test_each_command_between_two_publishes(elsewhere, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/world.db"
    make(url)
    acknowledged: dict[int, int] = {}
    with open_store(url) as store, elsewhere() as run:
        draft = store.draft("page")
        path = Path(f"{tmp_path}/world.db")

        def publish() -> None:
            number = len(acknowledged)
            draft.apply([Add(f"Edit {number}", "published as", f"value {number}")], author="Ada")
            acknowledged[number] = draft.publish(author="Ada", write_id=f"soak-{number}")

        publish()
        held = handles.locks(path)
        assert held
        for number, (name, given) in enumerate(commands(url, tmp_path, 0).items()):
            if name in ("import", "resumable"):
                Path(given[1]).write_text(
                    f"entity,relation,value\nGuest {number},visits,Town {number}\n"
                )
            files = os.stat(path).st_ino, os.stat(f"{path}-wal").st_ino
            assert run([*given, "--store", url]) == (2 if name in REFUSED else 0), name
            assert handles.locks(path) == held, name
            assert (os.stat(path).st_ino, os.stat(f"{path}-wal").st_ino) == files, name
            publish()
            for file in tmp_path.glob("*-0.*"):
                file.unlink()
    assert len(acknowledged) > 18
    assert verify(url, acknowledged) == []


def test_rounds_of_edits_with_commands_and_kills(tmp_path: Path) -> None:
    """The short form; the long one is python -m tests.soak_published_edits."""
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    done = soak(tmp_path, rounds=1, edits=200, kills=2, workers=2, seed=seed)
    print(done)
    assert done["edits"] == 200
