"""All kinds of documents that the writer draws from.

To add a kind, write a function in a module of this package, list it in the module's `KINDS`, and,
if the module is new, list the module here. The order counts: with another order a seed draws other
documents.
"""

from __future__ import annotations

from collections.abc import Mapping

from training.corpus.kinds import chains, missing, odd_prompts, paragraphs, questions
from training.corpus.kinds.kind import Kind

_ALL: tuple[Kind, ...] = (
    *paragraphs.KINDS,
    *questions.KINDS,
    *chains.KINDS,
    *missing.KINDS,
    *odd_prompts.KINDS,
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
"""The kinds by name; prose is added by the document stream."""

assert len(KINDS) == len(_ALL), "Two kinds of documents have the same name."
