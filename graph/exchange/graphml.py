"""Facts as GraphML, for tools that draw and measure graphs: read in the order of the file.

A node is an entity, and an edge is a fact from its source to its target, also where the graph is
undirected. Which keys name a node and which hold a relation is one list each, `NAME_KEYS` and
`RELATION_KEYS`; `--name-key` and `--relation-key` choose another. A file with a document type is
refused, so that no XML entity can expand without limit or read another file.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TextIO
from xml.parsers import expat

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.import_rows import BadLine, FactRow, RelationRow, Row
from graph.core.names import quoted
from graph.exchange.other_rows import cells_of, json_row
from graph.exchange.read_options import DEFAULTS, ReadOptions
from graph.exchange.text_files import limited, read_whole

NAME_KEYS = ("name", "label", "nodelabel", "title", "entity name", "entity id", "display name")
"""The keys that name a node, the best first: `attr.name`, without regard to capitals. A node
without any of them goes by its id."""
RELATION_KEYS = (
    "relation",
    "label",
    "edge label",
    "edgelabel",
    "relationship",
    "predicate",
    "type",
    "name",
    "interaction",
    "keywords",
)
"""The keys that hold the relation of an edge, likewise; `keywords` is what LightRAG writes."""
TYPE_KEYS = ("type", "entity type", "kind", "category", "labels", "class")
"""The keys that tell two nodes of one name apart, before their ids do."""
_OWN_KEYS = ("kind", "source", "year")  # of files that Lamplight writes
_GRAPHML = "graphml"
_OWN = "lamplight"  # the key of what is not a fact in our own files
_NOT_RELATIONS = {"directed", "undirected", "mutual"}
_SEPARATOR = "<SEP>"  # stands between several texts in the files of LightRAG


@dataclass(slots=True)
class _Item:
    """A node or an edge."""

    line: int
    id: str
    source: str = ""
    target: str = ""
    data: dict[str, str] = field(default_factory=dict)
    """Texts by the key's name, in lower case with single spaces."""


