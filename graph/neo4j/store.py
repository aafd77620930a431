"""The store in a Neo4j database, for a team: see neo4j/schema.py for what is kept there, and how.

Reads go to the newest whole revision, or the one named. Writes take turns, over all processes; a
write whose reply was lost is recognised by its id and not done twice.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, suppress
from typing import Any, cast

from neo4j import ManagedTransaction

from graph.core.deltas import Delta
from graph.core.errors import StoreError
from graph.core.import_rows import Row
from graph.core.invariants import MOST, check
from graph.core.names import clean_signature
from graph.core.protocol import LoadReport, Statistics, TripletStore
from graph.core.vectors import Vectors
from graph.core.writer_priority import WriterPriority
from graph.editing.draft_shelf import DraftShelf
from graph.editing.loading import Intake
from graph.editing.shared_store import FindRevision, SharedStoreSteps, Writing
from graph.neo4j.checks import findings
from graph.neo4j.driver import Connection, address_of, run
from graph.neo4j.lease import Lease
from graph.neo4j.load import load
from graph.neo4j.purge import Neo4jEraser
from graph.neo4j.reads import Neo4jReads
from graph.neo4j.schema import make_schema, refuse_strangers, store_node
from graph.neo4j.turns import Turn, Turns
from graph.neo4j.undo import take_back_bulk
from graph.neo4j.writes import Neo4jShelf, Neo4jWriting, run_rows

READER_PAUSE_SECONDS = 0.1


class _Bulk(Exception):
    """A revision is too large to be taken back in one transaction."""


class Neo4jStore(Neo4jReads, SharedStoreSteps):
    """The store in one database of a Neo4j server or cluster; see `core.protocol.TripletStore`.

    Raises `StoreError` where the server cannot be reached or asks for other credentials, where
    there is no store (unless `create`) or one of another version, and where the database holds
    somebody else's nodes. `half_made` opens also one that `init` or a copy is still filling;
    `read_only` refuses every write.
    """

    def __init__(
        self,
        url: str,
        *,
        create: bool = False,
        half_made: bool = False,
        read_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock)
        self.address = address_of(url)
        self.url = self.address.url
        self.read_only = read_only
        self.connection = Connection(self.address, read_only=read_only)
        self.turns = Turns(self.connection)
        self._priority = WriterPriority(READER_PAUSE_SECONDS)
        try:
            if create:
                make_schema(self.connection)
                self.finish_making()
            self.store_id = self._check(half_made)
            with suppress(StoreError):  # a read-only server can still be read
                self.turns.recover()
                self._expire_drafts()
        except BaseException:
            self.connection.close()
            raise

    def _check(self, half_made: bool) -> str:
        known = store_node(self.connection)
        refuse_strangers(self.connection)
        make = f"python -m graph init --store {self.url}"
        if known is None:
            raise StoreError(f"There is no store at {self.url}; make one with: {make}")
        store_id, filled = known
        if not filled and not half_made:
            self.refuse_half_copied()
            raise StoreError(f"The store at {self.url} is incomplete; finish it with: {make}")
        return store_id

    def refuse_half_copied(self) -> None:
        """Raise `StoreError` where a copy into this store was stopped: only it can finish it."""
        rows = self.connection.read("MATCH (s:Lamplight {name: 'store'}) RETURN s.copying")
        if rows and rows[0][0] is not None:
            raise StoreError(
                f"A copy into the store at {self.url} was stopped; resume it with: "
                f"python -m graph copy --from URL --to {self.url}"
            )

    def finish_making(self) -> None:
        """Note that the store is made; until then it is not opened."""
        self.connection.run("MATCH (s:Lamplight {name: 'store'}) SET s.filled = true")

    def rows(self, cypher: str, **parameters: Any) -> list[list[Any]]:
        self._priority.wait_for_writers()
        return self.connection.read(cypher, **parameters)

    def close(self) -> None:
        self.connection.close()

    # Reads that only the whole store has

    def statistics(self) -> Statistics:
        ((revision,),) = self.rows("MATCH (n:Lamplight {name: 'newest'}) RETURN n.revision")
        ((facts, links, relations),) = self.rows(
            "MATCH ()-[f:FACT]->() WHERE f.since <= $at AND $at < f.until"
            " RETURN count(f), count(f.value_id), count(DISTINCT f.relation)",
            at=revision,
        )
        ((entities, aliases, drafts),) = self.rows(
            "RETURN COUNT { MATCH (e:Entity) WHERE e.named <= $at OR EXISTS {"
            "   MATCH (e)-[:NAMED]->(n:Name)"
            "   WHERE NOT n.is_alias AND n.since <= $at AND $at < n.until } },"
            " COUNT { MATCH (n:Name) WHERE n.is_alias AND n.since <= $at AND $at < n.until },"
            " COUNT { MATCH (s:DraftStep) RETURN DISTINCT s.draft_id }",
            at=revision,
        )
        return Statistics(entities, aliases, facts, links, relations, revision, drafts)

    # Writes

    def _revise(
        self,
        kind: str,
        author: str,
        reason: str,
        work: Callable[[Neo4jWriting], None],
        write_id: str | None = None,
        *,
        brief: bool = True,
    ) -> int:
        own = write_id or uuid.uuid4().hex
        author, reason = clean_signature(author, reason)

        def attempt(tx: ManagedTransaction, turn: Turn) -> int:
            if turn.done is not None:
                return turn.done
            writing = Neo4jWriting(tx, turn.written)
            work(writing)
            writing.finish(kind, author, reason, self._now(), own)
            return writing.revision

        with self._priority.writing() if brief else nullcontext():
            revision = self.turns.take(own, attempt)
            self.turns.announce(revision)
        return revision

    def lease(self) -> Lease:
        """The right to write the next revision in parts."""
        return Lease(self.turns, self.clock)

    def _load(
        self, rows: Iterable[Row], intake: Intake, kind: str, author: str, reason: str
    ) -> LoadReport:
        store = cast(TripletStore, self)
        return load(self.lease(), store, rows, intake, kind, author, reason)

    def unembedded(self, after: int = -1, limit: int = 1000) -> list[tuple[int, str]]:
        rows = self.rows(
            "MATCH (e:Entity) WHERE e.id > $after AND e.name IS NOT NULL"
            " AND (e.embedded IS NULL OR e.embedded <> e.name)"
            " RETURN e.id, e.name ORDER BY e.id LIMIT $limit",
            after=after,
            limit=limit,
        )
        return [(entity_id, name) for entity_id, name in rows]

    def embed(self, names: Sequence[tuple[int, str]], vectors_ND: Vectors) -> None:
        rows = [
            [entity_id, name, vector_D.tolist()]
            for (entity_id, name), vector_D in zip(names, vectors_ND, strict=True)
        ]

        def work(tx: ManagedTransaction) -> None:
            run_rows(
                tx,
                "UNWIND $rows AS row MATCH (e:Entity {id: row[0]}) WHERE e.name = row[1]"
                " SET e.embedded = row[1] WITH e, row"
                " CALL db.create.setNodeVectorProperty(e, 'embedding', row[2])",
                rows,
            )
            run(tx, "MATCH (s:Lamplight {name: 'store'}) SET s.embedded = true")

        self.connection.write(work)

    def _take_back(self, kind: str, find: FindRevision, author: str, reason: str) -> int:
        try:
            return super()._take_back(kind, find, author, reason)
        except _Bulk:
            return take_back_bulk(self.lease(), find, kind, author, reason)

    def _unlisted_deltas(self, writing: Writing, revision: int) -> list[Delta]:
        raise _Bulk

    # Upkeep

    purge_notice = (
        "The server's transaction logs hold it until they are rotated, as its settings say."
    )

    def check(self, most: int = MOST) -> list[str]:
        return check(cast(TripletStore, self), findings(self.rows), most)

    def _eraser(self, writing: Writing) -> Neo4jEraser:
        assert isinstance(writing, Neo4jWriting)
        return Neo4jEraser(writing.tx)

    def rewrite(self) -> None:
        raise StoreError(
            "purge without an id is for a store in a file; copy this one into a file with: "
            f"python -m graph copy --from {self.url} --to sqlite:///copy.db, "
            "or use the server's own tools."
        )

    # Drafts

    def _kept_draft(
        self, draft_id: str, oldest: int
    ) -> tuple[int, int, int, tuple[str, ...]] | None:
        rows = self.rows(
            "MATCH (d:Draft {id: $id}) WHERE d.used > $oldest RETURN d.base_revision, d.first,"
            " d.used, COLLECT { MATCH (s:DraftStep) WHERE s.draft_id = $id AND s.number > -1"
            " RETURN s.data ORDER BY s.number }",
            id=draft_id,
            oldest=oldest,
        )
        if not rows:
            return None
        ((base_revision, first, used, steps),) = rows
        return base_revision, first, used, tuple(steps)

    def draft_notes(self, draft_id: str) -> dict[str, str]:
        rows = self.rows("MATCH (n:DraftNote {draft_id: $id}) RETURN n.name, n.data", id=draft_id)
        return {name: data for name, data in rows}  # noqa: C416 (rows are lists)

    def _has_idle_drafts(self, oldest: int) -> bool:
        return bool(
            self.rows("MATCH (d:Draft) WHERE d.used <= $oldest RETURN 1 LIMIT 1", oldest=oldest)
        )

    def _on_shelf(self, work: Callable[[DraftShelf], None]) -> None:
        self.connection.write(lambda tx: work(Neo4jShelf(tx)))
