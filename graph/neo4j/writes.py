"""Writing to a Neo4j store, inside one of its transactions: deltas, revisions and the journal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from typing import Any, TypeVar

from neo4j import ManagedTransaction

from graph.core.deltas import Delta, NameChanges, fact_counts, name_changes
from graph.core.draft_record import DraftRecord, Step
from graph.core.facts import Entity, Fact
from graph.core.ids import new_id
from graph.core.journal import Journal
from graph.core.names import literal_key
from graph.core.rules import Rule
from graph.editing.shared_store import UNDOABLE
from graph.lookup.spelling import words_of
from graph.neo4j.driver import run
from graph.neo4j.reads import FACT, STANDS, Neo4jReads
from graph.neo4j.schema import OPEN, bag_key, kept_key, key_of

_CHUNK = 5000  # rows of one statement

# Ids of what has versions that begin or end with a revision, rising, from an index. They are read
# in pages, because a server answers each statement within a time limit.
_CHANGED_FACTS = """
    MATCH ()-[f:FACT]->() USING INDEX f:FACT(id, since)
    WHERE f.id > $last AND f.since > 0 AND (f.since = $revision OR f.until = $revision)
    RETURN DISTINCT f.id AS id ORDER BY id LIMIT $most"""
_CHANGED_ENTITIES = """
    MATCH (e:Entity) USING INDEX e:Entity(id)
    WHERE e.id > $last AND (e.named = $revision OR EXISTS {
        MATCH (e)-[:NAMED]->(n:Name) WHERE n.since = $revision OR n.until = $revision })
    RETURN e.id AS id ORDER BY id LIMIT $most"""

Item = TypeVar("Item")


def run_rows(tx: ManagedTransaction, cypher: str, rows: Sequence[Any], **parameters: Any) -> None:
    """A statement over `$rows`, in chunks; nothing if there are none."""
    for begin in range(0, len(rows), _CHUNK):
        run(tx, cypher, rows=rows[begin : begin + _CHUNK], **parameters)


class View(Neo4jReads):
    """What a write reads: the store at one revision if none is named.

    See `graph.editing.shared_store.StoredView`. `read` gives the rows of a statement.
    """

    def __init__(self, read: Callable[..., list[list[Any]]], revision: int) -> None:
        self._read = read
        self._revision = revision
        self._known_facts: dict[int, Fact | None] = {}
        self._known_entities: dict[int, Entity | None] = {}
        self._known_from: dict[int, list[Fact]] = {}
        self._known_to: dict[int, list[Fact]] = {}
        self._nobody: set[str] = set()  # bags of names that nothing has

    def revision(self) -> int:
        return self._revision

    def rows(self, cypher: str, **parameters: Any) -> list[list[Any]]:
        return self._read(cypher, **parameters)

    def prefetch(self, deltas: Iterable[Delta]) -> None:
        """Read what comparing these deltas with the store needs."""
        facts: dict[int, None] = {}
        entities: dict[int, None] = {}
        subjects: dict[int, None] = {}
        going: dict[int, None] = {}
        bags: dict[str, None] = {}
        for delta in deltas:
            for version in (delta.before, delta.after):
                if isinstance(version, Fact):
                    facts[version.id] = None
                    subjects[version.entity_id] = entities[version.entity_id] = None
                    if version.value_id is not None:
                        entities[version.value_id] = None
                elif isinstance(version, Entity):
                    entities[version.id] = None
                    if delta.after is None:
                        going[version.id] = subjects[version.id] = None
                    if version is delta.after:
                        bags[bag_key(version.name)] = None
        for ids in chunks(list(facts)):
            self._known_facts.update(dict.fromkeys(ids) | self.facts_by_id(ids))
        for ids in chunks(list(entities)):
            self._known_entities.update(dict.fromkeys(ids) | self.entities(ids))
        for ids in chunks(list(subjects)):
            self._known_from.update((entity_id, []) for entity_id in ids)
            for fact in self._facts_of(ids, "MATCH (e:Entity {id: id})-[f:FACT]->(v)"):
                self._known_from[fact.entity_id].append(fact)
        for ids in chunks(list(going)):
            self._known_to.update((entity_id, []) for entity_id in ids)
            for fact in self._facts_of(ids, "MATCH (e)-[f:FACT]->(v:Entity {id: id})"):
                assert fact.value_id is not None
                self._known_to[fact.value_id].append(fact)

        for some in chunks(list(bags)):
            known = self.rows(
                "UNWIND $bags AS bag WITH bag WHERE"
                " EXISTS { MATCH (e:Entity {bag: bag}) WHERE e.named <= $at } OR"
                " EXISTS { MATCH (n:Name {bag: bag}) WHERE n.since <= $at AND $at < n.until }"
                " RETURN bag",
                bags=some,
                at=self._revision,
            )
            self._nobody.update(set(some) - {bag for (bag,) in known})

    def newest_edit(self, *, standing: bool) -> int | None:
        which = "NOT r.undone AND " if standing else ""
        rows = self.rows(
            f"MATCH (r:Revision) WHERE r.revision > 0 AND {which}r.kind IN $kinds"
            " RETURN r.revision ORDER BY r.revision DESC LIMIT 1",
            kinds=UNDOABLE,
        )
        return rows[0][0] if rows else None

    def undos_after(self, revision: int) -> list[str]:
        rows = self.rows(
            "MATCH (j:Entry) WHERE j.revision > $revision AND j.number > -1 AND j.kind = 'undo'"
            " RETURN j.edit",
            revision=revision,
        )
        return [edit for (edit,) in rows]

    def first_undone(self, revisions: Sequence[int]) -> int | None:
        rows = self.rows(
            "UNWIND $revisions AS target MATCH (r:Revision {revision: target}) WHERE r.undone"
            " RETURN min(target)",
            revisions=revisions,
        )
        return rows[0][0] if rows else None

    def revision_kind(self, revision: int) -> str | None:
        rows = self.rows(
            "MATCH (r:Revision {revision: $revision}) RETURN r.kind", revision=revision
        )
        return rows[0][0] if rows else None

    def journalled_deltas(self, revision: int) -> list[str | None]:
        rows = self.rows(
            "MATCH (j:Entry) WHERE j.revision = $revision AND j.number > -1"
            " RETURN j.deltas ORDER BY j.number",
            revision=revision,
        )
        return [deltas for (deltas,) in rows]

    def changed_entities(self, revision: int) -> Iterator[list[int]]:
        return self._pages(_CHANGED_ENTITIES, revision)

    def changed_facts(self, revision: int) -> Iterator[list[int]]:
        return self._pages(_CHANGED_FACTS, revision)

    def changed_rules(self, revision: int) -> list[int]:
        rows = self.rows(
            "MATCH (f:Rule) WHERE f.since = $revision OR f.until = $revision"
            " RETURN DISTINCT f.id AS id ORDER BY id",
            revision=revision,
        )
        return [number for (number,) in rows]

    def _pages(self, statement: str, revision: int) -> Iterator[list[int]]:
        last = -1
        while rows := self.rows(statement, last=last, revision=revision, most=_CHUNK):
            yield [number for (number,) in rows]
            last = rows[-1][0]

    def _facts_of(self, ids: list[int], match: str) -> Iterable[Fact]:
        rows = self.rows(
            f"UNWIND $ids AS id {match} WHERE {STANDS} RETURN {FACT} ORDER BY f.id",
            ids=ids,
            at=self._revision,
        )
        return starmap(Fact, rows)

    def fact(self, fact_id: int, at: int | None = None) -> Fact | None:
        if at is None and fact_id in self._known_facts:
            return self._known_facts[fact_id]
        return super().fact(fact_id, at)

    def entity(self, entity_id: int, at: int | None = None) -> Entity | None:
        if at is None and entity_id in self._known_entities:
            return self._known_entities[entity_id]
        return super().entity(entity_id, at)

    def find_entities(self, name: str, at: int | None = None) -> list[tuple[Entity, str]]:
        if at is None and bag_key(name) in self._nobody:
            return []
        return super().find_entities(name, at)

    def facts(
        self,
        entity_id: int,
        relation: str | None = None,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Fact]:
        known = self._known_from.get(entity_id) if at is None else None
        if known is None:
            return super().facts(entity_id, relation, at, limit)
        if relation is not None:
            key = key_of(relation)
            known = [fact for fact in known if key_of(fact.relation) == key]
        return known[:limit]

    def facts_to(
        self,
        entity_id: int,
        at: int | None = None,
        limit: int | None = None,
        relation: str | None = None,
    ) -> list[Fact]:
        if at is None and relation is None and entity_id in self._known_to:
            return self._known_to[entity_id][:limit]
        return super().facts_to(entity_id, at, limit, relation)


def chunks(items: list[Item]) -> Iterable[list[Item]]:
    """Items in groups of one statement's size."""
    return (items[begin : begin + _CHUNK] for begin in range(0, len(items), _CHUNK))


