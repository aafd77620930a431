"""Facts in one JSON document, as other tools write them: read whole, unlike JSON Lines.

    [{"subject": …, "predicate": …, "object": …}, …]        objects, as the lines of JSON Lines
    [["Ada", "knows", "Bob"], …]                            lists of three texts
    {"nodes": […], "links": […]}                            networkx, LangChain, LightRAG, Cytoscape
    {"graph_dict": {"Ada": [["knows", "Bob"], …]}}          LlamaIndex
    [{"n": {…}, "r": {…}, "m": {…}}, …]                     a result of the Neo4j browser

The line number of a row is the number of its item, from 1 on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from graph.core.errors import StoreError
from graph.core.import_rows import BadLine, FactRow, Row
from graph.core.names import quoted
from graph.exchange.json_objects import DECODER, Nodes, object_rows
from graph.exchange.read_options import ReadOptions
from graph.exchange.text_files import read_whole
from graph.exchange.value_texts import fact_rows

_EDGES = ("relationships", "links", "edges", "relations", "triples", "facts")
_NODES = ("nodes", "entities")


def read_document(file: TextIO, options: ReadOptions) -> Iterator[Row]:
    """The facts of a JSON document.

    Raises `StoreError` if it is not JSON, or if it has none of the shapes that are known.
    """
    try:
        data = DECODER.decode(read_whole(file, "JSON").strip().removeprefix("\ufeff"))
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise StoreError(f"The file is not JSON: {place}: {problem.msg}.") from problem
    except (ValueError, RecursionError) as problem:
        raise StoreError("The file is not JSON: it is nested too deep.") from problem
    nodes = Nodes(options)
    for number, item in enumerate(_items(data, nodes), start=1):
        if is_triplet(item):
            yield from fact_rows(number, [*item, None, None])
        elif isinstance(item, dict) and (rows := _record_rows(number, item, nodes)) is not None:
            yield from rows
        elif isinstance(item, dict):
            yield from object_rows(number, item, nodes)
        else:
            yield BadLine(number, f"{quoted(str(item), 60)} is not a fact.")
    nodes.note()


def is_triplet(item: Any) -> bool:
    """Whether a list is a fact: two texts, and a value."""
    return isinstance(item, list) and len(item) == 3 and {type(item[0]), type(item[1])} == {str}


def _items(data: Any, nodes: Nodes) -> Iterable[Any]:
    """What may be facts in a document; the nodes that they refer to are noted."""
    if isinstance(data, list) and data:
        parts = [part for part in data if isinstance(part, dict) and _edges_of(part) is not None]
        if parts and len(parts) == len(data):
            return [item for part in parts for item in _items(part, nodes)]
        return data
    if isinstance(data, dict):
        if {"@context", "@graph", "@id"} & set(data):
            raise StoreError("It is JSON-LD; save it with the ending .jsonld.")
        if "head" in data and "results" in data:
            raise StoreError("It is a SPARQL result; download the result as CSV instead.")
        if isinstance(graph := data.get("graph_dict"), dict):
            return _triples(graph)
        if isinstance(data.get("elements"), dict):
            data = {
                key: [i["data"] if isinstance(i, dict) and "data" in i else i for i in items]
                for key, items in data["elements"].items()
                if isinstance(items, list)
            }
        if (edges := _edges_of(data)) is not None:
            listed = (data[key] for key in _NODES if isinstance(data.get(key), list))
            nodes.add(node for each in listed for node in each)
            return edges
    held = ", ".join(map(str, data)) if isinstance(data, dict) else ""
    raise StoreError(
        f"It holds no facts that are known{f' under {quoted(held, 80)}' if held else ''}; write a "
        'list of objects with entity, relation and value, or an object with the list "triplets".'
    )


def _edges_of(data: dict[str, Any]) -> list[Any] | None:
    return next((data[key] for key in _EDGES if isinstance(data.get(key), list)), None)


def _triples(graph: dict[str, Any]) -> Iterator[Any]:
    for entity, pairs in graph.items():
        for pair in pairs if isinstance(pairs, list) else [pairs]:
            yield [entity, *pair] if isinstance(pair, list) else pair


def _record_rows(number: int, item: dict[str, Any], nodes: Nodes) -> list[Row] | None:
    """The facts of one row of a Neo4j result: its relationships; None if it is another object."""
    parts = [part for value in item.values() for part in _parts(value)]
    if not parts or len(parts) < len(item):
        return None
    found = [part for part in parts if "type" in part]
    nodes.add(part for part in parts if "type" not in part)
    if not found:
        return [BadLine(number, "It has no relationship; return one: RETURN a, r, b.")]
    rows: list[Row] = []
    for part in found:
        ends = [nodes.name_of(_first(part, *keys)) for keys in _ENDS]
        if None in ends:
            rows.append(BadLine(number, "It has a relationship without its two nodes."))
        else:
            rows.append(FactRow(number, str(ends[0]), str(part["type"]), str(ends[1])))
    return rows


_ENDS = (("startNodeElementId", "start"), ("endNodeElementId", "end"))


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """The nodes and relationships in one cell of a Neo4j result, paths included."""
    if isinstance(value, dict) and ("identity" in value or "elementId" in value):
        yield value
    elif isinstance(value, dict) and isinstance(value.get("segments"), list):
        for segment in value["segments"]:
            if isinstance(segment, dict):
                for part in segment.values():
                    yield from _parts(part)


def _first(data: dict[str, Any], *keys: str) -> Any:
    return next((data[key] for key in keys if key in data), None)
