"""Which names the lookups of one text may hold.

    guide = Guides(checkpoint).guide(Retriever(store), "what's the capital of japan")
    guide.entities([])              # ("japan",)
    guide.relations("japan", [])    # ("relations", "capital", "currency", ...)

At the entity's place only names count that the prompt mentions, as it spells them, and those that
earlier lookups returned. At the relation's place it is `relations`, until the entity's list was
looked up, or any relation of the entity, inverse ones and those left out of the list included. If
the graph knows nothing that the prompt mentions, the entity is free text, and so is the relation
of an entity that the graph does not hold. Whether a lookup opens is never guided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from graph.core.facts import RELATIONS
from graph.core.names import fold
from graph.lookup.result import Askable, Lookup
from model.checkpoint import Checkpoint
from model.guided.trie import NameTrie, Tries


class GuideSource(Protocol):
    """What guidance needs of a graph, all from one revision; `Retriever` has it."""

    def mentioned(self, prompt: str) -> Sequence[str]:
        """The names that a prompt calls entities by, as it spells them."""
        ...

    def askable(self, name: str, context: str | None = None) -> Askable | None:
        """What lookups find under a name of an entity; None if they find nothing."""
        ...

    def held(self, names: Sequence[str]) -> list[str]:
        """Those of the names that the graph has for entities."""
        ...


class Guides:
    """Makes the guides of one checkpoint, which share the encoded names."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint, self._tries = checkpoint, Tries(checkpoint)

    def guide(self, source: GuideSource, prompt: str) -> Guide:
        """The guide of one text."""
        return Guide(self._checkpoint, source, prompt, self._tries)


class Guide:
    """The names that the lookups of one text may hold, on one state of the graph."""

    def __init__(
        self, checkpoint: Checkpoint, source: GuideSource, prompt: str, tries: Tries
    ) -> None:
        self._checkpoint, self._source, self._tries = checkpoint, source, tries
        self._prompt = prompt
        self._context = prompt if checkpoint.ranked else None
        self._mentioned: tuple[str, ...] | None = None
        self._askable: dict[str, Askable | None] = {}
        self._returned: dict[int, list[str]] = {}  # by the id of a lookup that is kept in it
        self._kept: list[Lookup] = []

    def entities(self, lookups: Sequence[Lookup]) -> tuple[str, ...]:
        """The names that the next lookup may ask about; none if it is free text."""
        if self._mentioned is None:
            self._mentioned = tuple(self._source.mentioned(self._prompt))
        names = dict.fromkeys(self._mentioned)
        for lookup in lookups:
            names.update(dict.fromkeys(self._names_of(lookup)))
        return tuple(name for name in names if self.relations(name, lookups))

    def relations(self, entity: str, lookups: Sequence[Lookup]) -> tuple[str, ...]:
        """What the next lookup may ask about an entity; none if it is free text.

        In the order of the entity's list, once it was looked up.
        """
        if entity not in self._askable:
            self._askable[entity] = self._source.askable(entity, self._context)
        askable = self._askable[entity]
        if askable is None:
            return ()
        names = dict.fromkeys(askable.relations)
        lists = [one for one in lookups if fold(one.relation) == RELATIONS]
        about = (askable.entity_id, askable.entity)
        lists = [one for one in lists if (one.entity_id, one.resolved_entity) == about]
        if not lists and askable.listed and self._checkpoint.relations:
            return (RELATIONS, *names)
        for listed in lists[-1:]:
            ranked = [one.name for one in listed.ranking or () if one.name in names]
            names = dict.fromkeys([*ranked, *names])
        return tuple(names)

    def entity_trie(self, lookups: Sequence[Lookup], room: int) -> NameTrie | None:
        """The names for the entity's place, if they and a relation take at most `room` tokens."""
        markers = self._checkpoint.markers
        fitting = []
        for name in self.entities(lookups):
            shortest = min(len(self._tries.encode(r)) for r in self.relations(name, lookups))
            if len(self._tries.encode(name)) + 1 + shortest <= room:
                fitting.append(name)
        return self._tries.trie(fitting, markers.relationship, room)

    def relation_trie(self, entity: str, lookups: Sequence[Lookup], room: int) -> NameTrie | None:
        """The names for the relation's place, those of at most `room` tokens."""
        markers = self._checkpoint.markers
        return self._tries.trie(self.relations(entity, lookups), markers.return_, room)

    def digest(self, entity: str, lookups: Sequence[Lookup]) -> str:
        """A key of all names that the next lookup could choose from, if it is about `entity`."""
        names = (self.entities(lookups), self.relations(entity, lookups))
        return hashlib.blake2b(repr(names).encode(), digest_size=8).hexdigest()

    def _names_of(self, lookup: Lookup) -> list[str]:
        """The names of entities that a lookup returned: in front of a list, and its values."""
        if id(lookup) not in self._returned:
            values = [lookup.value[begin:end] for begin, end in lookup.value_spans]
            names = [*([lookup.resolved_entity] if lookup.resolved_entity else []), *values]
            held = [] if lookup.is_miss else self._source.held(names)
            if lookup.entity_by == "literal" and lookup.resolved_entity not in held:
                held = [*names[:1], *held]
            self._returned[id(lookup)] = held
            self._kept.append(lookup)
        return self._returned[id(lookup)]
