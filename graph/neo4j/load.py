"""Bulk import into a Neo4j store: one revision, written in batches, seen all at once at its end.

A batch is a transaction of its own, under a lease (neo4j/lease.py), because a server cannot hold
a large import in one. While the server writes one batch, the loader prepares the next from
committed rows plus the batch still in flight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from neo4j import ManagedTransaction

from graph.core.deltas import Delta, net
from graph.core.edits import AddSynonym, ChangeSetting
from graph.core.errors import StoreError
from graph.core.identifiers import clean_iri
from graph.core.ids import new_id
from graph.core.import_rows import (
    AliasRow,
    BadLine,
    FactRow,
    RelationRow,
    Row,
    SettingRow,
    SynonymRow,
)
from graph.core.link_rule import declares_link, is_link
from graph.core.names import clean_name, clean_signature
from graph.core.protocol import LoadReport, Relation, TripletReads
from graph.editing.loading import (
    Intake,
    clean_alias,
    clean_declaration,
    clean_fact,
    clean_identifiers,
    unknown_entity,
)
from graph.editing.overlay import Overlay
from graph.neo4j.lease import Lease
from graph.neo4j.schema import KEY, OPEN, bag_key, key_of
from graph.neo4j.writes import (
    FactRows,
    Neo4jWriting,
    count_facts,
    fact_rows,
    make_entities,
    name_row,
    remember,
    run_rows,
    words_in,
    write_aliases,
    write_facts,
    write_identifiers,
    write_relations,
)

BATCH = 5000  # rows of a file that are written in one transaction
_WORDS = 20_000  # new words that are written together
_CACHED = 200_000  # names kept in memory, some 60 MB


@dataclass(slots=True)
class _Name:
    """What a text names: an entity of this name, and those that have it as an alias."""

    entity_id: int | None = None
    aliased: set[int] = field(default_factory=set)

    def meant(self) -> int | None:
        """The entity of this name, or the only one with this alias."""
        if self.entity_id is None and len(self.aliased) == 1:
            return next(iter(self.aliased))
        return self.entity_id


@dataclass(slots=True)
class _Fact:
    """A fact that stands, in the store or in the batch."""

    id: int
    entity_id: int
    relation: str
    key: str
    value: str
    value_id: int | None
    source: str
    year: int | None
    since: int | None
    """The revision that wrote it so; None in the batch that is being gathered."""
    resourced: bool = False

    def row(self) -> tuple[Any, ...]:
        value = self.value if self.value_id is None else self.value_id
        return self.id, self.entity_id, self.relation, self.source, self.year, value


@dataclass
class _Batch:
    """What is gathered, to be written in one transaction."""

    names: list[tuple[Any, ...]] = field(default_factory=list)
    aliases: list[tuple[Any, ...]] = field(default_factory=list)
    facts: list[_Fact] = field(default_factory=list)
    slots: dict[tuple[int, str], dict[str | int, _Fact]] = field(default_factory=dict)
    """The facts, and those with another source, by entity and relation and then by value."""
    relations: dict[str, None] = field(default_factory=dict)
    identifiers: list[tuple[str, int | None, str | None]] = field(default_factory=list)
    """New identifiers, each with its entity's id or its relation."""
    known: Counter[int] = field(default_factory=Counter)
    """Facts from and to an entity."""

    def keep(self, fact: _Fact) -> None:
        """Let the next batch find the fact, which the server may not have by then."""
        slot = self.slots.setdefault((fact.entity_id, fact.key), {})
        slot[fact.value] = fact
        if fact.value_id is not None:
            slot[fact.value_id] = fact


