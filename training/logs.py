"""A CSV log that goes on where it ended, so that a resumed run keeps its whole curve."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.rank_zero import rank_zero_only


class CurveLogger(Logger):
    """Appends each logged value as a row ``step,name,value`` to ``FOLDER/curve.csv``.

    On resumption rows after the checkpoint's step are written again; readers keep the later ones.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.path = Path(folder) / "curve.csv"

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
        """Lightning keeps the settings in config.yaml beside the run."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(("step", "name", "value"))
            for name, value in metrics.items():
                if name != "epoch":
                    writer.writerow((step, name, f"{float(value):.6g}"))


def read_curve(folder: str | Path) -> dict[str, dict[int, float]]:
    """``{name: {step: value}}`` of a run's ``curve.csv``."""
    curves: dict[str, dict[int, float]] = {}
    with (Path(folder) / "curve.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            curves.setdefault(row["name"], {})[int(row["step"])] = float(row["value"])
    return curves
