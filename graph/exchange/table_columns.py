"""What a table holds, by the words of its header: which column is which.

entity,relation,value            facts; source and year are optional columns
alias,entity                     aliases
relation,kind                    relations; description is an optional column
phrase,relation                  synonyms of relations
setting,value                    settings
name, and any other columns      one entity per row; the header gives the relations

pykeen, LangChain, LlamaIndex, Neo4j, Gephi and Wikidata have words of their own for the three
columns of a fact. Three columns without a header are facts if the second looks like a relation. A
table that fits none of this is refused with the names that it needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graph.core.errors import StoreError
from graph.core.import_rows import AliasRow, FactRow, RelationRow, Row, SettingRow, SynonymRow
from graph.core.names import quoted
from graph.exchange.other_kinds import refuse_table_without_facts
from graph.exchange.read_options import ReadOptions

Cells = Sequence[str]

# The tables that are not about facts: needed columns, optional ones, and the type of their rows.
_OTHERS: tuple[tuple[tuple[str, ...], tuple[str, ...], Callable[..., Row]], ...] = (
    (("alias", "entity"), (), AliasRow),
    (("relation", "kind"), ("description",), RelationRow),
    (("phrase", "relation"), (), SynonymRow),
    (("setting", "value"), (), SettingRow),
)
_FACT = ("entity", "relation", "value")

# Header words, the best first. Labels come before ids, because names are what is asked for.
_ENTITY = (
    "entity", "head label", "subject label", "head name", "subject name", "source name",
    "start name", "itemlabel", "item label", "head entity", "subject entity", "source entity",
    "head", "subject", "subj", "entity1", "entity 1", "node1", "node 1", "source node",
    "start node", "from node", "src id", "source", "from", "start", ":start id", "head id",
    "subject id", "source id", "from id", "start id", "s", "h",
)  # fmt: skip
_RELATION = (
    "relation", "relation label", "predicate label", "relation name", "predicate name",
    "propertylabel", "property label", "proplabel", "relationship", "predicate", "relation type",
    "relationship type", "edge label", "edge type", "property", "attribute", "rel", "rel type",
    ":type", "relation id", "predicate id", "property id",
)  # fmt: skip
_WEAK_RELATION = ("label", "type", "edge", "link", "verb", "name", "keywords", "p", "r")
_VALUE = (
    "value", "tail label", "object label", "tail name", "object name", "target name", "end name",
    "valuelabel", "value label", "tail entity", "object entity", "target entity", "tail", "object",
    "obj", "entity2", "entity 2", "node2", "node 2", "target node", "end node", "to node", "tgt id",
    "target", "to", "end", ":end id", "tail id", "object id", "target id", "to id", "end id", "o",
    "t",
)  # fmt: skip
_SOURCE = ("source", "sources", "provenance", "reference")
_NAME = ("name", "title", "entity", "entity name", "full name", "label", "item")
_WEIGHTS = {"weight", "weights", "count", "score", "similarity", "distance", "strength"}
_DIRECTIONS = {"directed", "undirected", "mutual"}
_INDEX = re.compile(r"|unnamed: ?\d+|index|#|no\.?|nr\.?|row", re.I)
_NUMBER = re.compile(r"[+\-−]?\d[\d\s.,:/%\-]*(?:e[+-]?\d+)?|nan", re.I)
_NEO4J_TYPE = re.compile(r":(?:id|ignore|string|int|integer|long|float|double|boolean)\b.*$", re.I)
_ALIASED = re.compile(r"`?(\w+)`?\.(?:name|title|label|id)")
MISSING_CELLS = {"nan", "null"}
"""What data frames write where a cell is empty."""


class UnknownColumns(StoreError):
    """A table whose columns cannot be determined.

    Args:
        message: the sentence for the person.
        header: the cells of the first line, from which a person can choose.
    """

    def __init__(self, message: str, header: Cells = ()) -> None:
        super().__init__(message)
        self.header = tuple(header)


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a table hold."""

    width: int
    """Cells in each row."""
    is_headed: bool
    """Whether the first line is a header."""
    needed: tuple[tuple[str, int], ...]
    """What each needed column holds, and its place."""
    optional: tuple[int, ...] = ()
    """The places of the optional columns; `width` for one that is not there."""
    make: Callable[..., Row] = FactRow
    """Makes a row of the line number and the cells."""
    relations: tuple[tuple[str, int], ...] = ()
    """In a table with one entity per row, the relations and their places; else empty."""
    header: tuple[str, ...] = ()
    """The cells of the header, which may be repeated where files were put together."""


