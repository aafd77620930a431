"""A kind of document: its name, its share of the corpus, and the function that writes one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from training.corpus.material import Material


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of document."""

    name: str
    weight: float
    """How often it is drawn, relative to the other kinds."""
    write: Callable[[Material, random.Random], tuple[str, str]]
    """Writes the prompt and the text of one document; all chance comes from the generator."""
