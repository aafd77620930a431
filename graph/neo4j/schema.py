"""How a Neo4j database holds a Lamplight store, and how `python -m graph init` creates one.

    (:Entity {id, name, bag, facts, named, made})
        `name` is the current name, since the revision `named`; a merged entity has none
        `bag` finds it by any spelling: all names that fold to one key have the same bag
        if names are embedded, `embedding` is the vector of the name `embedded`
    (:Entity)-[:NAMED]->(:Name {name, bag, is_alias, since, until, place})
        aliases, and names that the entity had before
    (:Word {text})                                       each word that ever occurred in a name
    (:Entity)-[:FACT {id, relation, relation_key, source, year, value_id, since, until}]->
        leads to the linked (:Entity), or to a (:Literal {value, value_key}) that only this fact has
        `relation_key` is there only if the folded key differs from the relation
    (:Relation {name, key, kind, description, number, made})
    (:Identifier {iri, entity_id or relation, since})    the IRIs of entities and relations
    (:Rule {id, kind, name, key, value, since, until})   synonyms of relations, and settings
    (:Revision {revision, kind, author, reason, time, write_id, undone})
    (:Entry {revision, number, kind, edit, deltas})      the journal, one node for each edit
    (:Touched {object_id, revision, number})             which entries a fact or entity is in
    (:Draft {id, base_revision, first, used}), (:DraftStep {draft_id, number, id, data})
    (:DraftNote {draft_id, name, data})                  what a front end keeps next to a draft
    (:Lamplight {name: 'store'}), (:Lamplight {name: 'newest', revision})

Facts and names are stored as versions. A version is valid from the revision `since` until just
before `until`, and never changes: an edit closes one version and opens another. So reading at a
revision is a filter.

Neo4j shows the changes of a transaction one by one while it commits. So a revision counts only when
`newest` names it, which is written after the commit. Readers of such a revision see all of it, even
while others write. Writers take turns: each locks the node `store`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

from graph.core.errors import StoreError
from graph.core.ids import LARGEST_ID
from graph.core.names import fold, quoted
from graph.lookup.spelling import bag_of, words_of
from graph.neo4j.driver import Connection

SCHEMA_VERSION = 3
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
    "Identifier",
    "Revision",
    "Entry",
    "Touched",
    "Draft",
    "DraftStep",
    "DraftNote",
)
_LONGEST_KEY = 4000  # bytes; an index refuses keys over about 8 kB, and folding may lengthen a name
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
    "RANGE INDEX draft_note IF NOT EXISTS FOR (n:DraftNote) ON (n.draft_id)",
    "CONSTRAINT fact_version IF NOT EXISTS FOR ()-[f:FACT]-() REQUIRE (f.id, f.since) IS UNIQUE",
    "RANGE INDEX fact_value IF NOT EXISTS FOR ()-[f:FACT]-() ON (f.value_id, f.id)",
    "RANGE INDEX literal_key IF NOT EXISTS FOR (n:Literal) ON (n.value_key)",
    "RANGE INDEX identifier_iri IF NOT EXISTS FOR (n:Identifier) ON (n.iri)",
    "RANGE INDEX identifier_entity IF NOT EXISTS FOR (n:Identifier) ON (n.entity_id)",
    "RANGE INDEX identifier_relation IF NOT EXISTS FOR (n:Identifier) ON (n.relation)",
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
    """The folded key of a name, short enough for an index."""
    return _indexable(fold(name))


def kept_key(relation: str) -> str | None:
    """The `relation_key` of a fact; None if it is the relation itself."""
    key = key_of(relation)
    return None if key == relation else key


def bag_key(name: str) -> str:
    """The words of a name in alphabetical order (`spelling.bag_of`), short enough for an index.

    Names with the same folded key have the same bag. The bag of a name without words, such as a
    sign, is its key.
    """
    return _indexable(bag_of(words_of(name)) or fold(name))


def _indexable(key: str) -> str:
    """The key itself, or if it is too long for an index, its beginning and a digest of it all."""
    encoded = key.encode("utf-8", "ignore")
    if len(encoded) <= _LONGEST_KEY:
        return key
    digest = hashlib.sha256(encoded).hexdigest()
    return encoded[: _LONGEST_KEY - 70].decode("utf-8", "ignore") + " #" + digest


def make_schema(connection: Connection) -> bool:
    """Create the constraints, the indexes and the store's own two nodes, unless they exist.

    Returns whether a complete store was there already. Raises `StoreError`, and changes nothing, if
    the database holds somebody else's nodes or a store of another schema version.
    """
    known = store_node(connection)
    if known is None:
        refuse_strangers(connection)
    make_indexes(connection)
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


def make_indexes(connection: Connection) -> None:
    """Create the constraints and the indexes that are lacking, and wait until they can be used."""
    for statement in SCHEMA:
        connection.run(f"CREATE {statement}")
    connection.run("CALL db.awaitIndexes(120)")


def store_node(connection: Connection) -> tuple[str, bool] | None:
    """The id of the database's store, and whether `init` finished; None if there is no store.

    Raises `StoreError` if the store has another schema version.
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
            f"upgrade it with: python -m graph migrate --store {url}"
            if isinstance(version, int) and version < SCHEMA_VERSION
            else "open it with a newer version of this program."
        )
        raise StoreError(
            f"{url} has the schema version {version} and this program reads {SCHEMA_VERSION}; "
            f"{what_to_do}"
        )
    return store_id, filled


def refuse_strangers(connection: Connection) -> None:
    """Raise `StoreError` if the database holds nodes that are not Lamplight's."""
    # The server keeps counts of all nodes and of those with a label, so this reads no node.
    ours: Sequence[str] = LABELS if store_node(connection) else ()
    counts = " + ".join(f"COUNT {{ MATCH (:{label}) }}" for label in ours) or "0"
    ((others,),) = connection.read(f"RETURN COUNT {{ MATCH () }} - ({counts})")
    if others > 0:
        raise StoreError(
            f"The database {quoted(connection.address.database)} at {connection.address.host} "
            f"holds {others:,} nodes that are not Lamplight's; "
            "give Lamplight a database of its own."
        )
