"""Fuzz all readers: mutated files must be read, reported or refused, and never invent a fact.

    python -m tests.fuzz_readers [--files 100000] [--seed 1]

Each file is a small one of some format with a few mutations: bytes, quotation marks, delimiters,
line ends, encodings, cuts. A reader may raise nothing but a `StoreError` of one line, and must be
done within seconds. An independent parser (`json`, `xml.etree`, or plain text for tables and linked
data) shows which words stand in the row that a fact comes from, and all parts of the fact must be
among them. `make test` runs a seeded short form.
"""

from __future__ import annotations

import argparse
import html
import json
import random
import re
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from graph.core.errors import StoreError
from graph.core.import_rows import FactRow
from graph.editing.loading import why_invalid
from graph.exchange.encodings import UnknownEncoding
from graph.exchange.formats import read_rows
from graph.exchange.read_options import ReadOptions
from graph.exchange.source_files import SourceBytes

CASES = Path(__file__).parent / "graph" / "exchange" / "cases"
_ADDED = r"[0-9a-f]{8}|\d+|instance|of|first|rest|nil"  # words of names that rules make
LONGEST = 5.0  # seconds of processor time for one file of a few hundred bytes
_PIECES = (
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"|", b"\\", b"\0", b"\xff", b"\xfc",
    b"\xef\xbb\xbf", b"<", b">", b"[", b"]", b"{", b"}", b"&amp;", b"&#0;", b"_:", b"?x", b"@en",
    b"^^", b" .", b"%FC", b"%20", b"\\u0041", b"\\ud800", b"\xe2\x80\x8b", b"null", b"NaN",
    b"1e999",
    b"sep=;\n", b'""', b"<!DOCTYPE x>", b"/", b"#", b"entity", b"value,", b"source",
)  # fmt: skip
_OWN = {
    "own.csv": 'entity,relation,value,source,year\nOz,song,"over, ""and"" out","a; b",1999\n'
    'Mühl,r,"two\nlines",,\nOz,land,"x",y,1994.0\n',
    "own.tsv": 'head\trelation\ttail\nOz\tsays\t"Hi" now\nOz\tlen\t6" or\nA\tb\t"c\td"\n',
    "plain.tsv": "uk\texports\tusa\nusa\texports\tcuba\nuk\taids\tcuba\n",
    "people.csv": "name;born;town\nAda;1815;Brann\nBo;;Ost\n",
    "own.jsonl": '{"entity": "Oz", "relation": "r", "value": ["a", 1.50]}\n'
    '{"head": "Oz", "relation": "é", "tail": "x\\ty"}\n',
    "own.json": '{"entities": ["A"], "triplets": [["A", "b", "c"], ["A", "d\\\\\'s", "é"]]}',
    "own.nt": '<http://e.org/f/A_b> <http://e.org/p#q> "v\\tw \\u00e9"@en .\n'
    '_:x <http://e.org/p> <http://e.org/g/A_b> .\n# note\n<urn:a> <urn:b> "007" .\n',
    "own.ttl": "@prefix e: <http://e.org/> .\ne:a e:b [ e:c 1.50 , 007 ], _:n ; e:d ( 1 e:x ) .\n"
    'e:x <http://www.w3.org/2000/01/rdf-schema#label> "Ex"@en, "Ix"@de ; e:p """l\n"q" m""" .\n',
    "own.graphml": '<?xml version="1.0" encoding="UTF-8"?>\n<graphml>'
    '<key id="d0" attr.name="label" for="node"/><key id="d1" attr.name="type" for="edge"/>'
    '<graph edgedefault="undirected"><node id="a"><data key="d0">Á &amp; b</data></node>\n'
    '<node id="b"/><edge source="b" target="a"><data key="d1">of</data></edge>\n</graph></graphml>',
    "own.rdf": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:e="http://e.org/"><rdf:Description rdf:about="http://e.org/a"><e:p>x &lt; y</e:p>'
    '<e:q rdf:parseType="Resource"><e:r>z</e:r></e:q></rdf:Description></rdf:RDF>',
    "own.jsonld": '{"@context": {"@vocab": "http://e.org/"}, "@id": "http://e.org/a", '
    '"p": ["x", 2]}',
}


@dataclass
class Outcome:
    """What became of the files."""

    files: int = 0
    facts: int = 0
    bad: int = 0
    refused: int = 0
    slowest: float = 0.0
    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