@dataclass(frozen=True)
class _Rows:
    """What one transaction writes; nothing of it changes any more."""

    relations: list[str]
    names: list[tuple[Any, ...]]
    identifiers: list[tuple[str, int | None, str | None]]
    aliases: list[tuple[Any, ...]]
    words: list[str]
    links: list[FactRows]
    literals: list[FactRows]
    known: Counter[int]
    """Facts more from and to entities that were there before."""
    resourced: list[tuple[Any, ...]]
    """Rows of facts with another source, each with the revision that wrote it so."""

    def write(self, tx: ManagedTransaction, revision: int) -> None:
        """Write it all as of the revision."""
        write_relations(tx, self.relations, revision)
        make_entities(tx, self.names, revision)
        write_identifiers(tx, [(iri, revision, *target) for iri, *target in self.identifiers])
        write_aliases(tx, self.aliases, revision)
        remember(tx, self.words)
        write_facts(tx, self.links, self.literals, revision)
        count_facts(tx, self.known)
        # A version of this very import is changed in place; an older one is closed.
        run_rows(
            tx,
            "UNWIND $rows AS row MATCH ()-[f:FACT {id: row[0], since: $revision}]->()"
            " SET f.source = row[3], f.year = row[4]",
            [row for row in self.resourced if row[-1] == revision],
            revision=revision,
        )
        older = [row for row in self.resourced if row[-1] != revision]
        run_rows(
            tx,
            "UNWIND $rows AS row MATCH ()-[f:FACT {id: row[0], since: row[6]}]->()"
            " SET f.until = $revision",
            older,
            revision=revision,
        )
        write_facts(
            tx,
            fact_rows([row[:-1] for row in older if isinstance(row[5], int)]),
            fact_rows([row[:-1] for row in older if isinstance(row[5], str)]),
            revision,
        )


def load(
    lease: Lease,
    store: TripletReads,
    rows: Iterable[Row],
    intake: Intake,
    kind: str,
    author: str,
    reason: str,
) -> LoadReport:
    """Import all rows as one revision; see `graph.core.protocol.SharedStore.load`."""
    author, reason = clean_signature(author, reason)
    with lease, _Loader(lease, store, intake) as loader:
        batch: list[Row] = []
        type_: type | None = None  # of the rows of the batch; bad lines go with any
        for row in intake.counted(rows):
            own = None if isinstance(row, BadLine) else type(row)
            if batch and (len(batch) >= BATCH or (own and type_ and own is not type_)):
                loader.take(batch)
                batch, type_ = [], None
            batch.append(row)
            type_ = type_ or own
        loader.take(batch)
        intake.refuse_bad()
        return loader.finish(kind, author, reason)


