"""Facts as GraphML, for tools that draw and measure graphs; read and written with NetworkX.

A node is an entity or a literal, with its `name`; an edge is a fact, with its `relation`, `source`
and `year`. A file with a document type is refused, so that no XML entity can expand without limit
or read another file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, TextIO
from xml.parsers import expat

import networkx

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.import_rows import BadLine, FactRow, Row
from graph.exchange.text_files import limited, read_whole


def read_graphml(file: TextIO) -> Iterator[Row]:
    """Facts from GraphML, which is held in memory: a file of at most 64 million characters.

    Nodes are named by their `name` or `label`, else by their id; edges by their `relation` or
    `label`. Raises `StoreError` for a document type, or if the file is not GraphML.
    """
    text = read_whole(file, "GraphML").encode("utf-8", "replace")
    _require_plain(text)
    try:
        graph = networkx.read_graphml(io.BytesIO(text), force_multigraph=True)
    except (networkx.NetworkXError, SyntaxError, ValueError, KeyError, TypeError) as problem:
        raise StoreError(f"The file is not GraphML: {str(problem)[:200]}.") from problem
    for number, (begin, end, data) in enumerate(graph.edges(data=True), start=1):
        relation = data.get("relation") or data.get("label")
        if not relation:
            yield BadLine(number, "The edge has neither a relation nor a label.")
            continue
        entity, value = (_name(node, graph.nodes[node]) for node in (begin, end))
        source, year = (str(data.get(part, "")) for part in ("source", "year"))
        yield FactRow(number, entity, str(relation), value, source, year)


def _name(node: Any, data: dict[str, Any]) -> str:
    return str(data.get("name") or data.get("label") or node)


def _require_plain(text: bytes) -> None:
    def refuse(*_: object) -> None:
        raise StoreError(
            "The file declares a document type, which could make XML read other files or grow "
            "without limit; remove the line with <!DOCTYPE."
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as problem:
        raise StoreError(f"The file is not XML: {problem}.") from problem


def write_graphml(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as GraphML, which is held in memory; returns how many."""
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
    for line in networkx.generate_graphml(graph):
        file.write(line + "\n")
    return count