def seeds() -> list[tuple[str, bytes]]:
    """The files that are mutated."""
    cases = [(path.name, path.read_bytes()) for path in sorted(CASES.iterdir())]
    readable = [(n, d) for n, d in cases if not n.endswith((".nq", ".cypher"))]
    return readable + [(name, text.encode()) for name, text in _OWN.items()]


def mutated(data: bytes, draw: random.Random) -> bytes:
    """The file with a few mutations."""
    for _ in range(draw.choice((0, 1, 1, 2, 3, 6))):
        at = draw.randrange(len(data) + 1)
        kind = draw.randrange(8)
        if kind <= 2:
            data = data[:at] + draw.choice(_PIECES) + data[at:]
        elif kind == 3:
            data = data[:at] + data[at + draw.randrange(1, 12) :]
        elif kind == 4 and data:
            at = min(at, len(data) - 1)
            data = data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
        elif kind == 5:
            lines = data.splitlines(keepends=True)
            if lines:
                lines.insert(draw.randrange(len(lines)), draw.choice(lines))
            data = b"".join(lines)
        elif kind == 6 and draw.random() < 0.3:
            data = data[:at]
        elif kind == 7:
            data = _recoded(data, draw)
    return data


def _recoded(data: bytes, draw: random.Random) -> bytes:
    pairs = ((b"\n", b"\r"), (b"\n", b"\r\n"), (b",", b";"), (b",", b"\t"), (b"\t", b","))
    if draw.random() < 0.7:
        return data.replace(*draw.choice(pairs))
    try:
        encoding = draw.choice(("cp1252", "utf-16", "utf-8-sig", "utf-16-le", "cp1251"))
        return data.decode("utf-8").encode(encoding, "replace")
    except UnicodeDecodeError:
        return data


def fuzz(files: int, seed: int) -> Outcome:
    """Read mutated files; `faults` holds what went wrong, with the file that shows it."""
    outcome, draw, originals = Outcome(), random.Random(seed), seeds()
    for name, data in originals:
        _read(name, data, Outcome())  # so that loading a library is not taken for a hang
    for number in range(files):
        name, data = originals[number % len(originals)]
        data = mutated(data, draw)
        begun = time.process_time()
        try:
            _read(name, data, outcome)
        except Exception as problem:
            outcome.faults.append(f"{type(problem).__name__}: {problem}; {name}: {data!r}")
        took = time.process_time() - begun
        outcome.slowest = max(outcome.slowest, took)
        if took > LONGEST:
            outcome.faults.append(f"It took {took:.1f} s; {name}: {data!r}")
        outcome.files += 1
        if len(outcome.faults) > 20:
            break
    return outcome


def _read(name: str, data: bytes, outcome: Outcome) -> None:
    options = ReadOptions()
    try:
        try:
            rows = list(read_rows(SourceBytes(name, data), None, options))
        except UnknownEncoding as unknown:
            if not unknown.likely:
                raise
            options = ReadOptions(encoding=unknown.likely)
            rows = list(read_rows(SourceBytes(name, data), None, options))
    except StoreError as refused:
        outcome.refused += 1
        if "\n" in str(refused) or len(str(refused)) > 600:
            outcome.faults.append(f"A long sentence: {refused}; {name}: {data!r}")
        return
    words = Words(name, data, options.encoding)
    for row in rows:
        if not isinstance(row, FactRow) or why_invalid(row) is not None:
            outcome.bad += 1
            continue
        outcome.facts += 1
        outcome.kinds[name] += 1
        for part in (row.entity, row.relation, row.value):
            if not words.hold(part, row.line):
                outcome.faults.append(f"Invented {part!r} in line {row.line}; {name}: {data!r}")


