"""What must hold in the file of a SQLite store, in its tables as well as through its reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from graph.core.names import fold, literal_key
from graph.lookup.spelling import bag_of, words_of
from graph.sqlite.file import OPEN

Rows = Callable[..., list[tuple[Any, ...]]]
"""Runs a statement and returns its rows."""


def findings(rows: Rows) -> Iterator[str]:
    """What is broken in the tables and the file, one sentence each."""
    for (finding,) in rows("PRAGMA integrity_check(20)"):
        if finding != "ok":
            yield f"SQLite reports on the file: {finding}."
    for table, rowid, parent, _ in rows("PRAGMA foreign_key_check"):
        yield f"Row {rowid} of {table} refers to a row of {parent} that does not exist."
    for table in ("fact", "rule", "name"):
        what = "entity_id, text" if table == "name" else "id"
        for found in rows(
            f"SELECT {what} FROM {table} WHERE until = {OPEN} GROUP BY {what}"  # noqa: S608
            " HAVING count(*) > 1"
        ):
            yield f"The {table} {found[-1]} has two current versions."
        for (version,) in rows(
            f"SELECT version FROM {table} WHERE since > until OR NOT EXISTS"  # noqa: S608
            f" (SELECT 1 FROM revision r WHERE r.revision = {table}.since)"
        ):
            yield f"Version {version} of {table} starts at a revision that does not exist."
    for (entity_id,) in rows(
        "SELECT DISTINCT entity_id FROM name n WHERE until = ? AND NOT EXISTS (SELECT 1 FROM name m"
        " WHERE m.entity_id = n.entity_id AND m.is_alias = 0 AND m.until = n.until)",
        (OPEN,),
    ):
        yield f"The entity {entity_id} has aliases but no name."
    for version, text, key, bag in rows("SELECT version, text, key, bag FROM name"):
        if key != fold(text) or bag != bag_of(words_of(text)):
            yield f"The name {text} (version {version}) is stored under the wrong key."
    for version, value, key in rows(
        "SELECT f.version, f.value, l.key FROM fact f LEFT JOIN literal l ON l.version = f.version"
        " WHERE f.value IS NOT NULL"
    ):
        if key != literal_key(value):
            yield f"The value {value[:60]} (version {version}) is stored under the wrong key."
    for (version,) in rows(
        "SELECT version FROM literal EXCEPT SELECT version FROM fact WHERE value IS NOT NULL"
    ):
        yield f"The key of a literal leads to version {version}, which is not there or is a link."
    for entity_id, kept, counted in rows(
        "SELECT e.id, e.facts, (SELECT count(*) FROM fact WHERE entity_id = e.id AND until = :open)"
        " + (SELECT count(*) FROM fact WHERE value_id = e.id AND until = :open) AS n FROM entity e"
        " WHERE e.facts <> n",
        {"open": OPEN},
    ):
        yield f"The entity {entity_id} has {counted} facts but its count says {kept}."
    for (revision,) in rows(
        "SELECT revision FROM revision r WHERE NOT EXISTS"
        " (SELECT 1 FROM journal j WHERE j.revision = r.revision)"
    ):
        yield f"Revision {revision} is not in the journal."
    (names,), (indexed,) = (
        rows(f"SELECT count(*) FROM {table}")[0]  # noqa: S608
        for table in ("name", "name_words_docsize")
    )
    if names != indexed:
        yield f"The store has {names} names, but {indexed} can be searched."
    for (term,) in rows(
        "SELECT term FROM name_vocabulary WHERE term NOT IN (SELECT text FROM word)"
    ):
        yield f"The word {term} of a name is not in the dictionary."
