"""The dictionary of a SQLite store: the words of all names, and what a misspelt word may mean.

A fuzzy search compares words, not names. The trigrams of a word lead to the few known words that it
may misspell. These lead to names through an index over each name's bag: its words in alphabetical
order. So the cost grows with the vocabulary, not with the number of entities. Only a purge removes
words: a word that no current name has still counts as known.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graph.core.facts import Entity
from graph.lookup.spelling import exchanged, grams_of, near_words

Rows = Callable[..., list[tuple[Any, ...]]]  # runs a statement and returns its rows
_STANDS = "n.since <= ? AND n.until > ?"
_MOST_SHARING = 60  # known words that are compared with a misspelt one letter by letter
_MOST_HOLDING = 40  # known words that contain what was typed
_TOGETHER = 500  # words or bags in one statement


def remember(connection: sqlite3.Connection, words: Iterable[str]) -> None:
    """Add the words that are not in the dictionary yet."""
    for word in words:
        row = connection.execute(
            "INSERT INTO word (text) VALUES (?) ON CONFLICT DO NOTHING RETURNING id", (word,)
        ).fetchall()
        if row:
            connection.executemany(
                "INSERT INTO word_gram VALUES (?, ?)",
                [(gram, row[0][0]) for gram in grams_of(word)],
            )


def remember_new_names(connection: sqlite3.Connection, last: int) -> None:
    """Index the words of all names after version `last`; a bulk load leaves that to its end."""
    connection.execute(
        "INSERT INTO name_words (rowid, bag) SELECT version, bag FROM name WHERE version > ?",
        (last,),
    )
    fresh = connection.execute(
        "SELECT term FROM name_vocabulary WHERE term NOT IN (SELECT text FROM word)"
    )
    (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM word").fetchone()
    words = [term for (term,) in fresh]
    connection.executemany("INSERT INTO word (text) VALUES (?)", ((word,) for word in words))
    added = connection.execute("SELECT id, text FROM word WHERE id > ?", (newest,)).fetchall()
    # Sorted as in the index, so that each of its pages is written only once.
    pairs = sorted((gram, number) for number, word in added for gram in grams_of(word))
    connection.executemany("INSERT INTO word_gram VALUES (?, ?)", pairs)


def options(rows: Rows, word: str) -> list[str]:
    """The word itself if a name has it, otherwise the known words that it may misspell."""
    if known(rows, [word]):
        return [word]
    grams = grams_of(word)
    sharing = rows(
        "SELECT w.text FROM (SELECT word_id, count(*) AS shared FROM word_gram"  # noqa: S608
        f" WHERE gram IN ({_marks(grams)}) GROUP BY word_id"
        " ORDER BY shared DESC LIMIT ?) JOIN word w ON w.id = word_id",
        (*grams, _MOST_SHARING),
    )
    ways = exchanged(word)
    return near_words(word, {text for (text,) in sharing} | known(rows, ways))


def holding(rows: Rows, part: str) -> list[str]:
    """Known words that contain `part`, shortest first; none if it has fewer than three letters."""
    grams = [part[i : i + 3] for i in range(len(part) - 2)]
    if not grams:
        return []
    found = rows(
        "SELECT w.text FROM word_gram g JOIN word w ON w.id = g.word_id"
        " WHERE g.gram = ? AND instr(w.text, ?) ORDER BY length(w.text), w.text LIMIT ?",
        (min(grams, key=_rarity), part, _MOST_HOLDING),
    )
    return [text for (text,) in found]


def _rarity(gram: str) -> int:
    """An estimate of how common a trigram is: minus the number of its letters that are rare."""
    return sum("etaoinsrhl".find(c) < 0 for c in gram) * -1


def known(rows: Rows, words: Iterable[str]) -> set[str]:
    """Those of the words that occur in a name, current or former."""
    asked = list(set(words))
    found: set[str] = set()
    for begin in range(0, len(asked), _TOGETHER):
        some = asked[begin : begin + _TOGETHER]
        sql = f"SELECT text FROM word WHERE text IN ({_marks(some)})"  # noqa: S608
        found.update(text for (text,) in rows(sql, some))
    return found


def with_bags(rows: Rows, bags: Sequence[str], limit: int, at: int) -> list[int]:
    """Ids of entities with a name that has one of these bags."""
    found: dict[int, None] = {}
    for begin in range(0, len(bags), _TOGETHER):
        some = bags[begin : begin + _TOGETHER]
        ids = rows(
            f"SELECT DISTINCT n.entity_id FROM name n WHERE n.bag IN ({_marks(some)})"  # noqa: S608
            f" AND {_STANDS} LIMIT ?",
            (*some, at, at, limit),
        )
        found.update(dict.fromkeys(entity_id for (entity_id,) in ids))
    return list(found)


def matching(rows: Rows, query: str, limit: int, at: int) -> list[int]:
    """Ids of entities with a name that matches a query of the text index."""
    found = rows(
        "SELECT DISTINCT n.entity_id FROM"  # noqa: S608
        " (SELECT rowid AS version FROM name_words WHERE name_words MATCH ? LIMIT ?) w"
        f" JOIN name n ON n.version = w.version WHERE {_STANDS} LIMIT ?",
        (query, 4 * limit, at, at, limit),
    )
    return [entity_id for (entity_id,) in found]


def entities(rows: Rows, entity_ids: list[int], at: int) -> list[Entity]:
    """The entities of these ids that exist at the revision, in the order of the ids."""
    found = rows(
        f"SELECT n.entity_id, n.text FROM name n WHERE n.entity_id IN ({_marks(entity_ids)})"  # noqa: S608
        f" AND {_STANDS} ORDER BY n.is_alias, n.version",
        (*entity_ids, at, at),
    )
    by_id = entities_of(found)
    return [by_id[entity_id] for entity_id in entity_ids if entity_id in by_id]


def entities_of(rows: Iterable[Sequence[Any]]) -> dict[int, Entity]:
    """Entities by their ids, from rows of an id and a name; the first name of each is its own."""
    names: dict[int, dict[str, None]] = {}
    for entity_id, text in rows:
        names.setdefault(entity_id, {})[text] = None
    return {
        entity_id: Entity(entity_id, name, tuple(aliases))
        for entity_id, (name, *aliases) in names.items()
    }


def quoted(text: str) -> str:
    """Typed text as one quoted string of FTS5's query language, so that none of it is syntax."""
    return '"' + text.replace('"', '""') + '"'


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)
