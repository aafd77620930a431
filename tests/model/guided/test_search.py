"""The search over a trie against the probability of every name, on made-up models."""

from __future__ import annotations

import itertools
import math
import random

import pytest
import torch
from torch import Tensor

from model.guided.search import MOST_READ, NameSearch
from model.guided.trie import NameTrie, Path

END = 9


def model(seed: int, sharp: float) -> dict[Path, Tensor]:
    """Logits after each beginning of up to four tokens."""
    made = torch.Generator().manual_seed(seed)
    paths = [p for length in range(5) for p in itertools.product(range(4), repeat=length)]
    return {path: sharp * torch.randn(10, generator=made) for path in paths}


def probability(logits: dict[Path, Tensor], ids: Path) -> float:
    chances = (logits[ids[:i]].softmax(0)[token] for i, token in enumerate(ids))
    return math.prod(map(float, chances))


def names(draw: random.Random, most: int) -> dict[Path, str]:
    made = {tuple(draw.choices(range(4), k=draw.randint(1, 4))) for _ in range(most)}
    return {ids: str(ids) for ids in sorted(made)}


def choose(
    trie: NameTrie, logits: dict[Path, Tensor], factors: dict[str, float] | None = None
) -> tuple[NameSearch, int]:
    search, reads = NameSearch(trie, factors), 0
    while search.chosen is None:
        assert search.path + tuple(search.likely()) in {(*ids, END) for ids in trie.names}
        assert search.allowed_tokens()
        search.read(logits[search.path])
        reads += 1
    return search, reads


@pytest.mark.parametrize("sharp", [1.0, 3.0])
def test_the_likeliest_whole_name_is_chosen(sharp: float) -> None:
    seed = random.randrange(2**31)
    print(f"seed {seed}")
    draw, other = random.Random(seed), 0
    for round_ in range(60):
        logits = model(seed + round_, sharp)
        trie = NameTrie(names(draw, 8), END)
        search, reads = choose(trie, logits)
        assert search.chosen is not None
        chances = {ids: probability(logits, (*ids, END)) for ids in trie.names}
        best = max(chances, key=lambda ids: chances[ids])
        assert math.prod(search.chosen.probabilities) == pytest.approx(
            probability(logits, search.chosen.ids), rel=1e-3
        )
        if reads < MOST_READ:
            assert search.chosen.ids == (*best, END)
        written, stepwise = trie.names[search.chosen.ids[:-1]], _greedy(trie, logits)
        other += trie.names[stepwise] != written
        considered = dict(search.considered())
        assert considered[written] == pytest.approx(chances[best], abs=1e-3) or reads >= MOST_READ
        assert sum(considered.values()) <= 1.01
    assert other  # token by token, some choices differ


def _greedy(trie: NameTrie, logits: dict[Path, Tensor]) -> Path:
    path: Path = ()
    while path[-1:] != (END,):
        path = (*path, max(trie.after(path), key=lambda t: float(logits[path][t])))
    return path[:-1]


def test_a_sure_choice_costs_one_pass_a_token() -> None:
    logits = {path: torch.zeros(10) for path in model(0, 1)}
    for path, token in (((), 1), ((1,), 2), ((1, 2), END)):
        logits[path][token] = 20.0
    search, reads = choose(NameTrie({(1,): "a", (1, 2): "a b", (2,): "b"}, END), logits)
    assert search.chosen is not None
    assert search.chosen.ids == (1, 2, END)
    assert reads == 3
    assert search.considered() == (("a b", 1.0),)


def test_a_search_ends_soon_where_nothing_is_likely() -> None:
    logits = {path: torch.zeros(10) for path in model(0, 1)}
    every = {path: str(path) for path in logits if len(path) == 4}
    search, reads = choose(NameTrie(every, END), logits)
    assert reads <= MOST_READ + 5
    assert search.considered()


@pytest.mark.parametrize("sharp", [1.0, 3.0])
def test_a_name_counts_by_its_factor_too(sharp: float) -> None:
    seed = random.randrange(2**31)
    print(f"seed {seed}")
    draw, changed = random.Random(seed), 0
    for round_ in range(60):
        logits = model(seed + round_, sharp)
        trie = NameTrie(names(draw, 8), END)
        factors = {name: draw.uniform(-3, 3) for name in trie.names.values() if draw.random() < 0.7}
        search, reads = choose(trie, logits, factors)
        assert search.chosen is not None
        weights = {
            ids: probability(logits, (*ids, END)) * math.exp(factors.get(name, 0.0))
            for ids, name in trie.names.items()
        }
        best = max(weights.values())
        if reads < MOST_READ:
            assert weights[search.chosen.ids[:-1]] == pytest.approx(best, rel=1e-3)
        considered = dict(search.considered())
        assert sum(considered.values()) <= 1.001
        plain, _ = choose(trie, logits)
        assert plain.chosen is not None
        changed += plain.chosen.ids != search.chosen.ids
    assert changed > 0
