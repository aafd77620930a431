"""`python -m training show-mask FILE`: which tokens of a document are trained, in colour.

    python -m training show-mask build/corpus/world --document 12
    python -m training show-mask articles.json.gz --tokenizer build/corpus/wiki/tokenizer

FILE is a corpus folder, one of its splits, or an annotated corpus. In a terminal each role has a
colour, and what is not in the loss is faint. Elsewhere each run of tokens of one role is a line:
`+` or `-` (trained or not), the role, the text.

The page *Training* draws documents from `runs_of` too.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from model.checkpoint import WORLD
from model.roles import MarkerIds, Role, token_roles
from training.annotation.article_shards import ArticleWriter, find_tokenizer
from training.annotation.articles import Problems, read_articles
from training.data.shards import CONTEXT, Shard
from training.data.tokenizer import Encoded, load_tokenizer
from training.errors import CorpusError
from training.fit.loss_mask import loss_mask

COLOURS = {
    Role.PROMPT: "90",  # grey
    Role.TEXT: "39",  # as the terminal writes
    Role.ENTITY: "36",  # cyan
    Role.RELATION: "34",  # blue
    Role.VALUE: "33",  # yellow
    Role.MARKER: "35",  # magenta
}
_FAINT, _END = "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring tokens of one role that are all trained or all untrained."""

    text: str
    role: Role
    trained: bool
    tokens: int

    def to_json(self) -> dict[str, Any]:
        """As a plain object, with the role by name."""
        return {
            "text": self.text,
            "role": self.role.name.lower(),
            "trained": self.trained,
            "tokens": self.tokens,
        }


def runs_of(encoded: Encoded, tokenizer: Any) -> list[Run]:
    """The runs of a document as training sees it: by role and by the flags of the corpus."""
    markers = MarkerIds.of(tokenizer)
    ids_BT = torch.tensor([encoded.ids])
    roles_BT = token_roles(ids_BT, markers, torch.tensor([encoded.prompt_length]))
    mask_BT = loss_mask(ids_BT, roles_BT, markers)
    mask_BT[:, 0] = False  # nothing stands before the first token to predict it from
    kinds = [
        (Role(role), bool(trained and flag), Role(role) == Role.MARKER and position)
        for position, (role, trained, flag) in enumerate(
            zip(roles_BT[0].tolist(), mask_BT[0].tolist(), encoded.flags, strict=True)
        )
    ]
    runs = []
    position = 0
    for (role, trained, _), group in itertools.groupby(kinds):
        size = len(list(group))
        ids = encoded.ids[position : position + size]
        text = tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        runs.append(Run(text, role, trained, size))
        position += size
    return runs


def coloured(runs: Sequence[Run]) -> str:
    """The document for a terminal."""
    pieces = []
    for run in runs:
        faint = "" if run.trained else _FAINT
        pieces.append(f"\x1b[{COLOURS[run.role]}m{faint}{_printable(run.text)}{_END}")
    return "".join(pieces)


def plain(runs: Sequence[Run]) -> str:
    """The document as lines."""
    return "\n".join(
        f"{'+' if run.trained else '-'} {run.role.name.lower():8} {_escaped(run.text)}"
        for run in runs
    )


def legend() -> str:
    """The colour of each role, in one line."""
    names = (f"\x1b[{COLOURS[role]}m{role.name.lower()}{_END}" for role in Role)
    return " ".join(names) + f" {_FAINT}faint: out of the loss{_END}"


