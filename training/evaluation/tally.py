"""Counts right answers by entity and relation, and computes their shares with intervals."""

from __future__ import annotations

import numpy as np

from training.evaluation.statistics import Measures, bootstrap, macro, wilson

MACRO = "_macro"  # suffix of the mean over relations, in which each relation weighs the same


class Tally:
    """The right answers of each measure, by what was asked about.

    The value of a measure is the share of right answers. Its interval is Wilson's if each entity
    was asked about once, else a bootstrap over entities, because the answers about one entity are
    alike. Next to it is the macro average over relations, so frequent relations do not hide the
    tail.
    """

    def __init__(self) -> None:
        self._counts: dict[str, dict[tuple[str, str], list[int]]] = {}

    def add(
        self, measure: str, right: int | bool, number: int = 1, *, entity: str, relation: str = ""
    ) -> None:
        """Count `number` answers, `right` of them right; without a relation there is no macro."""
        counts = self._counts.setdefault(measure, {}).setdefault((entity, relation), [0, 0])
        counts[0] += int(right)
        counts[1] += number

    def names(self) -> list[str]:
        """The measures counted so far, in order."""
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


def prefixed(prefix: str, found: Measures) -> Measures:
    """The same measures under other names."""
    return {f"{prefix}{name}": row for name, row in found.items()}
