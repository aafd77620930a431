"""One JSON object as rows: a fact in the words of some tool, or a thing with its properties."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from graph.core.import_rows import BadLine, Row
from graph.core.names import quoted
from graph.exchange.other_rows import json_row
from graph.exchange.read_options import ReadOptions
from graph.exchange.table_columns import fact_keys, normal_word
from graph.exchange.value_texts import COLUMNS, NumberText, fact_rows, text_of

# Numbers keep their spelling.
DECODER = json.JSONDecoder(parse_int=NumberText, parse_float=NumberText, parse_constant=float)
_NAME_KEYS = ("name", "label", "title", "entity_name", "display_name")
_ID_KEYS = ("elementId", "id", "identity", "entity_name", "key")
_NAME_WORDS = ("name", "title", "full name")
_OF_FACTS = frozenset(
    ("entity", "relation", "value", "subject", "predicate", "object", "head", "tail", "triplets")
)
_PLAIN_KEYS = {"id", "identity", "elementId", "type", "labels", "label", "properties", *_NAME_KEYS}


def node_name(node: dict[str, Any]) -> str:
    """The name of a node; empty if it has none but its id."""
    properties = node.get("properties")
    for held in (properties, node):
        if isinstance(held, dict):
            for key in _NAME_KEYS:
                value = held.get(key)
                if isinstance(value, str) and value.strip():
                    return " ".join(value.split())
    return ""


class Nodes:
    """The names of the nodes of one file, by their ids. A name that several share is qualified."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._names: dict[str, str] = {}
        self._held: Counter[str] = Counter()
        self._unused: dict[str, None] = {}
        self._relations: dict[str, None] = {}

    def add(self, nodes: Iterable[Any]) -> None:
        """Note some nodes; what is not a node is ignored."""
        for node in nodes:
            if not isinstance(node, dict):
                continue
            ids = [text for key in _ID_KEYS if (text := text_of(node.get(key)))]
            if not ids or ids[0] in self._names:
                continue
            name = node_name(node) or ids[0]
            self._held[name] += 1
            for id_ in ids:
                self._names.setdefault(id_, name if self._held[name] == 1 else f"{name} ({id_})")
            properties = node.get("properties")
            more = properties if isinstance(properties, dict) else node
            self._unused.update(dict.fromkeys(key for key in more if key not in _PLAIN_KEYS))

    def name_of(self, end: Any) -> str | None:
        """The name of what an end of an edge refers to; None if that is not known."""
        if isinstance(end, dict):
            ids = [text for key in _ID_KEYS if (text := text_of(end.get(key)))]
            known = next((self._names[id_] for id_ in ids if id_ in self._names), None)
            name = known or node_name(end)
            if name or not ids:
                return name or None
            return None if isinstance(end.get("labels"), list) or ids[0].isdigit() else ids[0]
        text = text_of(end)
        if text is None or text in self._names:
            return text and self._names[text]
        return None if self._names and text.isdigit() else text

    @property
    def is_known(self) -> bool:
        """Whether the file names its nodes."""
        return bool(self._names)

    def note_relation(self, key: str) -> None:
        """Note a key that was read as a relation."""
        self._relations[key] = None

    def note(self) -> None:
        """Say what was not read, and what became relations; once for each file."""
        for keys, words in (
            (self._unused, "Properties of nodes that are not read"),
            (self._relations, "Objects with a name were read as one entity each, with relations"),
        ):
            if keys:
                listed = ", ".join(quoted(str(key), 30) for key in list(keys)[:8])
                self._options.on_note(f"{words}: {listed}{' …' if len(keys) > 8 else ''}.")


def object_rows(number: int, data: dict[str, Any], nodes: Nodes) -> Iterator[Row]:
    """The rows that an object stands for; a `BadLine` if it stands for none."""
    if data.get("type") == "node" and "labels" in data | {"properties": 0}:
        nodes.add([data])
        return
    names: tuple[str, ...] | None = COLUMNS
    if "entity" not in data or "relation" not in data or "value" not in data:
        names = fact_keys(tuple(data))
    if names is None:
        row = json_row(number, data)
        yield from _properties(number, data, nodes) if row is None else (row,)
        return
    cells = [data.get(name) for name in names]
    for place, part in ((0, "entity"), (2, "value")):
        if isinstance(cells[place], dict) or (nodes.is_known and isinstance(cells[place], str)):
            name = nodes.name_of(cells[place])
            if name is None:
                shown = json.dumps(cells[place], ensure_ascii=False)
                yield BadLine(number, f"Its {part} is {quoted(shown, 60)}, which has no name.")
                return
            cells[place] = name
    yield from fact_rows(number, cells)


def _properties(number: int, data: dict[str, Any], nodes: Nodes) -> Iterator[Row]:
    """The facts of an object about one entity, as of a row of a table."""
    words = {normal_word(key): key for key in reversed(data)}
    name_key = next((words[word] for word in _NAME_WORDS if word in words), None)
    if not _OF_FACTS.isdisjoint(words):
        name_key = None  # a fact that lacks a part
    name = text_of(data[name_key]) if name_key is not None else None
    if name is None or len(data) < 2:
        missing = next((part for part in COLUMNS if part not in data), "entity")
        yield BadLine(number, f"It has no {missing}.")
        return
    for key, value in data.items():
        if key == name_key or value is None or value in ("", []):
            continue
        nodes.note_relation(key)
        for row in fact_rows(number, [name, key.replace("_", " "), value, None, None]):
            if isinstance(row, BadLine):
                row = BadLine(number, row.reason.replace("Its value", f"Its {key}", 1))
            yield row
