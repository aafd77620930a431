"""Purging facts from a store on a Neo4j server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from neo4j import ManagedTransaction

from graph.core.journal import NO_DELTAS
from graph.editing.purging import Entry, ErasedVersion, Eraser
from graph.lookup.spelling import words_of
from graph.neo4j.dictionary import lucene
from graph.neo4j.driver import run
from graph.neo4j.schema import OPEN
from graph.neo4j.writes import count_facts


class Neo4jEraser(Eraser):
    """The steps of a purge on nodes and relationships."""

    def __init__(self, tx: ManagedTransaction) -> None:
        super().__init__()
        self.tx = tx

    def _run(self, cypher: str, **parameters: Any) -> list[list[Any]]:
        return run(self.tx, cypher, **parameters)

    def _twins(self, fact_id: int) -> list[tuple[int, bool]]:
        rows = self._run(
            "MATCH (e:Entity)-[f:FACT {id: $id}]->(v) WHERE f.since > 0"
            " MATCH (e)-[g:FACT]->(w) WHERE g.id <> f.id AND g.until < $open"
            " AND g.relation = f.relation AND (g.value_id = f.value_id OR w.value = v.value)"
            " RETURN DISTINCT g.id, EXISTS { (e)-[h:FACT]->() WHERE h.id = g.id"
            " AND h.until = $open }",
            id=fact_id,
            open=OPEN,
        )
        return [(twin, stands) for twin, stands in rows]

    def _versions(self, fact_id: int, past_only: bool) -> list[ErasedVersion]:
        rows = self._run(
            f"{_found(past_only)} RETURN e.id, f.value_id, f.relation, f.until = $open",
            id=fact_id,
            open=OPEN,
        )
        return [ErasedVersion(*row) for row in rows]

    def _delete_versions(self, fact_id: int, past_only: bool) -> None:
        self._run(
            f"{_found(past_only)} DELETE f WITH v WHERE v:Literal DETACH DELETE v", id=fact_id
        )

    def _count(self, counts: Counter[int]) -> None:
        count_facts(self.tx, counts)

    def _entries_about(self, object_id: int) -> Iterable[Entry]:
        rows = self._run(
            "MATCH (t:Touched {object_id: $id})"
            " MATCH (j:Entry {revision: t.revision, number: t.number})"
            " RETURN j.revision, j.number, j.kind, j.edit, j.deltas",
            id=object_id,
        )
        return [(revision, number, *rest) for revision, number, *rest in rows]

    def _rewrite_entry(self, revision: int, number: int, edit: str, deltas: str | None) -> None:
        self._run(
            "MATCH (j:Entry {revision: $revision, number: $number})"
            " SET j.edit = $edit, j.deltas = $deltas",
            revision=revision,
            number=number,
            edit=edit,
            deltas=deltas,
        )

    def _scrub_revision(self, revision: int) -> None:
        self._run("MATCH (r:Revision {revision: $revision}) SET r.reason = ''", revision=revision)
        self._run(
            "MATCH (r:Revision {revision: $revision}) WHERE NOT EXISTS {"
            " MATCH (j:Entry) WHERE j.revision = $revision AND j.number > -1"
            " AND coalesce(j.deltas, '') <> $nothing } SET r.undone = null",
            revision=revision,
            nothing=NO_DELTAS,
        )

    def _forget_touched(self, object_id: int) -> None:
        self._run("MATCH (t:Touched {object_id: $id}) DELETE t", id=object_id)

    def _empty_drafts_with(self, text: str) -> None:
        self._run(
            "MATCH (s:DraftStep) WHERE s.data CONTAINS $text WITH DISTINCT s.draft_id AS draft"
            " MATCH (s:DraftStep) WHERE s.draft_id = draft AND s.number > -1 DELETE s",
            text=text,
        )
        self._run("MATCH (n:DraftNote) DELETE n")

    def _words_of_unused(self, entity_id: int) -> Iterable[str] | None:
        rows = self._run(
            "MATCH (e:Entity {id: $id}) WHERE NOT EXISTS { (e)-[:FACT]-() }"
            " RETURN [e.name] + [(e)-[:NAMED]->(n:Name) | n.name]",
            id=entity_id,
        )
        if not rows:
            return None
        return [word for name in rows[0][0] if name for word in words_of(name)]

    def _delete_entity(self, entity_id: int) -> None:
        self._run(
            "MATCH (e:Entity {id: $id}) OPTIONAL MATCH (e)-[:NAMED]->(n:Name) DETACH DELETE n, e",
            id=entity_id,
        )
        self._run("MATCH (i:Identifier {entity_id: $id}) DELETE i", id=entity_id)

    def _delete_unused_relations(self, relations: list[int | str]) -> None:
        self._run(
            "UNWIND $names AS name MATCH (r:Relation {name: name}) WHERE r.kind IS NULL"
            " AND NOT EXISTS { MATCH ()-[f:FACT]->() WHERE f.relation = name }"
            " OPTIONAL MATCH (i:Identifier {relation: name}) DELETE i, r",
            names=relations,
        )

    def _delete_unused_word(self, word: str) -> None:
        self._run(
            "MATCH (w:Word {text: $word}) WHERE NOT EXISTS {"
            " CALL db.index.fulltext.queryNodes('name_words', $query) YIELD node RETURN node }"
            " DELETE w",
            word=word,
            query=lucene(word),
        )


def _found(past_only: bool) -> str:
    """The match of all versions of a fact, by the index, or of those of the past."""
    match = "MATCH (e:Entity)-[f:FACT {id: $id}]->(v) WHERE f.since > 0"
    return f"{match} AND f.until < {OPEN}" if past_only else match