class _Loader:
    def __init__(
        self,
        lease: Lease,
        store: TripletReads,
        intake: Intake,
    ) -> None:
        self.lease = lease
        self.store = store
        self.intake = intake
        self.report = intake.report
        self.waiting: _Batch | None = None  # the batch that is gathered, or that is so already
        self.writer = ThreadPoolExecutor(1, thread_name_prefix="import")
        self.written: Future[None] | None = None  # of the batch on its way to the server
        self.on_its_way: _Batch | None = None
        self.names: dict[str, _Name] = {}
        # Whether all names that are there are known here, so that none need be asked for.
        self.was_empty = not self._read("MATCH (e:Entity) RETURN e.id LIMIT 1")
        self.any_identifier = bool(self._read("MATCH (i:Identifier) RETURN i.iri LIMIT 1"))
        self.identified: dict[str, int | None] = {}  # entities by the identifiers met
        self.has_identifier: set[int] = set()
        self.relations_identified: dict[str, str] = {}
        self.relation_keys: set[str] = set()  # of relations that an identifier has
        self.subjects: set[int] = set()  # of the facts that the server has of this import
        self.words: set[str] = set()  # of the dictionary: those that this import put there, or will
        # Of these, those that wait: a transaction with words writes three indexes more.
        self.new_words: list[str] = []
        self.relations: set[str] = set()  # that this import has made, or found, or is about to
        self.kinds: dict[str, bool | None] = {}  # by a relation's key: whether its values are links
        self.declared: dict[str, tuple[str, str]] = {}
        self.changes: list[Delta] = []  # of synonyms and settings
        self.places = 0
        self.resourced: list[_Fact] = []  # facts that stand, to which the batch adds a source
        self.first_open: int | None = None  # the first fact whose value may yet become a link

    def __enter__(self) -> _Loader:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the server; what went wrong there is known by now, or is why this ends."""
        with suppress(Exception):
            self.settled()
        self.writer.shutdown()

    # Rows

    def take(self, rows: list[Row]) -> None:
        """Import rows, all of one type; invalid ones are reported."""
        if not rows:
            return
        self.flush()
        if len(self.names) > _CACHED:
            self.settled()  # or else names on their way would be taken for new ones
            self.names.clear()
            self.identified.clear()
            self.has_identifier.clear()
            self.was_empty = False  # what this import wrote is no longer known here
            self.any_identifier = True
        if len(self.words) > _CACHED:
            self.words.clear()
        if len(self.relations) > _CACHED:
            self.relations.clear()
        good: list[Any] = []
        for row in rows:
            try:
                good.append((row, self._clean(row)))
            except StoreError as problem:
                self.intake.leave_out(BadLine(row.line, str(problem)))
        if not good:
            return
        self.waiting = _Batch()
        if isinstance(good[0][0], FactRow):
            self._take_facts(good)
            return
        for row, cleaned in good:
            try:
                if isinstance(row, AliasRow):
                    self._take_alias(*cleaned)
                elif isinstance(row, RelationRow):
                    self._take_relation(*cleaned)
                else:
                    self._take_rule(cleaned)
            except StoreError as problem:
                self.intake.leave_out(BadLine(row.line, str(problem)))

    def _clean(self, row: Row) -> Any:
        """A row's cells as they are kept; raises `StoreError` for a bad one."""
        match row:
            case BadLine():
                raise StoreError(row.reason)
            case FactRow():
                return *clean_fact(row, self.intake.source), *clean_identifiers(row)
            case AliasRow():
                return *clean_alias(row), clean_iri(row.entity_iri)
            case RelationRow():
                return clean_declaration(row)
            case SynonymRow():
                return AddSynonym(row.phrase, row.relation)
            case SettingRow():
                return ChangeSetting(row.setting, row.value)

    def _take_facts(self, rows: list[tuple[FactRow, tuple[Any, ...]]]) -> None:
        assert self.waiting is not None
        rows = [(row, self._identify_relation(cells)) for row, cells in rows]
        self._learn_kinds({cells[1] for _, cells in rows})
        keys = {cells[1]: key_of(cells[1]) for _, cells in rows}
        texts: dict[str, None] = {}
        iris: dict[str, None] = {}
        for _, (name, relation, value, _, _, iri, _, value_iri) in rows:
            texts[name] = None
            if value_iri or is_link(self.kinds[keys[relation]], value) is not False:
                texts[value] = None
            iris.update(dict.fromkeys(filter(None, (iri, value_iri))))
        self._learn_names(texts)
        self._learn_identifiers(iris, texts)
        there = self._standing(rows, keys)
        for row, (name, relation, value, source, year, iri, _, value_iri) in rows:
            key = keys[relation]
            declared = self.kinds[key]
            linked = is_link(declared, value)
            if value_iri and declared is None:
                linked = True
            if linked:
                try:
                    value = clean_name(value, "value")
                except StoreError as problem:
                    self.intake.leave_out(BadLine(row.line, str(problem)))
                    continue
            self.waiting.relations[relation] = None
            entity_id = self._find_or_make(name, iri)
            value_id = same = None
            if linked:
                value_id = same = self._find_or_make(value, value_iri)
            elif linked is None:
                # A link is spelt exactly as an entity; one that is there may be found by an alias.
                named = self.names.get(value)
                value_id, same = (named.entity_id, named.meant()) if named else (None, None)
            slot = there.setdefault((entity_id, key), {})
            known = slot.get(value) or (slot.get(same) if same is not None else None)
            if known is not None:
                self._add_source(known, source, year)
                continue
            fact = _Fact(new_id(), entity_id, relation, key, value, value_id, source, year, None)
            slot[value] = fact
            if value_id is not None:
                slot[value_id] = fact
            if declared is None and value_id is None and self.first_open is None:
                self.first_open = fact.id
            self.waiting.facts.append(fact)
            self.waiting.keep(fact)
            self.waiting.known.update([entity_id] if value_id is None else [entity_id, value_id])
            self.report.facts += 1

    def _add_source(self, known: _Fact, source: str, year: int | None) -> None:
        assert self.waiting is not None
        changed = self.intake.add_source(known.source, known.year, source, year)
        if changed is None:
            return
        known.source, known.year = changed
        if known.since is not None and not known.resourced:
            known.resourced = True
            self.resourced.append(known)

    def _take_alias(self, alias: str, name: str, iri: str) -> None:
        assert self.waiting is not None
        self._learn_names(dict.fromkeys((name, alias)))
        if iri:
            self._learn_identifiers({iri: None}, {})
        entity_id = self.identified.get(iri) if iri else None
        if entity_id is None:
            entity_id = self.names[name].meant() if name in self.names else None
        if entity_id is None:
            raise unknown_entity(name, alias)
        named = self.names.setdefault(alias, _Name())
        if named.entity_id == entity_id or entity_id in named.aliased:
            return
        named.aliased.add(entity_id)
        self.waiting.aliases.append((*name_row(entity_id, alias), self.places))
        self.places += 1
        self.report.aliases += 1

    def _take_relation(self, name: str, kind: str, description: str) -> None:
        assert self.waiting is not None
        self.declared.pop(name, None)
        self.declared[name] = kind, description
        self.kinds[key_of(name)] = declares_link(kind)
        self.waiting.relations[name] = None
        self.report.relations += 1

    def _take_rule(self, edit: AddSynonym | ChangeSetting) -> None:
        overlay = _Declared(self.store, None, self.declared).with_deltas(self.changes)
        self.changes += self.intake.plan_rule(edit, overlay)

    # What is there

    def _read(self, cypher: str, **parameters: Any) -> list[list[Any]]:
        return self.lease.connection.read(cypher, **parameters)

    def _learn_kinds(self, relations: set[str]) -> None:
        keys = {key_of(name) for name in relations} - self.kinds.keys()
        if not keys:
            return
        if len(self.kinds) > _CACHED:
            self.kinds = {
                key_of(name): declares_link(kind) for name, (kind, _) in self.declared.items()
            }
            keys = {key_of(name) for name in relations} - self.kinds.keys()
        self.kinds.update(dict.fromkeys(keys))
        for key, kind in self._read(
            "MATCH (r:Relation) WHERE r.key IN $keys AND r.kind IS NOT NULL"
            " RETURN r.key, r.kind ORDER BY r.number DESC",
            keys=list(keys),
        ):
            self.kinds[key] = declares_link(kind)

    def _learn_names(self, texts: dict[str, None]) -> None:
        """Read what is there of these names; what has no entry afterwards names nothing."""
        unknown = [text for text in texts if text not in self.names]
        if not unknown or self.was_empty:
            return
        for text, entity_id in self._read(
            "UNWIND $texts AS text MATCH (e:Entity {name: text}) RETURN text, e.id", texts=unknown
        ):
            self.names.setdefault(text, _Name()).entity_id = entity_id
        for text, entity_id in self._read(
            "UNWIND $texts AS text MATCH (n:Name {bag: text[0]})<-[:NAMED]-(e:Entity)"
            " WHERE n.name = text[1] AND n.is_alias AND n.until = $open RETURN n.name, e.id",
            texts=[(bag_key(text), text) for text in unknown],
            open=OPEN,
        ):
            self.names.setdefault(text, _Name()).aliased.add(entity_id)

    def _learn_identifiers(self, iris: dict[str, None], names: dict[str, None]) -> None:
        """Read what is there of these identifiers, and which entities of these names have any."""
        unknown = [iri for iri in iris if iri not in self.identified]
        if not unknown or not self.any_identifier:
            return
        for (iri,) in self._read(
            "MATCH (i:Identifier) WHERE i.iri IN $iris AND i.entity_id IS NOT NULL"
            " RETURN DISTINCT i.iri",
            iris=unknown,
        ):
            entity = self.store.identified(iri, at=self.lease.revision)
            self.identified[iri] = entity.id if entity else None
        ids = [
            found for name in names if name in self.names and (found := self.names[name].meant())
        ]
        self.has_identifier.update(
            entity_id
            for (entity_id,) in self._read(
                "MATCH (i:Identifier) WHERE i.entity_id IN $ids RETURN DISTINCT i.entity_id",
                ids=ids,
            )
        )

    def _identify_relation(self, cells: tuple[Any, ...]) -> tuple[Any, ...]:
        """The cells of a row with the relation that its identifier has."""
        name, iri = cells[1], cells[6]
        if not iri:
            return cells
        found = self.relations_identified.get(iri) or self.store.relation_identified(iri)
        if found is None:
            assert self.waiting is not None
            found = name
            if self._other_relation(name):
                found = self.intake.qualify(name, iri, self._other_relation)
            self.waiting.identifiers.append((iri, None, found))
        self.relations_identified[iri] = found
        self.relation_keys.add(key_of(found))
        return cells[0], found, *cells[2:]

    def _other_relation(self, name: str) -> bool:
        """Whether an identifier has a relation of this name, in any spelling."""
        if key_of(name) in self.relation_keys:
            return True
        return self.any_identifier and bool(
            self._read(
                "MATCH (r:Relation {key: $key}) MATCH (:Identifier {relation: r.name})"
                " RETURN r.name LIMIT 1",
                key=key_of(name),
            )
        )

    def _identify(self, name: str, iri: str) -> int:
        """The entity of an identifier: what has it, or has this name and no other identifier."""
        assert self.waiting is not None
        found = self.identified.get(iri)
        if found is None:
            found = self.names[name].meant() if name in self.names else None
            if found is not None and found in self.has_identifier:
                name = self.intake.qualify(name, iri, self._is_named)
                found = None
            found = self._find_or_make(name) if found is None else found
            self.waiting.identifiers.append((iri, found, None))
            self.identified[iri] = found
        self.has_identifier.add(found)
        return found

    def _is_named(self, name: str) -> bool:
        self._learn_names({name: None})
        return name in self.names and self.names[name].meant() is not None

    def _find_or_make(self, name: str, iri: str = "") -> int:
        assert self.waiting is not None
        if iri:
            return self._identify(name, iri)
        named = self.names.setdefault(name, _Name())
        found = named.meant()
        if found is None:
            found = named.entity_id = new_id()
            self.waiting.names.append(name_row(found, name))
            self.report.entities += 1
        return found

    def _standing(
        self, rows: list[tuple[FactRow, tuple[Any, ...]]], keys: dict[str, str]
    ) -> dict[tuple[int, str], dict[str | int, _Fact]]:
        """The facts that stand and that some of the rows may say again, by entity and relation."""
        wanted: dict[tuple[int, str], tuple[set[str], set[int]]] = {}
        for _, (name, relation, value, _, _, iri, _, value_iri) in rows:
            entity = self.names.get(name)
            entity_id = self.identified.get(iri) or (entity.meant() if entity else None)
            if entity_id is None:
                continue
            values, ids = wanted.setdefault((entity_id, keys[relation]), (set(), set()))
            values.add(value)
            named = self.names.get(value)
            meant = self.identified.get(value_iri) or (named.meant() if named else None)
            if meant is not None:
                ids.add(meant)
        there: dict[tuple[int, str], dict[str | int, _Fact]] = {}
        if not wanted:
            return there
        asked = {
            slot: named
            for slot, named in wanted.items()
            if not self.was_empty or slot[0] in self.subjects
        }
        on_its_way = self.on_its_way  # read first: what arrives meanwhile is found twice, not never
        found = asked and self._read(
            "UNWIND $slots AS slot MATCH (e:Entity {id: slot[0]})-[f:FACT]->(v)"
            f" WHERE f.until = $open AND {KEY} = slot[1] AND"
            " (f.value_id IN slot[3] OR coalesce(v.name, v.value) IN slot[2])"
            f" RETURN f.id, e.id, f.relation, {KEY}, coalesce(v.name, v.value),"
            " f.value_id, f.source, f.year, f.since ORDER BY f.id DESC",
            slots=[(*slot, list(values), list(ids)) for slot, (values, ids) in asked.items()],
            open=OPEN,
        )
        for row in found:  # the oldest of equals is what is found
            fact = _Fact(*row)
            slot = there.setdefault((fact.entity_id, fact.key), {})
            if fact.value_id is None:
                slot[fact.value] = fact
            else:
                slot[fact.value_id] = fact
        if on_its_way is not None:
            for place in wanted:
                if place in on_its_way.slots:
                    there.setdefault(place, {}).update(on_its_way.slots[place])
        return there

    # Writing

    def settled(self) -> None:
        """Wait until the server has what was on its way to it; raises what went wrong there."""
        written, self.written = self.written, None
        if written is not None:
            written.result()
        if self.on_its_way is not None and self.was_empty:
            self.subjects.update(entity_id for entity_id, _ in self.on_its_way.slots)
        self.on_its_way = None

    def flush(self) -> None:
        """Send off the batch that waits; comes back while it is on its way."""
        batch, rows = self._ready()
        if rows is None or self.intake.is_refused:
            return  # nothing to write, or nothing will come of it
        self.on_its_way = batch
        self.written = self.writer.submit(self.lease.write, rows.write)

    def _ready(self) -> tuple[_Batch | None, _Rows | None]:
        """The batch that waits and its rows, made while the one before is still on its way."""
        batch, self.waiting = self.waiting, None
        rows = None if batch is None else self._rows(batch)
        self.settled()
        return batch, rows

    def _rows(self, batch: _Batch) -> _Rows:
        """What is to be written of a batch; from here on its facts stand."""
        # A fact that exists keeps its new source in place if this import wrote its version, and
        # as a new version otherwise.
        resourced = [(*fact.row(), fact.since) for fact in self.resourced]
        for fact in self.resourced:
            fact.resourced, fact.since = False, self.lease.revision
            batch.keep(fact)
        self.resourced = []
        for fact in batch.facts:
            fact.since = self.lease.revision
        named = words_in(row[1] for row in (*batch.names, *batch.aliases))
        self.new_words += (word for word in named if word not in self.words)
        self.words.update(named)
        words: list[str] = []
        if len(self.new_words) > _WORDS:
            words, self.new_words = self.new_words, words
        known = batch.known
        relations = [name for name in batch.relations if name not in self.relations]
        self.relations.update(relations)
        return _Rows(
            relations=relations,
            names=[(*row, known.pop(row[0], 0)) for row in batch.names],
            identifiers=batch.identifiers,
            aliases=batch.aliases,
            words=words,
            links=fact_rows([fact.row() for fact in batch.facts if fact.value_id is not None]),
            literals=fact_rows([fact.row() for fact in batch.facts if fact.value_id is None]),
            known=known,
            resourced=resourced,
        )

    def finish(self, kind: str, author: str, reason: str) -> LoadReport:
        """Settle what is a link, write the rest and the journal entry, and announce it all."""
        if self.first_open is not None:
            self.flush()
            self.settled()
            self._settle(self.first_open)
        report = self.report
        _, rows = self._ready()
        self.intake.refuse_nothing()

        def last(writing: Neo4jWriting) -> None:
            if rows is not None:
                rows.write(writing.tx, writing.revision)
            run_rows(
                writing.tx,
                "UNWIND $rows AS row MATCH (r:Relation {name: row[0]})"
                " SET r.kind = row[1], r.description = row[2]",
                [(name, *declared) for name, declared in self.declared.items()],
            )
            remember(writing.tx, self.new_words)
            writing.write(net(self.changes))
            writing.journal.add("import", self.intake.journal_edit(), None)

        report.revision = self.lease.end(kind, author, reason, last)
        return report

    def _settle(self, last: int) -> None:
        """Literals of undeclared relations that are spelt as an entity which came later."""
        last -= 1
        while True:
            rows = self._read(
                "MATCH ()-[f:FACT]->(v:Literal) USING INDEX f:FACT(id, since)"
                " WHERE f.id > $last AND f.since = $revision WITH f, v ORDER BY f.id LIMIT $most"
                " OPTIONAL MATCH (e:Entity {name: v.value})"
                f" RETURN f.id, {KEY}, v.value, e.id ORDER BY f.id",
                last=last,
                revision=self.lease.revision,
                most=4 * BATCH,
            )
            if not rows:
                return
            last = rows[-1][0]
            links = [
                (fact_id, entity_id)
                for fact_id, key, value, entity_id in rows
                if entity_id is not None and is_link(self.kinds.get(key), value) is None
            ]
            if links:
                self._relink(links)

    def _relink(self, links: list[tuple[int, int]]) -> None:
        def relink(tx: ManagedTransaction, revision: int) -> None:
            run_rows(
                tx,
                "UNWIND $rows AS row"
                " MATCH (e:Entity)-[f:FACT {id: row[0], since: $revision}]->(l:Literal)"
                " MATCH (v:Entity {id: row[1]})"
                " WITH e, f, l, v, properties(f) AS kept DELETE f, l"
                " CREATE (e)-[g:FACT]->(v) SET g = kept, g.value_id = v.id,"
                " v.facts = coalesce(v.facts, 0) + 1",
                links,
                revision=revision,
            )

        self.lease.write(relink)


class _Declared(Overlay):
    """The store with the relations that the import declares."""

    def __init__(
        self, base: Any, base_revision: int | None, declared: dict[str, tuple[str, str]]
    ) -> None:
        super().__init__(base, base_revision)
        self._declared = declared

    def with_deltas(self, deltas: Iterable[Delta]) -> _Declared:
        other = _Declared(self.base, self.base_revision, self._declared)
        other.grow(deltas)
        return other

    def relation(self, name: str) -> Relation | None:
        for own, (kind, description) in self._declared.items():
            if key_of(own) == key_of(name):
                return Relation(own, kind, description)
        return super().relation(name)
