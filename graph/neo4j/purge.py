"""Purging facts from a store on a Neo4j server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from neo4j import ManagedTransaction

from graph.core.errors import StoreError
from graph.core.ids import is_id
from graph.core.journal import NOTHING, without
from graph.lookup.spelling import words_of
from graph.neo4j.dictionary import lucene
from graph.neo4j.driver import run
from graph.neo4j.schema import OPEN
from graph.neo4j.writes import count_facts


def erase(tx: ManagedTransaction, fact_ids: Sequence[int]) -> None:
    """Erase facts, their history and their traces.

    Gone is what `graph.sqlite.purge` takes out of a file. Raises `StoreError` for an id that never
    was one.
    """
    eraser = _Eraser(tx)
    for fact_id in dict.fromkeys(fact_ids):
        eraser.erase_fact(fact_id)
    eraser.finish()


class _Eraser:
    def __init__(self, tx: ManagedTransaction) -> None:
        self.tx = tx
        self.entities: set[int] = set()
        self.relations: set[str] = set()
        self.words: set[str] = set()

    def erase_fact(self, fact_id: int) -> None:
        """Erase a fact, and what earlier facts said of the same: one deleted and added again."""
        twins = []
        if is_id(fact_id):
            twins = run(
                self.tx,
                "MATCH (e:Entity)-[f:FACT {id: $id}]->(v) WHERE f.since > 0"
                " MATCH (e)-[g:FACT]->(w) WHERE g.id <> f.id AND g.until < $open"
                " AND g.relation = f.relation AND (g.value_id = f.value_id OR w.value = v.value)"
                " RETURN DISTINCT g.id, EXISTS { (e)-[h:FACT]->() WHERE h.id = g.id"
                " AND h.until = $open }",
                id=fact_id,
                open=OPEN,
            )
        self._erase_versions(fact_id)
        for twin, stands in twins:
            self._erase_versions(twin, but_standing=stands)

    def _erase_versions(self, fact_id: int, but_standing: bool = False) -> None:
        """Erase all versions of a fact, or those of the past."""
        found = "MATCH (e:Entity)-[f:FACT {id: $id}]->(v) WHERE f.since > 0"  # in the index
        if but_standing:
            found += f" AND f.until < {OPEN}"
        rows = []
        if is_id(fact_id):
            rows = run(
                self.tx,
                f"{found} RETURN e.id, f.value_id, f.relation, f.until = $open",
                id=fact_id,
                open=OPEN,
            )
        if not rows:
            raise StoreError(f"There is and was no fact {fact_id}; nothing was purged.")
        known: Counter[int] = Counter()
        for entity_id, value_id, relation, stands in rows:
            ends = [end for end in (entity_id, value_id) if end is not None]
            self.entities.update(ends)
            self.relations.add(relation)
            if stands:
                known.subtract(ends)
        count_facts(self.tx, known)
        run(
            self.tx,
            f"{found} DELETE f WITH v WHERE v:Literal DETACH DELETE v",
            id=fact_id,
        )
        self._scrub(fact_id)

    def finish(self) -> None:
        """Erase what nothing else uses."""
        for entity_id in self.entities:
            rows = run(
                self.tx,
                "MATCH (e:Entity {id: $id}) WHERE NOT EXISTS { (e)-[:FACT]-() }"
                " RETURN [e.name] + [(e)-[:NAMED]->(n:Name) | n.name]",
                id=entity_id,
            )
            if rows:
                self._erase_entity(entity_id, rows[0][0])
        run(
            self.tx,
            "UNWIND $names AS name MATCH (r:Relation {name: name}) WHERE r.kind IS NULL"
            " AND NOT EXISTS { MATCH ()-[f:FACT]->() WHERE f.relation = name } DELETE r",
            names=list(self.relations),
        )
        for word in self.words:
            run(
                self.tx,
                "MATCH (w:Word {text: $word}) WHERE NOT EXISTS {"
                " CALL db.index.fulltext.queryNodes('name_words', $query) YIELD node RETURN node }"
                " DELETE w",
                word=word,
                query=lucene(word),
            )

    def _erase_entity(self, entity_id: int, names: list[str | None]) -> None:
        self.words.update(word for name in names if name for word in words_of(name))
        run(
            self.tx,
            "MATCH (e:Entity {id: $id}) OPTIONAL MATCH (e)-[:NAMED]->(n:Name) DETACH DELETE n, e",
            id=entity_id,
        )
        self._scrub(entity_id)

    def _scrub(self, object_id: int) -> None:
        """Take a fact or entity out of the journal's entries, and empty drafts that edited it."""
        for revision, number, kind, edit, deltas in run(
            self.tx,
            "MATCH (t:Touched {object_id: $id})"
            " MATCH (j:Entry {revision: t.revision, number: t.number})"
            " RETURN j.revision, j.number, j.kind, j.edit, j.deltas",
            id=object_id,
        ):
            edit, deltas = without(object_id, kind, edit, deltas)
            run(
                self.tx,
                "MATCH (j:Entry {revision: $revision, number: $number})"
                " SET j.edit = $edit, j.deltas = $deltas",
                revision=revision,
                number=number,
                edit=edit,
                deltas=deltas,
            )
            run(  # a reason is anybody's words, and may name what is erased
                self.tx,
                "MATCH (r:Revision {revision: $revision}) SET r.reason = ''",
                revision=revision,
            )
            run(  # neither undo nor redo comes upon a revision of which nothing is left
                self.tx,
                "MATCH (r:Revision {revision: $revision}) WHERE NOT EXISTS {"
                " MATCH (j:Entry) WHERE j.revision = $revision AND j.number > -1"
                " AND coalesce(j.deltas, '') <> $nothing } SET r.undone = null",
                revision=revision,
                nothing=NOTHING,
            )
        run(self.tx, "MATCH (t:Touched {object_id: $id}) DELETE t", id=object_id)
        run(
            self.tx,
            "MATCH (s:DraftStep) WHERE s.data CONTAINS $id WITH DISTINCT s.draft_id AS draft"
            " MATCH (s:DraftStep) WHERE s.draft_id = draft AND s.number > -1 DELETE s",
            id=f'"{object_id}"',
        )
