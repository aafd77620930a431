"""The store in a Neo4j database, for a team: see neo4j/schema.py for what is kept there, and how.

Reads go to the newest whole revision, or the one named. Writes take turns, over all processes; a
write whose reply was lost is recognised by its id and not done twice.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar, cast

from neo4j import ManagedTransaction

from graph.core.deltas import Delta, net
from graph.core.draft_record import IDLE_DAYS, DraftRecord, Step, check_draft_id
from graph.core.edits import Edit
from graph.core.errors import StoreError
from graph.core.import_rows import Row
from graph.core.invariants import MOST, check
from graph.core.names import clean_note
from graph.core.protocol import LoadReport, Statistics, TripletStore
from graph.core.vectors import Vectors
from graph.core.writer_priority import WriterPriority
from graph.editing.draft import StoredDraft
from graph.editing.overlay import Overlay
from graph.editing.planning import conflict, plan, require_unchanged, slot_differences
from graph.neo4j import lease
from graph.neo4j.checks import findings
from graph.neo4j.driver import PATIENCE_SECONDS, Connection, address_of, run
from graph.neo4j.load import load
from graph.neo4j.purge import erase
from graph.neo4j.reads import Neo4jReads
from graph.neo4j.schema import make_schema, refuse_strangers, store_node
from graph.neo4j.undo import listed_deltas, take_back, take_back_bulk
from graph.neo4j.writes import (
    Journal,
    Turn,
    View,
    run_rows,
    take_turn,
    write_deltas,
    write_revision,
)

EDITS = ["edit", "publish", "revert", "import"]  # what undo takes back
READER_PAUSE_SECONDS = 0.1
_IDLE = IDLE_DAYS * 24 * 3600 * 1000  # milliseconds

Outcome = TypeVar("Outcome")
Work = Callable[[ManagedTransaction, View, int], Journal]


class _Bulk(Exception):
    """A revision is too large to be taken back in one transaction."""


class _Busy(Exception):
    """A large write is under way: whose, and for how many milliseconds it was not heard of."""

    def __init__(self, lease: str, idle: int) -> None:
        super().__init__()
        self.lease, self.idle = lease, idle


class Neo4jStore(Neo4jReads):
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
        self.address = address_of(url)
        self.url = self.address.url
        self.clock = clock
        self.connection = Connection(self.address, read_only=read_only)
        self._drafts: weakref.WeakValueDictionary[str, StoredDraft] = weakref.WeakValueDictionary()
        self._drafts_lock = threading.Lock()
        self._priority = WriterPriority(READER_PAUSE_SECONDS)
        try:
            if create:
                make_schema(self.connection)
                self.finish_making()
            self.store_id = self._check(half_made)
            with suppress(StoreError):  # a read-only server is no reason not to read
                self._recover()
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
            raise StoreError(f"The store at {self.url} is only half made; finish it with: {make}")
        return store_id

    def refuse_half_copied(self) -> None:
        """Raise `StoreError` where a copy into this store was stopped: only it can finish it."""
        rows = self.connection.read("MATCH (s:Lamplight {name: 'store'}) RETURN s.copying")
        if rows and rows[0][0] is not None:
            raise StoreError(
                f"A copy into the store at {self.url} was stopped; go on with it: "
                f"python -m graph copy --from URL --to {self.url}"
            )

    def finish_making(self) -> None:
        """Note that the store is made; until then it is not opened."""
        self.connection.run("MATCH (s:Lamplight {name: 'store'}) SET s.filled = true")

    def _recover(self) -> None:
        """Announce a revision whose writer was killed between writing and announcing it."""
        rows = self.connection.read(
            "MATCH (s:Lamplight {name: 'store'}), (n:Lamplight {name: 'newest'})"
            " WHERE n.revision < s.written RETURN 1"
        )
        if rows:

            def last(tx: ManagedTransaction) -> int:  # its turn is over once we have ours
                return take_turn(tx, uuid.uuid4().hex).written

            self.announce(self.connection.write(last))

    def rows(self, cypher: str, **parameters: Any) -> list[list[Any]]:
        self._priority.wait_for_writers()
        return self.connection.read(cypher, **parameters)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Neo4jStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Reads that only the whole store has

    def state(self, at: int | None = None) -> str:
        return f"{self.store_id}@{self.revision() if at is None else at}"

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

    def take_turns(
        self, write_id: str, work: Callable[[ManagedTransaction, Turn], Outcome]
    ) -> Outcome:
        """Do `work` in a transaction when it is our turn, and no large write is under way."""

        def attempt(tx: ManagedTransaction) -> Outcome:
            turn = take_turn(tx, write_id)
            if turn.lease is not None and turn.lease != write_id:
                raise _Busy(turn.lease, turn.idle)
            return work(tx, turn)

        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.connection.write(attempt)
            except _Busy as busy:
                if busy.idle > lease.LEASE_SECONDS * 1000:
                    lease.give_up(self.connection, busy.lease)
                elif time.monotonic() > until:
                    raise StoreError(
                        f"An import or its undo is under way at {self.url}; try again in a moment."
                    ) from None
                else:
                    time.sleep(0.25)

    def announce(self, revision: int) -> None:
        """Let a revision that is written whole be the newest."""

        def attempt(tx: ManagedTransaction) -> None:
            run(
                tx,
                "MATCH (n:Lamplight {name: 'newest'}) SET n.turn = $revision"  # takes its lock
                " WITH n WHERE n.revision < $revision SET n.revision = $revision",
                revision=revision,
            )

        self.connection.write(attempt)

    def _revise(self, kind: str, author: str, reason: str, write_id: str | None, work: Work) -> int:
        """One transaction that makes a revision; `work` writes it and gives its journal."""
        own = write_id or uuid.uuid4().hex
        author, reason = clean_note(author, "author"), clean_note(reason, "reason")

        def attempt(tx: ManagedTransaction, turn: Turn) -> int:
            if turn.done is not None:
                return turn.done
            revision = turn.written + 1
            journal = work(tx, View(partial(run, tx), turn.written), revision)
            now = int(self.clock() * 1000)
            write_revision(tx, revision, kind, author, reason, now, own, journal)
            return revision

        with self._priority.writing():
            revision = self.take_turns(own, attempt)
            self.announce(revision)
        return revision

    def apply(
        self, edits: Sequence[Edit], *, author: str, reason: str = "", write_id: str | None = None
    ) -> int:
        if not edits:
            raise StoreError("There is no edit to make; give at least one.")

        def work(tx: ManagedTransaction, view: View, revision: int) -> Journal:
            journal = Journal()
            overlay = Overlay(_store(view), None).with_deltas(())
            changes: list[Delta] = []
            for edit in edits:
                deltas = plan(edit, overlay)
                overlay.grow(deltas)
                changes += deltas
                journal.add_edit(edit, deltas)
            write_deltas(tx, net(changes), revision)
            return journal

        return self._revise("edit", author, reason, write_id, work)

    def load(self, rows: Iterable[Row], **options: Any) -> LoadReport:
        return load(self, rows, **options)

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

    def undo(self, *, author: str, reason: str = "") -> int:
        def target(view: View) -> int:
            found = _first(
                view, "r.undone = false AND r.kind IN $edits", "r.revision DESC", after=0
            )
            if found is None:
                raise StoreError("There is nothing to undo.")
            return found

        return self._take_back(target, "undo", author, reason)

    def redo(self, *, author: str, reason: str = "") -> int:
        def target(view: View) -> int:
            # What was undone since the last edit, the oldest first.
            last = _first(view, "r.kind IN $edits", "r.revision DESC", after=0)
            undos = view.rows(
                "MATCH (j:Entry) WHERE j.revision > $last AND j.number > -1 AND j.kind = 'undo'"
                " RETURN j.edit",
                last=last or 0,
            )
            undone = view.rows(
                "UNWIND $targets AS target MATCH (r:Revision {revision: target}) WHERE r.undone"
                " RETURN min(target)",
                targets=[json.loads(edit).get("revision", 0) for (edit,) in undos],
            )
            if not undone or undone[0][0] is None:
                raise StoreError("There is nothing to redo.")
            return undone[0][0]

        return self._take_back(target, "redo", author, reason)

    def revert(self, revision: int, *, author: str, reason: str = "") -> int:
        def target(view: View) -> int:
            rows = []
            if type(revision) is int and 0 < revision < 2**62:
                rows = view.rows(
                    "MATCH (r:Revision {revision: $revision}) RETURN r.kind", revision=revision
                )
            if not rows or rows[0][0] == "init":
                raise StoreError(
                    f"There is no revision {revision} to revert; the history shows which there are."
                )
            return revision

        return self._take_back(target, "revert", author, reason)

    def _take_back(self, find: Callable[[View], int], kind: str, author: str, reason: str) -> int:
        def work(tx: ManagedTransaction, view: View, revision: int) -> Journal:
            target = find(view)
            deltas = listed_deltas(view, target)
            if deltas is None:
                raise _Bulk
            return take_back(tx, view, revision, kind, target, deltas)

        try:
            return self._revise(kind, author, reason, None, work)
        except _Bulk:
            return take_back_bulk(self, find, kind, author, reason)

    def publish_draft(
        self,
        record: DraftRecord,
        steps: Sequence[Step],
        *,
        author: str,
        reason: str,
        write_id: str | None,
    ) -> int:
        def work(tx: ManagedTransaction, view: View, revision: int) -> Journal:
            deltas = net(delta for step in steps for delta in step.deltas())
            if not deltas:
                raise StoreError("There is nothing to publish: the draft changes nothing.")
            base = View(partial(run, tx), record.base_revision)
            for each in (view, base):
                each.foresee(deltas)
            differences = slot_differences(deltas, _store(base), _store(view))
            if differences:
                raise conflict(differences, "published")
            require_unchanged(deltas, _store(view), "published")
            write_deltas(tx, deltas, revision)
            self._keep_draft(tx, replace(record, base_revision=revision), empty=True)
            journal = Journal()
            for step in steps:
                for edit, own in step.edits:
                    journal.add_edit(edit, own)
            return journal

        return self._revise("publish", author, reason, write_id, work)

    # Upkeep

    purge_notice = (
        "The server's transaction logs hold it until they are rotated, as its settings say."
    )

    def check(self, most: int = MOST) -> list[str]:
        return check(self, findings(self.rows), most)

    def purge(self, fact_ids: Sequence[int], *, author: str, reason: str = "") -> int:
        def work(tx: ManagedTransaction, view: View, revision: int) -> Journal:
            return erase(tx, fact_ids)

        return self._revise("purge", author, reason, None, work)

    def rewrite(self) -> None:
        raise StoreError(
            "purge without an id is for a store in a file; copy this one into a file with: "
            f"python -m graph copy --from {self.url} --to sqlite:///copy.db, "
            "or use the server's own tools."
        )

    # Drafts

    def draft(self, draft_id: str) -> StoredDraft:
        """The session's draft; made at the newest revision if there is none."""
        check_draft_id(draft_id)
        with self._drafts_lock:
            draft = self._drafts.get(draft_id)
            if draft is None:
                with suppress(StoreError):
                    self._expire_drafts()
                draft = self._drafts[draft_id] = StoredDraft(self, draft_id)
                return draft
        draft.reload()
        return draft

    def load_draft(self, draft_id: str) -> DraftRecord | None:
        now = int(self.clock() * 1000)
        rows = self.rows(
            "MATCH (d:Draft {id: $id}) WHERE d.used > $oldest RETURN d.base_revision, d.first,"
            " d.used, COLLECT { MATCH (s:DraftStep) WHERE s.draft_id = $id AND s.number > -1"
            " RETURN s.data ORDER BY s.number }",
            id=draft_id,
            oldest=now - _IDLE,
        )
        if not rows:
            return None
        ((base_revision, first, used, steps),) = rows
        if now - used > _IDLE // 100:  # so that reading alone seldom writes

            def touch(tx: ManagedTransaction) -> None:
                run(tx, "MATCH (d:Draft {id: $id}) SET d.used = $now", id=draft_id, now=now)

            with suppress(StoreError):
                self.connection.write(touch)
        return DraftRecord(
            draft_id,
            base_revision,
            first,
            tuple(Step.from_json(json.loads(data)) for data in steps),
        )

    def save_step(self, record: DraftRecord, step: Step) -> None:
        def attempt(tx: ManagedTransaction) -> None:
            self._keep_draft(tx, record, empty=False)  # which takes the draft's lock
            rows = run(
                tx,
                "MATCH (s:DraftStep) WHERE s.draft_id = $id AND s.number > -1"
                " RETURN s.number, s.id ORDER BY s.number DESC LIMIT 1",
                id=record.draft_id,
            )
            last, last_id = rows[0] if rows else (None, None)
            if last_id == step.id:
                return  # kept already, and only the reply was lost
            if last != (record.steps[-1].number if record.steps else None):
                raise StoreError(
                    f"The draft {record.draft_id} was edited elsewhere meanwhile; reload and "
                    "make this edit again."
                )
            run(
                tx,
                "CREATE (:DraftStep {draft_id: $draft_id, number: $number, id: $id, data: $data})",
                draft_id=record.draft_id,
                number=step.number,
                id=step.id,
                data=json.dumps(step.to_json(), ensure_ascii=False),
            )

        self.connection.write(attempt)

    def empty_draft(self, record: DraftRecord) -> None:
        self.connection.write(lambda tx: self._keep_draft(tx, record, empty=True))

    def _keep_draft(self, tx: ManagedTransaction, record: DraftRecord, *, empty: bool) -> None:
        run(
            tx,
            "MERGE (d:Draft {id: $id})"
            " SET d.base_revision = $base_revision, d.first = $first, d.used = $used",
            id=record.draft_id,
            base_revision=record.base_revision,
            first=record.first,
            used=int(self.clock() * 1000),
        )
        if empty:
            run(
                tx,
                "MATCH (s:DraftStep) WHERE s.draft_id = $id AND s.number > -1 DELETE s",
                id=record.draft_id,
            )

    def _expire_drafts(self) -> None:
        oldest = int(self.clock() * 1000) - _IDLE
        rows = self.rows("MATCH (d:Draft) WHERE d.used <= $oldest RETURN d.id", oldest=oldest)
        if not rows:
            return

        def attempt(tx: ManagedTransaction) -> None:
            run_rows(
                tx,
                "UNWIND $rows AS id MATCH (d:Draft {id: id}) WHERE d.used <= $oldest"
                " OPTIONAL MATCH (s:DraftStep) WHERE s.draft_id = id AND s.number > -1"
                " DELETE d, s",
                [draft_id for (draft_id,) in rows],
                oldest=oldest,
            )

        self.connection.write(attempt)


def _store(view: View) -> TripletStore:
    return cast(TripletStore, view)  # of which only reads are asked


def _first(view: View, which: str, order: str, after: int) -> int | None:
    rows = view.rows(
        f"MATCH (r:Revision) WHERE r.revision > $after AND {which}"
        f" RETURN r.revision ORDER BY {order} LIMIT 1",
        after=after,
        edits=EDITS,
    )
    return rows[0][0] if rows else None
