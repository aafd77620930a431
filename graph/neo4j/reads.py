"""Reading a Neo4j store: every read is one or few statements, filtered by revision.

A read that names no revision first asks which is the newest that is whole. Names, relations, typed
text and ids are parameters, never part of a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import starmap
from typing import Any

from graph.core.facts import Entity, Fact
from graph.core.ids import is_id
from graph.core.journal import JournalEntry, history_subject, read_entry
from graph.core.names import clean_name, fold, literal_key
from graph.core.neighbourhood import walk_around
from graph.core.protocol import INCOMING, Relation
from graph.core.rules import Rule
from graph.core.vectors import Vectors
from graph.lookup.name_search import Groups, NameSearch, storable
from graph.lookup.ranking import merged_into, rank_by_name, rank_entities
from graph.neo4j.dictionary import all_of, holding, known, lucene, options
from graph.neo4j.schema import KEY, bag_key, key_of

STANDS = "f.since <= $at AND $at < f.until"


def _name_of(node: str) -> str:
    """The name of an entity at the revision: nearly always the current one."""
    return (
        f"CASE WHEN {node}.named <= $at THEN {node}.name ELSE head([({node})-[:NAMED]->(n:Name)"
        " WHERE NOT n.is_alias AND n.since <= $at AND $at < n.until | n.name]) END"
    )


FACT = (
    f"f.id, e.id, {_name_of('e')}, f.relation,"
    f" CASE WHEN f.value_id IS NULL THEN v.value ELSE {_name_of('v')} END,"
    " f.value_id, f.source, f.year, f.since"
)
_NAMES = (
    "e.id, CASE WHEN e.named <= $at THEN e.name END, [(e)-[:NAMED]->(n:Name)"
    " WHERE n.since <= $at AND $at < n.until | [n.is_alias, n.since, n.place, n.name]]"
)
_FROM = "MATCH (e:Entity {id: $id})-[f:FACT]->(v)"
_TO = "MATCH (e:Entity)-[f:FACT]->(v:Entity) USING INDEX f:FACT(value_id, id)"
_WITH = (
    "MATCH (e:Entity)-[f:FACT]->(v:Literal {value_key: $literal}) USING INDEX v:Literal(value_key)"
)
BATCH = 5000
_MOST = 2**62  # "no limit", as a number
_SEARCHED = 5000  # names that a search as one types looks at, at most


class Neo4jReads(NameSearch):
    """The reading half of a store; `rows` runs one statement."""

    def rows(self, cypher: str, **parameters: Any) -> list[list[Any]]:
        raise NotImplementedError

    def revision(self) -> int:
        ((newest,),) = self.rows("MATCH (n:Lamplight {name: 'newest'}) RETURN n.revision")
        return int(newest)

    def _pin(self, at: int | None) -> int:
        """The revision to read at: the newest that is whole if none is named."""
        return self.revision() if at is None else min(at, _MOST)

    def entities(self, ids: Sequence[int], at: int | None = None) -> dict[int, Entity]:
        """Those of the entities that are there, by their ids."""
        rows = self.rows(
            f"UNWIND $ids AS id MATCH (e:Entity {{id: id}}) RETURN {_NAMES}",
            ids=ids,
            at=self._pin(at),
        )
        found = (_entity(*row) for row in rows)
        return {entity.id: entity for entity in found if entity is not None}

    def entity(self, entity_id: int, at: int | None = None) -> Entity | None:
        return self.entities([entity_id], at).get(entity_id) if is_id(entity_id) else None

    def find_entities(self, name: str, at: int | None = None) -> list[tuple[Entity, str]]:
        try:
            cleaned = clean_name(name)
        except ValueError:
            return []
        key = fold(cleaned)
        rows = self.rows(
            "CALL () { MATCH (e:Entity {bag: $bag}) RETURN e UNION"
            " MATCH (e:Entity)-[:NAMED]->(:Name {bag: $bag}) RETURN e }"
            f" RETURN {_NAMES}",
            bag=bag_key(cleaned),
            at=self._pin(at),
        )
        found = [_entity(*row) for row in rows]
        entities = [
            entity
            for entity in found
            if entity and any(fold(known) == key for known in (entity.name, *entity.aliases))
        ]
        return rank_entities(cleaned, entities, self._counting(entities, at))

    def find_names(
        self, names: Sequence[str], at: int | None = None
    ) -> dict[str, list[tuple[Entity, str]]]:
        at = self._pin(at)
        rows = self.rows(
            "CALL () { MATCH (e:Entity) WHERE e.bag IN $bags RETURN e UNION"
            " MATCH (e:Entity)-[:NAMED]->(n:Name) WHERE n.bag IN $bags RETURN e }"
            f" RETURN {_NAMES}",
            bags=list({bag_key(storable(name)) for name in names}),
            at=at,
        )
        entities = [entity for row in rows if (entity := _entity(*row))]
        return rank_by_name(names, entities, self._counting(entities, at))

    def identified(self, iri: str, at: int | None = None) -> Entity | None:
        at = self._pin(at)
        rows = self.rows(
            "MATCH (i:Identifier {iri: $iri}) WHERE i.entity_id IS NOT NULL AND i.since <= $at"
            " MATCH (e:Entity {id: i.entity_id})"
            " RETURN e.id, [(e)-[:NAMED]->(n:Name) WHERE NOT n.is_alias AND n.since <= $at |"
            " [n.since, n.name]] ORDER BY i.since DESC, e.id DESC",
            iri=storable(iri),
            at=at,
        )
        there = self.entities([entity_id for entity_id, _ in rows], at) if rows else {}
        for entity_id, _ in rows:
            if entity_id in there:
                return there[entity_id]
        for _, names in rows:
            if names:
                name = max(names)[1]
                if entity := merged_into(name, self.find_entities(name, at)):
                    return entity
        return None

    def relation_identified(self, iri: str) -> str | None:
        rows = self.rows(
            "MATCH (i:Identifier {iri: $iri}) WHERE i.relation IS NOT NULL"
            " RETURN i.relation ORDER BY i.since LIMIT 1",
            iri=storable(iri),
        )
        return rows[0][0] if rows else None

    def identifiers(self, entity_id: int) -> list[str]:
        if not is_id(entity_id):
            return []
        rows = self.rows(
            "MATCH (i:Identifier {entity_id: $id}) RETURN i.iri, min(i.since) AS since"
            " ORDER BY since, i.iri",
            id=entity_id,
        )
        return [iri for iri, _ in rows]

    def _counting(self, entities: Sequence[Entity], at: int | None) -> Callable[[int], int]:
        """Counts the facts of an entity: of all at once, and only when asked, for homonyms."""
        counts: dict[int, int] = {}

        def count(entity_id: int) -> int:
            if not counts:
                counts.update(self._counts([entity.id for entity in entities], at))
            return counts[entity_id]

        return count

    def _counts(self, ids: list[int], at: int | None) -> dict[int, int]:
        """How many facts each entity has."""
        rows = self.rows(
            f"UNWIND $ids AS id MATCH (e:Entity {{id: id}})"
            f" RETURN id, COUNT {{ MATCH (e)-[f:FACT]->() WHERE {STANDS} }}",
            ids=ids,
            at=self._pin(at),
        )
        return dict(map(tuple, rows))

    def facts_by_id(self, ids: Sequence[int], at: int | None = None) -> dict[int, Fact]:
        """Those of the facts that are there, by their ids."""
        rows = self.rows(
            f"UNWIND $ids AS id MATCH (e:Entity)-[f:FACT {{id: id}}]->(v) WHERE {STANDS}"
            f" RETURN {FACT}",
            ids=ids,
            at=self._pin(at),
        )
        return {row[0]: Fact(*row) for row in rows}

    def fact(self, fact_id: int, at: int | None = None) -> Fact | None:
        return self.facts_by_id([fact_id], at).get(fact_id) if is_id(fact_id) else None

    def facts(
        self,
        entity_id: int,
        relation: str | None = None,
        at: int | None = None,
        limit: int | None = None,
    ) -> list[Fact]:
        if not is_id(entity_id):
            return []
        named = "" if relation is None else f" AND {KEY} = $key"
        rows = self.rows(
            f"{_FROM} WHERE {STANDS}{named} RETURN {FACT} ORDER BY f.id LIMIT $limit",
            id=entity_id,
            key=None if relation is None else key_of(storable(relation)),
            at=self._pin(at),
            limit=_limit(limit),
        )
        return list(starmap(Fact, rows))

    def facts_to(
        self,
        entity_id: int,
        at: int | None = None,
        limit: int | None = None,
        relation: str | None = None,
    ) -> list[Fact]:
        if not is_id(entity_id):
            return []
        named = "" if relation is None else f" AND {KEY} = $key"
        rows = self.rows(
            f"{_TO} WHERE f.value_id = $id AND f.id > 0 AND {STANDS}{named}"
            f" RETURN {FACT} ORDER BY f.value_id, f.id LIMIT $limit",
            id=entity_id,
            key=None if relation is None else key_of(storable(relation)),
            at=self._pin(at),
            limit=_limit(limit),
        )
        return list(starmap(Fact, rows))

    def count_facts_to(self, entity_id: int, relation: str, at: int | None = None) -> int:
        if not is_id(entity_id):
            return 0
        ((count,),) = self.rows(
            f"{_TO} WHERE f.value_id = $id AND f.id > 0 AND {STANDS} AND {KEY} = $key"
            " RETURN count(f)",
            id=entity_id,
            key=key_of(storable(relation)),
            at=self._pin(at),
        )
        return int(count)

    def facts_with(
        self,
        literal: str,
        at: int | None = None,
        limit: int | None = None,
        relation: str | None = None,
    ) -> list[Fact]:
        named = "" if relation is None else f" AND {KEY} = $key"
        rows = self.rows(
            f"{_WITH} WHERE {STANDS}{named} RETURN {FACT} ORDER BY f.id LIMIT $limit",
            literal=literal_key(storable(literal)),
            key=None if relation is None else key_of(storable(relation)),
            at=self._pin(at),
            limit=_limit(limit),
        )
        return list(starmap(Fact, rows))

    def count_facts_with(self, literal: str, relation: str, at: int | None = None) -> int:
        ((count,),) = self.rows(
            f"{_WITH} WHERE {STANDS} AND {KEY} = $key RETURN count(f)",
            literal=literal_key(storable(literal)),
            key=key_of(storable(relation)),
            at=self._pin(at),
        )
        return int(count)

    def find_literals(self, texts: Sequence[str], at: int | None = None) -> dict[str, str]:
        keys = {text: literal_key(storable(text)) for text in texts}
        rows = self.rows(
            "UNWIND $keys AS key CALL (key) {"
            # The planner would scan all facts where its statistics lag behind a load.
            " MATCH (v:Literal {value_key: key})<-[f:FACT]-() USING INDEX v:Literal(value_key)"
            f" WHERE {STANDS} RETURN v.value AS value LIMIT 1 }}"
            " RETURN key, value",
            keys=list(dict.fromkeys(keys.values())),
            at=self._pin(at),
        )
        spelt = dict(map(tuple, rows))
        return {text: spelt[key] for text, key in keys.items() if key in spelt}

    def facts_around(
        self, entity_ids: Sequence[int], at: int | None, limit: int
    ) -> list[list[Fact]]:
        """For each entity, at most `limit` of its facts and then as many of those to it."""
        ids = [entity_id for entity_id in entity_ids if is_id(entity_id)]
        rows = self.rows(
            f"""
            UNWIND range(0, size($ids) - 1) AS turn
            WITH turn, $ids[turn] AS id
            CALL (id) {{
                MATCH (e:Entity {{id: id}})-[f:FACT]->(v) WHERE {STANDS}
                RETURN 0 AS way, e, f, v ORDER BY f.id LIMIT $limit
                UNION ALL
                {_TO} WHERE f.value_id = id AND f.id > 0 AND {STANDS}
                RETURN 1 AS way, e, f, v ORDER BY f.value_id, f.id LIMIT $limit
            }}
            RETURN turn, {FACT} ORDER BY turn, way, f.id""",
            ids=ids,
            at=self._pin(at),
            limit=limit,
        )
        turns: list[list[Fact]] = [[] for _ in ids]
        for turn, *columns in rows:
            turns[turn].append(Fact(*columns))
        return turns

    def facts_of(
        self, relation: str, at: int | None = None, limit: int | None = None
    ) -> list[Fact]:
        rows = self.rows(
            f"MATCH (e:Entity)-[f:FACT]->(v) USING INDEX f:FACT(id, since)"
            f" WHERE f.id > 0 AND {STANDS} AND {KEY} = $key"
            f" RETURN {FACT} ORDER BY f.id LIMIT $limit",
            key=key_of(storable(relation)),
            at=self._pin(at),
            limit=_limit(limit),
        )
        return list(starmap(Fact, rows))

    def neighbourhood(
        self, entity_ids: Iterable[int], hops: int = 1, limit: int = 100, at: int | None = None
    ) -> list[Fact]:
        at = self.revision() if at is None else at

        def around(ids: list[int], wanted: int) -> list[list[Fact]]:
            return self.facts_around(ids, at, wanted)

        return walk_around(around, entity_ids, hops, limit)

    def all_facts(self, at: int | None = None) -> Iterator[Fact]:
        at = self.revision() if at is None else at
        last = 0
        while True:
            rows = self.rows(
                f"MATCH (e:Entity)-[f:FACT]->(v) USING INDEX f:FACT(id, since)"
                f" WHERE f.id > $last AND {STANDS}"
                f" RETURN {FACT} ORDER BY f.id LIMIT $limit",
                at=self._pin(at),
                last=last,
                limit=BATCH,
            )
            yield from starmap(Fact, rows)
            if len(rows) < BATCH:
                return
            last = rows[-1][0]

    def _known_words(self, words: Iterable[str]) -> set[str]:
        return known(self.rows, words)

    def _options(self, words: Sequence[str]) -> dict[str, list[str]]:
        return options(self.rows, words)

    def _holding(self, words: Sequence[str]) -> dict[str, list[str]]:
        return holding(self.rows, words)

    def _beginning(self, words: Sequence[str]) -> str:
        return " ".join(f"+{lucene(word)}*" for word in words)

    def _all_of(self, groups: Groups) -> str:
        return all_of(groups)

    def _best_known(self, query: str, limit: int, at: int) -> list[int]:
        rows = self.rows(
            f"""
            CALL db.index.fulltext.queryNodes('name_words', $query, {{limit: $most}})
            YIELD node AS hit {OWNER}
            WITH owner, min(size(hit.name)) AS length
            RETURN owner.id ORDER BY owner.facts DESC, length, owner.id LIMIT $limit""",
            query=query,
            most=_SEARCHED,
            limit=limit,
            at=at,
        )
        return [entity_id for (entity_id,) in rows]

    def _matching(self, query: str, limit: int, at: int) -> list[int]:
        rows = self.rows(
            f"""
            CALL db.index.fulltext.queryNodes('name_words', $query, {{limit: $most}})
            YIELD node AS hit {OWNER} RETURN DISTINCT owner.id LIMIT $limit""",
            query=query,
            most=4 * limit,
            limit=limit,
            at=at,
        )
        return [entity_id for (entity_id,) in rows]

    def _with_bags(self, bags: Sequence[str], limit: int, at: int) -> list[int]:
        rows = self.rows(
            f"""
            CALL () {{
                MATCH (hit:Entity) WHERE hit.bag IN $bags RETURN hit
                UNION
                MATCH (hit:Name) WHERE hit.bag IN $bags RETURN hit
            }}
            {OWNER} RETURN DISTINCT owner.id LIMIT $limit""",
            bags=list(map(bag_key, bags)),
            limit=limit,
            at=at,
        )
        return [entity_id for (entity_id,) in rows]

    def has_vectors(self) -> bool:
        return bool(
            self.rows("MATCH (s:Lamplight {name: 'store'}) WHERE s.embedded RETURN s.embedded")
        )

    def near_names(
        self, vector_D: Vectors, limit: int = 10, at: int | None = None
    ) -> list[tuple[Entity, float]]:
        rows = self.rows(
            "CALL db.index.vector.queryNodes('entity_embedding', $most, $vector)"
            " YIELD node, score RETURN node.id, node.embedded, score",
            most=2 * limit,
            vector=vector_D.tolist(),
        )
        entities = self.entities([entity_id for entity_id, _, _ in rows], at)
        return [
            (entities[entity_id], 2 * score - 1)  # the server's score is (1 + cosine) / 2
            for entity_id, name, score in rows
            if entity_id in entities and entities[entity_id].name == name
        ][:limit]

    def _listed(self, ids: Sequence[int], at: int) -> list[Entity]:
        entities = self.entities(ids, at) if ids else {}
        return [entities[entity_id] for entity_id in ids if entity_id in entities]

    def relation(self, name: str) -> Relation | None:
        name = storable(name)
        rows = self.rows(
            "MATCH (r:Relation {key: $key}) RETURN r.name, r.kind, coalesce(r.description, '')"
            " ORDER BY r.kind IS NULL, r.name <> $name, r.number LIMIT 1",
            key=key_of(name),
            name=name,
        )
        return Relation(*rows[0]) if rows else None

    def relations(self) -> list[Relation]:
        rows = self.rows(
            "MATCH (r:Relation) RETURN r.name, r.kind, coalesce(r.description, '')"
            " ORDER BY r.number"
        )
        return [Relation(*row) for row in rows]

    def former_relations(self, entity_id: int, at: int | None = None) -> list[str]:
        if not is_id(entity_id):
            return []
        rows = self.rows(
            f"{_FROM} WHERE f.since <= $at RETURN {KEY}, f.relation, f.until > $at ORDER BY f.id",
            id=entity_id,
            at=self._pin(at),
        )
        standing = {key for key, _, stands in rows if stands}
        return list({key: name for key, name, _ in rows if key not in standing}.values())

    def rules(
        self, kind: str | None = None, name: str | None = None, at: int | None = None
    ) -> list[Rule]:
        rows = self.rows(
            f"MATCH (f:Rule) WHERE {STANDS} AND ($kind IS NULL OR f.kind = $kind)"
            " AND ($key IS NULL OR f.key = $key)"
            " RETURN f.id, f.kind, f.name, f.value ORDER BY f.id",
            kind=kind,
            key=None if name is None else fold(storable(name)),
            at=self._pin(at),
        )
        return [Rule(*row) for row in rows]

    def relation_names(self, entity_id: int, at: int | None = None) -> list[str]:
        if not is_id(entity_id):
            return []
        rows = self.rows(
            f"{_FROM} WHERE {STANDS} WITH {KEY} AS key, f ORDER BY f.id"
            " WITH key, collect(f)[0] AS first RETURN first.relation ORDER BY first.id",
            id=entity_id,
            at=self._pin(at),
        )
        return [name for (name,) in rows]

    def relation_names_to(self, entity_id: int, at: int | None = None) -> list[str]:
        if not is_id(entity_id):
            return []
        rows = self.rows(
            f"{_TO} WHERE f.value_id = $id AND f.id > 0 AND {STANDS}"
            f" WITH f ORDER BY f.value_id, f.id LIMIT $most WITH {KEY} AS key, f"
            " WITH key, collect(f)[0] AS first RETURN first.relation ORDER BY first.id",
            id=entity_id,
            at=self._pin(at),
            most=INCOMING,
        )
        return [name for (name,) in rows]

    def relation_names_with(self, literal: str, at: int | None = None) -> list[str]:
        rows = self.rows(
            f"{_WITH} WHERE {STANDS}"
            f" WITH f ORDER BY f.id LIMIT $most WITH {KEY} AS key, f"
            " WITH key, collect(f)[0] AS first RETURN first.relation ORDER BY first.id",
            literal=literal_key(storable(literal)),
            at=self._pin(at),
            most=INCOMING,
        )
        return [name for (name,) in rows]

    def history(
        self,
        *,
        entity_id: int | None = None,
        fact_id: int | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[JournalEntry]:
        subject = history_subject(entity_id, fact_id)
        if subject is None:
            about = ""
        elif fact_id is not None:
            about = _ABOUT_FACT
        else:
            about = _ABOUT_ENTITY
        entries = "MATCH (j:Entry) WHERE j.revision < $before AND j.number > -1"
        rows = self.rows(
            f"""
            CALL () {{
                {about or entries}
                WITH j ORDER BY j.revision DESC, j.number DESC LIMIT $limit
                RETURN min(j.revision) AS last
            }}
            {about or entries + " AND j.revision >= last"}
            WITH j, last WHERE j.revision >= last
            MATCH (r:Revision {{revision: j.revision}})
            RETURN j.revision, j.kind, r.author, r.time, r.reason, j.edit, j.deltas, r.kind
            ORDER BY j.revision DESC, j.number DESC""",
            object=subject,
            before=min(self.revision() + 1, _limit(before)),
            limit=_limit(limit),
        )
        return list(starmap(read_entry, rows))


# A hit of an index is an entity (its current name) or one of its other names.
OWNER = """
    WITH hit WHERE (hit:Entity AND hit.named <= $at)
        OR (hit:Name AND hit.since <= $at AND $at < hit.until)
    OPTIONAL MATCH (named:Entity)-[:NAMED]->(hit)
    WITH coalesce(named, hit) AS owner, hit"""
# An import's entry lists nothing; the versions of the fact or entity tell which one wrote them.
_ABOUT = """
    CALL () {
        MATCH (t:Touched {object_id: $object}) WHERE t.revision < $before
        MATCH (j:Entry {revision: t.revision, number: t.number}) RETURN j
        UNION
        VERSIONS
        UNWIND [version.since, version.until] AS revision
        MATCH (j:Entry {revision: revision}) WHERE j.number > -1 AND j.deltas IS NULL
            AND revision < $before RETURN j
    }"""
_ABOUT_FACT = _ABOUT.replace(
    "VERSIONS", "MATCH ()-[version:FACT {id: $object}]->() WHERE version.since > 0"
)
_ABOUT_ENTITY = _ABOUT.replace(
    "VERSIONS",
    "MATCH (e:Entity {id: $object}) UNWIND [{since: e.named, until: e.named}] +"
    " [(e)-[:NAMED]->(n:Name) | {since: n.since, until: n.until}] AS version",
)


def _entity(
    entity_id: int, name: str | None, others: list[tuple[bool, int, int, str]]
) -> Entity | None:
    """The entity of these names, the oldest alias first; None if it has no name."""
    aliases = []
    for is_alias, _, _, text in sorted(others):
        if is_alias:
            aliases.append(text)
        else:
            name = text
    return None if name is None else Entity(entity_id, name, tuple(aliases))


def _limit(limit: int | None) -> int:
    return _MOST if limit is None else min(max(0, limit), _MOST)