class Neo4jWriting:
    """A write in progress, after the revision `written`; see `editing.shared_store.Writing`."""

    def __init__(self, tx: ManagedTransaction, written: int) -> None:
        self.tx = tx
        self.revision = written + 1
        self.journal = Journal()
        self.now = self.at(written)
        self.drafts = Neo4jShelf(tx)

    def at(self, revision: int) -> View:
        return View(partial(run, self.tx), revision)

    def write(self, deltas: Sequence[Delta]) -> None:
        write_deltas(self.tx, deltas, self.revision)

    def mark_undone(self, revision: int, undone: bool) -> None:
        run(
            self.tx,
            "MATCH (r:Revision {revision: $revision}) SET r.undone = $undone",
            revision=revision,
            undone=undone,
        )

    def finish(self, kind: str, author: str, reason: str, now: int, write_id: str) -> None:
        """Write the revision with its journal; it counts once it is announced."""
        run(
            self.tx,
            """
            CREATE (:Revision {revision: $revision, kind: $kind, author: $author, reason: $reason,
                time: $time, write_id: $write_id, undone: false})
            WITH 1 AS one MATCH (s:Lamplight {name: 'store'}) SET s.written = $revision
            """,
            revision=self.revision,
            kind=kind,
            author=author,
            reason=reason,
            time=now,
            write_id=write_id,
        )
        run_rows(
            self.tx,
            "UNWIND $rows AS row CREATE (:Entry {revision: $revision, number: row[0],"
            " kind: row[1], edit: row[2], deltas: row[3]})",
            self.journal.entries,
            revision=self.revision,
        )
        run_rows(
            self.tx,
            "UNWIND $rows AS row"
            " CREATE (:Touched {object_id: row[0], revision: $revision, number: row[1]})",
            self.journal.touched,
            revision=self.revision,
        )


