"""Reads a folder of runs, even while they train: settings, speed, curves and samples.

    runs = Runs("build/runs")
    for name in runs.written():
        run = runs.run(name)
        run.step, run.tokens, run.speed, run.by_role("validation", perplexity=True)

A run is a subfolder with the files that a training writes: ``curve.csv`` (training.fit.curve_log),
``samples.jsonl`` (training.fit.samples) and ``config.yaml`` (Lightning). Any of them may be
missing, growing or cut short.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from training.errors import TrainingError
from training.fit.class_paths import with_present_paths
from training.fit.curve_log import CURVE, CurveReader
from training.fit.samples import SAMPLES, Sample, SampleReader

CONFIG = "config.yaml"
FILES = (CURVE, SAMPLES, CONFIG)
ROLES = ("text", "entity", "relation", "marker")  # those in the loss
LIVE = 120  # seconds; a run that wrote within the last so many is training
GROUPS = ("data", "model", "trainer", "seed_everything")
Points = list[tuple[float, float]]  # tokens seen, value


@dataclass(frozen=True)
class Run:
    """A run at the moment when it was read."""

    name: str
    written: float  # when it wrote last, seconds since 1970
    settings: dict[str, str] = field(default_factory=dict)  # "model.layers": "6"
    curves: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    samples: Sequence[Sample] = ()

    @property
    def live(self) -> bool:
        """Whether it wrote within the last two minutes."""
        return is_live(self.written)

    @property
    def step(self) -> int | None:
        """Optimiser steps done, by the newest log entry."""
        steps = (max(c) + 1 for name, c in self.curves.items() if c and name.startswith("train/"))
        return max(steps, default=None)

    @property
    def tokens(self) -> int | None:
        """Tokens seen, padding included."""
        value = self.newest("train/tokens")
        return None if value is None else int(value)

    @property
    def speed(self) -> float | None:
        """Tokens a second, as logged last."""
        return self.newest("train/tokens_per_second")

    def newest(self, name: str) -> float | None:
        """The last value of a curve."""
        curve = self.curves.get(name)
        return curve[max(curve)] if curve else None

    def over_tokens(self, name: str) -> Points:
        """A curve over the tokens seen, interpolated between log entries."""
        curve, tokens = self.curves.get(name), self.curves.get("train/tokens")
        if not curve or not tokens:
            return []
        steps = np.fromiter(curve, dtype=np.float64)
        places = np.interp(steps, list(tokens), list(tokens.values()))
        return list(zip(places.tolist(), curve.values(), strict=True))

    def by_role(self, stage: str, perplexity: bool) -> dict[str, Points]:
        """Loss (natural logarithm) or perplexity of each role; stage is train or validation.

        Values and `<|db_end|>` are not in the loss and have neither.
        """
        found = {}
        for role in ROLES:
            points = self.over_tokens(f"{stage}/loss_{role}")
            if perplexity:
                points = [(place, math.exp(min(loss, 700.0))) for place, loss in points]
            if points:
                found[role] = points
        return found


def thinned(points: Points, most: int) -> Points:
    """At most `most` points, each the mean of its neighbourhood; the last stays as it is."""
    if len(points) <= most:
        return points
    array_N2 = np.array(points[:-1])
    parts = np.array_split(array_N2, most - 1)
    return [*((float(p[0]), float(p[1])) for p in (part.mean(0) for part in parts)), points[-1]]


class Runs:
    """The runs of a folder. Safe to use from several threads."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._readers: dict[str, _Reader] = {}
        self._lock = threading.Lock()

    def written(self) -> dict[str, float]:
        """When each run wrote last: those in training by name, then the others, newest first.

        By time, the order of those in training would change with every line that they write.
        """
        try:
            folders = [each for each in self.folder.iterdir() if not each.name.startswith(".")]
        except OSError:
            return {}
        found = {folder.name: _written(folder) for folder in folders}
        live = sorted(name for name, when in found.items() if is_live(when))
        others = sorted(found.keys() - set(live), key=lambda name: -found[name])
        return {name: found[name] for name in (*live, *others) if found[name]}

    def run(self, name: str) -> Run:
        """A run by its name in `written`. Raises TrainingError for any other."""
        if name not in self.written():
            raise TrainingError(f"There is no run {name!r} in {self.folder}.")
        with self._lock:
            reader = self._readers.setdefault(name, _Reader(self.folder / name))
            return reader.read()


class _Reader:
    """Keeps what was read of a run, to read only what was added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._curve, self._samples = CurveReader(folder), SampleReader(folder)
        self._settings: tuple[float, dict[str, str]] = (0.0, {})
        self._seen: list[tuple[int, int]] = []  # of the files, when they were read last
        self._run: Run | None = None

    def read(self) -> Run:
        state = [_state(self.folder / name) for name in FILES]
        if self._run is None or state != self._seen:
            self._seen = state
            self._run = Run(
                name=self.folder.name,
                written=_written(self.folder),
                settings=self._read_settings(),
                curves={name: dict(curve) for name, curve in self._curve.read().items()},
                samples=tuple(self._samples.read()),
            )
        return self._run

    def _read_settings(self) -> dict[str, str]:
        path = self.folder / CONFIG
        when = _modified(path)
        if when != self._settings[0]:
            try:
                loaded = yaml.safe_load(path.read_text("utf-8"))
            except (OSError, ValueError, yaml.YAMLError):
                return self._settings[1]  # it is being written now
            self._settings = (when, _flat(with_present_paths(loaded)))
        return self._settings[1]


def is_live(written: float) -> bool:
    """Whether a run that last wrote at this time is in training."""
    return time.time() - written < LIVE


def _state(path: Path) -> tuple[int, int]:
    """Time and size of a file, which change when it does."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _written(folder: Path) -> float:
    return max(_modified(folder / name) for name in FILES)


def _flat(loaded: Any, prefix: str = "") -> dict[str, str]:
    """The settings with plain values, by their names on the command line."""
    if not isinstance(loaded, dict):
        return {}
    flat: dict[str, str] = {}
    for key, value in loaded.items():
        if not prefix and key not in GROUPS:
            continue
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif value is not None and value != "" and not isinstance(value, list):
            flat[f"{prefix}{key}"] = str(value)
    return flat
