"""`python -m training shards FILE`: turn an annotated corpus into token shards to train on.

    python -m training shards articles.json.gz --out build/corpus/wiki
    python -m training shards kilian-group/LMLM-pretrain-dwiki6.1M --out … --tokenizer gpt2

An article that is longer than the context is split into several documents, between sentences (or
words, if one sentence is too long), never inside a lookup, and nothing is left out. With a
tokenizer trained here, lookups are spaced as in our own corpus; with any other, as in the published
ones (training/annotation/annotated_text.py).
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, check_folder
from training.annotation.annotated_text import Annotated, Placed, write_markers
from training.annotation.articles import Article, Problems, read_articles
from training.data.documents import Document
from training.data.shards import CONTEXT, is_corpus, write_corpus
from training.data.tokenizer import DocumentEncoder, load_tokenizer, train_tokenizer, with_markers
from training.errors import CorpusError

_BREAK = re.compile(r"\n+|(?<=[.!?]) +(?=\S)")
VALIDATION_MOST = 2000  # articles kept for validation


def part(document: Annotated, start: int, end: int) -> Annotated:
    """The characters `[start, end)` with their lookups, without white space around them."""
    inside = document.text[start:end]
    start += len(inside) - len(inside.lstrip())
    text = inside.strip()
    whole = end == len(document.text)
    lookups = tuple(
        Placed(min(p.position - start, len(text)), p.entity, p.relation, p.value)
        for p in document.lookups
        if start <= p.position < end or (whole and p.position >= start)
    )
    return Annotated(text, lookups)


def split(document: Annotated, longest: int, length: Callable[[Annotated], int]) -> list[Annotated]:
    """The document in parts of at most `longest` tokens, as `length` counts them.

    Raises CorpusError if even a part without any space in it is longer.
    """
    if length(document) <= longest:
        return [document]
    edges = [0, *(match.end() for match in _BREAK.finditer(document.text)), len(document.text)]
    sentences = [(a, b) for a, b in itertools.pairwise(edges) if document.text[a:b].strip()]
    if len(sentences) < 2:
        spaces = [match.end() for match in re.finditer(r"\s+(?=\S)", document.text)]
        if not spaces:
            raise CorpusError(
                f"{document.text[:40]!r} … is longer than the context of {longest:,} tokens and "
                "has no space to cut it at."
            )
        middle = min(spaces, key=lambda place: abs(place - len(document.text) / 2))
        sentences = [(0, middle), (middle, len(document.text))]
    parts: list[Annotated] = []
    start = end = sentences[0][0]
    total = 0
    for a, b in sentences:
        tokens = length(part(document, a, b))
        if end > start and total + tokens > longest:
            parts.append(part(document, start, end))
            start, total = a, 0
        end, total = b, total + tokens
    parts.append(part(document, start, end))
    return [piece for long in parts for piece in split(long, longest, length)]


class ArticleWriter:
    """Turns articles into documents that fit a model's context."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        context: int = CONTEXT,
        prompt: str = "",
        lookups: bool = True,
    ) -> None:
        self.encoder = DocumentEncoder(tokenizer)
        self.context, self.prompt, self.lookups = context, prompt, lookups
        self.cut = 0  # articles that became several documents

    def _length(self, document: Annotated) -> int:
        (encoded,) = self.encoder.encode_batch([self._document(document, self.prompt)])
        return len(encoded.ids)

    def _document(self, document: Annotated, prompt: str) -> Document:
        text = write_markers(document, "lamplight" if self.encoder.ours else "reference")
        return Document(prompt, text, kind="article")

    def documents(self, article: Article) -> list[Document]:
        """The article as one or more documents, each with the prompt before it."""
        document = article.document
        if not self.lookups:
            document = Annotated(document.text)
        prompt = self.prompt.replace("{title}", article.title)
        try:
            parts = split(document, self.context - len(article.title), self._length)
        except CorpusError as error:
            raise CorpusError(f"Document {article.number:,}: {error}") from error
        self.cut += len(parts) > 1
        return [self._document(piece, prompt) for piece in parts if piece.text.strip()]