class Neo4jShelf:
    """The drafts, inside a transaction; see `graph.editing.draft_shelf.DraftShelf`."""

    def __init__(self, tx: ManagedTransaction) -> None:
        self.tx = tx

    def keep(self, record: DraftRecord, now: int) -> None:
        run(
            self.tx,
            "MERGE (d:Draft {id: $id})"
            " SET d.base_revision = $base_revision, d.first = $first, d.used = $used",
            id=record.draft_id,
            base_revision=record.base_revision,
            first=record.first,
            used=now,
        )

    def empty(self, draft_id: str) -> None:
        run(
            self.tx,
            "MATCH (s:DraftStep) WHERE s.draft_id = $id AND s.number > -1 DELETE s",
            id=draft_id,
        )

    def last_step(self, draft_id: str) -> int | None:
        rows = run(
            self.tx,
            "MATCH (s:DraftStep) WHERE s.draft_id = $id AND s.number > -1"
            " RETURN s.number ORDER BY s.number DESC LIMIT 1",
            id=draft_id,
        )
        return rows[0][0] if rows else None

    def holds(self, draft_id: str, step: Step) -> bool:
        rows = run(
            self.tx,
            "MATCH (s:DraftStep {draft_id: $id, number: $number}) RETURN s.id",
            id=draft_id,
            number=step.number,
        )
        return rows == [[step.id]]

    def add(self, draft_id: str, step: Step) -> None:
        run(
            self.tx,
            "CREATE (:DraftStep {draft_id: $draft_id, number: $number, id: $id, data: $data})",
            draft_id=draft_id,
            number=step.number,
            id=step.id,
            data=json.dumps(step.to_json(), ensure_ascii=False),
        )

    def touch(self, draft_id: str, now: int) -> None:
        run(self.tx, "MATCH (d:Draft {id: $id}) SET d.used = $now", id=draft_id, now=now)

    def keep_notes(self, record: DraftRecord, notes: Mapping[str, str | None], now: int) -> None:
        run(
            self.tx,
            "MERGE (d:Draft {id: $id})"
            " ON CREATE SET d.base_revision = $base_revision, d.first = $first"
            " SET d.used = $used",
            id=record.draft_id,
            base_revision=record.base_revision,
            first=record.first,
            used=now,
        )
        run(
            self.tx,
            "UNWIND $names AS name MATCH (n:DraftNote {draft_id: $id, name: name}) DELETE n",
            id=record.draft_id,
            names=list(notes),
        )
        run(
            self.tx,
            "UNWIND $notes AS note CREATE (:DraftNote {draft_id: $id, name: note[0],"
            " data: note[1]})",
            id=record.draft_id,
            notes=[[name, text] for name, text in notes.items() if text is not None],
        )

    def drop_idle(self, oldest: int) -> None:
        run(
            self.tx,
            "MATCH (d:Draft) WHERE d.used <= $oldest MATCH (n:DraftNote {draft_id: d.id}) DELETE n",
            oldest=oldest,
        )
        run(
            self.tx,
            "MATCH (d:Draft) WHERE d.used <= $oldest WITH d"
            " OPTIONAL MATCH (s:DraftStep) WHERE s.draft_id = d.id AND s.number > -1"
            " DELETE d, s",
            oldest=oldest,
        )


