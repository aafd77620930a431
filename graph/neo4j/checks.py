"""What must hold in a store on a Neo4j server, in its nodes as well as through its reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from graph.core.invariants import MOST
from graph.core.names import literal_key
from graph.neo4j.schema import OPEN, bag_key
from graph.neo4j.writes import words_in

Rows = Callable[..., list[list[Any]]]
"""Runs a statement with its parameters and returns its rows."""

_BATCH = 5000  # names looked at together
_BROKEN = {
    "MATCH ()-[f:FACT]->() WHERE f.until = $open AND f.since > 0 WITH f.id AS id, count(*) AS n"
    " WHERE n > 1 RETURN id": "The fact {} has two current versions.",
    "MATCH ()-[f:FACT]->() WHERE f.since > f.until"
    " OR NOT EXISTS { MATCH (r:Revision) WHERE r.revision = f.since }"
    " RETURN DISTINCT f.id": "A version of the fact {} starts at a revision that does not exist.",
    "MATCH (e:Entity) WITH e, COUNT { (e)-[f:FACT]->() WHERE f.until = $open }"
    " + COUNT { ()-[f:FACT]->(e) WHERE f.until = $open } AS n WHERE coalesce(e.facts, 0) <> n"
    " RETURN e.id, n, e.facts": "The entity {} has {} facts but its count says {}.",
    "MATCH (r:Revision) WHERE NOT EXISTS {"
    " MATCH (j:Entry) WHERE j.revision = r.revision AND j.number > -1 }"
    " RETURN r.revision": "Revision {} is not in the journal.",
    "MATCH (t:Touched) WHERE NOT EXISTS {"
    " MATCH (j:Entry) WHERE j.revision = t.revision AND j.number = t.number }"
    " RETURN t.object_id, t.revision": "{} is listed under revision {}, which has no such entry.",
    "MATCH (l:Literal) WHERE NOT EXISTS { (l)<-[:FACT]-() }"
    " RETURN l.value": "The value {} belongs to no fact.",
    "MATCH (n:Name) WHERE NOT EXISTS { (n)<-[:NAMED]-(:Entity) }"
    " RETURN n.name": "The name {} belongs to no entity.",
    "MATCH (n:Name) WHERE n.is_alias AND n.until = $open AND NOT EXISTS {"
    " MATCH (e:Entity)-[:NAMED]->(n) WHERE e.name IS NOT NULL }"
    " RETURN n.name": "The alias {} belongs to an entity without a name.",
}
"""Statements, and what each row that they return means."""


def findings(rows: Rows) -> Iterator[str]:
    """What is broken in the nodes, one sentence each."""
    for statement, sentence in _BROKEN.items():
        for row in rows(f"{statement} LIMIT {MOST}", open=OPEN):
            yield sentence.format(*row)
    after = -1
    while facts := rows(
        "MATCH ()-[f:FACT]->(v) USING INDEX f:FACT(id, since) WHERE f.id > $after AND f.since > 0"
        " WITH f, v ORDER BY f.id LIMIT $batch RETURN f.id, v.value, v.value_key",
        after=after,
        batch=_BATCH,
    ):
        after = facts[-1][0]
        for _, value, key in facts:
            if value is not None and key != literal_key(value):
                yield f"The value {value[:60]} is stored under the wrong key."
    after = -1
    while names := rows(
        "MATCH (e:Entity) WHERE e.id > $after WITH e ORDER BY e.id LIMIT $batch"
        " RETURN e.id, [[e.name, e.bag]] + [(e)-[:NAMED]->(n:Name) | [n.name, n.bag]]",
        after=after,
        batch=_BATCH,
    ):
        after = names[-1][0]
        known = [(text, bag) for _, row in names for text, bag in row if text is not None]
        for text, bag in known:
            if bag != bag_key(text):
                yield f"The name {text} is stored under the wrong key."
        for (word,) in rows(
            "UNWIND $words AS word WITH word WHERE NOT EXISTS { (:Word {text: word}) } RETURN word",
            words=list(words_in(text for text, _ in known)),
        ):
            yield f"The word {word} of a name is not in the dictionary."
