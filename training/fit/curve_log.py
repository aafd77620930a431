"""A CSV log that a resumed run continues, so its curve stays complete."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from training.fit.line_files import GrowingFile, append_lines

CURVE = "curve.csv"
HEAD = ("step", "name", "value")


class CurveLogger(Logger):
    """Appends each logged value as a row ``step,name,value`` to ``FOLDER/curve.csv``.

    A resumed run writes the rows after its checkpoint again; readers keep the later ones.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.path = Path(folder) / CURVE

    @property
    def name(self) -> str:
        return ""

    @property
    def save_dir(self) -> str:
        return str(self.path.parent)

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing to do: Lightning keeps the settings in the run's config.yaml."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = io.StringIO()
        writer = csv.writer(rows)
        if not self.path.exists():
            writer.writerow(HEAD)
        for name, value in metrics.items():
            if name != "epoch":
                writer.writerow((step, name, f"{float(value):.6g}"))
        append_lines(self.path, rows.getvalue())


class CurveReader:
    """Reads the curves of a run, each time only what was added; see `read`."""

    def __init__(self, folder: str | Path) -> None:
        self._file = GrowingFile(Path(folder) / CURVE)
        self.curves: dict[str, dict[int, float]] = {}
        self._step = 0  # of the last row

    def read(self) -> dict[str, dict[int, float]]:
        """``{name: {step: value}}`` with rising steps.

        When a resumed run goes back to its checkpoint, what came after that is dropped. A broken
        or incomplete line is left out.
        """
        lines, from_start = self._file.new_lines()
        if from_start:
            self.curves, self._step = {}, 0
        for row in csv.reader(lines):
            try:
                step, name, value = int(row[0]), row[1], float(row[2])
            except (ValueError, IndexError):
                continue
            if len(row) != len(HEAD) or not math.isfinite(value):
                continue
            if step < self._step:
                for curve in self.curves.values():
                    for later in [each for each in curve if each >= step]:
                        del curve[later]
            self.curves.setdefault(name, {})[step] = value
            self._step = step
        return self.curves


def read_curve(folder: str | Path) -> dict[str, dict[int, float]]:
    """``{name: {step: value}}`` of a run's ``curve.csv``. Raises FileNotFoundError without one."""
    if not (Path(folder) / CURVE).exists():
        raise FileNotFoundError(Path(folder) / CURVE)
    return CurveReader(folder).read()
