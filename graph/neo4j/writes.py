"""Writing to a Neo4j store, inside one of its transactions: deltas, revisions and the journal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import starmap
from typing import Any, TypeVar

from neo4j import ManagedTransaction

from graph.core.deltas import Delta, touched_ids
from graph.core.edits import Edit, edit_kind, edit_to_json
from graph.core.errors import StoreError
from graph.core.facts import Entity, Fact
from graph.core.ids import new_id
from graph.core.rules import Rule
from graph.lookup.spelling import words_of
from graph.neo4j.driver import run
from graph.neo4j.reads import FACT, STANDS, Neo4jReads
from graph.neo4j.schema import OPEN, bag_key, kept_key, key_of

_MOST_DELTAS = 10_000  # what one journal entry lists
_CHUNK = 5000  # rows of one statement

Item = TypeVar("Item")


def run_rows(tx: ManagedTransaction, cypher: str, rows: Sequence[Any], **parameters: Any) -> None:
    """A statement over `$rows`, in chunks; nothing if there are none."""
    for begin in range(0, len(rows), _CHUNK):
        run(tx, cypher, rows=rows[begin : begin + _CHUNK], **parameters)


class View(Neo4jReads):
    """What a write reads: the store at one revision if none is named.

    `read` gives the rows of a statement. `foresee` reads at once, in a few statements, what
    planning would ask one by one.
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

    def foresee(self, deltas: Iterable[Delta]) -> None:
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
        self, entity_id: int, at: int | None = None, limit: int | None = None
    ) -> list[Fact]:
        if at is None and entity_id in self._known_to:
            return self._known_to[entity_id][:limit]
        return super().facts_to(entity_id, at, limit)


def chunks(items: list[Item]) -> Iterable[list[Item]]:
    """Items in groups of one statement's size."""
    return (items[begin : begin + _CHUNK] for begin in range(0, len(items), _CHUNK))


@dataclass
class Journal:
    """The entries of one revision, gathered to be written at once."""

    entries: list[list[Any]] = field(default_factory=list)
    touched: list[list[int]] = field(default_factory=list)

    def add_edit(self, edit: Edit, deltas: Sequence[Delta]) -> None:
        """An entry for an edit."""
        self.add(edit_kind(edit), edit_to_json(edit), deltas)

    def add(self, kind: str, edit: dict[str, Any], deltas: Sequence[Delta] | None) -> None:
        """An entry; None for deltas too many to list: the versions themselves tell."""
        number = len(self.entries)
        listed = None
        if deltas is not None and len(deltas) <= _MOST_DELTAS:
            listed = json.dumps([delta.to_json() for delta in deltas], ensure_ascii=False)
            self.touched += [[object_id, number] for object_id in touched_ids(deltas)]
        self.entries.append([number, kind, json.dumps(edit, ensure_ascii=False), listed])


@dataclass(frozen=True)
class Turn:
    """What a writer finds when it is its turn."""

    written: int
    """The last revision that is written."""
    done: int | None
    """The revision that this write made, if it was done before."""
    lease: str | None
    """Whose import is under way, if one is."""
    lease_revision: int | None
    lease_batch: int | None
    """The last batch of it that is written."""
    idle: int
    """Milliseconds since that import last wrote."""


def take_turn(tx: ManagedTransaction, write_id: str) -> Turn:
    """Wait for the lock that writers take turns by; held until the transaction ends."""
    run(tx, "MATCH (s:Lamplight {name: 'store'}) SET s.turn = $write_id", write_id=write_id)
    rows = run(
        tx,
        "MATCH (s:Lamplight {name: 'store'}) OPTIONAL MATCH (r:Revision {write_id: $write_id})"
        " RETURN s.written, r.revision, s.lease, s.lease_revision, s.lease_batch,"
        " timestamp() - coalesce(s.lease_time, 0)",
        write_id=write_id,
    )
    if not rows:
        raise StoreError(
            "The store was taken out of its Neo4j database; make it again with: "
            "python -m graph init --store URL"
        )
    return Turn(*rows[0])


def write_revision(
    tx: ManagedTransaction,
    revision: int,
    kind: str,
    author: str,
    reason: str,
    time: int,
    write_id: str,
    journal: Journal,
) -> None:
    """Write a revision with its journal; it counts once it is announced."""
    run(
        tx,
        """
        CREATE (:Revision {revision: $revision, kind: $kind, author: $author, reason: $reason,
            time: $time, write_id: $write_id, undone: false})
        WITH 1 AS one MATCH (s:Lamplight {name: 'store'}) SET s.written = $revision
        """,
        revision=revision,
        kind=kind,
        author=author,
        reason=reason,
        time=time,
        write_id=write_id,
    )
    run_rows(
        tx,
        "UNWIND $rows AS row CREATE (:Entry {revision: $revision, number: row[0], kind: row[1],"
        " edit: row[2], deltas: row[3]})",
        journal.entries,
        revision=revision,
    )
    run_rows(
        tx,
        "UNWIND $rows AS row"
        " CREATE (:Touched {object_id: row[0], revision: $revision, number: row[1]})",
        journal.touched,
        revision=revision,
    )


