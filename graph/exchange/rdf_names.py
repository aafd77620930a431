"""The names of IRIs and blank nodes: one IRI is one entity, or one relation.

The name of an IRI is its label (`rdfs:label` or `skos:prefLabel`), else what follows a declared
prefix or a known namespace, else its last segment. Percent-encoding is decoded. Labels are chosen
by language: the one asked for, then `mul`, then none, then the first tag by alphabet. A name that
several IRIs share is qualified: `Heron (film)`. A labelled blank node keeps its label, and one
without a label is named by its content.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from pyoxigraph import BlankNode, Literal, NamedNode

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TYPE = f"{RDF}type"
SKOS = "http://www.w3.org/2004/02/skos/core#"
LABELS = (f"{SKOS}prefLabel", "http://www.w3.org/2000/01/rdf-schema#label")
ALTERNATIVE = f"{SKOS}altLabel"
ENTITY = "urn:lamplight:entity:"
RELATION = "urn:lamplight:relation:"
_WIKIDATA = "http://www.wikidata.org/"
# What follows is a name in itself, with any slashes.
_WHOLE = re.compile(
    r"https?://(?:(?:[\w-]+\.)?dbpedia\.org/(?:resource|ontology|property)"
    r"|[\w-]+\.(?:m\.)?wik(?:ipedia|tionary|iquote|isource)\.org/wiki"
    r"|yago-knowledge\.org/resource)/(.+)"
)
_PROPERTY = re.compile(rf"{re.escape(_WIKIDATA)}prop/(?:[\w-]+/)*(P\d+)")
_KNOWN_PREFIXES = {
    RDF: "rdf",
    "http://www.w3.org/2000/01/rdf-schema#": "rdfs",
    "http://www.w3.org/2002/07/owl#": "owl",
    SKOS: "skos",
    "http://xmlns.com/foaf/0.1/": "foaf",
    "http://schema.org/": "schema",
    "https://schema.org/": "schema",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://www.w3.org/ns/prov#": "prov",
    "http://dbpedia.org/ontology/": "dbo",
    "http://dbpedia.org/property/": "dbp",
    f"{_WIKIDATA}prop/direct/": "wdt",
    f"{_WIKIDATA}prop/statement/": "ps",
    f"{_WIKIDATA}prop/qualifier/": "pq",
    f"{_WIKIDATA}prop/": "p",
}
_NAMESPACE = re.compile(r"\w+:.*[^/:#].*[/#:]", re.S)  # not just the scheme of an address
_LONGEST_CONTENT = 100  # characters of a name made of a blank node's content
_CACHED = 1 << 16

Term = Any
"""A term of pyoxigraph."""
Triple = tuple[int, Term, Term, Term]
"""Where it stands, subject, predicate, object."""


class Names:
    """The names of all IRIs and blank nodes of one file.

    Args:
        triples: yields the triples of the file; it is read up to three times.
        prefixes: the namespaces that the file declares, by prefix.
        language: the language of labels that become names.
        labelled: whether the file itself writes a label of a blank node; None if it writes all.
    """

    def __init__(
        self,
        triples: Callable[[], Iterable[Triple]],
        prefixes: dict[str, str],
        language: str,
        labelled: Callable[[str], bool] | None = None,
    ) -> None:
        spaces = [(s, p) for p, s in prefixes.items() if _NAMESPACE.fullmatch(s)]
        self._prefixes = sorted(spaces, key=lambda pair: (-len(pair[0]), pair))
        self._language = language.lower()
        self._labels: dict[str, tuple[tuple[Any, ...], str]] = {}
        self._contents: dict[str, str] = {}
        self._qualified: dict[tuple[bool, str], str] = {}
        self._plain = lru_cache(_CACHED)(self._plain_name)
        self.aliases: dict[str, list[str]] = defaultdict(list)
        """Other labels of an IRI."""
        self.shared: list[str] = []
        """Names that several IRIs share, for a note."""
        self._read_labels(triples())
        if labelled is not None:
            self._read_contents(triples(), labelled)
        self._qualify(triples)

    def entity(self, term: Term) -> str:
        """The name of an entity, or a literal's text as it is spelt."""
        if isinstance(term, NamedNode):
            iri = term.value
            return self._qualified.get((False, iri)) or self._plain(iri)
        if isinstance(term, BlankNode):
            return self._contents.get(term.value) or f"_:{term.value}"
        return str(term.value)

    def relation(self, term: Term) -> str:
        """The name of a relation."""
        iri = term.value
        if iri == TYPE:
            return "instance of"
        return self._qualified.get((True, iri)) or self._plain(iri)

    # -- labels

    def _read_labels(self, triples: Iterable[Triple]) -> None:
        for _, subject, predicate, value in triples:
            iri = predicate.value
            if (iri not in LABELS and iri != ALTERNATIVE) or not isinstance(subject, NamedNode):
                continue
            if not isinstance(value, Literal) or not value.value.strip():
                continue
            text, node = value.value, subject.value
            self.aliases[node].append(text)
            if iri == ALTERNATIVE:
                continue
            rank = self._rank(value.language or "", iri, text)
            if node not in self._labels or rank < self._labels[node][0]:
                self._labels[node] = rank, text
        for node, texts in self.aliases.items():
            best = self._labels.get(node)
            self.aliases[node] = [
                text for text in dict.fromkeys(texts) if best is None or text != best[1]
            ]

    def _rank(self, language: str, predicate: str, text: str) -> tuple[Any, ...]:
        """The place of a label in the order of preference, in any order of the file."""
        tag = language.lower()
        if tag == self._language:
            order = 0
        elif tag.startswith(f"{self._language}-"):
            order = 1
        elif tag == "mul":
            order = 2
        else:
            order = 4 if tag else 3
        return order, tag, LABELS.index(predicate), text

    # -- IRIs

    def _plain_name(self, iri: str) -> str:
        """The name of an IRI before it is qualified."""
        for own in (ENTITY, RELATION):
            if iri.startswith(own):
                return _decoded(iri[len(own) :], spaces=False)
        if (label := self._labels.get(iri)) is not None:
            return " ".join(label[1].split())
        if found := _PROPERTY.fullmatch(iri):
            label = self._labels.get(f"{_WIKIDATA}entity/{found[1]}")
            return label[1] if label is not None else found[1]
        if found := _WHOLE.fullmatch(iri):
            return _decoded(found[1]) or iri
        for space, _ in self._prefixes:
            if iri.startswith(space) and len(iri) > len(space):
                return _decoded(iri[len(space) :]) or iri
        return _decoded(_segments(iri)[-1]) or iri

    def _prefix(self, iri: str) -> str:
        for space, prefix in self._prefixes:
            if prefix and iri.startswith(space):
                return prefix
        known = (s for s in _KNOWN_PREFIXES if iri.startswith(s))
        return _KNOWN_PREFIXES.get(max(known, key=len, default=""), "")

    # -- shared names

    def _qualify(self, triples: Callable[[], Iterable[Triple]]) -> None:
        """Find the names that several IRIs share. Only hashes are kept of all the others."""
        seen: dict[int, int] = {}
        shared: set[int] = set()
        last: dict[bool, str] = {}
        for is_relation, iri in _iris(triples()):
            if last.get(is_relation) == iri:
                continue
            last[is_relation] = iri
            name = hash((is_relation, self._plain(iri)))
            if seen.setdefault(name, hash(iri)) != hash(iri):
                shared.add(name)
        seen.clear()
        if not shared:
            return
        groups: dict[tuple[bool, str], set[str]] = defaultdict(set)
        for is_relation, iri in _iris(triples()):
            name_ = self._plain(iri)
            if hash((is_relation, name_)) in shared:
                groups[is_relation, name_].add(iri)
        for (is_relation, name_), iris in groups.items():
            if len(iris) > 1:
                self.shared.append(name_)
                for iri, qualifier in self._qualifiers(sorted(iris), is_relation).items():
                    self._qualified[is_relation, iri] = f"{name_} ({qualifier})"

    def _qualifiers(self, iris: list[str], is_relation: bool) -> dict[str, str]:
        """What distinguishes some IRIs: the first of several parts that differs for all."""
        before = [_decoded(_segments(iri)[-2]) for iri in iris]
        last = [_decoded(_segments(iri)[-1]) for iri in iris]
        prefix = [self._prefix(iri) for iri in iris]
        host = [re.sub(r"^\w+:/*([^/#?]*).*", r"\1", iri) for iri in iris]
        order = (prefix, before, last, host) if is_relation else (before, last, prefix, host)
        for parts in order:
            if all(parts) and len({part.casefold() for part in parts}) == len(iris):
                return dict(zip(iris, parts, strict=True))
        return dict(zip(iris, iris, strict=True))

    # -- blank nodes

    def _read_contents(self, triples: Iterable[Triple], labelled: Callable[[str], bool]) -> None:
        """Name the blank nodes without a label by what is said of them."""
        held: dict[str, list[tuple[str, Term]]] = defaultdict(list)
        unlabelled: dict[str, None] = {}
        for _, subject, predicate, value in triples:
            for term in (subject, value):
                if isinstance(term, BlankNode) and not labelled(term.value):
                    unlabelled[term.value] = None
            if isinstance(subject, BlankNode) and subject.value in unlabelled:
                held[subject.value].append((predicate.value, value))
        opened: set[str] = set()
        for node in unlabelled:
            waiting = [node]
            while waiting:
                last = waiting[-1]
                inner = [
                    value.value
                    for _, value in held[last]
                    if isinstance(value, BlankNode)
                    and value.value in unlabelled
                    and value.value not in opened
                ]
                if last not in opened and inner:
                    opened.add(last)
                    waiting += inner
                    continue
                opened.add(last)
                waiting.pop()
                if last not in self._contents:
                    self._contents[last] = self._content(held[last])

    def _content(self, held: list[tuple[str, Term]]) -> str:
        parts = sorted(
            f"{'instance of' if iri == TYPE else self._plain(iri)} {self.entity(value)}"
            for iri, value in held
        )
        text = " ".join(", ".join(parts).split())
        if len(text) > _LONGEST_CONTENT:
            digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:8]
            text = f"{text[:_LONGEST_CONTENT]}… {digest}"
        return f"[{text}]"


def _iris(triples: Iterable[Triple]) -> Iterator[tuple[bool, str]]:
    """Each IRI that is named, and whether as a relation. Labels are not facts."""
    for _, subject, predicate, value in triples:
        iri = predicate.value
        if iri in LABELS or iri == ALTERNATIVE:
            continue
        if iri != TYPE and not iri.startswith(RELATION):
            yield True, iri
        for term in (subject, value):
            if isinstance(term, NamedNode) and not term.value.startswith(ENTITY):
                yield False, term.value


def _segments(iri: str) -> list[str]:
    """The parts of an IRI between slashes and hashes; at least two, the first ones empty."""
    parts = [part for part in re.split(r"[/#]+", iri) if part]
    return ["", *parts] if parts else ["", iri]


def _decoded(text: str, spaces: bool = True) -> str:
    """Percent-encoding as characters, where it stands for some; underscores are spaces."""
    if "%" in text:
        try:
            decoded = unquote_to_bytes(text).decode("utf-8")
        except UnicodeDecodeError:
            decoded = text
        text = decoded if decoded.isprintable() or not spaces else text
    return text.replace("_", " ").strip() if spaces else text
