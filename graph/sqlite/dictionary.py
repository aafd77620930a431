"""The dictionary of a SQLite store: which words occur in names, and what a misspelt one may mean.

A fuzzy search goes through the words, not through the names: the trigrams of a word lead to the
few known ones that it may be a slip of, and these lead to names by an index over each name's words
in alphabetical order (its bag). So it grows with the vocabulary, not with the number of entities.
Words are never taken out but by a purge: one that is gone still counts as known.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from graph.core.facts import Entity
from graph.lookup.spelling import MOST_WORDS, bags, exchanged, grams_of, near_words, words_of

Rows = Callable[..., list[tuple[Any, ...]]]
_STANDS = "n.since <= ? AND n.until > ?"
_MOST_SHARING = 60  # known words that are compared with a misspelt one, letter by letter
_MOST_HOLDING = 40  # known words that hold what was typed


def remember(connection: sqlite3.Connection, words: Iterable[str]) -> None:
    """Put words into the dictionary that are not in it yet."""
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
    """Index the words of all names after version `last`, as a bulk load leaves them."""
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
    # In the order of the index, which is written once and not leafed through.
    pairs = sorted((gram, number) for number, word in added for gram in grams_of(word))
    connection.executemany("INSERT INTO word_gram VALUES (?, ?)", pairs)


def options(rows: Rows, word: str) -> list[str]:
    """The word itself if some name has it, or else the known ones it may be a slip of."""
    if rows("SELECT 1 FROM word WHERE text = ?", (word,)):
        return [word]
    grams = grams_of(word)
    sharing = rows(
        "SELECT w.text FROM (SELECT word_id, count(*) AS shared FROM word_gram"  # noqa: S608
        f" WHERE gram IN ({_marks(grams)}) GROUP BY word_id"
        " ORDER BY shared DESC LIMIT ?) JOIN word w ON w.id = word_id",
        (*grams, _MOST_SHARING),
    )
    ways = exchanged(word)
    there = rows(f"SELECT text FROM word WHERE text IN ({_marks(ways)})", ways)  # noqa: S608
    return near_words(word, {text for (text,) in (*sharing, *there)})


def holding(rows: Rows, part: str) -> list[str]:
    """Known words that have `part`, of three letters or more, within them; the shorter first."""
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
    """A guess at how common a trigram is: those of common letters are."""
    return sum("etaoinsrhl".find(c) < 0 for c in gram) * -1


def candidates(rows: Rows, name: str, limit: int, at: int) -> list[Entity]:
    """See `graph.core.protocol.TripletStore.candidates`."""
    words = words_of(name)[:MOST_WORDS]
    if not words or limit <= 0:
        return []
    chosen = [options(rows, word) for word in words]
    found: dict[int, None] = {}
    for variant in _variants(rows, words, chosen):
        _by_bag(rows, variant, limit, at, found)
    if not found:
        for query in _queries(chosen):
            _by_words(rows, query, limit, at, found)
            if found:
                break
    return entities(rows, list(found)[:limit], at)


def _variants(
    rows: Rows, words: tuple[str, ...], chosen: list[list[str]]
) -> Iterator[list[list[str]]]:
    """The options of the words as they are, with two written as one, with one written as two."""
    if all(chosen):
        yield chosen
    for i in range(len(words) - 1):
        joined = words[i] + words[i + 1]
        if not (chosen[i] and chosen[i + 1]) and _known(rows, joined):
            yield [*chosen[:i], [joined], *chosen[i + 2 :]]
    for i, word in enumerate(words):
        for cut in range(2, len(word) - 1) if not chosen[i] else ():
            if _known(rows, word[:cut]) and _known(rows, word[cut:]):
                yield [*chosen[:i], [word[:cut]], [word[cut:]], *chosen[i + 1 :]]


def _known(rows: Rows, word: str) -> bool:
    return bool(rows("SELECT 1 FROM word WHERE text = ?", (word,)))


def _by_bag(
    rows: Rows, chosen: list[list[str]], limit: int, at: int, found: dict[int, None]
) -> None:
    if not all(chosen):
        return
    wanted = bags(chosen)
    found.update(
        dict.fromkeys(
            entity_id
            for (entity_id,) in rows(
                f"SELECT DISTINCT n.entity_id FROM name n WHERE n.bag IN ({_marks(wanted)})"  # noqa: S608
                f" AND {_STANDS} LIMIT ?",
                (*wanted, at, at, limit),
            )
        )
    )


def _queries(chosen: list[list[str]]) -> Iterator[str]:
    """Names with all the words that are known, then with all of them but one."""
    groups = ["(" + " OR ".join(map(quoted, words)) + ")" for words in chosen if words]
    if groups:
        yield " AND ".join(groups)
    for i in range(len(groups)) if len(groups) > 2 else ():
        yield " AND ".join(groups[:i] + groups[i + 1 :])


def _by_words(rows: Rows, query: str, limit: int, at: int, found: dict[int, None]) -> None:
    found.update(
        dict.fromkeys(
            entity_id
            for (entity_id,) in rows(
                "SELECT DISTINCT n.entity_id FROM"  # noqa: S608
                " (SELECT rowid AS version FROM name_words WHERE name_words MATCH ? LIMIT ?) w"
                f" JOIN name n ON n.version = w.version WHERE {_STANDS} LIMIT ?",
                (query, 4 * limit, at, at, limit),
            )
        )
    )


def entities(rows: Rows, entity_ids: list[int], at: int) -> list[Entity]:
    """The entities of these ids that stand at the revision, in the order given."""
    names: dict[int, dict[str, None]] = {}
    for entity_id, text in rows(
        f"SELECT n.entity_id, n.text FROM name n WHERE n.entity_id IN ({_marks(entity_ids)})"  # noqa: S608
        f" AND {_STANDS} ORDER BY n.is_alias, n.version",
        (*entity_ids, at, at),
    ):
        names.setdefault(entity_id, {})[text] = None
    return [
        Entity(entity_id, *name_and_aliases(names[entity_id]))
        for entity_id in entity_ids
        if entity_id in names
    ]


def name_and_aliases(texts: dict[str, None]) -> tuple[str, tuple[str, ...]]:
    """The first text is the name."""
    name, *aliases = texts
    return name, tuple(aliases)


def quoted(text: str) -> str:
    """Typed text as one string of FTS5's query language, in which nothing is syntax."""
    return '"' + text.replace('"', '""') + '"'


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)
