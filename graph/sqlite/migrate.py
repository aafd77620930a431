"""Upgrades a SQLite store of an earlier schema version, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from graph.core.errors import StoreError
from graph.core.names import fold
from graph.lookup.spelling import bag_of, words_of
from graph.sqlite.dictionary import remember_new_names
from graph.sqlite.file import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, explain
from graph.sqlite.writes import index_literals


def migrate(path: Path) -> int:
    """Bring the store up to this program's version; returns the version that it had.

    Nothing changes if that is the same; where something fails, the file stays as it was. Raises
    `StoreError` for a file that is not a store, is of a newer version, or cannot be written.
    """
    if not path.is_file():
        raise StoreError(f"There is no store at {path}.")
    try:
        connection = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        try:
            return _migrate(connection, path)
        finally:
            connection.close()
    except sqlite3.Error as problem:
        raise explain(problem, path) from problem


def _migrate(connection: sqlite3.Connection, path: Path) -> int:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is not a Lamplight store; give the path of another file.")
    connection.execute("BEGIN IMMEDIATE")
    (had,) = connection.execute("PRAGMA user_version").fetchone()
    if had > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has the schema version {had} and this program knows up to {SCHEMA_VERSION}; "
            "open it with a newer version of this program."
        )
    for version in range(had, SCHEMA_VERSION):
        if version not in _STEPS:
            raise StoreError(
                f"This program cannot migrate schema version {version}; "
                "use the version of Lamplight that created the store."
            )
        _STEPS[version](connection)
        connection.execute(f"PRAGMA user_version = {version + 1}")
    connection.execute("COMMIT")
    return int(had)


def _from_1(connection: sqlite3.Connection) -> None:
    """Version 2: the dictionary of words instead of an index of trigrams; rules."""
    connection.create_function("bag_of_name", 1, lambda text: bag_of(words_of(text)))
    for table in ("name_words", "name_parts"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("ALTER TABLE name ADD COLUMN bag TEXT NOT NULL DEFAULT ''")
    connection.execute("UPDATE name SET bag = bag_of_name(text)")
    for name in ("name_by_bag", "name_words", "name_vocabulary", "word", "word_gram"):
        connection.execute(_statement(name))
    for name in ("rule", "rule_by_key"):
        connection.execute(_statement(name))
    remember_new_names(connection, 0)


def _from_2(connection: sqlite3.Connection) -> None:
    """Version 3: literals and identifiers are indexed, and keys have no invisible characters.

    Words are in plain letters. The vectors of embedded names stay, because they belong to the names
    as they are spelt.
    """
    connection.create_function("fold", 1, fold)
    connection.create_function("bag_of_name", 1, lambda text: bag_of(words_of(text)))
    connection.execute("DROP TABLE name_vocabulary")
    connection.execute("DROP TABLE name_words")
    for table in ("word_gram", "word"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608
    connection.execute(
        "UPDATE name SET key = fold(text), bag = bag_of_name(text)"
        " WHERE key <> fold(text) OR bag <> bag_of_name(text)"
    )
    for table in ("relation", "rule"):
        connection.execute(f"UPDATE {table} SET key = fold(name) WHERE key <> fold(name)")  # noqa: S608
    made = ("identifier", "identifier_by_iri", "identifier_by_entity", "identifier_by_relation")
    for name in ("name_words", "name_vocabulary", "literal", *made):
        connection.execute(_statement(name))
    remember_new_names(connection, 0)
    index_literals(connection, 0)


_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _from_1, 2: _from_2}


def _statement(name: str) -> str:
    """The statement of the schema that makes a table or an index."""
    statements = [statement.strip() for statement in SCHEMA.split(";\n")]
    return next(s for s in statements if s.startswith("CREATE ") and f" {name} " in s.split("(")[0])
