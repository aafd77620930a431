"""The error that ends a training, told to a person."""

from __future__ import annotations


class TrainingError(RuntimeError):
    """Training cannot go on; the message is one sentence that says what to do."""


class EvaluationError(RuntimeError):
    """The evaluation cannot be done; the message is one sentence."""


class CorpusError(ValueError):
    """A corpus that cannot be used; the message is one sentence that says what to do."""