def _printable(text: str) -> str:
    """Text without control characters, so it cannot control a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _escaped(text: str) -> str:
    return _printable(text.replace("\\", "\\\\").replace("\n", "\\n"))


def documents(
    path: str, tokenizer: str | None = None, problems: Problems | None = None
) -> tuple[Iterator[Encoded], Any]:
    """The encoded documents of a corpus folder, a split of one, or an annotated file.

    Lookups that cannot be parsed are left out and reported in `problems`.

    Returns:
        The documents, and the tokenizer that they are encoded with.

    Raises:
        CorpusError: if there is neither a corpus nor a file.
    """
    folder = Path(path)
    if folder.is_dir():
        if (folder / "train").is_dir():
            folder = folder / "train"
        loaded = load_tokenizer(tokenizer or folder.parent / "tokenizer")
        shard = Shard(folder)
        encoded = (_encoded(*shard.document(index)) for index in range(len(shard)))
        return encoded, loaded
    loaded = find_tokenizer(tokenizer or str(WORLD))
    return _articles(path, loaded, problems or Problems()), loaded


class Corpora:
    """The corpora in a folder. Safe to use from several threads."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._open: dict[str, tuple[int, Corpus]] = {}

    def names(self) -> list[str]:
        """The corpora by name."""
        return sorted(
            manifest.parent.name
            for manifest in self.folder.glob("*/manifest.json")
            if not manifest.parent.name.startswith(".")
        )

    def corpus(self, name: str) -> Corpus:
        """A corpus by one of the `names`; it is read again after it was rebuilt.

        Raises:
            CorpusError: if there is no corpus of that name, or if it cannot be read.
        """
        if name not in self.names():
            raise CorpusError(f"There is no corpus {name!r} in {self.folder}.")
        try:
            built = (self.folder / name / "manifest.json").stat().st_mtime_ns
        except OSError as problem:
            raise CorpusError(f"The corpus {name!r} is being rebuilt.") from problem
        kept = self._open.get(name)
        if kept is None or kept[0] != built:
            kept = self._open[name] = (built, Corpus(self.folder / name))
        return kept[1]


class Corpus:
    """The documents of a corpus folder, by split and position."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = load_tokenizer(folder / "tokenizer")
        splits = (split for split in ("train", "validation") if (folder / split).is_dir())
        self.shards = {split: Shard(folder / split) for split in splits}

    def runs(self, split: str, index: int) -> list[Run]:
        """The runs of one document."""
        return runs_of(_encoded(*self.shards[split].document(index)), self.tokenizer)


def _encoded(ids: Any, flags: Any, prompt_length: int) -> Encoded:
    return Encoded(ids.tolist(), flags.tolist(), prompt_length)


def _articles(path: str, tokenizer: Any, problems: Problems) -> Iterator[Encoded]:
    writer = ArticleWriter(tokenizer, CONTEXT)
    for article in read_articles(path, problems, drop=True):
        for document in writer.documents(article):
            yield from writer.encoder.encode_batch([document])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m training show-mask",
        description="Show which tokens of a document are trained.",
    )
    parser.add_argument("file", help="corpus folder, or annotated .json or .jsonl file")
    parser.add_argument(
        "--document",
        type=int,
        default=1,
        metavar="N",
        help="number of the first document to show (default 1)",
    )
    parser.add_argument(
        "--count", type=int, default=1, metavar="N", help="documents to show (default 1)"
    )
    parser.add_argument("--tokenizer", help="folder or Hub name (default: the corpus's own)")
    parser.add_argument(
        "--colour",
        choices=("auto", "always", "never"),
        default="auto",
        help="use colour (auto: only in a terminal)",
    )
    options = parser.parse_args(argv)
    if options.document < 1 or options.count < 1:
        raise CorpusError("--document and --count must be at least 1.")
    colour = options.colour == "always" or (options.colour == "auto" and sys.stdout.isatty())
    problems = Problems()
    encoded, tokenizer = documents(options.file, options.tokenizer, problems)
    start = options.document - 1
    shown = 0
    for number, document in enumerate(
        itertools.islice(encoded, start, start + options.count), start=options.document
    ):
        runs = runs_of(document, tokenizer)
        trained = sum(run.tokens for run in runs if run.trained)
        print(f"Document {number:,}: {len(document.ids):,} tokens, {trained:,} of them trained.")
        print(coloured(runs) if colour else plain(runs))
        print()
        shown += 1
    if not shown:
        raise CorpusError(f"{options.file} has no document {options.document:,}.")
    if colour:
        print(legend())
    if problems.found:
        print(f"Left out, because they cannot be parsed: {problems}.", file=sys.stderr)
    return 0