def write_deltas(tx: ManagedTransaction, deltas: Sequence[Delta], revision: int) -> None:
    """Close the version of every `before` and open one of every `after`; deltas are net."""
    _close_facts(tx, [d.id for d in deltas if isinstance(d.before, Fact)], revision)
    changes = name_changes(deltas)
    _close_names(tx, changes, revision)
    write_names(tx, changes, revision)
    _write_rules(tx, [d for d in deltas if isinstance(d.before or d.after, Rule)], revision)
    open_facts(tx, [d.after for d in deltas if isinstance(d.after, Fact)], revision)
    count_facts(tx, fact_counts(deltas))


def _close_facts(tx: ManagedTransaction, ids: list[int], revision: int) -> None:
    run_rows(
        tx,
        "UNWIND $rows AS id MATCH ()-[f:FACT {id: id}]->() WHERE f.until = $open AND f.since > 0"
        " SET f.until = $revision",
        ids,
        open=OPEN,
        revision=revision,
    )


def _close_names(tx: ManagedTransaction, changes: NameChanges, revision: int) -> None:
    run_rows(
        tx,
        "UNWIND $rows AS id MATCH (e:Entity {id: id})"
        " CREATE (e)-[:NAMED]->(:Name {name: e.name, bag: e.bag, is_alias: false,"
        " since: e.named, until: $revision, place: -1})"
        " SET e.name = null, e.bag = null, e.named = null",
        [entity_id for entity_id, _ in changes.closed_names],
        revision=revision,
    )
    run_rows(
        tx,
        "UNWIND $rows AS row MATCH (:Entity {id: row[0]})-[:NAMED]->(n:Name {name: row[1]})"
        " WHERE n.is_alias AND n.until = $open SET n.until = $revision",
        changes.closed_aliases,
        open=OPEN,
        revision=revision,
    )