def normal_word(cell: str) -> str:
    """A header cell as it is compared: lower case, single spaces, without signs around it."""
    word = re.sub(r"[\s_\-]+", " ", cell.strip().strip("\ufeff\"'").strip().lower())
    word = re.sub(r"\(.*?\)$", "", word) if word.startswith(":") else word
    return word.strip()


def is_fact_header(cells: Cells) -> bool:
    """Whether some cells are the header of a table that says what it holds."""
    words = {normal_word(cell) for cell in cells}
    if set(_FACT) <= words or any(set(needed) <= words for needed, _, _ in _OTHERS):
        return True
    return bool(words & set(_ENTITY)) and bool(words & set(_VALUE))


def names_facts(cells: Cells) -> bool:
    """Whether some cells are the words entity, relation and value, among others."""
    return set(_FACT) <= {normal_word(cell) for cell in cells}


def fact_keys(keys: Sequence[str]) -> tuple[str, ...] | None:
    """Of the keys of a JSON object, those of entity, relation, value, source and year.

    A key that is not there is empty. None if the keys are not those of a fact.
    """
    words = [normal_word(key) for key in keys]
    entity, value = _first(words, _ENTITY), _first(words, _VALUE)
    relation = _first(words, _RELATION + _WEAK_RELATION)
    if entity is None or relation is None or value is None:
        return None
    if len({entity, relation, value}) < 3:
        return None
    taken = {entity, relation, value}
    more = [_first(words, known) for known in (_SOURCE, ("year",))]
    return tuple(
        keys[place] if place is not None else ""
        for place in (entity, relation, value, *(m if m not in taken else None for m in more))
    )


def layout_of(rows: Sequence[Cells], options: ReadOptions) -> Layout:
    """What a table holds, by its first rows; raises `StoreError` if that cannot be determined.

    Args:
        rows: the first rows that are not empty, the header included.
        options: the columns that a person has named, and who receives notes.
    """
    if not rows:
        raise StoreError(
            "There is nothing in the table; its first line must name the columns "
            "entity,relation,value."
        )
    header = list(rows[0])
    data = rows[1:]
    if options.columns:
        return _named_columns(header, options)
    words = [normal_word(cell) for cell in header]
    refuse_table_without_facts(rows, words)
    words = _without_identifiers(_of_query(words))
    if set(_FACT) <= set(words):
        return _facts(header, words, {name: words.index(name) for name in _FACT}, options)
    for needed, optional, make in _OTHERS:
        if set(needed) <= set(words):
            places = {word: place for place, word in enumerate(words)}
            return Layout(
                len(header),
                True,
                tuple((name, places[name]) for name in needed),
                tuple(places.get(name, len(header)) for name in optional),
                make,
            )
    found = _fact_columns(header, words, data)
    if found is not None:
        return _facts(header, words, found, options)
    if (headless := _headless(rows, words, options)) is not None:
        return headless
    properties = _properties(header, words, data, options)
    if properties is not None:
        return properties
    raise _undetermined(header)


def _of_query(words: list[str]) -> list[str]:
    """The words of a Cypher result without aliases: `a.name,type(r),b.name`."""
    ends = [place for place, word in enumerate(words) if _ALIASED.fullmatch(word)]
    types = [place for place, word in enumerate(words) if re.fullmatch(r"type\(\w+\)", word)]
    if len(ends) != 2 or len(types) != 1:
        return words
    named = {ends[0]: "entity", types[0]: "relation", ends[1]: "value"}
    return [named.get(place, word) for place, word in enumerate(words)]


def _without_identifiers(words: list[str]) -> list[str]:
    """The words, in which a column of identifiers next to one of their labels does not count.

    Wikidata's query service writes `item` and `itemLabel`: an address, and its name.
    """
    labels = {word: place for place, word in enumerate(words)}
    plain = list(words)
    for place, word in enumerate(words):
        for label in (f"{word}label", f"{word} label"):
            if word and label in labels:
                plain[place] = ""
                if label not in (*_ENTITY, *_RELATION, *_VALUE):
                    plain[labels[label]] = word
    return plain


def _undetermined(header: Cells, more: str = "") -> UnknownColumns:
    return UnknownColumns(
        f"The table begins with {quoted(','.join(header[:50]))}{more}; its first line must name "
        "the columns entity,relation,value (and optionally source,year), or pass --columns with "
        "the three of them, such as --columns 1,2,3.",
        header,
    )


