"""The question encoder's training, for a few steps with the real weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from graph.lookup.encoder import Encoder, load_encoder
from training.corpus.wordings import Wordings
from training.fit.question_encoder import (
    Group,
    alike,
    average,
    choice_loss,
    main,
    read_groups,
    train,
)

GROUPS = (
    Group(("keyholder", "keys with"), ("Who can unlock?", "who has the keys to")),
    Group(("floor", "level"), ("How high up is?", "which storey is on")),
    Group(("level",), ("How good is at it?",)),
    Group(("wattage",), ("How much power does draw?",)),
)


def test_a_question_comes_nearer_to_its_relation(tmp_path: Path) -> None:
    base = load_encoder()
    assert base is not None
    save_file(train(GROUPS, steps=16, seed=1), tmp_path / "adapter.safetensors")
    adapted = base.adapted(tmp_path / "adapter.safetensors")

    def margin(encoder: Encoder) -> float:
        asked_D, right_D, wrong_D = encoder.encode(["Who can unlock?", "keyholder", "wattage"])
        return float(asked_D @ right_D - asked_D @ wrong_D)

    assert margin(adapted) > margin(base) + 0.05
    again = train(GROUPS, steps=2, seed=1)
    for name, value in train(GROUPS, steps=2, seed=1).items():
        np.testing.assert_array_equal(value, again[name])


def test_the_average_changes_a_weight_by_the_mean(tmp_path: Path) -> None:
    torch.manual_seed(3)
    adapters = [{"x.a": torch.randn(rank, 6), "x.b": torch.randn(5, rank)} for rank in (2, 3)]
    changes = [adapter["x.b"] @ adapter["x.a"] for adapter in adapters]
    averaged = average(adapters)
    assert averaged["x.a"].shape == (5, 6)
    torch.testing.assert_close(averaged["x.b"] @ averaged["x.a"], (changes[0] + changes[1]) / 2)
    files = [str(tmp_path / f"{name}.safetensors") for name in "ab"]
    for file, adapter in zip(files, adapters, strict=True):
        save_file(adapter, file)
    out = tmp_path / "mean.safetensors"
    assert main(["--steps", "0", "--average-with", *files, "--out", str(out)]) == 0
    torch.testing.assert_close(load_file(out), averaged)


def test_one_threshold_parts_right_names_from_wrong_ones() -> None:
    """Right names at .8 and wrong ones at .2: the loss is least with the threshold between them."""
    cosines_BC = torch.tensor([[0.8, 0.2, 0.2], [0.2, 0.8, 0.2]])
    alike_BC = torch.tensor([[True, False, False], [False, True, False]])

    def loss(threshold: float) -> float:
        return choice_loss(cosines_BC, torch.tensor(threshold), alike_BC).item()

    assert loss(0.5) < min(loss(0.1), loss(0.95)) / 10


def test_a_name_that_is_alike_is_not_wrong() -> None:
    cosines_BC = torch.tensor([[0.8, 0.2, 0.8], [0.2, 0.8, 0.2]])
    threshold = torch.tensor(0.5)
    owned_BC = torch.tensor([[True, False, False], [False, True, False]])
    alike_BC = torch.tensor([[True, False, True], [False, True, False]])
    right = choice_loss(cosines_BC, threshold, alike_BC)
    assert right < choice_loss(cosines_BC, threshold, owned_BC) / 10


def test_relations_that_share_a_name_are_no_wrong_answers() -> None:
    assert alike(GROUPS) == [{0}, {1, 2}, {1, 2}, {3}]


def test_the_groups_are_read_without_the_published_wordings() -> None:
    groups = read_groups(Wordings((), (), ()))
    labels = {label for group in groups for label in group.labels}
    assert {"capital", "price", "unit price"} <= labels
    questions = [question for group in groups for question in group.questions]
    assert not [question for question in questions if "{" in question or "____" in question]
