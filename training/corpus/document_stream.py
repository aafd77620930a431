"""The endless stream of documents for a corpus: written ones and some real prose."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from training.corpus.held_out import NameFilter
from training.corpus.prose import PROMPTS, annotate, passages
from training.corpus.templates import fill_prompt
from training.corpus.writer import Writer
from training.data.documents import Document

PROSE_SHARE = 0.03  # of the documents; these are longer, so about 5 % of the tokens


def prose_documents(writer: Writer, held_out: NameFilter, seed: int) -> list[Document]:
    """The annotated passages in random order, without those that name a held-out entity."""
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
    """Yield documents without end. The same seed yields the same documents in the same order."""
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
