"""Files of annotated articles, read as published: JSON, JSON Lines, a data set of the Hub.

- `{"examples": [{"annotated_text": ..., "text": ...}, ...]}` (.json), the reference's form;
- one such object per line (.jsonl, .ndjson), streamed;
- the name of a Hub data set, such as kilian-group/LMLM-pretrain-dwiki6.1M, or a folder that holds
  one (Parquet files and the like), streamed, where the package `datasets` is installed.

Files may be compressed (.gz). A bad document ends the reading with a sentence that says where it
is. So does a lookup that cannot be parsed, unless such lookups are dropped.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from graph.exchange.encodings import UnknownEncoding
from graph.exchange.read_options import DEFAULTS
from graph.exchange.source_files import open_text
from training.annotation.annotated_text import Annotated, Unparsable, parse
from training.errors import CorpusError

MOST_NAMED = 5  # problems named in one message
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Article:
    """One document of an annotated corpus."""

    number: int
    """From 1, in the order of the file."""
    document: Annotated
    given: str = ""
    """The `text` that the annotator was given, where the file holds it."""
    identity: str = ""
    """Where the document comes from, where the file says so."""

    @property
    def title(self) -> str:
        """The first line of the given text if it is short, as in Wikipedia dumps; else ""."""
        line = self.given.lstrip().split("\n", 1)[0].strip()
        return line if 0 < len(line) <= 120 and not line.endswith((".", "!", "?")) else ""


@dataclass
class Problems:
    """Lookups that could not be parsed, by document."""

    found: list[tuple[int, Unparsable]] = field(default_factory=list)
    documents: int = 0
    lookups: int = 0

    def __str__(self) -> str:
        named = [f"document {number}, {problem}" for number, problem in self.found[:MOST_NAMED]]
        rest = len(self.found) - len(named)
        return "; ".join(named) + (f"; and {rest:,} more" if rest else "")


def read_articles(source: str | Path, problems: Problems, drop: bool = False) -> Iterator[Article]:
    """The articles of a file or Hub data set.

    Unparsable lookups are collected in `problems`.

    Raises:
        CorpusError: if the file cannot be read, if an object is not a document, or, at the end,
            if a lookup cannot be parsed and `drop` is false.
    """
    for number, example in enumerate(read_objects(source), start=1):
        annotated = example.get("annotated_text") if isinstance(example, dict) else None
        if not isinstance(annotated, str):
            raise CorpusError(
                f"Document {number:,} of {source} has no annotated_text: each object needs a "
                "string `annotated_text`."
            )
        document = parse(annotated)
        problems.documents += 1
        problems.lookups += len(document.lookups)
        problems.found += ((number, problem) for problem in document.problems)
        given = example.get("text")
        identity = example.get("original_dataset_ids") or example.get("id") or ""
        yield Article(number, document, given if isinstance(given, str) else "", str(identity))
    if not problems.documents:
        raise CorpusError(f"{source} holds no documents.")
    if problems.found and not drop:
        raise CorpusError(
            f"{len(problems.found):,} lookups of {source} cannot be parsed: {problems}. Repair "
            "them, or leave them out with --drop-broken."
        )


def read_objects(source: str | Path) -> Iterator[Any]:
    """The objects of a file or Hub data set, one after another; for a .txt, its lines as texts.

    Raises CorpusError if it cannot be read.
    """
    path = Path(source)
    if not path.is_file():
        if not path.is_dir() and (path.exists() or not _HUB_NAME.fullmatch(str(source))):
            raise CorpusError(f"There is no file {source}.")
        yield from _hub_examples(str(source))
        return
    ending = (path.suffixes or [""])[-2 if path.suffix == ".gz" else -1 :][0]
    try:
        with open_text(path, DEFAULTS) as (file, found):
            if found.is_damaged:
                raise CorpusError(f"{path} has bytes that are not UTF-8; save it as UTF-8.")
            if ending == ".txt":
                yield from ({"text": line.strip()} for line in file if line.strip())
            elif ending in (".jsonl", ".ndjson"):
                yield from _lines(file, path)
            else:
                yield from _whole(file, path)
    except UnknownEncoding as error:
        likely = f"; it is probably {error.likely}" if error.likely else ""
        raise CorpusError(f"{path} is not UTF-8{likely}: save it as UTF-8.") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}.") from error


def _whole(file: IO[str], path: Path) -> Iterable[Any]:
    try:
        data = json.load(file)
    except (json.JSONDecodeError, RecursionError) as error:
        raise CorpusError(f"{path} is not JSON: {error}.") from error
    examples = data.get("examples") if isinstance(data, dict) else data
    if not isinstance(examples, list):
        raise CorpusError(f'{path} has no list "examples" of documents.')
    return examples


def _lines(file: IO[str], path: Path) -> Iterator[Any]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise CorpusError(f"Line {number:,} of {path} is not JSON: {error}.") from error


def _hub_examples(name: str) -> Iterator[Any]:
    if importlib.util.find_spec("datasets") is None:
        raise CorpusError(
            f"{name} is not a file; to read it as a data set of the Hugging Face Hub, install the "
            "package datasets (pip install -r requirements-hub.txt)."
        )
    import datasets

    datasets.disable_progress_bars()
    try:
        yield from datasets.load_dataset(name, split="train", streaming=True)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CorpusError(f"The data set {name} cannot be read: {reason}") from error
