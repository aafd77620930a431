"""The rows of a Neo4j store, read and written for a copy (exchange/copying.py)."""

from __future__ import annotations

import json
from typing import Any

from neo4j import ManagedTransaction

from graph.core.errors import StoreError
from graph.core.ids import new_id
from graph.core.names import literal_key
from graph.exchange.copying import BATCH, Row
from graph.exchange.store_tables import StoreTables, standing_counts, touched_by
from graph.neo4j.driver import run
from graph.neo4j.schema import OPEN, kept_key, key_of
from graph.neo4j.store import Neo4jStore
from graph.neo4j.writes import (
    count_facts,
    name_row,
    remember,
    run_rows,
    words_in,
    write_identifiers,
)

# By the first column, of which all rows are read together: (what to match, columns, order).
_SELECT = {
    "relation": (
        "MATCH (r:Relation) WHERE r.number > $cursor",
        "r.number, r.name, r.kind, coalesce(r.description, '')",
        "r.number",
    ),
    "fact": (
        "MATCH (e:Entity)-[f:FACT]->(v) USING INDEX f:FACT(id, since)"
        " WHERE f.id > $cursor AND f.since <= $at",
        "f.id, f.since, f.until, e.id, f.relation,"
        " CASE WHEN f.value_id IS NULL THEN v.value END, f.value_id, f.source, f.year",
        "f.id, f.since",
    ),
    "rule": (
        "MATCH (f:Rule) WHERE f.id > $cursor AND f.since <= $at",
        "f.id, f.since, f.until, f.kind, f.name, f.value",
        "f.id, f.since",
    ),
    "identifier": (
        "MATCH (i:Identifier) WHERE i.iri > $cursor AND i.since <= $at",
        "i.iri, i.since, i.entity_id, i.relation",
        "i.iri, i.since",
    ),
    "revision": (
        "MATCH (r:Revision) WHERE r.revision > $cursor AND r.revision <= $at",
        "r.revision, r.kind, r.author, r.reason, r.time, r.write_id",
        "r.revision",
    ),
    "entry": (
        "MATCH (j:Entry) WHERE j.revision > $cursor AND j.number > -1 AND j.revision <= $at",
        "j.revision, j.number, j.kind, j.edit, j.deltas",
        "j.revision, j.number",
    ),
    "draft": (
        "MATCH (d:Draft) WHERE d.id > $cursor AND d.base_revision <= $at",
        "d.id, d.base_revision, d.first, d.used",
        "d.id",
    ),
    "draft_step": (
        "MATCH (s:DraftStep) WHERE s.draft_id > $cursor AND s.number > -1"
        " AND EXISTS { MATCH (d:Draft {id: s.draft_id}) WHERE d.base_revision <= $at }",
        "s.draft_id, s.number, s.data",
        "s.draft_id, s.number",
    ),
}


