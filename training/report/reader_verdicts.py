"""Counts a reader's verdicts, which are in natural.md in a checkpoint's folder.

Each paragraph is a line: its number, then in brackets `yes`, or with a reason `**not natural**` or
`**not readable**` (which is not natural either), then the paragraph.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.evaluation.statistics import wilson

FILE = "natural.md"
_LINE = re.compile(r"\d+\. \((yes|\*\*not (?:natural|readable)\*\*[^\n]*?)\) (\S.*)")


@dataclass(frozen=True)
class Verdict:
    """What the reader found about one paragraph."""

    text: str
    natural: bool
    readable: bool


def read_verdicts(model: Path) -> list[Verdict]:
    """The verdicts in a checkpoint's folder, in order; none without natural.md."""
    path = model / FILE
    if not path.exists():
        return []
    found = []
    for line in path.read_text("utf-8").splitlines():
        if match := _LINE.fullmatch(line):
            verdict, text = match.groups()
            found.append(Verdict(text, verdict == "yes", not verdict.startswith("**not readable")))
    return found


def read_measures(model: Path) -> dict[str, dict[str, float]]:
    """The measures `readable` and `natural` from these verdicts, with Wilson intervals."""
    verdicts = read_verdicts(model)
    return {
        name: wilson(np.array([[getattr(verdict, name), 1] for verdict in verdicts]))
        for name in ("readable", "natural")
        if verdicts
    }
