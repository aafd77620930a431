"""The file that all benchmarks share: one row for each measure, in build/bench.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESULTS = Path("build") / "bench.json"


def read_results(path: Path = RESULTS) -> dict[str, Any]:
    """The rows by name; none if the file is missing or unreadable."""
    try:
        rows: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return rows


def write_results(rows: Mapping[str, Mapping[str, object]], path: Path = RESULTS) -> None:
    """Add rows to the file, in place of earlier ones of the same names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    merged = {**read_results(path), **rows}
    path.write_text(json.dumps(merged, indent=1) + "\n", encoding="utf-8")
