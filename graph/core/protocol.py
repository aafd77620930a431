"""The one protocol that every store follows.

A read takes `at`, a revision: None reads the newest, a number what the store held then. A
generation pins one revision and reads that throughout. Writes are edits: each `apply` is one
transaction, one revision, and journalled in the same transaction.

    with open_store("sqlite:///world.db") as store:
        france, how = store.find_entities("France")[0]
        store.apply([Add("France", "motto", "Liberté")], author="Ada")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from graph.core.deltas import Delta
from graph.core.draft_record import DraftRecord, Step
from graph.core.edits import Edit
from graph.core.facts import Entity, Fact
from graph.core.import_rows import BadLine, Row
from graph.core.journal import JournalEntry
from graph.core.rules import Rule
from graph.core.vectors import Vectors


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation's name and what is declared of it."""

    name: str
    kind: str | None = None
    """What its values are: "link", "literal", or None where nothing is declared."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Statistics:
    """How much a store holds now."""

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
    """Facts that are new."""
    sources: int = 0
    """Facts that were there and gained a source."""
    doubles: int = 0
    """Facts that were there as they are."""
    entities: int = 0
    """Entities that are new."""
    aliases: int = 0
    relations: int = 0
    """Relations that were declared."""
    rules: int = 0
    """Synonyms and settings that are new."""
    bad: int = 0
    """Lines that were left out."""


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

        The name in this spelling, then an alias in this spelling, then whatever shares the folded
        key, the one with most facts first.
        """

    def fact(self, fact_id: int, at: int | None = None) -> Fact | None:
        """A fact by its id."""

    def facts(
        self,
        entity_id: int,
        relation: str | None = None,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Fact]:
        """The facts of an entity in stored order; `relation` in any spelling of its folded key."""

    def facts_to(
        self, entity_id: int, at: int | None = None, limit: int | None = None
    ) -> list[Fact]:
        """The facts whose value is this entity, in stored order."""

    def neighbourhood(
        self, entity_ids: Iterable[int], hops: int = 1, limit: int = 100, at: int | None = None
    ) -> list[Fact]:
        """At most `limit` facts within so many hops of the entities, both ways, nearest first."""

    def all_facts(self, at: int | None = None) -> Iterator[Fact]:
        """Every fact in stored order, read in batches."""

    def search(self, text: str, limit: int = 10, at: int | None = None) -> list[Entity]:
        """Entities as one types: words that begin so, then parts, then near spellings."""

    def candidates(self, name: str, limit: int = 50, at: int | None = None) -> list[Entity]:
        """Entities that `name` may be a slip of the pen for, in no stated order.

        A lookup asks this when `find_entities` knows no such name, and ranks what it gets by
        `graph.lookup.spelling.near`, so a store need only not leave out the nearest: a name or
        alias of the same words in another order, or with a letter or two wrong
        (`graph.lookup.spelling.near_words` says how many). A word that occurs in some name, also in
        one that is gone, is meant as it is written and never taken for another: "Zambia", deleted,
        is not "Gambia".
        """

    def has_vectors(self) -> bool:
        """Whether names of entities were embedded (`python -m graph embed`)."""

    def near_names(
        self, vector_D: Vectors, limit: int = 10, at: int | None = None
    ) -> list[tuple[Entity, float]]:
        """Entities whose embedded name is nearest to a vector, with the cosine, best first.

        `vector_D` is float32 [D] of length 1, by the encoder that embedded the names. A name that
        was never embedded, as one that a draft gave, is not found.
        """

    def relation(self, name: str) -> Relation | None:
        """What is known of a relation, by the folded key of its name."""

    def relations(self) -> list[Relation]:
        """All relations that are or were declared or used, in the order in which they came."""

    def former_relations(self, entity_id: int, at: int | None = None) -> list[str]:
        """The names of relations that an entity had facts of earlier, and has none of now.

        What is gone stays gone: no lookup that means one of these is answered by another.
        """

    def rules(
        self, kind: str | None = None, name: str | None = None, at: int | None = None
    ) -> list[Rule]:
        """The synonyms and settings, oldest first: all, of a kind, or by the folded key of a name.

        Rules are versioned and undone like facts; deltas hold them as they hold facts.
        """

    def relation_names(self, entity_id: int, at: int | None = None) -> list[str]:
        """The names of an entity's relations in stated order (a draft's own first), all of them."""


