"""Acknowledged edits are kept while others use the file: a command for the long form.

    python -m tests.soak_published_edits --rounds 20 --edits 1000

In each round a publisher, as the page is one, publishes numbered edits and prints each when the
store has acknowledged it. Meanwhile other processes run the commands of `python -m graph` on the
same file, the publisher itself opens second stores and runs commands between two edits, and either
is killed at random. At the end of a round each acknowledged edit must be there exactly once, at the
revision that was acknowledged, and `check` must find nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import islice
from pathlib import Path

from graph.__main__ import main as graph
from graph.core.edits import Add
from graph.exchange.formats import read_rows
from graph.opening import open_store
from graph.world import DATA
from tests import handles

FACTS = 3000  # of the shipped world, so that a command takes its time
RELATION = "published as"
DRAFT = "soak"
_QUIET = {"LAMPLIGHT_ENCODER": "off", "PYTHONPATH": str(handles.ROOT)}


def commands(url: str, folder: Path, number: int) -> dict[str, list[str]]:
    """Commands that change no published edit, each with files of its own."""
    facts = folder / f"facts-{number}.csv"
    return {
        "init": ["init"],
        "import": ["import", str(facts), "--author", "Eve"],
        "resumable": ["import", str(facts), "--author", "Eve", "--resumable"],
        "export": ["export", str(folder / f"out-{number}.jsonl")],
        "over itself": ["export", url.removeprefix("sqlite:///"), "--format", "csv", "--force"],
        "as a file": ["import", url.removeprefix("sqlite:///"), "--format", "csv"],
        "lookup": ["lookup", "Albert Camus", "nationality"],
        "show": ["show", "France"],
        "history": ["history"],
        "stats": ["stats"],
        "check": ["check"],
        "backup": ["backup", str(folder / f"backup-{number}.db")],
        "copy": ["copy", "--from", url, "--to", f"sqlite:///{folder}/copy-{number}.db"],
        "closure": ["closure", "Albert Camus", "nationality"],
        "synonyms": ["synonyms", f"seat {number}", "capital", "--author", "Eve"],
        "settings": ["settings"],
        "migrate": ["migrate"],
        "compact": ["purge"],
    }


REFUSED = ("over itself", "as a file")  # these must end with 2


def make(url: str) -> None:
    """A part of the shipped world."""
    with open_store(url, create=True) as store:
        rows = (row for name in ("relations.csv", "world.csv") for row in read_rows(DATA / name))
        store.load(islice(rows, FACTS), author="Ada", kind="init", skip_bad=True)


def name_of(number: int) -> str:
    return f"Edit {number}"


def publish(url: str, first: int, last: int, seed: int, folder: Path) -> None:
    """What the publisher does: publish edits, and use the file in other ways between them."""
    rng = random.Random(seed)
    handles.watch()
    store = open_store(url)
    draft = store.draft(DRAFT)
    if draft.edits():  # of an edit that was not acknowledged before a kill
        draft.discard()
    print("ready", flush=True)
    for number in range(first, last):
        edit = Add(name_of(number), RELATION, f"value {number}")
        signed = {"author": "Ada", "write_id": f"soak-{number}"}
        if rng.random() < 0.5:
            revision = store.apply([edit], **signed)
        elif (done := revision_of(store, number)) is not None:
            revision = done  # it was published before the kill, and not acknowledged
        else:
            draft.apply([edit], author="Ada")
            revision = draft.publish(**signed)
        print(f"ack {number} {revision}", flush=True)
        chance = rng.random()
        if chance < 0.02:
            open_store(url).close()
        elif chance < 0.03:
            with open_store(url) as second:
                second.statistics()
        elif chance < 0.04:
            name, given = rng.choice(
                [
                    (name, given)
                    for name, given in commands(url, folder, 10**6 + number).items()
                    if name not in ("compact", "import", "resumable")
                ]
            )
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()) as told:
                code = graph([*given, "--store", url])
            assert code == (2 if name in REFUSED else 0), (name, code, told.getvalue())
        if not handles.locks(store.path):
            raise AssertionError(f"The locks are gone after edit {number}.")
        if found := handles.found():
            raise AssertionError(" ".join(found))
    print("closing", flush=True)
    store.close()


def revision_of(store: object, number: int) -> int | None:
    """The revision that holds an edit, by its journal entry; None if none does."""
    found = store.find_entities(name_of(number))  # type: ignore[attr-defined]
    if not found:
        return None
    entries = store.history(entity_id=found[0][0].id, limit=1)  # type: ignore[attr-defined]
    return int(entries[0].revision) if entries else None


class Round:
    """One round: a publisher that is started again after each kill, and commands next to it."""

    def __init__(self, url: str, folder: Path, first: int, edits: int, seed: int) -> None:
        self.url, self.folder, self.seed = url, folder, seed
        self.path = Path(url.removeprefix("sqlite:///"))
        self.next, self.last = first, first + edits
        self.rng = random.Random(seed)
        self.acknowledged: dict[int, int] = {}
        self.ran: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.problems: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._ready = False
        self._over = threading.Event()

    def run(self, kills: int, workers: int) -> None:
        """Until all edits are acknowledged. Raises AssertionError if anything goes wrong."""
        threads = [
            threading.Thread(target=self._guarded(self._use), args=(self.rng.randrange(2**30),))
            for _ in range(workers)
        ]
        stops = sorted(self.rng.sample(range(self.next, self.last), kills))
        for thread in threads:
            thread.start()
        try:
            while self.next < self.last and not self.problems:
                self._publish(stops.pop(0) if stops else None)
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        assert not self.problems, self.problems

    def _publish(self, stop: int | None) -> None:
        given = [self.url, self.next, self.last, self.rng.randrange(2**30), self.folder]
        command = [sys.executable, "-m", "tests.soak_published_edits", "publish"]
        self._process = process = subprocess.Popen(
            [*command, *map(str, given)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_QUIET},
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line == "ready\n":
                self._ready = True
            elif line == "closing\n":
                self._ready = False
            elif line.startswith("ack ") and line.endswith("\n"):
                number, revision = map(int, line.split()[1:])
                self.acknowledged[number] = revision
                self.next = number + 1
                if stop is not None and number >= stop:
                    stop = None
                    timer = threading.Timer(self.rng.random() * 0.02, process.kill)
                    timer.start()
        self._ready = False
        code = process.wait()
        if code == -signal.SIGKILL:
            self.kills["publisher"] += 1
        elif code:
            self.problems.append(f"the publisher ended with {code}")

    def _use(self, seed: int) -> None:
        rng = random.Random(seed)
        while not self._over.is_set():
            number = rng.randrange(2**40)
            name, given = rng.choice(list(commands(self.url, self.folder, number).items()))
            facts = "".join(f"Guest {number},visits,Town {n}\n" for n in range(200))
            if name in ("import", "resumable"):
                Path(given[1]).write_text("entity,relation,value\n" + facts)
            process = subprocess.Popen(
                [sys.executable, "-m", "graph", *given, "--store", self.url],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, **_QUIET},
            )
            if rng.random() < 0.25:
                time.sleep(rng.random() * 0.6)
                process.kill()
                self.kills["commands"] += 1
            _, told = process.communicate()
            self.ran[name] += 1
            wanted = 2 if name in REFUSED else 0
            busy = name == "compact" and "another process" in told.lower()
            if process.returncode not in (wanted, -signal.SIGKILL) and not busy:
                self.problems.append(f"{name} ended with {process.returncode}: {told}")
            publisher = self._process
            if self._ready and publisher is not None:
                held = handles.locks(self.path, publisher.pid)
                if not held:  # a process that ends gives them back before it is seen to end
                    time.sleep(1.0)
                    held = handles.locks(self.path, publisher.pid)
                same = self._ready and publisher is self._process
                if not held and same and publisher.poll() is None:
                    self.problems.append(f"the publisher's locks are gone after {name}")
            for left in self.folder.glob(f"*-{number}*"):
                left.unlink(missing_ok=True)

    def _guarded(self, do: Callable[[int], None]) -> Callable[[int], None]:
        def run(seed: int) -> None:
            try:
                do(seed)
            except Exception as problem:  # a thread's own would be printed and forgotten
                self.problems.append(repr(problem))

        return run


def verify(url: str, acknowledged: dict[int, int]) -> list[str]:
    """What is wrong with the acknowledged edits; [] if each is there once."""
    wrong = []
    with open_store(url) as store:
        values = Counter(
            (fact.entity, fact.value) for fact in store.all_facts() if fact.relation == RELATION
        )
        for number, revision in acknowledged.items():
            count = values.pop((name_of(number), f"value {number}"), 0)
            if count != 1:
                wrong.append(f"edit {number} is there {count} times")
            elif revision_of(store, number) != revision:
                wrong.append(f"edit {number} is not at revision {revision}")
        wrong += [f"{extra} was never acknowledged" for extra in values]
        rows = store._rows(  # type: ignore[attr-defined]
            "SELECT write_id, count(*) FROM revision WHERE write_id LIKE 'soak-%' GROUP BY 1"
        )
        wrong += [f"{write_id} was written {count} times" for write_id, count in rows if count > 1]
        if len(rows) != len(acknowledged):
            wrong.append(f"{len(acknowledged)} edits were acknowledged and {len(rows)} written")
    out = StringIO()
    with redirect_stdout(out):
        if graph(["check", "--store", url]):
            wrong.append(out.getvalue())
    return wrong


def soak(
    folder: Path, rounds: int, edits: int, kills: int, workers: int, seed: int
) -> dict[str, object]:
    """Run the rounds; returns what was done. Raises AssertionError for an edit that is lost."""
    url = f"sqlite:///{folder}/world.db"
    make(url)
    acknowledged: dict[int, int] = {}
    ran: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    begun = time.perf_counter()
    for number in range(rounds):
        each = Round(url, folder, number * edits, edits, seed + number)
        try:
            each.run(kills, workers)
        finally:
            ran, killed = ran + each.ran, killed + each.kills
            print(
                f"round {number + 1}: {len(each.acknowledged)} edits acknowledged, "
                f"{sum(each.ran.values())} commands, kills {dict(each.kills)}, "
                f"{time.perf_counter() - begun:.0f} s",
                flush=True,
            )
        acknowledged |= each.acknowledged
        wrong = verify(url, acknowledged)
        assert not wrong, wrong[:20]
    return {
        "edits": len(acknowledged),
        "commands": sum(ran.values()),
        "by_command": dict(sorted(ran.items())),
        "kills": dict(killed),
        "seconds": round(time.perf_counter() - begun, 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the long form as the command line says."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["publish"]:
        url, first, last, seed, folder = given[1:]
        publish(url, int(first), int(last), int(seed), Path(folder))
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.soak_published_edits")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--edits", type=int, default=1000, help="acknowledged edits in each round")
    parser.add_argument("--kills", type=int, default=5, help="of the publisher in each round")
    parser.add_argument("--workers", type=int, default=2, help="commands at the same time")
    parser.add_argument("--seed", type=int, help="seed for random sampling (default: drawn)")
    parser.add_argument("--folder", type=Path, help="where the store is made (default: temporary)")
    options = parser.parse_args(given)
    seed = random.randrange(2**30) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="lamplight-soak-", dir=options.folder) as folder:
        done = soak(
            Path(folder), options.rounds, options.edits, options.kills, options.workers, seed
        )
    print(json.dumps(done, indent=1))
    print("Nothing was lost and nothing doubled.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
