"""The figures of LMLM-382M on LMLMAudit, to be put next to ours.

They are computed from the suite's published run (`outputs/audit/per_state_metrics.csv` of
https://github.com/raeesiarya/LMLMAudit, model kilian-group/LMLM-llama2-382M): the exact match of
each file of prompts, weighted by its number of prompts. In three of the thirteen runs (noise of
politicians, base and alias of sports) FULL is at most 1 %, which lowers these means.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Per cent of prompts, over all domains of a variant."""

    number: int
    full: float
    del_on: float
    unknown: float = 0.0
    """Answers "unknown" under DEL-ON."""


LMLM_382M = {
    "base": Published(1920, 33.2, 3.6),
    "alias": Published(3840, 33.2, 6.1),
    "collision": Published(2748, 45.7, 7.1),
    "noise": Published(3120, 33.4, 13.5),
    "released": Published(600, 46.5, 0.7),
}
