"""The protocol that every store follows.

A read takes a revision, `at`: None reads the newest, a number reads what the store held then. A
generation pins one revision and reads that throughout. Writes are edits: each `apply` is one
transaction and one revision, and it is journalled in the same transaction.

    with open_store("sqlite:///world.db") as store:
        france, how = store.find_entities("France")[0]
        store.apply([Add("France", "motto", "Liberté")], author="Ada")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from graph.core.deltas import Delta
from graph.core.draft_record import DraftRecord, Step
from graph.core.edits import Edit
from graph.core.facts import Entity, Fact
from graph.core.import_rows import BadLine, Row
from graph.core.journal import JournalEntry
from graph.core.rules import Rule
from graph.core.vectors import Vectors

INCOMING = 5000  # facts with one value that are looked at for their relations, at most
MOST_QUALIFIED = 20  # names listed in the report of an import, at most


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation's name, and what is declared about it."""

    name: str
    kind: str | None = None
    """What its values are: "link", "literal", or None if that is not declared."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The counts of what a store holds now."""

    entities: int
    aliases: int
    facts: int
    links: int
    relations: int
    revision: int
    drafts: int


@dataclass
class LoadReport:
    """What an import did."""

    revision: int = 0
    facts: int = 0
    """New facts."""
    sources: int = 0
    """Facts that existed and gained a source."""
    doubles: int = 0
    """Facts that existed with the same source."""
    entities: int = 0
    """New entities."""
    aliases: int = 0
    relations: int = 0
    """Declared relations."""
    rules: int = 0
    """New synonyms and settings."""
    bad: int = 0
    """Invalid lines, which were skipped."""
    qualified: list[str] = field(default_factory=list)
    """The names of entities and relations that share theirs with another identifier's, at most
    `MOST_QUALIFIED`: `Heron (film)`."""
    qualifications: int = 0
    """How many there are of these."""


class TripletReads(Protocol):
    """The reads of a store, of a draft, or of a store inside one of its own transactions.

    Ids that the store never gave out are not there: None, or an empty list.
    """

    def revision(self) -> int:
        """The newest revision; only grows."""

    def entity(self, entity_id: int, at: int | None = None) -> Entity | None:
        """An entity by its id."""

    def find_entities(self, name: str, at: int | None = None) -> list[tuple[Entity, str]]:
        """The entities called `name`, best first, each with how: "exact", "folded" or "alias".

        Names of exactly this spelling come first, then aliases of exactly this spelling, then
        others with the same folded key. Of equals, the entity with most facts comes first.
        """

    def find_names(
        self, names: Sequence[str], at: int | None = None
    ) -> dict[str, list[tuple[Entity, str]]]:
        """`find_entities` of many names at once; names of no entity are left out."""

    def identified(self, iri: str, at: int | None = None) -> Entity | None:
        """The entity of an identifier; if it was merged, the one that it was merged into."""

    def relation_identified(self, iri: str) -> str | None:
        """The name of the relation of an identifier."""

    def identifiers(self, entity_id: int) -> list[str]:
        """The identifiers of an entity, oldest first."""

    def fact(self, fact_id: int, at: int | None = None) -> Fact | None:
        """A fact by its id."""

    def facts(
        self,
        entity_id: int,
        relation: str | None = None,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Fact]:
        """The facts of an entity in stored order; `relation` matches by its folded key."""

    def facts_to(
        self,
        entity_id: int,
        at: int | None = None,
        limit: int | None = None,
        relation: str | None = None,
    ) -> list[Fact]:
        """The facts whose value is this entity, in stored order; `relation` as in `facts`."""

    def count_facts_to(self, entity_id: int, relation: str, at: int | None = None) -> int:
        """How many facts of a relation have this entity as their value."""

    def facts_with(
        self,
        literal: str,
        at: int | None = None,
        limit: int | None = None,
        relation: str | None = None,
    ) -> list[Fact]:
        """The facts whose value is a literal, matched by its folded key, in stored order.

        `relation` is matched as in `facts`. Links are not among them, however they are spelt.
        """

    def count_facts_with(self, literal: str, relation: str, at: int | None = None) -> int:
        """How many facts of a relation have this literal as their value."""

    def find_literals(self, texts: Sequence[str], at: int | None = None) -> dict[str, str]:
        """Those of the texts that are literals by their folded key, each as some fact spells it."""

    def facts_of(
        self, relation: str, at: int | None = None, limit: int | None = None
    ) -> list[Fact]:
        """The facts of a relation, matched by its folded key, in stored order.

        No store has an index of this, so it may read every fact.
        """

    def neighbourhood(
        self, entity_ids: Iterable[int], hops: int = 1, limit: int = 100, at: int | None = None
    ) -> list[Fact]:
        """At most `limit` facts within `hops` of the entities, both ways, nearest first."""

    def all_facts(self, at: int | None = None) -> Iterator[Fact]:
        """Every fact in stored order, read in batches."""

    def search(
        self, text: str, limit: int = 10, at: int | None = None, *, guesses: bool = True
    ) -> list[Entity]:
        """Entities that match typed text: by beginnings of words, then parts, then misspellings.

        Without `guesses` only those with words that begin as typed, in one or two queries.
        """

    def candidates(self, name: str, limit: int = 50, at: int | None = None) -> list[Entity]:
        """Entities that `name` may be a misspelling of, in no stated order.

        A lookup calls this if `find_entities` finds nothing, and ranks the result by
        `graph.lookup.spelling.near`. So a store may return too many entities, but must not omit the
        nearest: those with a name or alias of the same words in another order, or with a few wrong
        letters (`graph.lookup.spelling.near_words` says how many). A word that occurs in any name,
        current or former, is never taken for a misspelling: "Zambia", deleted, is not "Gambia".
        """

    def has_vectors(self) -> bool:
        """Whether the names of entities are embedded (by `python -m graph embed`)."""

    def near_names(
        self, vector_D: Vectors, limit: int = 10, at: int | None = None
    ) -> list[tuple[Entity, float]]:
        """Entities whose embedded name is nearest to a vector, with the cosine, best first.

        `vector_D` is float32 [D] of length 1, from the encoder that embedded the names. Names that
        were never embedded, such as those that a draft gave, are not found.
        """

    def relation(self, name: str) -> Relation | None:
        """A relation by the folded key of its name."""

    def relations(self) -> list[Relation]:
        """All relations that were ever declared or used, in the order in which they were added."""

    def former_relations(self, entity_id: int, at: int | None = None) -> list[str]:
        """The names of relations that the entity has no facts of now, but had earlier.

        A lookup that means one of these is a miss: no other relation answers it.
        """

    def rules(
        self, kind: str | None = None, name: str | None = None, at: int | None = None
    ) -> list[Rule]:
        """The synonyms and settings, oldest first: all, or those of a kind or name.

        `name` matches by its folded key. Rules are versioned and undone like facts, and deltas hold
        them like facts.
        """

    def relation_names(self, entity_id: int, at: int | None = None) -> list[str]:
        """The names of all relations of an entity, in stored order, with those of a draft first."""

    def relation_names_to(self, entity_id: int, at: int | None = None) -> list[str]:
        """The names of the relations of `facts_to`, in stored order, with those of a draft first.

        A store looks at the first `INCOMING` facts only, because half a million may point to one
        entity.
        """

    def relation_names_with(self, literal: str, at: int | None = None) -> list[str]:
        """The names of the relations of `facts_with`, as `relation_names_to` has those of links."""


