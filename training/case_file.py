"""Answers that somebody found wrong, and what a right answer is: one JSON object a line.

    append_case(Path("cases.jsonl"), Case("Who bosses Ada?", "Ada", "reports_to", "Jun"))
    for case in read_cases(Path("cases.jsonl")):
        case.expected()

The page writes such a file, `evaluate cases` measures a model on it, and the corpus takes its
wordings. The question and the fact are facts of somebody's graph, so the file is theirs: nothing
sends it anywhere.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.errors import TrainingError

DEFAULT_CASES = "cases.jsonl"
MOST = 10_000  # cases of a file
_lock = threading.Lock()


@dataclass(frozen=True)
class Case:
    """A question, and the fact that answers it; without a relation, the graph has no answer."""

    prompt: str
    entity: str = ""
    """What the question is about."""
    relation: str = ""
    value: str = ""
    text: str = ""
    """The wrong answer."""
    model: str = ""
    """The name of the model that gave it."""

    def expected(self) -> dict[str, Any]:
        """The case as the pass rule reads it (`training.evaluation.pass_rule`)."""
        return {"q": self.prompt, **({"any": [self.value]} if self.relation else {"none": True})}


def append_case(path: Path, case: Case) -> int:
    """Add a case at the end of a file, which is made if it does not exist.

    The line is on the disk when this returns. Returns how many cases the file has now.

    Raises:
        TrainingError: if the file is full, or cannot be written.
    """
    line = json.dumps(asdict(case), ensure_ascii=False) + "\n"
    try:
        with _lock, path.open("a+b") as file:
            file.seek(0)
            held = file.read()
            count = len(held.splitlines())
            if count >= MOST:
                raise TrainingError(f"{path} has {MOST:,} cases; move it away to save more.")
            begin = "\n" if held and not held.endswith(b"\n") else ""  # a line that was cut
            file.write((begin + line).encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise TrainingError(f"{path} cannot be written: {problem.strerror}.") from problem
    return count + 1


def read_cases(path: Path) -> list[Case]:
    """The cases of a file, each once.

    Raises:
        TrainingError: if the file cannot be read; the message names the line that is wrong.
    """
    try:
        lines = path.read_text("utf-8").split("\n")  # a text may hold other ends of lines
    except (OSError, UnicodeDecodeError) as problem:
        raise TrainingError(f"{path} cannot be read: {problem}.") from problem
    cases: dict[Case, None] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            fields = {name: row.get(name, "") for name in Case.__dataclass_fields__}
        except (ValueError, AttributeError):
            fields = {}
        texts = all(isinstance(value, str) for value in fields.values())
        complete = bool(fields.get("relation")) == bool(fields.get("value"))
        if not fields.get("prompt") or not texts or not complete:
            raise TrainingError(
                f"Line {number} of {path} is not a case: it needs a prompt, and an entity, a"
                " relation and a value if the graph has the answer."
            )
        cases[Case(**fields)] = None
    return list(cases)
