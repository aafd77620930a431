"""The interface of annotators, and a choice of one that can be sent to another machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from graph.opening import open_store
from training.annotation.alignment import AlignmentAnnotator, Text
from training.annotation.annotated_text import Annotated

FILE = "sqlite:///"


class Annotator(Protocol):
    """Writes lookups into texts."""

    name: str

    def annotate(self, texts: Sequence[Text]) -> Iterable[Annotated]:
        """Each text with its lookups, in order; the characters of the text stay the same."""


@dataclass(frozen=True)
class Chosen:
    """One annotator by name: a graph to align with, or else a causal LM."""

    align: str = ""
    model: str = ""

    @property
    def name(self) -> str:
        """The name under which annotated documents record it."""
        return f"alignment with {self.align}" if self.align else self.model

    def open(self) -> Annotator:
        """Open the annotator. Raises StoreError or CorpusError."""
        if self.align:
            return AlignmentAnnotator(open_store(self.align))
        from training.annotation.causal_annotator import CausalAnnotator

        return CausalAnnotator(self.model)

    def anywhere(self) -> Chosen:
        """The same with absolute paths, for a process that runs in another folder."""
        if self.align.startswith(FILE):
            path = Path(self.align.removeprefix(FILE)).resolve()
            return replace(self, align=f"{FILE}{path}")
        if self.model and Path(self.model).exists():
            return replace(self, model=str(Path(self.model).resolve()))
        return self
