"""Counting right answers by entity and relation, and the intervals of their shares."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from training.evaluation.evaluate import RESAMPLES, bootstrap, wilson

Measures = dict[str, dict[str, float]]
MACRO = "_macro"  # suffix of the mean over relations, in which each relation weighs the same


class Tally:
    """Right answers of each measure, by what was asked about.

    The value of a measure is the share of right answers. Its interval is Wilson's where each
    entity was asked about once, else a bootstrap over entities, for the answers about one entity
    are alike. Beside it stands the macro average over relations, so that the frequent ones do not
    hide the tail.
    """

    def __init__(self) -> None:
        self._counts: dict[str, dict[tuple[str, str], list[int]]] = {}

    def add(
        self, measure: str, right: int | bool, number: int = 1, *, entity: str, relation: str = ""
    ) -> None:
        """Count `number` answers, `right` of them right; one without a relation has no macro."""
        counts = self._counts.setdefault(measure, {}).setdefault((entity, relation), [0, 0])
        counts[0] += int(right)
        counts[1] += number

    def names(self) -> list[str]:
        """The measures that were counted, in their order."""
        return list(self._counts)

    def measures(self, seed: int = 0) -> Measures:
        """All measures, each followed by its macro average."""
        found: Measures = {}
        for name, counts in self._counts.items():
            found |= self._measure(name, counts, seed)
        return found

    def _measure(self, name: str, counts: dict[tuple[str, str], list[int]], seed: int) -> Measures:
        entities = {entity: i for i, entity in enumerate(dict.fromkeys(e for e, _ in counts))}
        relations = {r: i for i, r in enumerate(dict.fromkeys(r for _, r in counts))}
        pairs_ER2 = np.zeros((len(entities), len(relations), 2))
        for (entity, relation), pair in counts.items():
            pairs_ER2[entities[entity], relations[relation]] = pair
        pairs_E2 = pairs_ER2.sum(axis=1)
        if not pairs_E2[:, 1].sum():
            return {}
        once = (pairs_E2[:, 1] <= 1).all()
        found = {name: wilson(pairs_E2) if once else bootstrap(pairs_E2, seed)}
        if set(relations) != {""}:
            found[name + MACRO] = macro(pairs_ER2, seed)
        return found


def macro(pairs_ER2: np.ndarray, seed: int) -> dict[str, float]:
    """The mean over relations of the share of right answers; n is the number of relations.

    pairs_ER2: (right, number) by entity and relation. The interval is a bootstrap over entities;
    in each resample the relations that it holds are averaged.
    """
    number_R = pairs_ER2[..., 1].sum(axis=0)
    shares_R = pairs_ER2[..., 0].sum(axis=0)[number_R > 0] / number_R[number_R > 0]
    entities = len(pairs_ER2)
    generator = np.random.default_rng(seed)
    weights_SE = generator.multinomial(entities, np.full(entities, 1 / entities), size=RESAMPLES)
    right_SR = weights_SE @ pairs_ER2[..., 0]
    number_SR = weights_SE @ pairs_ER2[..., 1]
    drawn_SR = np.divide(right_SR, number_SR, out=np.zeros_like(right_SR), where=number_SR > 0)
    held_S = (number_SR > 0).sum(axis=1)
    means_S = drawn_SR.sum(axis=1) / np.maximum(held_S, 1)
    value = float(shares_R.mean())
    low, high = np.percentile(means_S, [2.5, 97.5])
    low, high = min(value, float(low)), max(value, float(high))
    return {"value": value, "low": low, "high": high, "n": len(shares_R)}


def mean(values: Iterable[float], seed: int = 0) -> dict[str, float]:
    """The mean of numbers with a bootstrap interval."""
    values_N = np.array(list(values), dtype=float)
    generator = np.random.default_rng(seed)
    drawn_SN = generator.integers(0, len(values_N), (RESAMPLES, len(values_N)))
    low, high = np.percentile(values_N[drawn_SN].mean(axis=1), [2.5, 97.5])
    return {
        "value": float(values_N.mean()),
        "low": float(low),
        "high": float(high),
        "n": len(values_N),
    }


def prefixed(prefix: str, found: Measures) -> Measures:
    """The same measures under other names."""
    return {f"{prefix}{name}": row for name, row in found.items()}
