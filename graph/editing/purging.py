"""What a purge erases, step by step; each back end does the steps on its rows or nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graph.core.errors import StoreError
from graph.core.ids import is_id
from graph.core.journal import scrub_entry


@dataclass(frozen=True, slots=True)
class ErasedVersion:
    """One version of a fact that is erased."""

    entity_id: int
    value_id: int | None
    relation: int | str
    """The relation, as the back end names it."""
    stands: bool
    """Whether it is the current version."""


Entry = tuple[int, int, str, str, str | None]
"""A journal entry: revision, number, kind, and the edit and its deltas in JSON."""


class Eraser(ABC):
    """Erases facts, their history and their traces inside one transaction.

    Gone are all versions of the facts and of earlier ones that said the same, what the journal and
    drafts hold of them, the reasons of revisions that touched them, and the entities, relations and
    words that only they used. Drafts that edited one are emptied.
    """

    def __init__(self) -> None:
        self._entities: set[int] = set()
        self._relations: set[int | str] = set()
        self._words: set[str] = set()
        self._erased: set[int] = set()

    def erase(self, fact_ids: Iterable[int]) -> None:
        """Erase the facts; raises `StoreError` for an id that never was one."""
        for fact_id in dict.fromkeys(fact_ids):
            if fact_id not in self._erased:
                self._erase_fact(fact_id)
        self._erase_what_nothing_uses()

    def _erase_fact(self, fact_id: int) -> None:
        """Erase a fact, and what earlier facts said of the same: one deleted and added again."""
        twins = self._twins(fact_id) if is_id(fact_id) else []
        self._erase_versions(fact_id, past_only=False)
        for twin, stands in twins:
            self._erase_versions(twin, past_only=stands)

    def _erase_versions(self, fact_id: int, *, past_only: bool) -> None:
        versions = self._versions(fact_id, past_only) if is_id(fact_id) else []
        if not versions:
            raise StoreError(f"The fact {fact_id} never existed; nothing was purged.")
        counts: Counter[int] = Counter()
        for version in versions:
            ends = [version.entity_id]
            if version.value_id is not None:
                ends.append(version.value_id)
            self._entities.update(ends)
            self._relations.add(version.relation)
            if version.stands:
                counts.subtract(ends)
        self._count(counts)
        self._delete_versions(fact_id, past_only)
        if not past_only:
            self._erased.add(fact_id)
        self._scrub(fact_id)

    def _scrub(self, object_id: int) -> None:
        """Take a fact or entity out of the journal's entries, and empty drafts that edited it."""
        for revision, number, kind, edit, deltas in self._entries_about(object_id):
            edit, deltas = scrub_entry(object_id, kind, edit, deltas)
            self._rewrite_entry(revision, number, edit, deltas)
            self._scrub_revision(revision)
        self._forget_touched(object_id)
        self._empty_drafts_with(f'"{object_id}"')

    def _erase_what_nothing_uses(self) -> None:
        for entity_id in self._entities:
            words = self._words_of_unused(entity_id)
            if words is not None:
                self._words.update(words)
                self._delete_entity(entity_id)
                self._scrub(entity_id)
        self._delete_unused_relations(list(self._relations))
        for word in self._words:
            self._delete_unused_word(word)

    @abstractmethod
    def _twins(self, fact_id: int) -> Sequence[tuple[int, bool]]:
        """Ids of other facts that said the same earlier, each with whether it stands now."""

    @abstractmethod
    def _versions(self, fact_id: int, past_only: bool) -> list[ErasedVersion]:
        """All versions of a fact, or those of the past."""

    @abstractmethod
    def _delete_versions(self, fact_id: int, past_only: bool) -> None:
        """Delete these versions."""

    @abstractmethod
    def _count(self, counts: Counter[int]) -> None:
        """Add to the number of facts that each entity has."""

    @abstractmethod
    def _entries_about(self, object_id: int) -> Iterable[Entry]:
        """The journal's entries about a fact or an entity."""

    @abstractmethod
    def _rewrite_entry(self, revision: int, number: int, edit: str, deltas: str | None) -> None:
        """Give an entry another edit and other deltas."""

    @abstractmethod
    def _scrub_revision(self, revision: int) -> None:
        """Take out a revision's reason, which is free text and may name what is erased.

        Where nothing is left of the revision, undo and redo pass over it.
        """

    @abstractmethod
    def _forget_touched(self, object_id: int) -> None:
        """Take out which entries are about a fact or an entity."""

    @abstractmethod
    def _empty_drafts_with(self, text: str) -> None:
        """Delete the steps of drafts in which one has the text in its JSON, and all draft notes."""

    @abstractmethod
    def _words_of_unused(self, entity_id: int) -> Iterable[str] | None:
        """The words of an entity's names, past ones too; None for one that has a fact."""

    @abstractmethod
    def _delete_entity(self, entity_id: int) -> None:
        """Delete an entity with its names."""

    @abstractmethod
    def _delete_unused_relations(self, relations: list[int | str]) -> None:
        """Delete those of the relations that have no fact and declare nothing."""

    @abstractmethod
    def _delete_unused_word(self, word: str) -> None:
        """Take a word out of the dictionary if no name has it."""
