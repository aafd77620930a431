"""`python -m training corpus`: write the corpus, its tokenizer and its token shards.

    python -m training corpus --out build/corpus/world --tokens 20000000 --seed 0

The folder gets `tokenizer/`, `train/` and `validation/` (see training.shards), `held_out.txt` and
`sample.jsonl`, a thousand of its documents to read.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from training.corpus.phrases import load_phrases
from training.corpus.prose import PROMPTS, annotate, passages
from training.corpus.records import NameFilter, held_out_entities, read_records, without
from training.corpus.writer import Writer, ask
from training.documents import Document

DEFAULT_FACTS = Path(__file__).parent.parent.parent / "graph" / "data" / "world.csv"
LONGEST = 512  # tokens of one document
PROSE_SHARE = 0.03  # of the documents; they are longer than the others, so some 5 % of the tokens


def prose_documents(writer: Writer, held_out: NameFilter, seed: int) -> list[Document]:
    """The annotated passages, each once, none of which names a held-out entity."""
    rng = random.Random(seed)
    documents = []
    for name, passage in passages(writer.records):
        document = annotate(writer.records[name], passage, ask(rng.choice(PROMPTS), name))
        if document is not None and not held_out.found(document.text):
            documents.append(document)
    rng.shuffle(documents)
    return documents


def documents(writer: Writer, held_out: NameFilter, seed: int) -> Iterator[Document]:
    """Endless documents; the n-th one is the same for the same seed."""
    prose = itertools.cycle(prose_documents(writer, held_out, seed) or [None])
    for number in itertools.count():
        rng = random.Random(f"{seed}:{number}")
        if rng.random() < PROSE_SHARE and (passage := next(prose)) is not None:
            yield passage
            continue
        document = writer.document(rng)
        if not held_out.found(document.prompt) and not held_out.found(document.text):
            yield document


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the corpus as the command line says."""
    from training.shards import write_shards
    from training.tokenizer import encode_document, load_tokenizer, train_tokenizer

    parser = argparse.ArgumentParser(
        prog="python -m training corpus", description="Write the training corpus from a graph."
    )
    parser.add_argument("--facts", type=Path, default=DEFAULT_FACTS, help="facts CSV")
    parser.add_argument("--out", type=Path, default=Path("build/corpus/world"), help="folder")
    parser.add_argument("--tokens", type=int, default=20_000_000, help="tokens to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vocabulary", type=int, default=8192, help="size of the tokenizer's")
    parser.add_argument("--sample", type=int, default=0, help="print that many documents and stop")
    options = parser.parse_args(arguments)

    records = read_records(options.facts)
    held_out = held_out_entities(records)
    names = NameFilter(held_out)
    writer = Writer(without(records, names), load_phrases())
    stream = documents(writer, names, options.seed)
    if options.sample:
        for document in itertools.islice(stream, options.sample):
            print(f"[{document.kind}] {document.prompt}\n{document.text}\n")
        return

    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "held_out.txt").write_text("\n".join(held_out) + "\n", encoding="utf-8")
    print(f"{len(writer.records)} entities to write about, {len(held_out)} held out.", flush=True)
    folder = options.out / "tokenizer"
    if not folder.exists():
        texts = (f"{d.prompt}\n{d.text}" for d in itertools.islice(stream, 40_000))
        train_tokenizer(texts, options.vocabulary).save_pretrained(folder)
    tokenizer = load_tokenizer(folder)
    kinds: Counter[str] = Counter()
    too_long: Counter[str] = Counter()

    def within(documents: Iterator[Document], tokens: int) -> Iterator[Document]:
        total = 0
        for document in documents:
            length = len(encode_document(tokenizer, document).ids)
            if length > LONGEST:
                too_long[document.kind] += 1
                continue
            total += length
            kinds[document.kind] += length
            yield document
            if total >= tokens:
                return

    for split, seed, tokens in (
        ("validation", options.seed + 1_000_000, 200_000),
        ("train", options.seed, options.tokens),
    ):
        kinds.clear()
        too_long.clear()
        stream = within(documents(writer, names, seed), tokens)
        if split == "validation":
            sample = list(itertools.islice(stream, 1000))
            lines = (
                json.dumps({"kind": d.kind, "prompt": d.prompt, "text": d.text}) for d in sample
            )
            (options.out / "sample.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
            stream = itertools.chain(sample, stream)
        manifest = {"seed": seed, "facts": options.facts.name, "held_out": held_out}
        write_shards(options.out / split, stream, tokenizer, manifest)
        total = sum(kinds.values())
        shares = ", ".join(f"{k} {n / total:.1%}" for k, n in kinds.most_common())
        print(f"{split}: {total:,} tokens; {shares}; too long and left out: {dict(too_long)}")


if __name__ == "__main__":
    main()
