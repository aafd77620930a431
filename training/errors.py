"""The error that ends a training, told to a person."""

from __future__ import annotations


class TrainingError(RuntimeError):
    """Training cannot go on; the message is one sentence that says what to do."""
