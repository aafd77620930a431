"""Facts as linked data: N-Triples, read line by line, and Turtle, read whole.

An entity is `urn:lamplight:entity:` and its percent-encoded name; a relation is built likewise. A
literal is a literal. Source and year are in a statement about the triplet (reification in RDF 1.1)
that has the fact's id and comes right before it. For other IRIs the last part is the name, unless a
Turtle file has an rdfs:label; `rdf:type` is "instance of".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TextIO
from urllib.parse import quote, unquote

from rdflib import RDF, RDFS, SKOS, XSD, BNode, Graph, Literal, URIRef
from rdflib.exceptions import ParserError
from rdflib.plugins.parsers.notation3 import BadSyntax
from rdflib.plugins.parsers.ntriples import W3CNTriplesParser

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.identifiers import looks_like_iri
from graph.core.import_rows import AliasRow, BadLine, FactRow, Row
from graph.exchange.text_files import TOO_LONG, limited, read_lines, read_whole

_ENTITY = "urn:lamplight:entity:"
_RELATION = "urn:lamplight:relation:"
_FACT = "urn:lamplight:fact:"
_SOURCE = URIRef("urn:lamplight:source")
_YEAR = URIRef("urn:lamplight:year")
_PARTS = {RDF.subject: "entity", RDF.predicate: "relation", RDF.object: "value"}
_LABELS = (SKOS.prefLabel, RDFS.label)
Triple = tuple[Any, Any, Any]


def name_of(term: Any) -> str:
    """The name that an IRI or a blank node stands for, or a literal's text."""
    if isinstance(term, URIRef):
        if term == RDF.type:
            return "instance of"
        text = str(term)
        for prefix in (_ENTITY, _RELATION):
            if text.startswith(prefix):
                return unquote(text[len(prefix) :])
        last = text.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1]
        return unquote(last).replace("_", " ") or text
    return f"_:{term}" if isinstance(term, BNode) else str(term)


def iri_of(term: Any) -> str:
    """The identifier of a term; "" for a literal, and for what an export names by its name."""
    if not isinstance(term, URIRef) or not looks_like_iri(term):
        return ""
    iri = str(term)
    return "" if iri.startswith((_ENTITY, _RELATION)) else iri


def read_ntriples(file: TextIO) -> Iterator[Row]:
    """Facts from N-Triples, one by one; the statement before a triplet gives its source."""
    found: list[Triple] = []
    parser = W3CNTriplesParser(sink=_Sink(found))  # type: ignore[arg-type]
    statement: dict[str, str] = {}
    for number, line in enumerate(read_lines(file), start=1):
        if line is None:
            yield BadLine(number, TOO_LONG)
            continue
        found.clear()
        try:
            parser.parsestring(line)
        except (ParserError, ValueError) as problem:
            reason = " ".join(str(problem).split())[:200]
            yield BadLine(number, f"It is not N-Triples ({reason}).")
            continue
        for triple in found:
            yield from _rows(number, triple, statement)


class _Sink:
    """Receives the triples that the parser of rdflib reads."""

    def __init__(self, found: list[Triple]) -> None:
        self._found = found

    def triple(self, subject: Any, predicate: Any, value: Any) -> None:
        self._found.append((subject, predicate, value))


def _rows(number: int, triple: Triple, statement: dict[str, str]) -> Iterator[Row]:
    """The row of a triple; none if it is part of a statement about the next one."""
    subject, predicate, value = triple
    if str(subject).startswith(_FACT):
        if predicate in _PARTS:
            statement[_PARTS[predicate]] = name_of(value)
        elif predicate in (_SOURCE, _YEAR):
            statement["source" if predicate == _SOURCE else "year"] = str(value)
        return
    fact = (name_of(subject), name_of(predicate), name_of(value))
    matches = fact == tuple(statement.get(part, "") for part in ("entity", "relation", "value"))
    source, year = (statement.get(part, "") if matches else "" for part in ("source", "year"))
    statement.clear()
    yield FactRow(number, *fact, source, year, *map(iri_of, triple))


def read_turtle(file: TextIO) -> Iterator[Row]:
    """Facts from Turtle, which is held in memory: a file of at most 64 million characters."""
    graph = Graph()
    try:
        graph.parse(data=read_whole(file, "Turtle"), format="turtle")
    except (BadSyntax, ParserError, ValueError, RecursionError) as problem:
        reason = " ".join(str(problem).split())[:200]
        raise StoreError(f"The file is not Turtle: {reason}.") from problem
    names: dict[Any, str] = {}
    for label in _LABELS:
        for subject, value in graph.subject_objects(label):
            names.setdefault(subject, str(value))

    def name(term: Any) -> str:
        return names.get(term) or name_of(term)

    notes: dict[tuple[str, ...], tuple[str, str]] = {}
    for statement in graph.subjects(RDF.predicate):
        fact = tuple(name(graph.value(statement, part)) for part in _PARTS)
        source, year = (graph.value(statement, part) for part in (_SOURCE, _YEAR))
        notes[fact] = (str(source or ""), str(year or ""))
    number = 0
    aliases = []
    for subject, predicate, value in graph:
        number += 1
        if predicate in _LABELS or str(subject).startswith(_FACT):
            continue
        if predicate == SKOS.altLabel:
            aliases.append(AliasRow(number, str(value), name(subject), iri_of(subject)))
            continue
        triplet = (name(subject), name(predicate), name(value))
        iris = map(iri_of, (subject, predicate, value))
        yield FactRow(number, *triplet, *notes.get(triplet, ("", "")), *iris)
    yield from aliases


def _triples(fact: Fact) -> list[Triple]:
    entity = URIRef(_ENTITY + quote(fact.entity, safe=""))
    relation = URIRef(_RELATION + quote(fact.relation, safe=""))
    value = URIRef(_ENTITY + quote(fact.value, safe="")) if fact.is_link else Literal(fact.value)
    triples: list[Triple] = []
    if fact.source or fact.year is not None:
        statement = URIRef(f"{_FACT}{fact.id}")
        parts = zip(_PARTS, (entity, relation, value), strict=True)
        triples = [(statement, part, term) for part, term in parts]
        if fact.source:
            triples.append((statement, _SOURCE, Literal(fact.source)))
        if fact.year is not None:
            triples.append((statement, _YEAR, Literal(str(fact.year), datatype=XSD.gYear)))
    return [*triples, (entity, relation, value)]


def write_ntriples(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as N-Triples; returns how many."""
    count = 0
    for count, fact in enumerate(facts, start=1):  # noqa: B007
        for triple in _triples(fact):
            file.write(" ".join(term.n3() for term in triple) + " .\n")
    return count


def write_turtle(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as Turtle, which is held in memory; returns how many."""
    graph = Graph()
    count = 0
    for count, fact in enumerate(limited(facts, "Turtle"), start=1):  # noqa: B007
        for triple in _triples(fact):
            graph.add(triple)
    file.write(graph.serialize(format="turtle"))
    return count