class Words:
    """What stands in the rows of a file, by a parser that the readers do not use."""

    def __init__(self, name: str, data: bytes, encoding: str) -> None:
        self.ending = name.rpartition(".")[2]
        text = _decoded(data, encoding)
        self.lines = re.split(r"\r\n|\r|\n", text)
        self.whole = _bare(text)
        if self.ending in ("ttl", "rdf", "jsonld"):
            self.whole += _bare(_expanded(text))
        self.whole += _unspaced(text)
        self.texts: set[str] | None = None
        if self.ending == "json":
            self.texts = {_bare(part) for part in _strings(json.loads(text))}
        if self.ending == "graphml":
            plain = re.sub(r"\A(\s*<\?xml[^>]*?)\sencoding=\S+?(?=\s|\?)", r"\1", text)
            root = ElementTree.fromstring(re.sub(r'\sxmlns="[^"]*"', "", plain))
            self.texts = set()
            for element in root.iter():
                whole = "".join(element.itertext())
                self.texts |= {_bare(v) for v in (whole, *element.attrib.values())}

    def hold(self, part: str, line: int) -> bool:
        """Whether a part of a fact stands in the row of that line, or in the header."""
        bare = _bare(part)
        if part == "instance of" or not bare:
            return True
        if self.texts is not None:
            qualified = re.fullmatch(r"(.*) \((.*)\)", " ".join(part.split()))
            both = [_bare(group) for group in qualified.groups()] if qualified else []
            return bare in self.texts or (bool(both) and set(both) <= self.texts)
        if self.ending in ("ttl", "rdf", "jsonld"):
            return _in_linked(part, self.whole)
        if self.ending == "nt":
            text = self.lines[line - 1]
            return _in_linked(part, _bare(text) + _unspaced(text))
        if self.ending == "jsonl":
            try:
                found = {_bare(part) for part in _strings(json.loads(self.lines[line - 1]))}
            except ValueError:
                return False
            return bare in found or bare in _bare(self.lines[line - 1])
        # A table: the row, the lines that a quotation adds, or the header.
        row = _bare("\n".join(self.lines[line - 1 : line - 1 + 1 + part.count("\n") + 9]))
        head = _bare("\n".join(self.lines[:4]))
        return bare in row[: row.find(bare) + len(bare)] or bare.replace("instanceof", "") in head


def _expanded(text: str) -> str:
    """A Turtle text with namespaces in place of prefixes."""
    spaces = re.findall(r"(?i)prefix\s+([^\s:]*):\s*<([^>]*)>", text)
    spaces += re.findall(r"xmlns:(\w+)=[\"']([^\"']*)[\"']", text)
    whole = "\n".join(text.replace(f"{prefix}:", space) for prefix, space in spaces)
    for space in re.findall(r'"@vocab":\s*"([^"]*)"', text):
        whole += "\n".join(space + key for key in re.findall(r'"([^"]*)"\s*:', text))
    return whole


def _in_linked(part: str, text: str) -> bool:
    """Whether all words of a name or literal stand in a text; names are put together from some."""
    words = re.findall(r"[^\W_]+", html.unescape(unquote(part.replace("…", " "))))
    return all(word in text or re.fullmatch(_ADDED, word) for word in words)


def _bare(text: str) -> str:
    """A text without what quoting and escaping add or take away."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    text = re.sub(r"\\U([0-9a-fA-F]{8})", lambda m: _character(int(m[1], 16)), text)
    text = unquote(html.unescape(re.sub(r"\\[tnrbf]", " ", text)))
    return _unspaced(text)


def _unspaced(text: str) -> str:
    return re.sub(r"[\s\"'\\_\ufeff\u00a0]+", "", text)


def _character(number: int) -> str:
    return chr(number) if number < 0x110000 else ""


def _strings(data: Any) -> set[str]:
    if isinstance(data, dict):
        return {s for value in data.values() for s in _strings(value)}
    if isinstance(data, list):
        return {s for value in data for s in _strings(value)}
    return {str(data)}


def _decoded(data: bytes, encoding: str) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "surrogateescape")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if not encoding and (found := re.match(rb"\s*<\?xml[^>]*encoding=.([\w.-]+)", data)):
        encoding = found[1].decode()
        encoding = "utf-8" if encoding.lower().startswith("utf") else encoding
    return data.decode(encoding or "utf-8", "surrogateescape")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.perf_counter()
    outcome = fuzz(options.files, options.seed)
    print(
        f"{outcome.files:,} files with seed {options.seed}: {outcome.facts:,} facts, "
        f"{outcome.bad:,} invalid lines, {outcome.refused:,} refused, {len(outcome.faults):,} "
        f"faults; {time.perf_counter() - begun:.0f} s, the slowest {outcome.slowest:.2f} s."
    )
    for fault in outcome.faults:
        print(fault[:2000])
    return bool(outcome.faults)


if __name__ == "__main__":
    sys.exit(main())