def name_row(entity_id: int, name: str) -> tuple[int, str, str]:
    """A name as `write_names` takes it: the entity's id, the text and its bag."""
    return entity_id, name, bag_key(name)


def write_names(tx: ManagedTransaction, changes: NameChanges, revision: int) -> None:
    """Give entities their new names and aliases, and make those entities that are new."""
    names = [name_row(*name) for name in changes.names]
    aliases = [(*name_row(number, alias), place) for number, alias, place in changes.aliases]
    run_rows(
        tx,
        "UNWIND $rows AS row MERGE (e:Entity {id: row[0]})"
        " ON CREATE SET e.facts = 0, e.made = $revision"
        " SET e.name = row[1], e.bag = row[2], e.named = $revision",
        names,
        revision=revision,
    )
    write_aliases(tx, aliases, revision)
    remember(tx, words_in([row[1] for row in names] + [row[1] for row in aliases]))


def write_aliases(
    tx: ManagedTransaction, aliases: Sequence[tuple[Any, ...]], revision: int
) -> None:
    """Give entities their aliases, each with its place."""
    run_rows(
        tx,
        "UNWIND $rows AS row MATCH (e:Entity {id: row[0]})"
        " CREATE (e)-[:NAMED]->(:Name {name: row[1], bag: row[2], is_alias: true,"
        " since: $revision, until: $open, place: row[3]})",
        aliases,
        open=OPEN,
        revision=revision,
    )


def make_entities(tx: ManagedTransaction, names: Sequence[tuple[Any, ...]], revision: int) -> None:
    """Make entities that are surely new; each row of a name ends in their count of facts."""
    run_rows(
        tx,
        "UNWIND $rows AS row CREATE (:Entity {id: row[0], name: row[1], bag: row[2],"
        " facts: row[3], named: $revision, made: $revision})",
        names,
        revision=revision,
    )


def words_in(names: Iterable[str]) -> dict[str, None]:
    """The words of names, each once."""
    return dict.fromkeys(word for name in names for word in words_of(name))


def remember(tx: ManagedTransaction, words: Iterable[str]) -> None:
    """Put words into the dictionary."""
    run_rows(tx, "UNWIND $rows AS word MERGE (:Word {text: word})", list(words))


def _write_rules(tx: ManagedTransaction, deltas: list[Delta], revision: int) -> None:
    run_rows(
        tx,
        "UNWIND $rows AS id MATCH (f:Rule {id: id}) WHERE f.until = $open SET f.until = $revision",
        [delta.id for delta in deltas if delta.before is not None],
        open=OPEN,
        revision=revision,
    )
    rules = [delta.after for delta in deltas if isinstance(delta.after, Rule)]
    run_rows(
        tx,
        "UNWIND $rows AS row CREATE (:Rule {id: row[0], kind: row[1], name: row[2], key: row[3],"
        " value: row[4], since: $revision, until: $open})",
        [(rule.id, rule.kind, rule.name, rule.key, rule.value) for rule in rules],
        open=OPEN,
        revision=revision,
    )


def open_facts(tx: ManagedTransaction, facts: Sequence[Fact], revision: int) -> None:
    """Open a version of each fact, and make relations that are new."""
    names = dict.fromkeys(fact.relation for fact in facts)
    write_relations(tx, names, revision)
    links: list[tuple[Any, ...]] = []
    literals: list[tuple[Any, ...]] = []
    for fact in facts:
        row = (fact.id, fact.entity_id, fact.relation, fact.source, fact.year)
        if fact.value_id is None:
            literals.append((*row, fact.value))
        else:
            links.append((*row, fact.value_id))
    write_facts(tx, fact_rows(links), fact_rows(literals), revision)