def _facts(
    header: Cells, words: Sequence[str], places: dict[str, int], options: ReadOptions
) -> Layout:
    """A table of facts with a header."""
    for name, place in places.items():
        if words.count(words[place]) > 1:
            raise StoreError(
                f"Two columns of the table are called {quoted(words[place])}, and both could be "
                f"the {name}; rename one of them."
            )
    width = len(header)
    taken = set(places.values())
    source = next((words.index(w) for w in _SOURCE if w in words and words.index(w) not in taken),
                  width)  # fmt: skip
    year = words.index("year") if "year" in words and words.index("year") not in taken else width
    unused = [
        cell.strip()
        for place, cell in enumerate(header)
        if place not in taken | {source, year} and not _INDEX.fullmatch(cell.strip())
    ]
    if unused:
        names = ", ".join(quoted(name, 30) for name in unused[:10])
        options.on_note(f"Columns that are not used: {names}{' …' if len(unused) > 10 else ''}.")
    return Layout(width, True, tuple((n, places[n]) for n in _FACT), (source, year))


def _fact_columns(
    header: Cells, words: Sequence[str], data: Sequence[Cells]
) -> dict[str, int] | None:
    """The places of entity, relation and value by the words of other tools; None if not there."""
    relation = _first(words, _RELATION)
    entity = _first(words, _ENTITY)
    value = _first(words, _VALUE, but=entity)
    if entity is None and relation is not None and value is not None:
        entity = _first(words, _NAME, but=relation)
    if entity is None or value is None:
        return None
    if relation is None or relation in (entity, value):
        relation = _weak_relation(words, data, {entity, value})
    if {"start", "end"} <= {word.strip("_: ") for word in words} and "id" in words:
        raise StoreError(
            "The table mixes nodes and relationships, which refer to nodes by number; import from "
            "the Neo4j database with --from and --cypher instead."
        )
    if relation is None:
        ends = f"{quoted(header[entity], 30)} and {quoted(header[value], 30)}"
        raise _undetermined(header, f"; {ends} are the ends of links without a relation")
    if words[entity] == ":start id" and _all_numbers(data, entity):
        raise StoreError(
            "The relationships refer to nodes by number, not by name; import from the Neo4j "
            "database with --from and --cypher instead."
        )
    return {"entity": entity, "relation": relation, "value": value}


def _first(words: Sequence[str], known: Sequence[str], but: int | None = None) -> int | None:
    for word in known:
        if word in words and words.index(word) != but:
            return words.index(word)
    return None


def _weak_relation(words: Sequence[str], data: Sequence[Cells], taken: set[int]) -> int | None:
    """A column such as `type`, which holds relations unless it says how Gephi draws an edge."""
    for word in _WEAK_RELATION:
        place = words.index(word) if word in words else None
        if place is None or place in taken:
            continue
        cells = {_cell(row, place).lower() for row in data} - {""}
        if cells and not cells <= _DIRECTIONS and not all(map(_NUMBER.fullmatch, cells)):
            return place
    return None


def _cell(row: Cells, place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _all_numbers(data: Sequence[Cells], place: int) -> bool:
    cells = [cell for row in data if (cell := _cell(row, place))]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def _headless(rows: Sequence[Cells], words: Sequence[str], options: ReadOptions) -> Layout | None:
    """Triples without a header; None if the table does not look like that."""
    width = len(rows[0]) if rows else 0
    shift = 1 if width == 4 and _is_index([_cell(row, 0) for row in rows]) else 0
    if width - shift != 3:
        return None
    first, second, third = ([_cell(row, place + shift) for row in rows] for place in range(3))
    known = {*_ENTITY, *_RELATION, *_VALUE, *_NAME, "year"}
    if words[shift] in known and len(rows) > 1 and words[shift] not in map(str.lower, first[1:]):
        return None  # a header, though not one of facts
    if any(_NUMBER.fullmatch(cell) for cell in second):
        return None
    relations = {cell for cell in second if cell}
    links = relations & {cell for cell in first if cell}
    if links and len(links) >= 0.2 * len(relations):
        return None  # the second column holds what the first one does: ends of links
    numeric = [cell for cell in third if _NUMBER.fullmatch(cell)]
    if len(rows) >= 3 and len(numeric) == len(rows) and len(relations) > 0.5 * len(rows):
        return None  # links with weights
    recurs = first[0] in first[1:] or (second[0] in second[1:] and len(relations) < len(rows))
    if not (recurs or options.is_pasted):
        return None
    return Layout(width, False, tuple((n, p + shift) for p, n in enumerate(_FACT)), (width, width))


def _is_index(cells: Sequence[str]) -> bool:
    """Whether a column counts the rows, as data frames do."""
    if not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell[:18]) for cell in cells]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] in (0, 1)


