"""Token roles: the grammar, malformed spans, and agreement with a plain state machine."""

from __future__ import annotations

import random

import pytest
import torch

from model.roles import MARKERS, MarkerIds, Role, misplaced_markers, token_roles
from training.fit.loss_mask import loss_mask

M = MarkerIds(entity=1, relationship=2, return_=3, end=4)
E, R, V, X = 1, 2, 3, 4  # the markers; 9 is any other token
LETTERS = {Role.PROMPT: "p", Role.TEXT: "t", Role.ENTITY: "e", Role.RELATION: "r",
           Role.VALUE: "v", Role.MARKER: "M"}  # fmt: skip


def spelt(ids: list[int], prompt: int | None = None) -> str:
    """The roles of one row as a string of letters."""
    lengths = None if prompt is None else torch.tensor([prompt])
    roles = token_roles(torch.tensor([ids], dtype=torch.long), M, lengths)
    return "".join(LETTERS[Role(role)] for role in roles[0].tolist())


def reference_roles(ids: list[int], prompt: int) -> list[Role]:
    """The same grammar as a state machine, one token at a time."""
    after = {E: Role.ENTITY, R: Role.RELATION, V: Role.VALUE, X: Role.TEXT}
    before = {E: Role.TEXT, R: Role.ENTITY, V: Role.RELATION, X: Role.VALUE}
    state = Role.TEXT
    if prompt == 0:
        state = next((before[token] for token in ids if token in before), Role.TEXT)
    roles = []
    for position, token in enumerate(ids):
        if position < prompt:
            roles.append(Role.PROMPT)
        elif token in after:
            roles.append(Role.MARKER)
            state = after[token]
        else:
            roles.append(state)
    return roles


@pytest.mark.parametrize(
    ("ids", "prompt", "expected"),
    [
        ([9, 9, E, 9, R, 9, 9, V, 9, X, 9], 2, "ppMeMrrMvMt"),
        ([9, E, 9, R, 9, V, 9, X, E, 9, R, 9, V, X, 9], 1, "pMeMrMvMMeMrMMt"),
        ([9, 9, E, 9, R, 9, V, 9, 9], 1, "ptMeMrMvv"),  # never closes
        ([9, 9, E, 9, 9], 1, "ptMee"),  # cut in the entity
        ([9, E, 9, V, 9, X, 9], 1, "pMeMvMt"),  # the relation is missing
        ([9, 9, R, 9, X, 9], 1, "ptMrMt"),  # out of order
        ([9, 9, X, 9], 1, "ptMt"),  # closes what was never opened, after a prompt
        ([9, E, 9, R, E, 9, R, 9, V, 9, X, 9], 1, "pMeMMeMrMvMt"),  # nested
        ([9, X, 9, E, 9], None, "vMtMe"),  # cut at the left in a value
        ([9, V, 9, X, 9], None, "rMvMt"),  # cut at the left in a relation
        ([9, R, 9, V, 9, X], None, "eMrMvM"),  # cut at the left in an entity
        ([9, 9], None, "tt"),
        ([9, E, R, V, X, 9, E, 9], 6, "ppppppMe"),  # markers in the prompt are prompt
        ([9, 9, 9], 5, "ppp"),  # the prompt fills the row
        ([], None, ""),
    ],
)
def test_roles_of_hand_made_rows(ids: list[int], prompt: int | None, expected: str) -> None:
    assert spelt(ids, prompt) == expected


def test_roles_equal_the_state_machine_on_random_batches() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(200):
        rows, length = draw.randint(1, 6), draw.randint(1, 40)
        ids = [[draw.choice([E, R, V, X, 9, 9, 9, 9]) for _ in range(length)] for _ in range(rows)]
        prompts = [draw.randint(0, length) for _ in range(rows)]
        roles = token_roles(torch.tensor(ids), M, torch.tensor(prompts))
        assert roles.tolist() == [reference_roles(*row) for row in zip(ids, prompts, strict=True)]


def test_loss_leaves_out_prompt_values_and_end() -> None:
    ids = torch.tensor([[9, 9, E, 9, R, 9, V, 9, 9, X, 9, 9]])
    mask = loss_mask(ids, token_roles(ids, M, torch.tensor([1])), M)
    assert "".join("01"[flag] for flag in mask[0].tolist()) == "011111100011"


def test_a_value_never_reaches_the_loss_whatever_is_broken() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    ids = torch.tensor([[draw.choice([E, R, V, X, 9, 9]) for _ in range(60)] for _ in range(50)])
    mask = loss_mask(ids, token_roles(ids, M, torch.zeros(50, dtype=torch.long)), M)
    for row, flags in zip(ids.tolist(), mask.tolist(), strict=True):
        inside = False
        for token, trained in zip(row, flags, strict=True):
            if token in (E, R, V, X):
                inside = token == V
            elif inside:
                assert not trained


@pytest.mark.parametrize(
    ("ids", "prompt", "wrong"),
    [
        ([9, E, 9, R, 9, V, 9, X, 9, E, 9, R, 9, V, 9, X], 1, []),
        ([9, E, 9, R, 9, V, 9], 1, []),  # cut at the right
        ([9, X, 9, E, 9, R], None, []),  # cut at the left
        ([9, X, 9], 1, [1]),
        ([9, E, 9, V, 9, X], 1, [3]),
        ([9, E, 9, E, 9, R, 9, V, 9, X], 1, [3]),
        ([9, E, 9, R, 9, X], 1, [5]),
        ([E, E, 9, R], 2, [3]),  # the prompt's markers do not count
    ],
)
def test_misplaced_markers(ids: list[int], prompt: int | None, wrong: list[int]) -> None:
    lengths = None if prompt is None else torch.tensor([prompt])
    found = misplaced_markers(torch.tensor([ids]), M, lengths)
    assert found[0].nonzero().flatten().tolist() == wrong


def test_marker_ids_name_what_a_tokenizer_lacks() -> None:
    class Vocabulary:
        def get_vocab(self) -> dict[str, int]:
            return {MARKERS[0]: 7, MARKERS[1]: 8, MARKERS[2]: 9}

    with pytest.raises(ValueError, match=r"lacks <\|db_end\|>; add the four tokens"):
        MarkerIds.of(Vocabulary())
