"""Asks a graph each lookup once, however many readers want the answer.

    lookups = LookupMemory(Retriever(draft))

A rewrite needs the answers of the old text twice: to see whether any of them changed, and to find
where the new text begins. A retriever reads one revision throughout, so its answers do not change.
"""

from __future__ import annotations

from collections.abc import Sequence

from graph.lookup.relation_paths import RelationPath
from graph.lookup.result import Askable, Lookup
from model.engine.events import LookupSource


class LookupMemory:
    """A `LookupSource` that remembers the answers of another one."""

    def __init__(self, source: LookupSource) -> None:
        self._source = source
        self._answers: dict[tuple[str, str, str | None], Lookup] = {}

    @property
    def revision(self) -> int:
        """The revision that the source reads."""
        return self._source.revision

    @property
    def state(self) -> str:
        """The key of the source's store, revision and draft."""
        return self._source.state

    def lookup(self, entity: str, relation: str, context: str | None = None) -> Lookup:
        """Answer one query, from memory if it was asked before in exactly these words."""
        query = (entity, relation, context)
        if query not in self._answers:
            self._answers[query] = self._source.lookup(*query)
        return self._answers[query]

    def mentioned(self, prompt: str) -> Sequence[str]:
        """The names that a prompt calls entities by."""
        return self._source.mentioned(prompt)

    def askable(self, name: str, context: str | None = None) -> Askable | None:
        """What lookups find under a name of an entity."""
        return self._source.askable(name, context)

    def path(self, name: str, context: str, asked: str) -> RelationPath | None:
        """Which two relations in a row a prompt asks for."""
        return self._source.path(name, context, asked)

    @property
    def compares_meaning(self) -> bool:
        return self._source.compares_meaning

    def held(self, names: Sequence[str]) -> list[str]:
        """Those of the names that the graph has for entities."""
        return self._source.held(names)