def _properties(
    header: Cells, words: Sequence[str], data: Sequence[Cells], options: ReadOptions
) -> Layout | None:
    """A table with one entity per row; None if it is not known which column names the entity."""
    plain = [_NEO4J_TYPE.sub("", cell.strip()).strip() for cell in header]
    identified = {p for p, word in enumerate(words) if not word and header[p].strip()}
    names = ["" if p in identified else normal_word(cell) for p, cell in enumerate(plain)]
    plain = [_label_of(cell, words[p]) for p, cell in enumerate(plain)]
    place = _first([*words] if identified else names, _NAME)
    if place is None and identified:
        first = normal_word(header[min(identified)])
        place = _first(words, (first, f"{first}label", f"{first} label"))
    if place is None:
        place = _name_by_looks(header, words, data)
    if place is None:
        return None
    ids = identified | {
        p for p, cell in enumerate(header) if re.search(r":(?:id|ignore)\b", cell, re.I)
    }
    relations = []
    for other, name in enumerate(plain):
        if other == place or other in ids or _INDEX.fullmatch(name):
            continue
        relation = "instance of" if words[other] == ":label" else name.replace("_", " ")
        relations.append((relation, other))
    folded = [relation.lower() for relation, _ in relations]
    if not relations or not data or len(set(folded)) < len(folded):
        return None
    shown = ", ".join(quoted(relation, 30) for relation, _ in relations[:8])
    options.on_note(
        f"Read as one entity per row: {quoted(header[place].strip(), 30)} names it, and the other "
        f"columns are relations: {shown}{' …' if len(relations) > 8 else ''}."
    )
    needed = ((plain[place] or "name", place),)
    return Layout(len(header), True, needed, relations=tuple(relations))


def _label_of(cell: str, word: str) -> str:
    """`capitalLabel`, where it stands for `capital`, as that."""
    ending = re.fullmatch(r"(.+?)[ _]?label", cell, re.I)
    return ending[1] if ending and normal_word(ending[1]) == word else cell


def _name_by_looks(header: Cells, words: Sequence[str], data: Sequence[Cells]) -> int | None:
    """The first column, where numbers below a header in words show that it is one."""
    if len(data) < 2 or len(set(words)) < len(words) or _WEIGHTS & set(words):
        return None
    if any(not word or _NUMBER.fullmatch(word) for word in words):
        return None
    first = [_cell(row, 0) for row in data]
    if len(set(first)) < len(first) or any(not c or _NUMBER.fullmatch(c) for c in first):
        return None
    numeric = sum(_all_numbers(data, place) for place in range(1, len(header)))
    enough = numeric >= 1 if len(header) >= 4 else numeric >= 2
    return 0 if enough else None


def _named_columns(header: Cells, options: ReadOptions) -> Layout:
    """The columns that a person has named, by number without a header, or by name with one."""
    columns = options.columns
    if len(columns) != 3 or len(set(columns)) != 3:
        raise StoreError(
            f"--columns is {quoted(','.join(columns))}; it needs three columns: those of entity, "
            "relation and value."
        )
    width = len(header)
    if all(re.fullmatch(r"\d{1,4}", column) for column in columns):
        places = [int(column) - 1 for column in columns]
        if not all(0 <= place < width for place in places):
            raise StoreError(f"--columns goes beyond the {width} columns of the table.")
        words = [normal_word(header[place]) for place in places]
        known = (_ENTITY, _RELATION + _WEAK_RELATION, _VALUE)
        is_headed = options.is_headed or all(
            word in some for word, some in zip(words, known, strict=True)
        )
    else:
        words = [cell.strip().lower() for cell in header]
        missing = [column for column in columns if column.strip().lower() not in words]
        if missing:
            raise StoreError(
                f"The table has no column {quoted(missing[0])}; its columns are "
                f"{quoted(','.join(header[:50]))}."
            )
        places, is_headed = [words.index(column.strip().lower()) for column in columns], True
    return Layout(width, is_headed, tuple(zip(_FACT, places, strict=True)), (width, width))
