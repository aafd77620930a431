"""`python -m training corpus`: write the corpus, its tokenizer and its token shards.

    python -m training corpus --out build/corpus/world --tokens 20000000 --seed 0

The command writes `tokenizer/`, `train/` and `validation/` (see training.data.shards) into the
folder, and a manifest that lists the held-out names. `--sample 20` prints 20 documents instead.
"""

from __future__ import annotations

import argparse
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, check_folder
from graph.lookup.encoder import question_encoder
from model.checkpoint import read_held_out
from training.case_file import read_cases
from training.corpus.document_stream import documents
from training.corpus.held_out import NameFilter, held_out_entities, without
from training.corpus.phrase_book import load_phrases
from training.corpus.questions.question_stream import (
    question_documents,
    question_writer,
    read_plain_text,
)
from training.corpus.questions.stored_vectors import StoredVectors
from training.corpus.records import DEFAULT_FACTS, read_records
from training.corpus.wordings import DEFAULT_DATA, read_wordings
from training.corpus.writer import Writer
from training.data.documents import Document

LONGEST = 512  # tokens of one document
VALIDATION_TOKENS = 200_000
SMOLLM2 = Path("smollm2")
"""Names the tokenizer of the installed base, SmolLM2-135M-Instruct."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training corpus",
        description="Write the training corpus from a graph.",
        epilog=OUTPUT_RULE,
    )
    parser.add_argument(
        "--facts",
        type=Path,
        default=DEFAULT_FACTS,
        help="CSV file of facts (default: the shipped world)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/corpus/world"), help="folder to write to"
    )
    parser.add_argument(
        "--tokens", type=int, default=20_000_000, help="size of the training split in tokens"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed for random sampling")
    parser.add_argument("--no-prose", action="store_true", help="ablation: leave out real prose")
    parser.add_argument(
        "--no-exchange",
        action="store_true",
        help="ablation: keep the names and values of the graph instead of exchanging them",
    )
    parser.add_argument(
        "--tokenizer-documents",
        type=int,
        default=40_000,
        help="documents to train the tokenizer on",
    )
    parser.add_argument(
        "--tokenizer",
        type=Path,
        help="folder of a tokenizer to use instead of training one (smollm2: that of the installed"
        " base); if the folder is a checkpoint, the corpus holds out the same names",
    )
    parser.add_argument(
        "--vocabulary", type=int, default=8192, help="vocabulary size of the tokenizer"
    )
    parser.add_argument(
        "--list-first",
        action="store_true",
        help="answer questions list first: the entity's relations, then the fact",
    )
    parser.add_argument(
        "--wordings",
        type=Path,
        default=DEFAULT_DATA,
        help="with --list-first: folder of published wordings (kgconv, pararel); without it, the"
        " corpus has our own only",
    )
    parser.add_argument(
        "--plain-text",
        type=Path,
        help="with --list-first: JSON Lines of ordinary text, so that a base keeps its English",
    )
    parser.add_argument(
        "--cases",
        type=Path,
        help="with --list-first: file of answers that you called wrong on the page, to ask in the"
        " same words",
    )
    parser.add_argument("--sample", type=int, default=0, help="print this many documents and stop")
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    return parser


def _stream(
    options: argparse.Namespace, writer: Writer, names: NameFilter, prose: bool
) -> Callable[[int], Iterator[Document]]:
    """The documents of a seed, in the form that the options ask for."""
    if not options.list_first:
        return lambda seed: documents(writer, names, seed, prose)
    wordings = read_wordings(options.wordings)
    for missing in wordings.missing:
        print(f"{missing}, so its wordings are not in the corpus.", flush=True)
    encoder = question_encoder()
    if encoder is None:
        print("There is no encoder, so lists are ranked by shared words.", flush=True)
    plain = read_plain_text(options.plain_text) if options.plain_text else []
    stored = StoredVectors(encoder) if encoder else None
    cases = read_cases(options.cases) if options.cases else []
    questions = question_writer(writer, wordings, stored, cases)
    return lambda seed: question_documents(questions, writer, names, seed, prose, plain)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a corpus, or print a sample of one, as the command line says."""
    options = _parser().parse_args(arguments)
    if not options.sample:
        from training.data.shards import is_corpus

        check_folder(options.out, made=is_corpus, force=options.force)
    records = read_records(options.facts)
    given = sorted(read_held_out(options.tokenizer)) if options.tokenizer else []
    held_out = given or held_out_entities(records)
    names = NameFilter(held_out)
    writer = Writer(without(records, names), load_phrases(), exchange=not options.no_exchange)
    prose = not options.no_prose
    stream_of = _stream(options, writer, names, prose)
    stream = stream_of(options.seed)
    if options.sample:
        for document in itertools.islice(stream, options.sample):
            print(f"[{document.kind}] {document.prompt}\n{document.text}\n")
        return

    # These load slowly, and a sample does not need them.
    from training.data.shards import write_corpus
    from training.data.tokenizer import DocumentEncoder, load_tokenizer, train_tokenizer

    print(
        f"{len(writer.draws.records):,} entities to write about, {len(held_out)} held out.",
        flush=True,
    )
    if options.tokenizer == SMOLLM2:
        from model.base.smollm2 import base_tokenizer

        tokenizer = base_tokenizer()
    elif options.tokenizer:
        tokenizer = load_tokenizer(options.tokenizer)
    else:
        sample = itertools.islice(stream, options.tokenizer_documents)
        texts = (f" {document.prompt}\n{document.text}" for document in sample)
        tokenizer = train_tokenizer(texts, options.vocabulary)
    encoder = DocumentEncoder(tokenizer)
    too_long: Counter[str] = Counter()

    def split(seed: int, tokens: int) -> Iterator[Document]:
        """Documents up to that many tokens; longer ones than the context are skipped."""
        total = 0
        stream = stream_of(seed)
        while total < tokens:
            chunk = list(itertools.islice(stream, 256))
            for document, encoded in zip(chunk, encoder.encode_batch(chunk), strict=True):
                if len(encoded[0]) > LONGEST:
                    too_long[document.kind] += 1
                    continue
                total += len(encoded[0])
                yield document

    manifest = write_corpus(
        options.out,
        {
            "train": split(options.seed, options.tokens),
            "validation": split(options.seed + 1_000_000, VALIDATION_TOKENS),
        },
        tokenizer,
        lambda: {
            "seed": options.seed,
            "facts": options.facts.name,
            "longest": LONGEST,
            "too_long": dict(too_long),
            "prose": prose,
            "exchange": writer.draws.exchange,
            "list_first": options.list_first,
            "held_out": held_out,
        },
        force=options.force,
    )
    for name, counts in manifest["splits"].items():
        print(f"{name}: {counts['documents']:,} documents, {counts['tokens']:,} tokens")


if __name__ == "__main__":
    main()
