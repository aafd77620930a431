"""Files whose content is not what their name says, and tables that hold no facts.

Each is refused with one sentence that says what it is and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from graph.core.errors import StoreError

_ZIP = b"PK\x03\x04"
_BINARY = (
    (b"%PDF", "It is a PDF document; export its table as CSV."),
    (_ZIP, "It is a workbook or a packed file; give it its own ending: .xlsx, .ods, .zip."),
    (b"\xd0\xcf\x11\xe0", "It is an old Office document; save it as .xlsx or .csv."),
    (b"\x1f\x8b", "It is packed; give it the ending .gz, or unpack it."),
    (b"PAR1", "It is a Parquet file; convert it to CSV."),
    (b"\x89PNG", "It is a picture, not a text file."),
    (b"\xff\xd8\xff", "It is a picture, not a text file."),
)
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.I)
_XML = re.compile(r"<\?xml\b|<(?:rdf:RDF|graphml|Ontology)\b")
_OWL_XML = re.compile(r"(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE[^\[]*\[[^\]]*\]>\s*)?<Ontology\b")
_FUNCTIONAL = re.compile(r"(?:Prefix|Ontology)\s*\(")
_TURTLE = re.compile(r"@(?:prefix|base)\b|(?:prefix\s+[\w-]*:\s*<|base\s+<)", re.I)
_TRIPLES = re.compile(r"(?:<[^<>\s]+>|_:\S+)\s+<[^<>\s]+>\s+[<\"_]")
_JSON = re.compile(r"""[\[{]\s*(?:["\[{]|[\]}]\s*\Z)""")
_IN_PROTEGE = "save it from Protégé as Turtle or RDF/XML."
_PROPERTIES_TEXT = re.compile(r"\(:\w+ \{.*\}\)|\[:\w+(?: \{.*\})?\]")


def refuse_other_kind(first: bytes, name: str, format_: str) -> None:
    """Raise `StoreError` if the beginning of a file shows that it is not of its format.

    Args:
        first: the first bytes.
        name: what the file is called, for the message.
        format_: the name of the format that it should have.
    """
    for mark, problem in _BINARY:
        if first.startswith(mark) and not (mark == _ZIP and format_ == "workbook"):
            raise StoreError(f"{name}: {problem}")
    text = first.decode("utf-8-sig", "replace").lstrip()
    if problem := _mistaken(text, format_):
        raise StoreError(f"{name}: {problem}")


def _mistaken(text: str, format_: str) -> str:
    """What the beginning of a text shows that it is instead; empty if it may be of its format."""
    if _PAGE.match(text):
        return "It is a web page, perhaps one that asks you to sign in; download the file again."
    if format_ == "rdfxml" and _OWL_XML.match(text):
        return f"It is OWL/XML, which is not read; {_IN_PROTEGE}"
    if format_ == "rdfxml" and _FUNCTIONAL.match(text):
        return f"It is OWL in functional syntax, which is not read; {_IN_PROTEGE}"
    if format_ in ("csv", "jsonl", "lmlm", "ntriples", "turtle") and _XML.match(text):
        return "It is XML; give it the ending of its format: .graphml or .rdf."
    if format_ in ("csv", "rdfxml", "graphml", "jsonl", "lmlm") and _TURTLE.match(text):
        return "It is Turtle; save it with the ending .ttl."
    if format_ in ("csv", "rdfxml", "graphml", "jsonl", "lmlm") and _TRIPLES.match(text):
        return "It is N-Triples; save it with the ending .nt."
    if format_ in ("csv", "ntriples", "turtle", "rdfxml", "graphml") and _JSON.match(text):
        return "It is JSON; save it with the ending .json, or .jsonl if each line is an object."
    return ""


def refuse_table_without_facts(rows: Sequence[Sequence[str]], words: Sequence[str]) -> None:
    """Raise `StoreError` for tables of other tools whose cells are not what the words say.

    Args:
        rows: the first rows, the header included.
        words: the header as it is compared.
    """
    if not rows:
        return
    header, data = rows[0], rows[1:]
    if words and all(word.startswith("?") for word in words):
        raise StoreError(
            "It is a SPARQL result as tab-separated terms; download the result as CSV instead."
        )
    if any(len(row) == 1 and row[0].strip() == "CREATE" for row in rows):
        raise StoreError("It holds QuickStatements commands, not facts; export a table instead.")
    if {"interaction", "shared name"} <= set(words) and "suid" in words:
        raise StoreError(
            "It is an edge table of Cytoscape, which has both ends in one cell; export the network "
            "as GraphML instead."
        )
    if any(_PROPERTIES_TEXT.fullmatch(cell.strip()) for row in data for cell in row):
        raise StoreError(
            "Its cells are whole nodes and relationships of Neo4j; return names instead: "
            "RETURN a.name AS entity, type(r) AS relation, b.name AS value."
        )
    if {"source", "target", "type"} <= set(words) and {"id", "weight", "timeset"} & set(words):
        ends = (words.index("source"), words.index("target"))
        cells = [row[end].strip() for row in data for end in ends if end < len(row)]
        if cells and all(cell.isascii() and cell.isdigit() for cell in cells):
            raise StoreError(
                f"{header[ends[0]]} and {header[ends[1]]} refer to nodes by number, not by name; "
                "export the graph as GraphML instead."
            )
