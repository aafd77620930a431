"""The closed-book bar: how much more likely a name makes the true value than other names do.

The neutral statement is cut before its value, lookups are forbidden, and the probabilities of
values are read. Raw probability proves nothing: a common value is likely after any name. So the
name and four others of its kind are compared crosswise, each with both values, as the suite
`closed-book` of the evaluation does: what is left is how well this name and this value go together.

A name can suggest a value without any memory of it (Eritrea and Eritrean). Names that no training
saw are measured alike, as a control: where they reach the bar too, the value is guessed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from graph.core.facts import Fact
from graph.core.names import fold
from graph.core.protocol import TripletStore
from model.audit.scoring import log_probabilities
from model.audit.statements import KIND, beginning, kind_of, question
from model.checkpoint import Checkpoint, read_held_out

OTHERS = 4
"""Names that one is compared with, each of another value."""
CONTROLS = 4
"""Names that no training saw and that are measured too, at most."""
SIGN = 20.0
"""The ratio from which on the bar is a sign of memory. Names that no training saw seldom reach it
unless they share a word with the value. tests/model/audit/test_memory_control.py is the control."""
_LOOKED_THROUGH = 2000  # facts of the relation, at most
_TRIED = 60  # of them, at most, until enough others are found


class Paired(NamedTuple):
    """A name with its value."""

    entity: str
    value: str


@dataclass(frozen=True)
class Bar:
    """How well a name and its value go together, compared with other names of its kind."""

    fact: Fact
    kind: str
    """What kind of thing they are; "" where the graph does not say."""
    others: tuple[Paired, ...]
    gains: tuple[float, ...]
    """In nats, against each of the others."""
    control: float | None
    """The ratio of names that no training saw; None if there are none of this kind."""
    controls: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """How many times likelier this name makes the true value."""
        return math.exp(sum(self.gains) / len(self.gains))

    @property
    def is_sign(self) -> bool:
        """Whether the ratio is a sign of memory, or of a name that gives its value away."""
        return self.ratio >= SIGN and min(self.gains) > 0

    @property
    def is_guess(self) -> bool:
        """Whether names that no training saw suggest their values as well as this one does."""
        return self.control is not None and self.control >= SIGN

    def to_json(self) -> dict[str, Any]:
        """As a plain object; ratios have three digits, because sums differ in the last ones."""
        return {
            "ratio": digits(self.ratio),
            "sign_from": SIGN,
            "is_sign": self.is_sign,
            "kind": self.kind,
            "others": [
                {"entity": other.entity, "value": other.value, "ratio": digits(math.exp(gain))}
                for other, gain in zip(self.others, self.gains, strict=True)
            ],
            "control": None if self.control is None else digits(self.control),
            "controls": list(self.controls),
        }


def digits(number: float) -> float:
    """A number with three significant digits."""
    return float(f"{number:.3g}")


def closed_book_bar(
    checkpoint: Checkpoint, store: TripletStore, fact: Fact, at: int | None = None
) -> Bar | None:
    """The bar of a fact; None if the graph has fewer than four others to compare with."""
    # What kind of thing a name is can only be compared with names of other kinds.
    kind = "" if fold(fact.relation) == fold(KIND) else kind_of(store, fact.entity_id, at)
    own = Paired(fact.entity, fact.value)
    taken = {fold(other.value) for other in store.facts(fact.entity_id, fact.relation, at=at)}
    pool = store.facts_of(fact.relation, at=at, limit=_LOOKED_THROUGH)
    candidates = _Candidates(store, pool, kind, at)
    others = candidates.draw(fact, taken, OTHERS)
    if len(others) < OTHERS:
        return None
    held_out = read_held_out(checkpoint.name)
    unseen = _Candidates(store, [f for f in pool if f.entity in held_out], kind, at)
    scores = _Scores(checkpoint, fact.relation)
    measure = scores.plan(own, others)
    used = {fold(other.value) for other in others}
    controls = [
        control
        for control in unseen.draw(fact, used, CONTROLS)
        if all(control.entity != other.entity for other in others)
    ]
    measures = [scores.plan(control, others) for control in controls]
    scores.compute()
    means = [sum(gains) / len(gains) for gains in (each() for each in measures)]
    return Bar(
        fact=fact,
        kind=kind,
        others=tuple(others),
        gains=tuple(measure()),
        control=math.exp(sum(means) / len(means)) if means else None,
        controls=tuple(control.entity for control in controls),
    )


class _Candidates:
    """Names of a relation that one may be compared with, in an order that chance chose once."""

    def __init__(
        self, store: TripletStore, pool: Sequence[Fact], kind: str, at: int | None
    ) -> None:
        self.store, self.kind, self.at = store, kind, at
        self.pool = sorted(pool, key=lambda fact: (fact.entity, fact.value))

    def draw(self, fact: Fact, taken: set[str], wanted: int) -> list[Paired]:
        """Names of the same kind with values that are not taken, each with another value.

        The same fact gets the same names, in every process.
        """
        order = random.Random(f"{fact.entity}|{fact.relation}|{fact.value}")
        pool = order.sample(self.pool, len(self.pool))
        found: list[Paired] = []
        used, names = set(taken), {fold(fact.entity)}
        tried = 0
        for other in pool:
            if len(found) == wanted or tried == _TRIED:
                break
            if fold(other.value) in used or fold(other.entity) in names:
                continue
            tried += 1
            if self.kind and kind_of(self.store, other.entity_id, self.at) != self.kind:
                continue
            values = self.store.facts(other.entity_id, fact.relation, at=self.at)
            if any(fold(each.value) == fold(fact.value) for each in values):
                continue
            used.add(fold(other.value))
            names.add(fold(other.entity))
            found.append(Paired(other.entity, other.value))
        return found


class _Scores:
    """The log-probabilities of values after statements, all read in few passes."""

    def __init__(self, checkpoint: Checkpoint, relation: str) -> None:
        self.checkpoint, self.relation = checkpoint, relation
        self.places: dict[tuple[str, str], int] = {}
        self.scores: list[float] = []

    def plan(self, own: Paired, others: Sequence[Paired]) -> Callable[[], list[float]]:
        """Want what a comparison needs; what is returned gives the gains, after `compute`."""
        places = [
            [
                self._want(own.entity, own.value),
                self._want(own.entity, other.value),
                self._want(other.entity, other.value),
                self._want(other.entity, own.value),
            ]
            for other in others
        ]

        def gains() -> list[float]:
            found = []
            for each in places:
                own_own, own_other, other_other, other_own = (self.scores[i] for i in each)
                found.append((own_own - own_other + other_other - other_own) / 2)
            return found

        return gains

    def _want(self, entity: str, value: str) -> int:
        return self.places.setdefault((entity, value), len(self.places))

    def compute(self) -> None:
        """Read all that is wanted."""
        rows = []
        for entity, value in self.places:
            prompt = self.checkpoint.encode_prompt(question(entity, self.relation))
            words = self.checkpoint.encode_text(f" {beginning(entity, self.relation)}")
            rows.append(([*prompt, *words], self.checkpoint.encode_value(value)))
        self.scores = log_probabilities(self.checkpoint, rows, [self.checkpoint.markers.entity])
