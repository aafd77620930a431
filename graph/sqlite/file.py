"""The SQLite file: its schema, its connections, and its errors as sentences.

Rows are never changed in place: a name or a fact is a row with the revisions `since` and `until`
which it stood for, and an edit closes one row and opens another. So a read at a revision is a
filter, and the text index, which covers closed rows too, searches any revision.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from graph.core.database_files import is_too_small
from graph.core.errors import StoreError
from graph.core.ids import LARGEST_ID
from graph.core.names import quoted

APPLICATION_ID = 0x4C414D50  # "LAMP", in the file's header: marks our files among databases
SCHEMA_VERSION = 3
_NOT_ONE = "{} is not a database; give the path of another file."
OPEN = LARGEST_ID  # `until` of a row that is current
NEWEST = OPEN - 1  # a revision at which exactly the current rows stand

SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE entity (
    id INTEGER PRIMARY KEY,
    facts INTEGER NOT NULL DEFAULT 0       -- current facts from and to it: how well known it is
);

CREATE TABLE name (                        -- an entity's name (it has one at a time) and aliases
    version INTEGER PRIMARY KEY,
    entity_id INTEGER NOT NULL REFERENCES entity (id),
    is_alias INTEGER NOT NULL,
    text TEXT NOT NULL,
    key TEXT NOT NULL,                     -- facts.fold(text)
    bag TEXT NOT NULL,                     -- its words in alphabetical order: spelling.bag_of
    since INTEGER NOT NULL,
    until INTEGER NOT NULL
);
CREATE INDEX name_by_entity ON name (entity_id, is_alias);
CREATE INDEX name_by_key ON name (key);
CREATE INDEX name_by_bag ON name (bag);
CREATE UNIQUE INDEX name_is_unique ON name (text) WHERE is_alias = 0 AND until = {OPEN};

CREATE VIRTUAL TABLE name_words USING fts5 (
    bag, content='name', content_rowid='version', tokenize='unicode61 remove_diacritics 2',
    prefix='1 2 3'
);
CREATE VIRTUAL TABLE name_vocabulary USING fts5vocab (name_words, row);
CREATE TABLE word (                        -- every word that occurs in names: sqlite/dictionary.py
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);
CREATE TABLE word_gram (                   -- its trigrams
    gram TEXT NOT NULL,
    word_id INTEGER NOT NULL REFERENCES word (id),
    PRIMARY KEY (gram, word_id)
) WITHOUT ROWID;

CREATE TABLE relation (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    kind TEXT CHECK (kind IN ('link', 'literal')),
    description TEXT NOT NULL DEFAULT ''
);
CREATE INDEX relation_by_key ON relation (key);

CREATE TABLE fact (
    version INTEGER PRIMARY KEY,
    id INTEGER NOT NULL,                   -- of the fact, the same in all its versions
    entity_id INTEGER NOT NULL REFERENCES entity (id),
    relation_id INTEGER NOT NULL REFERENCES relation (id),
    value TEXT,                            -- a literal, or
    value_id INTEGER REFERENCES entity (id),   -- the linked entity
    source TEXT NOT NULL,
    year INTEGER,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    CHECK ((value IS NULL) <> (value_id IS NULL))
);
CREATE INDEX fact_by_id ON fact (id);
CREATE INDEX fact_by_entity ON fact (entity_id, relation_id);
CREATE INDEX fact_by_value ON fact (value_id) WHERE value_id IS NOT NULL;

CREATE TABLE literal (                     -- the versions of facts whose value is a literal
    key TEXT NOT NULL,                     -- names.literal_key(value)
    version INTEGER NOT NULL,
    PRIMARY KEY (key, version)
) WITHOUT ROWID;

CREATE TABLE identifier (                  -- IRIs: core/identifiers.py
    iri TEXT NOT NULL,
    entity_id INTEGER REFERENCES entity (id),      -- what it identifies: an entity, or
    relation_id INTEGER REFERENCES relation (id),  -- a relation
    since INTEGER NOT NULL,
    CHECK ((entity_id IS NULL) <> (relation_id IS NULL))
);
CREATE INDEX identifier_by_iri ON identifier (iri);
CREATE INDEX identifier_by_entity ON identifier (entity_id) WHERE entity_id IS NOT NULL;
CREATE INDEX identifier_by_relation ON identifier (relation_id) WHERE relation_id IS NOT NULL;

CREATE TABLE rule (                        -- synonyms of relations, and settings: core/rules.py
    version INTEGER PRIMARY KEY,
    id INTEGER NOT NULL,                   -- of the rule, the same in all its versions
    kind TEXT NOT NULL CHECK (kind IN ('synonym', 'setting')),
    name TEXT NOT NULL,
    key TEXT NOT NULL,                     -- facts.fold(name)
    value TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL
);
CREATE INDEX rule_by_key ON rule (kind, key);

CREATE TABLE revision (                    -- one row a transaction
    revision INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,                    -- init, import, edit, publish, undo, redo, revert
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    time INTEGER NOT NULL,                 -- milliseconds since 1970, UTC
    write_id TEXT UNIQUE,                  -- the writer's own, so that a repetition is noticed
    undone INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE journal (                     -- one row an edit
    revision INTEGER NOT NULL REFERENCES revision (revision),
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    edit TEXT NOT NULL,                    -- JSON, as it was asked for
    deltas TEXT,                           -- JSON; NULL of an import: the rows themselves tell
    PRIMARY KEY (revision, number)
);
CREATE TABLE touched (                     -- which entries are about a fact or an entity
    object_id INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (object_id, revision, number)
) WITHOUT ROWID;

CREATE TABLE draft (
    id TEXT PRIMARY KEY,
    base_revision INTEGER NOT NULL,
    first INTEGER NOT NULL,                -- the draft's own revision before its first step
    used INTEGER NOT NULL                  -- milliseconds since 1970, UTC
) WITHOUT ROWID;
CREATE TABLE draft_step (
    draft_id TEXT NOT NULL REFERENCES draft (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,               -- the draft's revision that this step made
    data TEXT NOT NULL,                    -- JSON of a draft.Step
    PRIMARY KEY (draft_id, number)
) WITHOUT ROWID;

PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""

DRAFT_NOTES = """CREATE TABLE IF NOT EXISTS draft_note (
    draft_id TEXT NOT NULL REFERENCES draft (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    data TEXT NOT NULL,                    -- of the front end, which alone reads it
    PRIMARY KEY (draft_id, name)
) WITHOUT ROWID"""
"""Made with the first note. The schema version stays, because a program that does not know the
table reads the store as before."""


def path_of(url: str) -> Path:
    """The file of `sqlite:///relative` or `sqlite:////absolute`."""
    path = url.removeprefix("sqlite:///")
    if not path or "\0" in path:
        raise StoreError(f"{quoted(url)} names no file; write sqlite:///path/to/file.db.")
    return Path(path)


def connect(path: Path, *, write: bool, read_only: bool = False) -> sqlite3.Connection:
    """A connection with the settings that every one of its kind has; raises `sqlite3.Error`.

    A writer syncs the log at each commit, so what was acknowledged outlives a loss of power. It
    is refused with a `StoreError`, and the file left as it is, where that is not a store of ours.
    With `read_only`, the file itself is opened so; in a folder that cannot be written, as one that
    nobody changes.
    """
    name: str | Path = path
    if read_only:
        alone = (
            not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
        )
        name = f"file:{quote(str(path))}?{'immutable=1' if alone else 'mode=ro'}"
    connection = sqlite3.connect(
        name,
        timeout=10.0,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        uri=read_only,
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        # Pages in kB. Each thread reads by a connection of its own, and the system keeps the rest
        # of the file: a larger cache, or the file mapped into memory, made no lookup faster.
        connection.execute(f"PRAGMA cache_size = -{32_000 if write else 8_000}")
        if write:
            check(connection, path)
            if not read_only:
                connection.execute("PRAGMA journal_mode = WAL")
        if read_only or not write:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def is_new(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever written to the database."""
    return bool(connection.execute("PRAGMA schema_version").fetchone() == (0,))


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `StoreError` unless the file is a store of this version, or empty."""
    if is_too_small(path):
        raise StoreError(_NOT_ONE.format(path))
    if is_new(connection):  # SQLite raises SQLITE_NOTADB for a file of anything else
        return
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise StoreError(
            f"{path} is a database, but not a Lamplight store; give the path of another file."
        )
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{path} has the schema version {version} and this program reads {SCHEMA_VERSION}; "
            + (
                f"upgrade it with: python -m graph migrate --store sqlite:///{path}"
                if version < SCHEMA_VERSION
                else "open it with a newer version of this program."
            )
        )


def explain(problem: sqlite3.Error, path: Path) -> StoreError:
    """What SQLite said, as one sentence for a person."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreError(
            f"The disk of {path} is full: nothing of this was saved, and what was saved before is "
            "safe; free some space and try again."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(
            f"Another process has been writing to {path} for long; try again in a moment."
        )
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(f"{path} is read-only; make the file and its folder writable.")
    if code == sqlite3.SQLITE_NOTADB:
        return StoreError(_NOT_ONE.format(path))
    if code == sqlite3.SQLITE_CORRUPT:
        return StoreError(f"{path} is damaged ({problem}); restore it from a backup.")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(
            f"{path} cannot be opened or made; check that its folder is there and can be written."
        )
    return StoreError(f"The store {path} could not do this: {problem}.")
