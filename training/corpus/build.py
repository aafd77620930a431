"""`python -m training corpus`: write the corpus, its tokenizer and its token shards.

    python -m training corpus --out build/corpus/world --tokens 20000000 --seed 0

The folder gets `tokenizer/`, `train/` and `validation/` (see training.data.shards), and a manifest
with the names that were held out. `--sample 20` prints documents instead.
"""

from __future__ import annotations

import argparse
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from graph.core.atomic_files import FORCE_HELP, OUTPUT_RULE, check_folder
from training.corpus.held_out import NameFilter, held_out_entities, read_held_out, without
from training.corpus.phrase_book import load_phrases
from training.corpus.prose import PROMPTS, annotate, passages
from training.corpus.records import read_records
from training.corpus.templates import fill_prompt
from training.corpus.writer import Writer
from training.data.documents import Document

DEFAULT_FACTS = Path(__file__).parent.parent.parent / "graph" / "data" / "world.csv"
LONGEST = 512  # tokens of one document
VALIDATION_TOKENS = 200_000
PROSE_SHARE = 0.03  # of the documents; they are longer than the others, so some 5 % of the tokens


def prose_documents(writer: Writer, held_out: NameFilter, seed: int) -> list[Document]:
    """The annotated passages, each once, none of which names a held-out entity."""
    rng = random.Random(seed)
    documents = []
    for name, passage in passages(writer.draws.records):
        document = annotate(
            writer.draws.records[name], passage, fill_prompt(rng.choice(PROMPTS), name)
        )
        if document is not None and not held_out.found(document.text):
            documents.append(document)
    rng.shuffle(documents)
    return documents


def documents(
    writer: Writer, held_out: NameFilter, seed: int, prose: bool = True
) -> Iterator[Document]:
    """Endless documents; the n-th one is the same for the same seed."""
    real = prose_documents(writer, held_out, seed) if prose else []
    in_turn = itertools.cycle(real or [None])
    for number in itertools.count():
        rng = random.Random(f"{seed}:{number}")
        if rng.random() < PROSE_SHARE and (passage := next(in_turn)) is not None:
            yield passage
            continue
        document = writer.document(rng)
        if not held_out.found(document.prompt) and not held_out.found(document.text):
            yield document


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the corpus as the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m training corpus",
        description="Write the training corpus from a graph.",
        epilog=OUTPUT_RULE,
    )
    parser.add_argument("--facts", type=Path, default=DEFAULT_FACTS, help="facts CSV")
    parser.add_argument("--out", type=Path, default=Path("build/corpus/world"), help="folder")
    parser.add_argument("--tokens", type=int, default=20_000_000, help="tokens to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-prose", action="store_true", help="an ablation: no real prose")
    parser.add_argument(
        "--no-exchange",
        action="store_true",
        help="an ablation: names and values as in the graph, none exchanged or made up",
    )
    parser.add_argument("--tokenizer-documents", type=int, default=40_000)
    parser.add_argument(
        "--tokenizer",
        type=Path,
        help="folder of one to use, else it is trained; of a model, what it kept out is kept out",
    )
    parser.add_argument("--vocabulary", type=int, default=8192, help="size of the tokenizer's")
    parser.add_argument("--sample", type=int, default=0, help="print that many documents and stop")
    parser.add_argument("--force", action="store_true", help=FORCE_HELP)
    options = parser.parse_args(arguments)
    if not options.sample:
        from training.data.shards import is_corpus

        check_folder(options.out, made=is_corpus, force=options.force)

    records = read_records(options.facts)
    kept_out = sorted(read_held_out(options.tokenizer)) if options.tokenizer else []
    held_out = kept_out or held_out_entities(records)
    names = NameFilter(held_out)
    writer = Writer(without(records, names), load_phrases(), exchange=not options.no_exchange)
    prose = not options.no_prose
    stream = documents(writer, names, options.seed, prose)
    if options.sample:
        for document in itertools.islice(stream, options.sample):
            print(f"[{document.kind}] {document.prompt}\n{document.text}\n")
        return

    from training.data.shards import write_corpus
    from training.data.tokenizer import DocumentEncoder, load_tokenizer, train_tokenizer

    print(
        f"{len(writer.draws.records):,} entities to write about, {len(held_out)} held out.",
        flush=True,
    )
    if options.tokenizer:
        tokenizer = load_tokenizer(options.tokenizer)
    else:
        learnt = itertools.islice(stream, options.tokenizer_documents)
        texts = (f" {document.prompt}\n{document.text}" for document in learnt)
        tokenizer = train_tokenizer(texts, options.vocabulary)
    encoder = DocumentEncoder(tokenizer)
    too_long: Counter[str] = Counter()

    def split(seed: int, tokens: int) -> Iterator[Document]:
        """Documents up to that many tokens; what is longer than the context is drawn anew."""
        total = 0
        stream = documents(writer, names, seed, prose)
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
            "held_out": held_out,
        },
        force=options.force,
    )
    for name, counts in manifest["splits"].items():
        print(f"{name}: {counts['documents']:,} documents, {counts['tokens']:,} tokens")


if __name__ == "__main__":
    main()
