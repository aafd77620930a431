"""Facts as linked data: N-Triples, read line by line; Turtle, RDF/XML and JSON-LD, read whole.

An entity is `urn:lamplight:entity:` and its percent-encoded name; a relation is built likewise. A
literal is a literal, and keeps its spelling. Source and year are in a statement about the triplet
(reification in RDF 1.1) that has the fact's id and comes right before it. The names of other IRIs
follow the rules of `rdf_names`; `rdf:type` is "instance of".
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast
from urllib.parse import quote, unquote

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, parse, serialize
from pyoxigraph import Triple as OxTriple

from graph.core.errors import StoreError
from graph.core.facts import Fact
from graph.core.import_rows import (
    AliasRow,
    BadLine,
    FactRow,
    RelationRow,
    Row,
    SettingRow,
    SynonymRow,
)
from graph.core.names import quoted
from graph.exchange.rdf_names import (
    ALTERNATIVE,
    ENTITY,
    LABELS,
    RDF,
    RELATION,
    Names,
    Term,
    Triple,
)
from graph.exchange.read_options import DEFAULTS, ReadOptions
from graph.exchange.text_files import TOO_LONG, limited, read_lines, read_whole

BASE = "http://this.document.invalid/"
"""What relative IRIs of a file are relative to, where it declares no base."""
_FACT = "urn:lamplight:fact:"
_KIND = "urn:lamplight:kind"
_DESCRIPTION = "urn:lamplight:description"
_SYNONYM = "urn:lamplight:synonym"
_SETTINGS = "urn:lamplight:settings"
_SETTING = "urn:lamplight:setting:"
_SOURCE = "urn:lamplight:source"
_YEAR = "urn:lamplight:year"
_PARTS = {f"{RDF}subject": "entity", f"{RDF}predicate": "relation", f"{RDF}object": "value"}
_YEAR_TYPE = NamedNode("http://www.w3.org/2001/XMLSchema#gYear")
_PLACE = re.compile(r"^Parser error (?:at|between) line \d+.*?: ")
_BLANK = re.compile(
    r"""_:([^\s.,;()\[\]<>"']+(?:\.+[^\s.,;()\[\]<>"']+)*)|nodeID\s*=\s*["']([^"']+)"""
)
_FOLLOWING = re.compile(r"\A(\s*<\?xml[^>]*?)\s+encoding\s*=\s*[\"'][^\"']*[\"']")
_NESTED_ENTITY = re.compile(
    r"""<!ENTITY[^>]*?["'][^"']*[&%][^"']*["']\s*>|<!ENTITY[^>]*\b(?:SYSTEM|PUBLIC)\b"""
)
_FOLLOWS = frozenset((b".", b";", b",", b")", b"]"))  # what may follow an object
_NO_QUOTES = re.compile(rb"[^\"']*")
_TOO_NEW = "It has what only RDF 1.2 knows"


def read_ntriples(file: TextIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """Facts from N-Triples, one by one; the statement before a triplet gives its source.

    The file is read several times, because a label may follow the triples that it names.
    """
    begin = file.tell()
    own = _OwnRows()

    def triples() -> Iterator[Triple]:
        own.clear()
        for item in lines():
            if isinstance(item, tuple) and not own.take(item):
                yield item

    def lines() -> Iterator[Triple | BadLine]:
        file.seek(begin)
        return _ntriples(file)

    names = Names(triples, {}, options.language)
    _note_shared(names, options)
    statement: dict[str, str] = {}
    aliased: dict[str, tuple[int, NamedNode]] = {}
    yield from own.declared()
    for item in lines():
        if isinstance(item, BadLine):
            yield item
            continue
        if own.take(item):
            continue
        number, subject, predicate, value = item
        iri = predicate.value
        if subject.value.startswith(_FACT):
            _note_part(statement, names, predicate, value)
            continue
        if (iri in LABELS or iri == ALTERNATIVE) and isinstance(subject, NamedNode):
            if (problem := _not_a_label(value)) is not None:
                yield BadLine(number, problem)
            continue
        fact = names.entity(subject), names.relation(predicate), names.entity(value)
        matches = fact == tuple(statement.get(part, "") for part in ("entity", "relation", "value"))
        source, year = (statement.get(part, "") if matches else "" for part in ("source", "year"))
        statement.clear()
        _note_aliased(aliased, names, number, subject, value)
        yield FactRow(number, *fact, source, year)
    yield from _aliases(names, aliased)
    yield from own.rules()


def _ntriples(file: TextIO) -> Iterator[Triple | BadLine]:
    """The triples of a file with their line numbers, and its bad lines."""
    for number, line in enumerate(read_lines(file), start=1):
        if line is None:
            yield BadLine(number, TOO_LONG)
            continue
        try:
            for quad in parse(line.encode(), RdfFormat.N_TRIPLES, rename_blank_nodes=False):
                subject, predicate, value = quad.subject, quad.predicate, quad.object
                if (problem := _too_new(subject, value)) is not None:
                    yield BadLine(number, problem)
                else:
                    yield number, subject, predicate, value
        except (SyntaxError, ValueError) as problem_:
            yield BadLine(number, f"It is not N-Triples ({_reason(problem_, with_line=False)}).")


def _too_new(subject: Term, value: Term) -> str | None:
    """Why a triple is not one of RDF 1.1; None if it is."""
    if isinstance(value, OxTriple) or isinstance(subject, OxTriple):
        return f"{_TOO_NEW}: a triple inside a triple."
    if isinstance(value, Literal) and value.direction is not None:
        return f"{_TOO_NEW}: a text with a direction."
    return None


def _reason(problem: Exception, with_line: bool = True) -> str:
    """What is wrong, with its place, in the words of the parser."""
    text = " ".join(str(problem).split())
    if isinstance(problem, UnicodeError):
        return "it has bytes that are not of its encoding"
    if "LoadDocumentCallback" in text:
        return (
            "its context is at another address, which is not loaded; put the context into the file"
        )
    if not isinstance(problem, SyntaxError):
        return text[:200].rstrip(".")
    text = " ".join(str(problem.msg).split())
    found = _PLACE.match(text)
    reason = quoted(text[found.end() if found else 0 :], 160)[1:-1].rstrip(".")
    if not problem.lineno:
        return reason
    line = f"line {problem.lineno}, " if with_line else ""
    return f"{line}column {problem.offset or 1}: {reason}"


def _note_part(statement: dict[str, str], names: Names, predicate: Term, value: Term) -> None:
    """Keep a part of the statement about the next triple."""
    iri = predicate.value
    if iri in _PARTS:
        part = _PARTS[iri]
        statement[part] = names.relation(value) if part == "relation" else names.entity(value)
    elif iri in (_SOURCE, _YEAR):
        statement["source" if iri == _SOURCE else "year"] = value.value


def _not_a_label(value: Term) -> str | None:
    if not isinstance(value, Literal):
        return "A label must be a text."
    return None if value.value.strip() else "The label is empty."


class _OwnRows:
    """What Lamplight's own exports state besides facts: declared relations, synonyms, settings."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[int, str]] = {}
        self._descriptions: dict[str, str] = {}
        self._rules: dict[tuple[str, str], SynonymRow | SettingRow] = {}

    def clear(self) -> None:
        """Forget all, before the file is read from its beginning again."""
        self.__init__()  # type: ignore[misc]

    def take(self, triple: Triple) -> bool:
        """Keep a triple that is one of these; returns whether it is."""
        number, subject, predicate, value = triple
        iri = predicate.value
        if not iri.startswith("urn:lamplight:") or isinstance(value, BlankNode):
            return False
        relation = _name_of(subject, RELATION)
        if relation and iri == _KIND:
            self._kinds[relation] = number, value.value
        elif relation and iri == _DESCRIPTION:
            self._descriptions[relation] = value.value
        elif relation and iri == _SYNONYM:
            self._rules[iri, value.value] = SynonymRow(number, value.value, relation)
        elif subject.value == _SETTINGS and iri.startswith(_SETTING):
            name = unquote(iri.removeprefix(_SETTING))
            self._rules[iri, name] = SettingRow(number, name, value.value)
        else:
            return False
        return True

    def declared(self) -> Iterator[RelationRow]:
        """The declared relations; they come before the facts, which they decide about."""
        for relation, (number, kind) in self._kinds.items():
            yield RelationRow(number, relation, kind, self._descriptions.get(relation, ""))

    def rules(self) -> Iterable[SynonymRow | SettingRow]:
        """The synonyms and settings, which come after the facts."""
        return self._rules.values()


def _name_of(term: Term, space: str) -> str:
    """The name in an IRI of Lamplight's own; empty for any other term."""
    if not isinstance(term, NamedNode) or not term.value.startswith(space):
        return ""
    return unquote(term.value.removeprefix(space))


def _note_aliased(
    aliased: dict[str, tuple[int, NamedNode]], names: Names, number: int, subject: Term, value: Term
) -> None:
    """Keep what has other labels and is an entity: a subject, or what an own export links to."""
    for term in (subject, value) if _name_of(value, ENTITY) else (subject,):
        if term.value in names.aliases:
            aliased.setdefault(term.value, (number, term))


def _aliases(names: Names, aliased: dict[str, tuple[int, NamedNode]]) -> Iterator[Row]:
    """The other labels of the entities that have facts."""
    for iri, (number, subject) in aliased.items():
        name = names.entity(subject)
        for text in names.aliases[iri]:
            if " ".join(text.split()) != name:
                yield AliasRow(number, text, name)


def _note_shared(names: Names, options: ReadOptions) -> None:
    if names.shared:
        some = ", ".join(quoted(name, 30) for name in names.shared[:5])
        more = " …" if len(names.shared) > 5 else ""
        options.on_note(
            f"Names that several IRIs share are qualified, as in “Heron (film)”: {some}{more}."
        )


def read_turtle(file: TextIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """Facts from Turtle, which is held in memory: a file of at most 64 million characters."""
    return _read_whole(read_whole(file, "Turtle"), RdfFormat.TURTLE, "Turtle", options)


def read_rdf_xml(file: TextIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """Facts from RDF/XML, as `read_turtle`. XML entities must not hold other entities."""
    text = _FOLLOWING.sub(r"\1", read_whole(file, "RDF/XML"), count=1)
    if _NESTED_ENTITY.search(text):
        raise StoreError(
            "The file declares XML entities that hold others or read other files; convert it to "
            "Turtle."
        )
    return _read_whole(text, RdfFormat.RDF_XML, "RDF/XML", options)


def read_json_ld(file: TextIO, options: ReadOptions = DEFAULTS) -> Iterator[Row]:
    """Facts from JSON-LD, as `read_turtle`. No context is loaded from the network."""
    text = read_whole(file, "JSON-LD")
    try:
        data = json.loads(text, parse_int=str, parse_float=str, object_pairs_hook=_keywords)
        text = json.dumps(data)
    except json.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise StoreError(f"The file is not JSON: {place}: {problem.msg}.") from problem
    except RecursionError as problem:
        raise StoreError("The file is not JSON-LD: it is nested too deep.") from problem
    return _read_whole(text, RdfFormat.JSON_LD, "JSON-LD", options)


def _keywords(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON-LD whose numbers are texts, so that they keep their spelling."""
    return {key: 1.1 if key == "@version" else value for key, value in pairs}


def parse_whole(
    text: str, format_: RdfFormat, name: str, base: str = BASE
) -> tuple[list[Triple], dict[str, str]]:
    """The triples of a text with their lines, and the namespaces that it declares by prefix.

    The line of a triple is the one in which its object ends.

    Raises `StoreError` if it is not of the format, or if it has what only RDF 1.2 or quads have.
    """
    found: list[Triple] = []
    try:
        lines = _Lines(text.encode())
        parser = parse(cast(Any, lines), format_, base_iri=base, rename_blank_nodes=False)
        for quad in parser:
            problem = _too_new(quad.subject, quad.object)
            if problem is not None:
                raise StoreError(f"{problem[:-1]}; write the file in RDF 1.1.")
            if isinstance(quad.graph_name, NamedNode | BlankNode):
                raise StoreError("The file names graphs, which are not read; convert it to Turtle.")
            found.append((lines.number, quad.subject, quad.predicate, quad.object))
        return found, dict(parser.prefixes)
    except (SyntaxError, ValueError, RecursionError) as problem_:
        raise StoreError(f"The file is not {name}: {_reason(problem_)}.") from problem_


class _Lines:
    """A text that a parser reads line by line, so that the line it has come to is known.

    After a text in quotation marks the parser looks for a tag. So what can only follow an object,
    empty lines, comments and a first sign of punctuation, still counts as the line before.
    """

    def __init__(self, data: bytes) -> None:
        self._lines = enumerate(data.splitlines(keepends=True), start=1)
        self._rest = b""
        self._next = 0
        self.number = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes, of one line at most."""
        if self._rest:
            self.number = self._next if self._rest.strip() else self.number
        else:
            self._next, self._rest = next(self._lines, (self._next, b""))
            begin = self._rest.lstrip()
            if begin[:1] in _FOLLOWS:
                size = len(self._rest) - len(begin) + 1
            elif begin and not (begin.startswith(b"#") and _NO_QUOTES.fullmatch(begin)):
                self.number = self._next
        size = len(self._rest) if size < 0 else size
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _read_whole(text: str, format_: RdfFormat, name: str, options: ReadOptions) -> Iterator[Row]:
    parsed, prefixes = parse_whole(text, format_, name)
    own = _OwnRows()
    triples = [triple for triple in parsed if not own.take(triple)]
    written = {a or b for a, b in _BLANK.findall(text)}
    names = Names(lambda: triples, prefixes, options.language, written.__contains__)
    _note_shared(names, options)
    notes = _notes(triples, names)
    aliased: dict[str, tuple[int, NamedNode]] = {}
    yield from own.declared()
    for number, subject, predicate, value in triples:
        if subject.value.startswith(_FACT):
            continue
        if predicate.value in (*LABELS, ALTERNATIVE) and isinstance(subject, NamedNode):
            if (problem := _not_a_label(value)) is not None:
                yield BadLine(number, problem)
            continue
        if BASE in (subject.value, value.value):
            yield BadLine(number, "It is about the file itself, which has no name.")
            continue
        triplet = names.entity(subject), names.relation(predicate), names.entity(value)
        _note_aliased(aliased, names, number, subject, value)
        yield FactRow(number, *triplet, *notes.get(triplet, ("", "")))
    yield from _aliases(names, aliased)
    yield from own.rules()


def _notes(triples: Iterable[Triple], names: Names) -> dict[tuple[str, ...], tuple[str, str]]:
    """Source and year of each triplet that Lamplight has written a statement about."""
    statements: dict[str, dict[str, str]] = {}
    for _, subject, predicate, value in triples:
        if subject.value.startswith(_FACT):
            _note_part(statements.setdefault(subject.value, {}), names, predicate, value)
    return {
        tuple(parts.get(part, "") for part in ("entity", "relation", "value")): (
            parts.get("source", ""),
            parts.get("year", ""),
        )
        for parts in statements.values()
    }


def _triples(fact: Fact) -> list[OxTriple]:
    entity = NamedNode(ENTITY + quote(fact.entity, safe=""))
    relation = NamedNode(RELATION + quote(fact.relation, safe=""))
    value: Any = Literal(fact.value)
    if fact.is_link:
        value = NamedNode(ENTITY + quote(fact.value, safe=""))
    triples: list[OxTriple] = []
    if fact.source or fact.year is not None:
        statement = NamedNode(f"{_FACT}{fact.id}")
        parts = zip(_PARTS, (entity, relation, value), strict=True)
        triples = [OxTriple(statement, NamedNode(part), term) for part, term in parts]
        if fact.source:
            triples.append(OxTriple(statement, NamedNode(_SOURCE), Literal(fact.source)))
        if fact.year is not None:
            year = Literal(str(fact.year), datatype=_YEAR_TYPE)
            triples.append(OxTriple(statement, NamedNode(_YEAR), year))
    return [*triples, OxTriple(entity, relation, value)]


def write_other_rows(rows: Iterable[Row], file: TextIO) -> int:
    """Write aliases, declared relations, synonyms and settings as N-Triples; returns how many."""
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        for subject, predicate, text in _statements(row):
            # Escaped as in JSON, which N-Triples understands.
            file.write(f"<{subject}> <{predicate}> {json.dumps(text, ensure_ascii=False)} .\n")
    return count


def _statements(row: Row) -> Iterator[tuple[str, str, str]]:
    """Subject, predicate and text of what a row states."""
    match row:
        case AliasRow():
            yield ENTITY + quote(row.entity, safe=""), ALTERNATIVE, row.alias
        case RelationRow():
            relation = RELATION + quote(row.relation, safe="")
            yield relation, _KIND, row.kind
            if row.description:
                yield relation, _DESCRIPTION, row.description
        case SynonymRow():
            yield RELATION + quote(row.relation, safe=""), _SYNONYM, row.phrase
        case SettingRow():
            yield _SETTINGS, _SETTING + quote(row.setting, safe=""), row.value


def write_ntriples(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as N-Triples; returns how many."""
    count = 0
    for count, fact in enumerate(facts, start=1):  # noqa: B007
        for triple in _triples(fact):
            file.write(f"{triple} .\n")
    return count


def write_turtle(facts: Iterable[Fact], file: TextIO) -> int:
    """Write facts as Turtle, which is held in memory; returns how many."""
    triples: list[OxTriple] = []
    count = 0
    for count, fact in enumerate(limited(facts, "Turtle"), start=1):  # noqa: B007
        triples.extend(_triples(fact))
    out = io.BytesIO()
    serialize(triples, cast(Any, out), RdfFormat.TURTLE)
    file.write(out.getvalue().decode("utf-8"))
    return count