def read_graphml(file: TextIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """Facts from GraphML, which is held in memory: a file of at most 64 million characters.

    Raises `StoreError` for a document type, if the file is not GraphML, or if no edge has any of
    the keys that hold a relation.
    """
    document = _Document(read_whole(file, "GraphML"))
    document.read()
    yield from _rows(document, options)


class _Document:
    """A GraphML file as it is parsed: its keys, nodes and edges, in the order of the file."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add_text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.EntityDeclHandler = _refuse_doctype
        self._open: list[_Item] = []
        self._depth = 0
        self._pieces: list[str] | None = None
        self._key = ""
        self._names: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._defaults: dict[str, dict[str, str]] = {"node": {}, "edge": {}}
        self._declared = ("", "")
        self.nodes: dict[str, _Item] = {}
        self.edges: list[_Item] = []
        self.hyperedges = 0
        self.own: str | None = None
        """What Lamplight's own export states besides facts, as JSON Lines; None in other files."""
        self.repeated: list[_Item] = []
        """Nodes whose id another one has."""

    def read(self) -> None:
        """Parse the text; raises `StoreError` if it is not GraphML."""
        try:
            self._parser.Parse(self._text, True)
        except expat.ExpatError as problem:
            reason = expat.errors.messages[problem.code]
            place = f"line {problem.lineno}, column {problem.offset + 1}"
            raise StoreError(f"The file is not XML: {reason}, {place}.") from problem
        except ValueError as problem:  # lone surrogates: bytes that are not of the encoding
            raise StoreError(
                "The file is not XML: it has bytes that are not of its encoding; pass the true "
                "one with --encoding."
            ) from problem

    def key_shown(self, name: str) -> str:
        """A key's name as the file writes it."""
        return self._shown.get(name, name)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        _, _, name = tag.rpartition(" ")
        self._depth += 1
        if self._depth == 1 and name != _GRAPHML:
            raise StoreError(f"The file is not GraphML: its root element is {quoted(name, 40)}.")
        line = self._parser.CurrentLineNumber
        if name == "key":
            self._declare(attributes)
        elif name == "node":
            self._open.append(_Item(line, attributes.get("id", "")))
            if "labels" in attributes:  # as Neo4j's APOC writes them
                self._open[-1].data["labels"] = attributes["labels"].strip(":")
        elif name == "edge":
            source, target = attributes.get("source", ""), attributes.get("target", "")
            self._open.append(_Item(line, attributes.get("id", ""), source, target))
            if "label" in attributes:
                self._open[-1].data["label"] = attributes["label"]
        elif name == "hyperedge":
            self.hyperedges += 1
        elif name == "data":
            self._key, self._pieces = attributes.get("key", ""), []
        elif name == "default":
            self._pieces = []
        elif name in ("NodeLabel", "EdgeLabel") and self._open:
            self._key, self._pieces = name, []

    def _declare(self, attributes: dict[str, str]) -> None:
        key = attributes.get("id", "")
        shown = attributes.get("attr.name") or key
        self._names[key] = _plain_key(shown)
        self._shown[_plain_key(shown)] = shown
        self._declared = (key, attributes.get("for", "all"))

    def _end(self, tag: str) -> None:
        _, _, name = tag.rpartition(" ")
        self._depth -= 1
        if name in ("data", "NodeLabel", "EdgeLabel") and self._pieces is not None:
            text = "".join(self._pieces).strip()
            if not self._open and self._names.get(self._key) == _OWN:
                self.own = text
            if self._open and text:
                key = _plain_key(name) if name != "data" else self._names.get(self._key, self._key)
                held = self._open[-1].data
                key = {"edgelabel": "edge label"}.get(key, key)
                held.setdefault(key, text)
            self._pieces = None
        elif name == "default" and self._pieces is not None:
            key, kind = self._declared
            for each in ("node", "edge") if kind == "all" else (kind,):
                if each in self._defaults:
                    self._defaults[each][self._names.get(key, key)] = "".join(self._pieces).strip()
            self._pieces = None
        elif name in ("node", "edge") and self._open:
            item = self._open.pop()
            for key, text in self._defaults[name].items():
                item.data.setdefault(key, text)
            if name == "edge":
                self.edges.append(item)
            elif item.id in self.nodes:
                self.repeated.append(item)
            else:
                self.nodes[item.id] = item

    def _add_text(self, text: str) -> None:
        if self._pieces is not None:
            self._pieces.append(text)


def _refuse_doctype(*_: object) -> None:
    raise StoreError(
        "The file declares a document type, which could make XML read other files or grow "
        "without limit; remove the line with <!DOCTYPE."
    )


def _plain_key(name: str) -> str:
    """A key's name as it is compared."""
    return re.sub(r"[\s_\-]+", " ", name.strip().lower())


def _rows(document: _Document, options: ReadOptions) -> Iterator[Row]:
    nodes, edges = document.nodes, document.edges
    name_keys: tuple[str, ...] = NAME_KEYS
    relation_keys: tuple[str, ...] = RELATION_KEYS
    for option, key, items in (
        ("--name-key", options.name_key, nodes.values()),
        ("--relation-key", options.relation_key, edges),
    ):
        held = {name for item in items for name in item.data}
        if key and _plain_key(key) not in held:
            listed = ", ".join(quoted(document.key_shown(name), 30) for name in sorted(held))
            raise StoreError(f"{option} is {quoted(key, 40)}; the file has {listed or 'no keys'}.")
    if options.name_key:
        name_keys = (_plain_key(options.name_key),)
    if options.relation_key:
        relation_keys = (_plain_key(options.relation_key),)
    if document.own is not None:
        yield from _own_rows(document)
        return
    if not edges:
        raise StoreError("The file has no edges, so it holds no facts; export the whole graph.")
    is_quoted = _is_lightrag(document)
    relations = [_relation(edge, relation_keys, is_quoted) for edge in edges]
    if len(edges) > 1 and not any(relations):
        shown = sorted({document.key_shown(key) for edge in edges for key in edge.data})
        listed = ", ".join(quoted(key, 30) for key in shown)
        raise StoreError(
            f"None of the {len(edges):,} edges has a relation: they have {listed or 'no keys'}; "
            "name the key that holds it with --relation-key."
        )
    names = _names(nodes.values(), name_keys, is_quoted, options)
    for node in document.repeated:
        yield BadLine(node.line, f"Another node has the id {quoted(node.id, 60)} as well.")
    described = first = 0
    for edge, relation in zip(edges, relations, strict=True):
        missing = next((end for end in (edge.source, edge.target) if end not in nodes), None)
        if missing is not None:
            yield BadLine(edge.line, f"There is no node {quoted(missing, 60)}.")
        elif not relation and _is_described(edge):
            described += 1
            first = first or edge.line
        elif not relation:
            yield BadLine(edge.line, "The edge has no relation.")
        else:
            source, year = (edge.data.get(part, "") for part in ("source", "year"))
            entity, value = names[edge.source], names[edge.target]
            yield FactRow(edge.line, entity, relation, value, source, year)
    if described:
        edges_ = "1 edge has" if described == 1 else f"{described:,} edges have"
        yield BadLine(first, f"{edges_} a description and no relation; this is the first.")
    if document.hyperedges:
        options.on_note(f"Hyperedges that are not read: {document.hyperedges:,}.")
    _note_unused(document, name_keys, relation_keys, options)


def _own_rows(document: _Document) -> Iterator[Row]:
    """The rows of a file that Lamplight has written: names and relations as they are."""
    others = [
        row for line in (document.own or "").splitlines() if (row := _other_row(line)) is not None
    ]
    yield from (row for row in others if isinstance(row, RelationRow))
    names = {node.id: node.data.get("name", "") for node in document.nodes.values()}
    for edge in document.edges:
        relation, source, year = (edge.data.get(key, "") for key in ("relation", "source", "year"))
        entity, value = names.get(edge.source, ""), names.get(edge.target, "")
        yield FactRow(edge.line, entity, relation, value, source, year)
    yield from (row for row in others if not isinstance(row, RelationRow))


def _other_row(line: str) -> Row | None:
    try:
        data = json.loads(line)
    except ValueError:
        return None
    return json_row(0, data) if isinstance(data, dict) else None


def _is_lightrag(document: _Document) -> bool:
    """Whether a file has the keys of LightRAG, which puts names in quotation marks."""
    held = {key for edge in document.edges[:100] for key in edge.data}
    nodes = list(document.nodes.values())[:100]
    return "keywords" in held or any("entity type" in node.data for node in nodes)


def _first_key(item: _Item, keys: Iterable[str]) -> str:
    return next((item.data[key] for key in keys if item.data.get(key, "").strip()), "")


def _unquoted(text: str, is_quoted: bool) -> str:
    text = " ".join(text.replace(_SEPARATOR, ", ").split()) if is_quoted else text
    if is_quoted and len(text) > 2 and text[0] == text[-1] == '"' and '"' not in text[1:-1]:
        return text[1:-1]
    return text


def _relation(edge: _Item, keys: Iterable[str], is_quoted: bool) -> str:
    for key in keys:
        text = _unquoted(edge.data.get(key, ""), is_quoted)
        if text.strip() and text.lower() not in _NOT_RELATIONS:
            return text
    return ""


def _is_described(edge: _Item) -> bool:
    return bool(edge.data.get("description", "").strip())


def _names(
    nodes: Iterable[_Item], keys: Iterable[str], is_quoted: bool, options: ReadOptions
) -> dict[str, str]:
    """The name of each node by its id. Two nodes are never one: a shared name is qualified.

    `Heron (film)` has the node's type, where it differs, or else its id.
    """
    keys = tuple(keys)
    names: dict[str, str] = {}
    sharers: dict[str, list[_Item]] = defaultdict(list)
    for node in nodes:
        name = " ".join(_unquoted(_first_key(node, keys) or node.id, is_quoted).split())
        names[node.id] = name
        if node.data.get("kind") != "literal":  # of our own files: a value, not an entity
            sharers[name].append(node)
    shared = {name: items for name, items in sharers.items() if len(items) > 1}
    for name, items in shared.items():
        types = [_unquoted(_first_key(item, TYPE_KEYS), is_quoted) for item in items]
        told_apart = all(types) and len(set(types)) == len(items)
        for item, type_ in zip(items, types, strict=True):
            names[item.id] = f"{name} ({type_ if told_apart else item.id})"
    if shared:
        some = ", ".join(quoted(name, 30) for name in list(shared)[:5])
        options.on_note(
            f"Names that several nodes share are qualified by their type or id: {some}"
            f"{' …' if len(shared) > 5 else ''}."
        )
    return names


def _note_unused(
    document: _Document,
    name_keys: Iterable[str],
    relation_keys: Iterable[str],
    options: ReadOptions,
) -> None:
    """List the keys that nothing was read from, once."""
    for what, items, used in (
        ("nodes", document.nodes.values(), {*name_keys, *_OWN_KEYS}),
        ("edges", document.edges, {*relation_keys, *_OWN_KEYS}),
    ):
        counts = Counter(key for item in items for key in item.data if key not in used)
        if counts:
            listed = ", ".join(
                quoted(document.key_shown(key), 30) for key, _ in counts.most_common(12)
            )
            options.on_note(f"Keys of {what} that are not used: {listed}.")


def write_graphml(
    facts: Iterable[Fact], file: TextIO, others: Callable[[], Iterable[Row]] = tuple
) -> int:
    """Write facts as GraphML, which is held in memory; returns how many.

    `others` gives the other rows, once the facts are written. They are JSON Lines in one text.
    """
    import networkx  # takes a while to load, and reading does not need it

    graph = networkx.MultiDiGraph()
    count = 0
    for count, fact in enumerate(limited(facts, "GraphML"), start=1):  # noqa: B007
        graph.add_node(f"e{fact.entity_id}", name=fact.entity, kind="entity")
        value = f"l{fact.id}" if fact.value_id is None else f"e{fact.value_id}"
        kind = "literal" if fact.value_id is None else "entity"
        graph.add_node(value, name=fact.value, kind=kind)
        data = {"relation": fact.relation, "source": fact.source}
        if fact.year is not None:
            data["year"] = str(fact.year)
        graph.add_edge(f"e{fact.entity_id}", value, key=f"f{fact.id}", **data)
    graph.graph[_OWN] = "\n".join(json.dumps(cells_of(row), ensure_ascii=False) for row in others())
    for line in networkx.generate_graphml(graph):
        file.write(line + "\n")
    return count