class Neo4jTables(StoreTables):
    """A Neo4j store as a source."""

    def __init__(self, store: Neo4jStore) -> None:
        super().__init__(store)
        self.store = store

    def _read_rows(self, table: str, cursor: Any, at: int) -> tuple[list[Row], Any]:
        if table == "name":
            return self._read_names(cursor, at)
        match, columns, order = _SELECT[table]
        found = self.store.rows(
            f"{match} RETURN {columns} ORDER BY {order} LIMIT $limit",
            cursor=cursor,
            at=at,
            limit=BATCH,
        )
        more = len(found) == BATCH
        if more:  # the last of what has one id or number may be cut off: it is read whole
            last = found[-1][0]
            own = columns.partition(",")[0]
            whole = self.store.rows(
                f"{match} AND {own} = $last RETURN {columns} ORDER BY {order}",
                cursor=cursor,
                at=at,
                last=last,
            )
            found = [row for row in found if row[0] != last] + whole
        rows = [tuple(row) for row in found]
        return rows, rows[-1][0] if more else None

    def _read_names(self, cursor: Any, at: int) -> tuple[list[Row], Any]:
        found = self.store.rows(
            "MATCH (e:Entity) WHERE e.id > $cursor WITH e ORDER BY e.id LIMIT $limit"
            " RETURN e.id, e.name, e.named, [(e)-[:NAMED]->(n:Name) WHERE n.since <= $at |"
            " [n.since, n.is_alias, n.place, n.until, n.name]] ORDER BY e.id",
            cursor=cursor,
            at=at,
            limit=BATCH // 2,
        )
        rows: list[Row] = []
        for entity_id, name, named, others in found:
            if named is not None and named <= at:
                others.append([named, False, -1, OPEN, name])
            rows += [
                (entity_id, since, until, is_alias, text)
                for since, is_alias, _, until, text in sorted(others)
            ]
        return rows, found[-1][0] if len(found) == BATCH // 2 else None

    def _undos(self, at: int) -> list[list[Any]]:
        return self.store.rows(
            "MATCH (j:Entry) WHERE j.revision <= $at AND j.number > -1"
            " AND j.kind IN ['undo', 'redo'] RETURN j.kind, j.edit ORDER BY j.revision",
            at=at,
        )