def write_deltas(tx: ManagedTransaction, deltas: Sequence[Delta], revision: int) -> None:
    """Close the version of every `before` and open one of every `after`; deltas are net."""
    _close_facts(tx, [d.id for d in deltas if isinstance(d.before, Fact)], revision)
    entities = [d for d in deltas if isinstance(d.before or d.after, Entity)]
    _close_names(tx, entities, revision)
    _open_names(tx, entities, revision)
    _write_rules(tx, [d for d in deltas if isinstance(d.before or d.after, Rule)], revision)
    open_facts(tx, [d.after for d in deltas if isinstance(d.after, Fact)], revision)
    known: Counter[int] = Counter()
    for delta in deltas:
        known.subtract(_ends(delta.before))
        known.update(_ends(delta.after))
    count_facts(tx, known)


def _close_facts(tx: ManagedTransaction, ids: list[int], revision: int) -> None:
    run_rows(
        tx,
        "UNWIND $rows AS id MATCH ()-[f:FACT {id: id}]->() WHERE f.until = $open AND f.since > 0"
        " SET f.until = $revision",
        ids,
        open=OPEN,
        revision=revision,
    )


def _close_names(tx: ManagedTransaction, deltas: list[Delta], revision: int) -> None:
    former: list[int] = []
    aliases: list[tuple[int, str]] = []
    for delta in deltas:
        if isinstance(delta.before, Entity):
            after = delta.after if isinstance(delta.after, Entity) else None
            if after is None or after.name != delta.before.name:
                former.append(delta.id)
            kept = after.aliases if after else ()
            aliases += [(delta.id, text) for text in delta.before.aliases if text not in kept]
    run_rows(
        tx,
        "UNWIND $rows AS id MATCH (e:Entity {id: id})"
        " CREATE (e)-[:NAMED]->(:Name {name: e.name, bag: e.bag, is_alias: false,"
        " since: e.named, until: $revision, place: -1})"
        " SET e.name = null, e.bag = null, e.named = null",
        former,
        revision=revision,
    )
    run_rows(
        tx,
        "UNWIND $rows AS row MATCH (:Entity {id: row[0]})-[:NAMED]->(n:Name {name: row[1]})"
        " WHERE n.is_alias AND n.until = $open SET n.until = $revision",
        aliases,
        open=OPEN,
        revision=revision,
    )


def _open_names(tx: ManagedTransaction, deltas: list[Delta], revision: int) -> None:
    names: list[tuple[Any, ...]] = []
    aliases: list[tuple[Any, ...]] = []
    for delta in deltas:
        if isinstance(delta.after, Entity):
            before = delta.before if isinstance(delta.before, Entity) else None
            if before is None or before.name != delta.after.name:
                names.append(name_row(delta.id, delta.after.name))
            had = before.aliases if before else ()
            aliases += [
                (*name_row(delta.id, text), place)
                for place, text in enumerate(delta.after.aliases)
                if text not in had
            ]
    write_names(tx, names, aliases, revision)


def name_row(entity_id: int, name: str) -> tuple[int, str, str]:
    """A name as `write_names` takes it: the entity's id, the text and its bag."""
    return entity_id, name, bag_key(name)


def write_names(
    tx: ManagedTransaction,
    names: Sequence[tuple[Any, ...]],
    aliases: Sequence[tuple[Any, ...]],
    revision: int,
) -> None:
    """Give entities their names, making those that are new; and aliases, each with its place."""
    run_rows(
        tx,
        "UNWIND $rows AS row MERGE (e:Entity {id: row[0]})"
        " ON CREATE SET e.facts = 0, e.made = $revision"
        " SET e.name = row[1], e.bag = row[2], e.named = $revision",
        names,
        revision=revision,
    )
    write_aliases(tx, aliases, revision)
    remember(tx, words_in(row[1] for row in (*names, *aliases)))


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
    and value_id or value."""
    names: list[tuple[str, str | None]]
    """Relations, with their keys where they are not the same."""


def fact_rows(facts: Sequence[tuple[Any, ...]]) -> list[FactRows]:
    """Rows of id, entity_id, relation, source, year, and value_id or value, in chunks."""
    chunks = []
    for begin in range(0, len(facts), _CHUNK):
        places: dict[str, int] = {}
        subjects: dict[int, list[tuple[Any, ...]]] = {}
        for fact_id, entity_id, relation, *rest in facts[begin : begin + _CHUNK]:
            place = places.setdefault(relation, len(places))
            subjects.setdefault(entity_id, []).append((fact_id, place, *rest))
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
    literal = f"CREATE (e)-[:FACT {{{_VERSION}}}]->(:Literal {{value: row[4]}})"
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


def count_facts(tx: ManagedTransaction, known: Counter[int]) -> None:
    """Add to what entities count of facts from and to them: how well known they are."""
    run_rows(
        tx,
        "UNWIND $rows AS row MATCH (e:Entity {id: row[0]})"
        " SET e.facts = coalesce(e.facts, 0) + row[1]",
        [(entity_id, count) for entity_id, count in known.items() if count],
    )


def _ends(version: Fact | Entity | Rule | None) -> list[int]:
    """The entities that a fact is from and to."""
    if not isinstance(version, Fact):
        return []
    return (
        [version.entity_id] if version.value_id is None else [version.entity_id, version.value_id]
    )