def find_tokenizer(name: str) -> PreTrainedTokenizerFast:
    """A tokenizer by folder or Hub name, with the four markers added if it lacks them.

    Raises CorpusError if there is none.
    """
    if (Path(name) / "tokenizer.json").is_file():
        return load_tokenizer(name)
    if Path(name).exists():
        raise CorpusError(f"There is no tokenizer.json in {name}.")
    try:
        return with_markers(AutoTokenizer.from_pretrained(name, trust_remote_code=False))
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"There is no tokenizer {name}, neither as a folder nor on the Hub."
        ) from error


def build(
    source: str,
    out: Path,
    tokenizer: PreTrainedTokenizerFast,
    writer: ArticleWriter,
    drop_broken: bool = False,
    validation: float = 0.01,
    force: bool = False,
) -> tuple[dict[str, Any], Problems]:
    """Write the corpus folder; returns its manifest and the lookups that could not be parsed.

    Every n-th article goes to validation. Raises CorpusError; `out` then stays as it was.
    """
    problems = Problems()
    kept: list[Document] = []
    every = max(2, round(1 / validation))

    def train() -> Iterator[Document]:
        chosen = 0
        for article in read_articles(source, problems, drop_broken):
            documents = writer.documents(article)
            if article.number % every == min(every, 3) - 1 and chosen < VALIDATION_MOST:
                chosen += 1
                kept.extend(documents)
            else:
                yield from documents
        if not kept:
            raise CorpusError(f"{source} has too few documents: give {min(every, 3) - 1} at least.")

    def held() -> Iterator[Document]:
        yield from kept

    manifest = write_corpus(
        out,
        {"train": train(), "validation": held()},
        tokenizer,
        lambda: {
            "source": source,
            "articles": problems.documents,
            "lookups": problems.lookups if writer.lookups else 0,
            "articles_cut": writer.cut,
            "broken_lookups_dropped": len(problems.found),
        },
        writer.context,
        force,
    )
    return manifest, problems


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training shards",
        description="Turn an annotated corpus into token shards.",
        epilog=OUTPUT_RULE,
    )
    parser.add_argument("source", help="a .json or .jsonl file (.gz too), or a Hub data set")
    parser.add_argument("--out", type=Path, required=True, help="corpus folder to write")
    parser.add_argument(
        "--tokenizer", help="folder or Hub name, such as gpt2 (default: train one on the texts)"
    )
    parser.add_argument(
        "--vocabulary", type=int, default=8192, help="number of tokens of a tokenizer trained here"
    )
    parser.add_argument(
        "--context", type=int, default=CONTEXT, help="tokens of the longest document"
    )
    parser.add_argument(
        "--prompt", default="", help='prompt put before each document, such as "About {title}"'
    )
    parser.add_argument(
        "--validation",
        type=float,
        default=0.01,
        help="share of the articles for validation (default 0.01)",
    )
    parser.add_argument(
        "--drop-broken", action="store_true", help="leave out lookups that cannot be parsed"
    )
    parser.add_argument(
        "--without-lookups", action="store_true", help="write plain text only, for a baseline"
    )
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(argv)
    check_folder(options.out, made=is_corpus, force=options.force)
    if not 0 < options.validation <= 0.5:
        raise CorpusError(
            f"--validation is {options.validation}; give a share above 0 and up to 0.5."
        )
    if options.tokenizer:
        tokenizer = find_tokenizer(options.tokenizer)
    else:
        articles = read_articles(options.source, Problems(), drop=True)
        learnt = itertools.islice(articles, 20_000)
        tokenizer = train_tokenizer((f" {a.document.text}" for a in learnt), options.vocabulary)
    writer = ArticleWriter(tokenizer, options.context, options.prompt, not options.without_lookups)
    manifest, problems = build(
        options.source,
        options.out,
        tokenizer,
        writer,
        options.drop_broken,
        options.validation,
        options.force,
    )
    for name, counts in manifest["splits"].items():
        print(f"{name}: {counts['documents']:,} documents, {counts['tokens']:,} tokens")
    print(
        f"{problems.documents:,} articles with {problems.lookups:,} lookups; {writer.cut:,} were "
        f"longer than the context and cut between sentences."
    )
    if problems.found:
        print(f"Left out: {len(problems.found):,} lookups that cannot be parsed: {problems}.")
    return 0