class Neo4jTarget(Neo4jTables):
    """An empty store on a server, shut to others until the copy is whole."""

    def __init__(self, url: str) -> None:
        super().__init__(Neo4jStore(url, half_made=True))
        rows = self.store.rows(
            "MATCH (s:Lamplight {name: 'store'}) RETURN s.copying, s.written, s.lease"
        )
        copying, written, lease = rows[0]
        if copying is None and (written > 0 or lease is not None):
            self.store.close()
            raise StoreError(
                f"The store at {url} holds facts; copy into one that is empty, made with: "
                "python -m graph init --empty"
            )

    def progress(self) -> str | None:
        ((noted,),) = self.store.rows("MATCH (s:Lamplight {name: 'store'}) RETURN s.copying")
        return str(noted) if noted else None

    def write(self, table: str, rows: list[Row], progress: str) -> None:
        def attempt(tx: ManagedTransaction) -> None:
            run(tx, "MATCH (s:Lamplight {name: 'store'}) SET s.filled = false")  # takes its lock
            noted = run(tx, "MATCH (s:Lamplight {name: 'store'}) RETURN s.copying, s.written")
            if noted[0][0] == progress:
                return  # done already, and only the reply was lost
            if noted[0][1] > 0:
                raise StoreError(
                    f"Somebody wrote to {self.store.url} during the copy; make it again."
                )
            getattr(self, f"_write_{table}")(tx, rows)
            run(
                tx,
                "MATCH (s:Lamplight {name: 'store'}) SET s.copying = $progress",
                progress=progress,
            )

        self.store.connection.write(attempt)

    def _write_relation(self, tx: ManagedTransaction, rows: list[Row]) -> None:
        run_rows(
            tx,
            "UNWIND $rows AS row CREATE (:Relation {number: row[0], name: row[1], kind: row[2],"
            " description: row[3], key: row[4], made: 0})",
            [(*row, key_of(row[1])) for row in rows],
        )

    def _write_name(self, tx: ManagedTransaction, rows: list[Row]) -> None:
        named = [
            (name_row(entity_id, text), since, until, is_alias, new_id())
            for entity_id, since, until, is_alias, text in rows  # a later one, a later place
        ]
        run_rows(
            tx,
            "UNWIND $rows AS row MERGE (e:Entity {id: row[0]})"
            " ON CREATE SET e.facts = 0, e.made = row[1]",
            [(name[0], since) for name, since, *_ in named],
        )
        run_rows(
            tx,
            "UNWIND $rows AS row MATCH (e:Entity {id: row[0][0]})"
            " SET e.name = row[0][1], e.bag = row[0][2], e.named = row[1]",
            [row for row in named if row[2] == OPEN and not row[3]],
        )
        run_rows(
            tx,
            "UNWIND $rows AS row MATCH (e:Entity {id: row[0][0]})"
            " CREATE (e)-[:NAMED]->(:Name {name: row[0][1], bag: row[0][2],"
            " since: row[1], until: row[2], is_alias: row[3],"
            " place: CASE WHEN row[3] THEN row[4] ELSE -1 END})",
            [row for row in named if row[2] != OPEN or row[3]],
        )
        remember(tx, words_in(name[1] for name, *_ in named))

    def _write_fact(self, tx: ManagedTransaction, rows: list[Row]) -> None:
        keys = {relation: kept_key(relation) for _, _, _, _, relation, *_ in rows}
        links: list[Row] = []
        literals: list[Row] = []
        for row in rows:
            relation, value_id = row[4], row[6]
            key = None if value_id is not None else literal_key(row[5])
            (literals if value_id is None else links).append((*row, keys[relation], key))
        version = (
            "id: row[0], since: row[1], until: row[2], relation: row[4], source: row[7],"
            " year: row[8], relation_key: row[9]"
        )
        run_rows(
            tx,
            "UNWIND $rows AS row MATCH (e:Entity {id: row[3]}) MATCH (v:Entity {id: row[6]})"
            f" CREATE (e)-[:FACT {{{version}, value_id: row[6]}}]->(v)",
            links,
        )
        run_rows(
            tx,
            "UNWIND $rows AS row MATCH (e:Entity {id: row[3]})"
            f" CREATE (e)-[:FACT {{{version}}}]->(:Literal {{value: row[5], value_key: row[10]}})",
            literals,
        )
        count_facts(tx, standing_counts(rows))

    def _write_rule(self, tx: ManagedTransaction, rows: list[Row]) -> None:
        run_rows(
            tx,
            "UNWIND $rows AS row CREATE (:Rule {id: row[0], since: row[1], until: row[2],"
            " kind: row[3], name: row[4], value: row[5], key: row[6]})",
            [(*row, key_of(row[4])) for row in rows],
        )

    def _write_identifier(self, tx: ManagedTransaction, rows: list[Row]) -> None:
        write_identifiers(tx, rows)

    def _write_revision(self, tx: ManagedTransaction, rows: list[Row]) -> None:
        run_rows(
            tx,
            "UNWIND $rows AS row CREATE (:Revision {revision: row[0], kind: row[1],"
            " author: row[2], reason: row[3], time: row[4], write_id: row[5], undone: row[6]})",
            rows,
        )

    def _write_entry(self, tx: ManagedTransaction, rows: list[Row]) -> None:
        run_rows(
            tx,
            "UNWIND $rows AS row CREATE (:Entry {revision: row[0], number: row[1], kind: row[2],"
            " edit: row[3], deltas: row[4]})",
            rows,
        )
        run_rows(
            tx,
            "UNWIND $rows AS row"
            " CREATE (:Touched {object_id: row[0], revision: row[1], number: row[2]})",
            touched_by(rows),
        )

    def _write_draft(self, tx: ManagedTransaction, rows: list[Row]) -> None:
        run_rows(
            tx,
            "UNWIND $rows AS row CREATE (:Draft {id: row[0], base_revision: row[1],"
            " first: row[2], used: row[3]})",
            rows,
        )

    def _write_draft_step(self, tx: ManagedTransaction, rows: list[Row]) -> None:
        run_rows(
            tx,
            "UNWIND $rows AS row CREATE (:DraftStep {draft_id: row[0], number: row[1],"
            " data: row[2], id: row[3]})",
            [(*row, int(json.loads(row[2])["id"])) for row in rows],
        )

    def finish(self, at: int) -> None:
        def attempt(tx: ManagedTransaction) -> None:
            run(
                tx,
                "MATCH (s:Lamplight {name: 'store'}), (n:Lamplight {name: 'newest'})"
                " SET s.written = $at, n.revision = $at, s.filled = true, s.copying = null",
                at=at,
            )

        self.store.connection.write(attempt)