@runtime_checkable
class TripletStore(TripletReads, Protocol):
    """A graph of facts that is read at a revision and written by journalled edits.

    Every method may be called from any thread. An edit of an id that the store never gave out
    raises a `StoreError`.
    """

    url: str

    def state(self, at: int | None = None) -> str:
        """A key for caches that names this store and the revision (and of a draft, its own)."""

    def apply(
        self,
        edits: Sequence[Edit],
        *,
        author: str,
        reason: str = "",
        write_id: str | None = None,
    ) -> int:
        """Do all the edits or none, as one transaction; returns its revision.

        With a `write_id` that the journal already holds, nothing is done twice: the revision of
        the first time is returned.
        """

    def undo(self, *, author: str, reason: str = "") -> int:
        """Take back the newest transaction that stands; an edit itself. Returns its revision."""

    def redo(self, *, author: str, reason: str = "") -> int:
        """Do again what was undone last, unless something was edited since."""

    def revert(self, revision: int, *, author: str, reason: str = "") -> int:
        """Take back one earlier transaction, or raise `Conflict` where it was built upon."""

    def history(
        self,
        *,
        entity_id: int | None = None,
        fact_id: int | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[JournalEntry]:
        """The journal, newest first: all, of an entity, or of a fact.

        At least `limit` entries while there are so many, for a revision is never cut in two: then
        `before` the last one's revision pages on without loss.
        """

    def statistics(self) -> Statistics:
        """How much is there now."""

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
    """The shared store underneath."""

    @property
    def base_revision(self) -> int:
        """The revision of the shared store that the draft lies over."""

    def edits(self) -> list[Edit]:
        """The edits that stand, oldest first."""

    def deltas(self) -> list[Delta]:
        """What the draft changes in all, against its base."""

    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""

    def can_redo(self) -> bool:
        """Whether there is an undone edit to do again."""

    def load(
        self,
        rows: Iterable[Row],
        *,
        author: str,
        reason: str = "",
        source: str = "",
        on_bad: Callable[[BadLine], None] | None = None,
    ) -> int:
        """Add the facts of a file as one step; returns how many were added.

        A line that cannot be added is told to `on_bad` and left out. `source` is of facts that
        name none.
        """

    def publish(self, *, author: str, reason: str = "", write_id: str | None = None) -> int:
        """Write the edits to the shared store in one transaction; returns its revision.

        Raises `Conflict`, with both versions, where somebody else changed what the draft touches;
        then nothing is published. Afterwards the draft is empty, over the new revision.
        """

    def discard(self) -> int:
        """Drop all edits and return to the newest revision; returns the draft's revision."""


class SharedStore(TripletStore, Protocol):
    """A store that others see too: drafts are laid over it, and kept in it."""

    clock: Callable[[], float]

    def draft(self, draft_id: str) -> Draft:
        """The session's draft; one that has no edits opens at the newest revision.

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
        """Take in the rows of a file as one revision; `source` is of facts that name none.

        A bad line is told to `on_bad`. Unless `skip_bad`, it also keeps everything out: the rest
        is only checked, and a `StoreError` says how many there were.
        """

    def unembedded(self, after: int = -1, limit: int = 1000) -> list[tuple[int, str]]:
        """Ids and names of entities whose present name has no vector, by ids above `after`."""

    def embed(self, names: Sequence[tuple[int, str]], vectors_ND: Vectors) -> None:
        """Keep the vectors of names, float32 [N, D], for `near_names`; no edit, so not journalled.

        An entity that has another name by now is passed over.
        """

    def load_draft(self, draft_id: str) -> DraftRecord | None:
        """The draft as it was kept; None if there is none or it has expired."""

    def save_step(self, record: DraftRecord, step: Step) -> None:
        """Keep one more step; raises `StoreError` if another process wrote this one meanwhile."""

    def empty_draft(self, record: DraftRecord) -> None:
        """Forget the steps of a draft, and keep its numbers."""

    def publish_draft(
        self,
        record: DraftRecord,
        steps: Sequence[Step],
        *,
        author: str,
        reason: str,
        write_id: str | None,
    ) -> int:
        """Write steps as one transaction that empties the draft too, or raise `Conflict`."""

    purge_notice: str
    """Where a purged fact remains although the store erased it, as a sentence; "" for nowhere."""

    def check(self, most: int = 100) -> list[str]:
        """What is broken in the newest revision or its storage, one sentence each.

        Args:
            most: how many sentences are returned at most.
        """

    def purge(self, fact_ids: Sequence[int], *, author: str, reason: str = "") -> int:
        """Erase facts, their history and their traces for good; returns the revision.

        Gone are every version of the facts and of earlier ones that said the same, what the journal
        and drafts hold of them, the reasons of revisions that touched them, and the entities,
        relations and words that only they used. Drafts that edited one are emptied. What remains is
        a journal entry that says how many were purged, by whom and why. Backups and exports are
        other files. Raises `StoreError` for an id that never was one, and while another process
        keeps a file from being rewritten.
        """

    def rewrite(self) -> None:
        """Rewrite the store's file and cut its log, so that nothing deleted is left in either.

        A purge ends with this; it is for one that could not, because another process kept reading.
        Raises `StoreError` while that is so, and for a store that is not a file.
        """

    def __enter__(self) -> SharedStore: ...

    def __exit__(self, *_: object) -> None: ...
