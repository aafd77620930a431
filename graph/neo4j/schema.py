"""What a Lamplight store is inside a Neo4j database, and how `python -m graph init` makes it.

    (:Entity {id, name, bag, facts, named, made})
        `name` is the current one, since the revision `named`; none while the entity is merged away;
        `bag` leads to it by any spelling: all names that fold to one key have the same bag
        where names are embedded, `embedding` is the vector of the name `embedded`
    (:Entity)-[:NAMED]->(:Name {name, bag, is_alias, since, until, place})
        aliases, and names that the entity had before
    (:Word {text})                                       every word that ever occurred in a name
    (:Entity)-[:FACT {id, relation, relation_key, source, year, value_id, since, until}]->
        the linked (:Entity), or a (:Literal {value}) of the fact's own
        `relation_key` only where the folded key is not the relation itself
    (:Relation {name, key, kind, description, number, made})
    (:Rule {id, kind, name, key, value, since, until})   synonyms of relations, and settings
    (:Revision {revision, kind, author, reason, time, write_id, undone})
    (:Entry {revision, number, kind, edit, deltas})      the journal, an edit a row
    (:Touched {object_id, revision, number})             which entries are about what
    (:Draft {id, base_revision, first, used}), (:DraftStep {draft_id, number, id, data})
    (:Lamplight {name: 'store'}), (:Lamplight {name: 'newest', revision})

Facts and names are versions, valid from the revision `since` up to before `until`, and are never
changed: an edit closes one version and opens another, so that reading at a revision is a filter.

Neo4j shows a transaction's changes while they are being applied, one by one. So a revision counts
only once `newest` names it, which is written after the transaction is whole; whoever reads at a
revision that `newest` has named sees all of it, even while others write. Writers take turns by
the lock of the node `store`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from functools import partial

from graph.core.errors import StoreError
from graph.core.ids import LARGEST_ID
from graph.core.names import fold, quoted
from graph.lookup.spelling import bag_of, words_of
from graph.neo4j.driver import Connection, run

SCHEMA_VERSION = 2
OPEN = LARGEST_ID  # `until` of a version that is current
KEY = "coalesce(f.relation_key, f.relation)"  # the folded key of a fact's relation
LABELS = (
    "Lamplight",
    "Entity",
    "Name",
    "Word",
    "Literal",
    "Relation",
    "Rule",
    "Revision",
    "Entry",
    "Touched",
    "Draft",
    "DraftStep",
)
_LONGEST_KEY = 4000  # bytes; an index refuses keys over some 8 kB, and folding can make a name grow
_EMBEDDING = 384  # dimensions of all-MiniLM-L6-v2

SCHEMA = (
    "CONSTRAINT lamplight_name IF NOT EXISTS FOR (n:Lamplight) REQUIRE n.name IS UNIQUE",
    "CONSTRAINT entity_id IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE",
    "CONSTRAINT entity_name IF NOT EXISTS FOR (n:Entity) REQUIRE n.name IS UNIQUE",
    "CONSTRAINT word_text IF NOT EXISTS FOR (n:Word) REQUIRE n.text IS UNIQUE",
    "CONSTRAINT relation_name IF NOT EXISTS FOR (n:Relation) REQUIRE n.name IS UNIQUE",
    "CONSTRAINT revision_number IF NOT EXISTS FOR (n:Revision) REQUIRE n.revision IS UNIQUE",
    "CONSTRAINT revision_write IF NOT EXISTS FOR (n:Revision) REQUIRE n.write_id IS UNIQUE",
    "CONSTRAINT entry_number IF NOT EXISTS FOR (n:Entry) REQUIRE (n.revision, n.number) IS UNIQUE",
    "CONSTRAINT draft_id IF NOT EXISTS FOR (n:Draft) REQUIRE n.id IS UNIQUE",
    "CONSTRAINT draft_step IF NOT EXISTS"
    " FOR (n:DraftStep) REQUIRE (n.draft_id, n.number) IS UNIQUE",
    "CONSTRAINT fact_version IF NOT EXISTS FOR ()-[f:FACT]-() REQUIRE (f.id, f.since) IS UNIQUE",
    "RANGE INDEX fact_value IF NOT EXISTS FOR ()-[f:FACT]-() ON (f.value_id, f.id)",
    "RANGE INDEX relation_key IF NOT EXISTS FOR (n:Relation) ON (n.key)",
    "RANGE INDEX touched_object IF NOT EXISTS FOR (n:Touched) ON (n.object_id)",
    "RANGE INDEX entity_bag IF NOT EXISTS FOR (n:Entity) ON (n.bag)",
    "RANGE INDEX name_bag IF NOT EXISTS FOR (n:Name) ON (n.bag)",
    "RANGE INDEX rule_id IF NOT EXISTS FOR (n:Rule) ON (n.id)",
    "TEXT INDEX word_part IF NOT EXISTS FOR (n:Word) ON (n.text)",
    "FULLTEXT INDEX name_words IF NOT EXISTS FOR (n:Entity|Name) ON EACH [n.bag]"
    " OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace'}}",
    "FULLTEXT INDEX word_near IF NOT EXISTS FOR (n:Word) ON EACH [n.text]"
    " OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace'}}",
    "VECTOR INDEX entity_embedding IF NOT EXISTS FOR (n:Entity) ON (n.embedding)"
    f" OPTIONS {{indexConfig: {{`vector.dimensions`: {_EMBEDDING},"
    " `vector.similarity_function`: 'cosine'}}",
)


def key_of(name: str) -> str:
    """The folded key of a name as an index can hold it."""
    return _indexable(fold(name))


def kept_key(relation: str) -> str | None:
    """The `relation_key` of a fact: none where it is the relation itself."""
    key = key_of(relation)
    return None if key == relation else key


def bag_key(name: str) -> str:
    """The words of a name in alphabetical order (`spelling.bag_of`) as an index can hold them.

    They are a function of the folded key. A name without words, such as a sign, has its key.
    """
    return _indexable(bag_of(words_of(name)) or fold(name))


def _indexable(key: str) -> str:
    """A key that is too long for an index ends in a digest of the whole."""
    encoded = key.encode("utf-8", "ignore")
    if len(encoded) <= _LONGEST_KEY:
        return key
    digest = hashlib.sha256(encoded).hexdigest()
    return encoded[: _LONGEST_KEY - 70].decode("utf-8", "ignore") + " #" + digest


def make_schema(connection: Connection) -> bool:
    """Make what is missing of constraints, indexes and the store's own two nodes.

    Returns whether a whole store was there already. One of an earlier schema version is brought up
    to date. Raises `StoreError`, and leaves the database as it is, where it holds somebody else's
    nodes.
    """
    versions = connection.read("MATCH (s:Lamplight {name: 'store'}) RETURN s.schema_version")
    if versions == [[1]]:
        _leave_keys(connection)
    known = store_node(connection)
    if known is None:
        refuse_strangers(connection)
    for statement in SCHEMA:
        connection.run(f"CREATE {statement}")
    connection.run("CALL db.awaitIndexes(120)")
    connection.run(
        """
        MERGE (s:Lamplight {name: 'store'})
        ON CREATE SET s.store_id = $store_id, s.schema_version = $version, s.written = 0,
            s.filled = false
        MERGE (n:Lamplight {name: 'newest'})
        ON CREATE SET n.revision = 0
        """,
        store_id=uuid.uuid4().hex,
        version=SCHEMA_VERSION,
    )
    return known is not None and known[1]


def _leave_keys(connection: Connection) -> None:
    """From version 1 to 2: a name is found by its bag, and its key is kept no more.

    Done again from the start if it was stopped; `newest` and the journal stay as they are.
    """
    for label, index in (("Entity", "entity_key"), ("Name", "name_key")):
        connection.run(f"CREATE INDEX {index} IF NOT EXISTS FOR (n:{label}) ON (n.key)")
        connection.run("CALL db.awaitIndexes(120)")
        some = (
            f"MATCH (n:{label}) WHERE n.key IS NOT NULL WITH n LIMIT 10000"
            " SET n.bag = CASE n.bag WHEN '' THEN n.key ELSE n.bag END"
            " REMOVE n.key RETURN count(*)"
        )
        while connection.write(partial(run, cypher=some)) != [[0]]:
            pass
        connection.run(f"DROP INDEX {index}")
    connection.run("MATCH (s:Lamplight {name: 'store'}) SET s.schema_version = 2")


def store_node(connection: Connection) -> tuple[str, bool] | None:
    """The id of the store that is here, and whether `init` came to its end; None if none is.

    Raises `StoreError` for a store of another schema version.
    """
    rows = connection.read(
        "MATCH (s:Lamplight {name: 'store'}) RETURN s.store_id, s.filled, s.schema_version"
    )
    if not rows:
        return None
    ((store_id, filled, version),) = rows
    if version != SCHEMA_VERSION:
        url = connection.address.url
        what_to_do = (
            f"bring it up to date with: python -m graph init --store {url}"
            if version == 1
            else "use the program that made it, or export its facts with that one."
        )
        raise StoreError(
            f"{url} has the schema version {version} and this program reads {SCHEMA_VERSION}; "
            f"{what_to_do}"
        )
    return store_id, filled


def refuse_strangers(connection: Connection) -> None:
    """Raise `StoreError` if the database holds nodes that are not Lamplight's."""
    # Counts of all nodes and of those with a label are kept by the server: this reads no node.
    ours: Sequence[str] = LABELS if store_node(connection) else ()
    counts = " + ".join(f"COUNT {{ MATCH (:{label}) }}" for label in ours) or "0"
    ((others,),) = connection.read(f"RETURN COUNT {{ MATCH () }} - ({counts})")
    if others > 0:
        raise StoreError(
            f"The database {quoted(connection.address.database)} at {connection.address.host} "
            f"holds {others:,} nodes that are not Lamplight's; "
            "give Lamplight a database of its own."
        )
