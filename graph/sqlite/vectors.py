"""The embedded names of a SQLite store: a vector for each name, and a search for the nearest.

The table is created when names are first embedded. A vector belongs to one spelling: after a rename
it is no longer found. Each search reads all vectors, 0.8 kB for each name, which takes about 20 ms
for 10,000 names. Neo4j has an index instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graph.core.vectors import Vectors
from graph.sqlite.file import OPEN

Rows = Callable[..., list[tuple[Any, ...]]]  # runs a statement and returns its rows
IS_THERE = "SELECT 1 FROM sqlite_master WHERE name = 'name_vector'"
_BATCH = 8192  # vectors that are compared at once


def put(
    connection: sqlite3.Connection, names: Sequence[tuple[int, str]], vectors_ND: Vectors
) -> None:
    """Store the vectors of names, each with its entity's id, in place of earlier ones.

    Entities that were renamed or purged since are skipped.
    """
    connection.execute(
        "CREATE TABLE IF NOT EXISTS name_vector"
        " (entity_id INTEGER PRIMARY KEY, name TEXT NOT NULL, vector BLOB NOT NULL)"
    )
    connection.executemany(
        "INSERT OR REPLACE INTO name_vector SELECT :id, :name, :vector WHERE EXISTS (SELECT 1"
        " FROM name WHERE entity_id = :id AND is_alias = 0 AND until = :open AND text = :name)",
        [
            {
                "id": entity_id,
                "name": name,
                "vector": vector_D.astype("<f2").tobytes(),
                "open": OPEN,
            }
            for (entity_id, name), vector_D in zip(names, vectors_ND, strict=True)
        ],
    )


def forget(connection: sqlite3.Connection, entity_id: int) -> None:
    """Delete the vector of an entity's name."""
    if connection.execute(IS_THERE).fetchone():
        connection.execute("DELETE FROM name_vector WHERE entity_id = ?", (entity_id,))


def lacking(rows_of: Rows, after: int, limit: int) -> list[Any]:
    """Ids above `after`, in order, of entities whose current name has no vector; and that name."""
    sql = (
        "SELECT n.entity_id, n.text FROM name n WHERE n.entity_id > ? AND n.is_alias = 0"
        " AND n.until = ? {} ORDER BY n.entity_id LIMIT ?"
    )
    other = "AND n.text IS NOT (SELECT v.name FROM name_vector v WHERE v.entity_id = n.entity_id)"
    only = other if rows_of(IS_THERE) else ""
    return rows_of(sql.format(only), (after, OPEN, limit))


def nearest(rows_of: Rows, vector_D: Vectors, limit: int) -> list[tuple[int, str, float]]:
    """The nearest entities, best first, each with the name that was embedded and the cosine.

    `rows_of` runs a statement on a store that has vectors.
    """
    best: list[tuple[int, str, float]] = []
    last = -1
    while rows := rows_of(
        "SELECT entity_id, name, vector FROM name_vector WHERE entity_id > ?"
        " ORDER BY entity_id LIMIT ?",
        (last, _BATCH),
    ):
        last = rows[-1][0]
        vectors_ND = np.frombuffer(b"".join(row[2] for row in rows), "<f2").reshape(len(rows), -1)
        cosines_N = vectors_ND.astype(np.float32) @ vector_D
        for place in np.argsort(-cosines_N)[:limit].tolist():
            best.append((rows[place][0], rows[place][1], float(cosines_N[place])))
        best = sorted(best, key=lambda found: (-found[2], found[0]))[:limit]
    return best