_VERSION = (
    "id: row[0], relation: names[row[1]][0], relation_key: names[row[1]][1], source: row[2],"
    " year: row[3], since: $revision, until: $open"
)


@dataclass(frozen=True, slots=True)
class FactRows:
    """New facts of one statement: by subject, which is found once; relations are named once."""

    subjects: list[tuple[int, list[tuple[Any, ...]]]]
    """An entity's id, and of each of its facts the id, relation's place in `names`, source, year,
    and value_id or value with its key."""
    names: list[tuple[str, str | None]]
    """Relations, with their keys where they are not the same."""


def fact_rows(facts: Sequence[tuple[Any, ...]]) -> list[FactRows]:
    """Rows of id, entity_id, relation, source, year, and value_id or value, in chunks."""
    chunks = []
    for begin in range(0, len(facts), _CHUNK):
        places: dict[str, int] = {}
        subjects: dict[int, list[tuple[Any, ...]]] = {}
        for fact_id, entity_id, relation, source, year, value in facts[begin : begin + _CHUNK]:
            place = places.setdefault(relation, len(places))
            last = (value, literal_key(value)) if isinstance(value, str) else (value,)
            subjects.setdefault(entity_id, []).append((fact_id, place, source, year, *last))
        names = [(relation, kept_key(relation)) for relation in places]
        chunks.append(FactRows(list(subjects.items()), names))
    return chunks


def write_facts(
    tx: ManagedTransaction,
    links: Iterable[FactRows],
    literals: Iterable[FactRows],
    revision: int,
) -> None:
    """Open a version of each fact."""
    link = (
        "MATCH (v:Entity {id: row[4]}) USING INDEX v:Entity(id)"
        f" CREATE (e)-[:FACT {{{_VERSION}, value_id: row[4]}}]->(v)"
    )
    literal = f"CREATE (e)-[:FACT {{{_VERSION}}}]->(:Literal {{value: row[4], value_key: row[5]}})"
    for create, chunks in ((link, links), (literal, literals)):
        for rows in chunks:
            run(
                tx,
                "UNWIND $subjects AS subject MATCH (e:Entity {id: subject[0]})"
                " USING INDEX e:Entity(id)"
                f" WITH e, subject, $names AS names UNWIND subject[1] AS row {create}",
                subjects=rows.subjects,
                names=rows.names,
                open=OPEN,
                revision=revision,
            )


def write_relations(tx: ManagedTransaction, names: Iterable[str], revision: int) -> None:
    """Make the relations that are new, in this order."""
    run_rows(
        tx,
        "UNWIND $rows AS row MERGE (r:Relation {name: row[0]})"
        " ON CREATE SET r.key = row[1], r.number = row[2], r.made = $revision",
        [(name, key_of(name), new_id()) for name in names],
        revision=revision,
    )


def write_identifiers(tx: ManagedTransaction, rows: Sequence[Any]) -> None:
    """Identifiers, each with its revision and the id of its entity or the name of its relation."""
    run_rows(
        tx,
        "UNWIND $rows AS row CREATE (:Identifier {iri: row[0], since: row[1], entity_id: row[2],"
        " relation: row[3]})",
        rows,
    )


def count_facts(tx: ManagedTransaction, known: Counter[int]) -> None:
    """Add to what entities count of facts from and to them: how well known they are."""
    run_rows(
        tx,
        "UNWIND $rows AS row MATCH (e:Entity {id: row[0]})"
        " SET e.facts = coalesce(e.facts, 0) + row[1]",
        [(entity_id, count) for entity_id, count in known.items() if count],
    )
