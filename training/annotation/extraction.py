"""`python -m training extract FILE --store URL`: load the facts that an annotated corpus looks up.

Every lookup of the corpus becomes a fact, and its source names the passages that look it up
(`wiki.json#12:340` is character 340 of document 12's plain text). A fact that several passages
look up is one fact with several sources; a lookup that returned several values is several facts.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from graph.core.facts import split_values
from graph.core.import_rows import BadLine, FactRow
from graph.core.protocol import LoadReport, SharedStore
from graph.opening import open_store
from graph.world import store_url
from training.annotation.articles import Problems, read_articles


def corpus_name(source: str) -> str:
    """The name by which facts refer to a corpus: its file's, or its name on the Hub."""
    name = Path(source).name if Path(source).is_file() else source
    return name.replace(";", ",")


def reference(corpus: str, document: int, position: int) -> str:
    """How a fact's source names one passage."""
    return f"{corpus}#{document}:{position}"


def rows(source: str, problems: Problems, drop: bool = False) -> Iterator[FactRow]:
    """A row for each lookup of the corpus, in its order."""
    name, line = corpus_name(source), 0
    for article in read_articles(source, problems, drop):
        for lookup in article.document.lookups:
            line += 1
            where = reference(name, article.number, lookup.position)
            for value in split_values(lookup.value):
                yield FactRow(line, lookup.entity, lookup.relation, value, where)


def extract(
    source: str, store: SharedStore, author: str = "", drop: bool = False
) -> tuple[LoadReport, Problems, list[BadLine]]:
    """Load the facts of a corpus into a store as one revision.

    Returns:
        The store's report, the lookups that could not be parsed, and the facts that no store can
        hold (for example, with control characters in a name).

    Raises:
        CorpusError, StoreError: if a lookup is broken and `drop` is false; nothing is written.
    """
    problems, bad = Problems(), list[BadLine]()
    report = store.load(
        rows(source, problems, drop),
        author=author,
        reason=f"lookups of {corpus_name(source)}",
        skip_bad=drop,
        on_bad=bad.append,
    )
    return report, problems, bad


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training extract",
        description="Load the facts that an annotated corpus looks up into a store.",
    )
    parser.add_argument("source", help="a .json or .jsonl file (.gz too), or a Hub data set")
    parser.add_argument(
        "--store",
        required=True,
        help="URL of the store to load into, such as sqlite:///wiki.db; created if missing",
    )
    parser.add_argument(
        "--author", default=os.environ.get("USER", ""), help="author to record in the history"
    )
    parser.add_argument(
        "--drop-broken", action="store_true", help="leave out lookups that cannot be parsed"
    )
    options = parser.parse_args(argv)
    url = store_url(options.store)
    with open_store(url, create=True) as store:
        report, problems, bad = extract(options.source, store, options.author, options.drop_broken)
        statistics = store.statistics()
    for line in bad[:20]:
        print(f"lookup {line.line:,}: {line.reason}", file=sys.stderr)
    print(
        f"{problems.documents:,} documents, {problems.lookups:,} lookups: "
        f"{report.facts:,} facts are new, {report.sources:,} gained a passage; "
        f"{url} holds {statistics.facts:,} facts of {statistics.entities:,} entities."
    )
    if problems.found:
        print(f"Left out: {len(problems.found):,} lookups that cannot be parsed: {problems}.")
    return 0
