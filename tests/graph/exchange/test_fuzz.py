"""The short form of the fuzz of all readers; the long one is `python -m tests.fuzz_readers`."""

from __future__ import annotations

import pytest

from tests.fuzz_readers import fuzz

pytestmark = pytest.mark.unit
SEED = 20


def test_two_thousand_mutated_files_are_read_reported_or_refused() -> None:
    outcome = fuzz(2000, SEED)
    assert not outcome.faults, f"seed {SEED}: {outcome.faults[0]}"
    assert outcome.files == 2000
    assert outcome.facts > 2000
    assert len(outcome.kinds) > 15