@runtime_checkable
class TripletStore(TripletReads, Protocol):
    """A graph of facts that is read at a revision and written by journalled edits.

    Every method may be called from any thread. An edit of an id that the store never gave out
    raises a `StoreError`.
    """

    url: str

    def state(self, at: int | None = None) -> str:
        """A key for caches: names this store and the revision, and for a draft its own revision."""

    def apply(
        self,
        edits: Sequence[Edit],
        *,
        author: str,
        reason: str = "",
        write_id: str | None = None,
    ) -> int:
        """Make all the edits or none, in one transaction; returns its revision.

        If the journal already holds the `write_id`, nothing is written again, and the revision of
        the first write is returned.
        """

    def undo(self, *, author: str, reason: str = "") -> int:
        """Take back the newest transaction that is not undone; returns the revision of the undo."""

    def redo(self, *, author: str, reason: str = "") -> int:
        """Do again what was undone last, unless an edit came after it; returns its revision."""

    def revert(self, revision: int, *, author: str, reason: str = "") -> int:
        """Take back an earlier transaction; raises `Conflict` if later edits changed its result."""

    def history(
        self,
        *,
        entity_id: int | None = None,
        fact_id: int | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[JournalEntry]:
        """The journal, newest first: all of it, or the entries about an entity or a fact.

        Returns at least `limit` entries if there are so many, because a revision is never split. So
        a call with the last entry's revision as `before` returns the next page.
        """

    def statistics(self) -> Statistics:
        """The counts of what the store holds now."""

    def close(self) -> None:
        """Give back files and connections."""


@runtime_checkable
class Draft(TripletStore, Protocol):
    """A session's private edits over a shared store, and itself a store.

    Its `revision()` counts its own edits, undos and redos, and every earlier one can still be
    read. It is pinned to the shared store's revision at its first edit.
    """

    draft_id: str
    base: SharedStore
    """The shared store under the draft."""

    @property
    def base_revision(self) -> int:
        """The revision of the shared store under the draft."""

    def edits(self) -> list[Edit]:
        """The edits that are not undone, oldest first."""

    def deltas(self) -> list[Delta]:
        """The net deltas of the draft against its base."""

    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""

    def can_redo(self) -> bool:
        """Whether there is an undone edit to do again."""

    def has_step(self, write_id: str) -> bool:
        """Whether the draft holds the step of this write, undone or not."""

    def undo(self, *, author: str, reason: str = "", write_id: str | None = None) -> int:
        """Take back the newest edit that is not undone; see `apply` for the `write_id`."""

    def redo(self, *, author: str, reason: str = "", write_id: str | None = None) -> int:
        """Do again what was undone last; see `apply` for the `write_id`."""

    def load(
        self,
        rows: Iterable[Row],
        *,
        author: str,
        reason: str = "",
        source: str = "",
        on_bad: Callable[[BadLine], None] | None = None,
        write_id: str | None = None,
    ) -> int:
        """Add the facts of a file as one step; returns how many were added.

        Args:
            rows: the rows of the file.
            author, reason: who adds them, and why.
            source: the source of facts that name none.
            on_bad: called for each row that cannot be added, which is skipped.
            write_id: as in `apply`.
        """

    def publish(self, *, author: str, reason: str = "", write_id: str | None = None) -> int:
        """Write the edits to the shared store in one transaction; returns its revision.

        Afterwards the draft is empty, over the new revision. Raises `Conflict`, with both versions,
        and publishes nothing, if somebody else changed what the draft touches. A repeated
        `write_id` publishes nothing and leaves the draft as it is.
        """

    def discard(self) -> int:
        """Drop all edits and return to the newest revision; returns the draft's revision."""


class SharedStore(TripletStore, Protocol):
    """A store that everybody sees. Drafts are overlays of it, and are kept in it."""

    clock: Callable[[], float]
    read_only: bool
    """Whether every write is refused."""

    def draft(self, draft_id: str) -> Draft:
        """The session's draft; a draft without edits opens at the newest revision.

        Raises `StoreError` for an id that is not 1 to 64 letters, digits, - and _.
        """

    def load(
        self,
        rows: Iterable[Row],
        *,
        author: str,
        reason: str = "",
        kind: str = "import",
        source: str = "",
        skip_bad: bool = False,
        on_bad: Callable[[BadLine], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> LoadReport:
        """Import the rows of a file as one revision.

        Args:
            rows: the rows of the file.
            author, reason: who imports, and why.
            kind: the kind of the revision in the history.
            source: the source of facts that name none.
            skip_bad: skip invalid rows. Otherwise one of them stops the import: the other rows are
                checked, nothing is written, and a `StoreError` says how many are invalid.
            on_bad: called for each invalid row.
            on_progress: called with the number of rows so far.
        """

    def unembedded(self, after: int = -1, limit: int = 1000) -> list[tuple[int, str]]:
        """Ids and names of entities whose current name has no vector, with ids above `after`."""

    def embed(self, names: Sequence[tuple[int, str]], vectors_ND: Vectors) -> None:
        """Store the vectors of names, float32 [N, D], for `near_names`; this is not journalled.

        An entity that was renamed since is skipped.
        """

    def load_draft(self, draft_id: str) -> DraftRecord | None:
        """A stored draft; None if there is none or it has expired."""

    def save_step(self, record: DraftRecord, step: Step) -> None:
        """Store one more step; raises `StoreError` if another process has stored that step."""

    def empty_draft(self, record: DraftRecord) -> None:
        """Delete the steps of a draft, but not its revision numbers."""

    def publish_draft(
        self,
        record: DraftRecord,
        steps: Sequence[Step],
        *,
        author: str,
        reason: str,
        write_id: str | None,
    ) -> int:
        """Write steps in one transaction that also empties the draft, or raise `Conflict`."""

    def draft_notes(self, draft_id: str) -> dict[str, str]:
        """What a front end keeps next to a draft: texts by name, which the store does not read."""

    def keep_draft_notes(self, draft_id: str, notes: Mapping[str, str | None]) -> None:
        """Keep texts next to a draft, in place of earlier ones of the same names; None drops one.

        They expire with the draft. A purge drops those of all drafts, because they may repeat what
        is purged.
        """

    purge_notice: str
    """Where a purged fact remains although the store erased it, as a sentence; "" for nowhere."""

    def check(self, most: int = 100) -> list[str]:
        """What is broken in the newest revision or its storage, one sentence each.

        Args:
            most: how many sentences are returned at most.
        """

    def purge(self, fact_ids: Sequence[int], *, author: str, reason: str = "") -> int:
        """Erase facts, their history and their traces for good; returns the revision.

        This erases every version of the facts and of earlier duplicates, what the journal and
        drafts hold of them, the reasons of revisions that touched them, and the entities, relations
        and words that only they used. Drafts that edited one are emptied. A journal entry remains
        and says how many facts were purged, by whom and why. Backups and exports are not changed.

        Raises `StoreError` for an id that no fact ever had, and if the file cannot be rewritten
        because another process is reading it.
        """

    def rewrite(self) -> None:
        """Rewrite the store's file and cut its log, so that nothing deleted is left in either.

        Every purge ends with this. Call it again after a purge that could not rewrite the file.
        Raises `StoreError` while another process is reading the file, and for a store that is not a
        file.
        """

    def __enter__(self) -> SharedStore: ...

    def __exit__(self, *_: object) -> None: ...
