"""A toy corpus and a tiny module, made once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.training.toy import write_toy_corpus


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def toy_corpus(tmp_path_factory) -> Path:
    return write_toy_corpus(tmp_path_factory.mktemp("corpus") / "toy", train=80)
