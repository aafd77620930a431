"""Errors of training for the user: each message is one sentence that says what to do."""

from __future__ import annotations

from graph.core.errors import UserError


class TrainingError(UserError):
    """A training, or a run on disk, that cannot go on."""


class CorpusError(UserError):
    """A corpus, a tokenizer or an annotated text that cannot be used."""


class EvaluationError(UserError):
    """An evaluation that cannot be done."""
