"""What a model card shows from a run's curves: hours, speed and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

PICTURE = "curve.png"

Curves = dict[str, dict[int, float]]


def training_hours(curves: Curves) -> float:
    """Hours of training: the tokens between log entries, divided by the rate logged there."""
    tokens, rates = curves.get("train/tokens", {}), curves.get("train/tokens_per_second", {})
    steps = sorted(tokens)
    seconds, last = 0.0, 0.0
    for step in steps:
        if step in rates:
            seconds += max(0.0, tokens[step] - last) / rates[step]
        last = tokens[step]
    return seconds / 3600


def median_rate(curves: Curves) -> float:
    """The median of the logged tokens a second; 0 if there are none."""
    rates = curves.get("train/tokens_per_second", {}).values()
    return median(rates) if rates else 0.0


def draw_curves(curves: Curves, path: Path) -> None:
    """Draw loss by role and copy accuracy over the tokens seen, as a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    tokens = curves.get("train/tokens", {})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 3.8), layout="constrained")

    def line(axes: Any, name: str, label: str, **style: Any) -> None:
        steps = [step for step in sorted(curves.get(name, {})) if _tokens_at(tokens, step)]
        places = [_tokens_at(tokens, step) / 1e6 for step in steps]
        axes.plot(places, [curves[name][step] for step in steps], label=label, **style)

    for role in ("text", "entity", "relation", "marker"):
        line(left, f"train/loss_{role}", role, linewidth=0.9, alpha=0.8)
    line(left, "validation/loss", "validation, all", color="black", marker=".", linewidth=1.2)
    left.set(xlabel="million tokens", ylabel="loss (nats per token)", yscale="log")
    left.set_title("Loss by role", fontsize=10)
    line(right, "train/copy_accuracy", "training", linewidth=0.9, alpha=0.8)
    line(right, "validation/copy_accuracy", "validation", color="black", marker=".")
    right.set(xlabel="million tokens", ylabel="share of tokens", ylim=(0, 1.02))
    right.set_title("Looked-up values copied, token by token", fontsize=10)
    for axes in (left, right):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _tokens_at(tokens: Mapping[int, float], step: int) -> float:
    """Tokens seen at the last entry at or before `step`."""
    return max((count for known, count in tokens.items() if known <= step), default=0.0)
