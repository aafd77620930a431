"""Shares, means and their 95 % intervals: every interval of the evaluation is computed here.

A measure is a row `{"value", "low", "high", "n"}`. Where each answer stands alone, the interval is
Wilson's. Where answers about one entity are alike, entities are resampled (a bootstrap).

Tensor names carry their shape: S resamples, N rows that are resampled, K columns, E entities, R
relations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

Estimate = dict[str, float]  # "value", "low", "high", "n"
Measures = dict[str, Estimate]

RESAMPLES = 2000
_Z = 1.959964  # standard deviations on either side of a 95 % interval


def wilson(pairs_E2: np.ndarray) -> Estimate:
    """The share of right answers, with Wilson's interval; rows are (right, number)."""
    right, number = (int(x) for x in pairs_E2.sum(axis=0))
    share = right / number
    centre = share + _Z**2 / (2 * number)
    width = _Z * math.sqrt(share * (1 - share) / number + _Z**2 / (4 * number**2))
    scale = 1 + _Z**2 / number
    # Rounding must not put the value outside its own interval.
    low, high = min(share, (centre - width) / scale), max(share, (centre + width) / scale)
    return {"value": share, "low": max(0.0, low), "high": min(1.0, high), "n": number}


def bootstrap(pairs_N2: np.ndarray, seed: int) -> Estimate:
    """The ratio of the columns' sums, with an interval over resampled rows.

    Args:
        pairs_N2: (sum, number) of each row, for example the right answers and all answers about
            one entity.
        seed: seed for the resampling.
    """
    total, number = pairs_N2.sum(axis=0)
    sums_S2 = resampled_sums(pairs_N2, np.random.default_rng(seed))
    low, high = percentiles(sums_S2[:, 0] / np.maximum(sums_S2[:, 1], 1))
    return {"value": float(total / number), "low": low, "high": high, "n": int(number)}


def macro(pairs_ER2: np.ndarray, seed: int) -> Estimate:
    """The mean over relations of the share of right answers; n is the number of relations.

    Args:
        pairs_ER2: (right, number) by entity and relation. Entities are resampled; in each resample
            the relations that it holds are averaged.
        seed: seed for the resampling.
    """
    entities, relations, _ = pairs_ER2.shape
    number_R = pairs_ER2[..., 1].sum(axis=0)
    shares_R = pairs_ER2[..., 0].sum(axis=0)[number_R > 0] / number_R[number_R > 0]
    columns_EK = pairs_ER2.reshape(entities, relations * 2)
    sums_SR2 = resampled_sums(columns_EK, np.random.default_rng(seed)).reshape(-1, relations, 2)
    right_SR, number_SR = sums_SR2[..., 0], sums_SR2[..., 1]
    drawn_SR = np.divide(right_SR, number_SR, out=np.zeros_like(right_SR), where=number_SR > 0)
    held_S = (number_SR > 0).sum(axis=1)
    value = float(shares_R.mean())
    low, high = percentiles(drawn_SR.sum(axis=1) / np.maximum(held_S, 1))
    return {"value": value, "low": min(value, low), "high": max(value, high), "n": len(shares_R)}


def mean(values: Iterable[float], seed: int = 0) -> Estimate:
    """The mean of numbers, with a bootstrap interval."""
    return bootstrap(np.array([(value, 1.0) for value in values]), seed)


def resampled_sums(
    rows_NK: np.ndarray, generator: np.random.Generator, *, by_index: bool = False
) -> np.ndarray:
    """sums_SK of the columns, for each of `RESAMPLES` resamples of the rows.

    Args:
        rows_NK: what is summed.
        generator: where the draws come from; two calls with one generator differ.
        by_index: draw the place of each row instead of how often each row occurs. Both have the
            same distribution. The published perplexities were drawn by index, so their intervals
            stay the same.
    """
    number = len(rows_NK)
    if by_index:
        drawn_SNK: np.ndarray = rows_NK[generator.integers(0, number, (RESAMPLES, number))]
        return np.asarray(drawn_SNK.sum(axis=1))
    weights_SN = generator.multinomial(number, np.full(number, 1 / number), size=RESAMPLES)
    return np.asarray(weights_SN @ rows_NK)


def percentiles(values_S: np.ndarray) -> tuple[float, float]:
    """The ends of the 95 % interval of resampled values."""
    low, high = np.percentile(values_S, [2.5, 97.5])
    return float(low), float(high)
