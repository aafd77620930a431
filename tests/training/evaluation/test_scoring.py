"""Continuations of one context, read once, are as likely as when each is read alone."""

from __future__ import annotations

import pytest

from model.audit.scoring import continued, log_probabilities
from tests.model.model_fakes import random_llama


def test_continuations_of_one_context_are_as_likely_as_alone() -> None:
    checkpoint = random_llama(3, context=200)
    context = checkpoint.encode_text("It is said that")
    options = [checkpoint.encode_text(text) for text in (" a", " another day", " the end of it")]
    options.append(options[1][:1])
    alone = log_probabilities(checkpoint, [(context, option) for option in options])
    assert continued(checkpoint, context, options) == pytest.approx(alone, abs=1e-4)
    assert continued(checkpoint, context, options[3:]) == pytest.approx(alone[3:], abs=1e-4)
