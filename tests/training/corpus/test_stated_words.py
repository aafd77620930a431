"""The words by which the grounding knows relations are those of the phrase book."""

from __future__ import annotations

import random

from model.grounding import ground
from model.grounding.stated_relation import WORDS_FILE
from tests.model.model_fakes import trace_of
from training.corpus.phrase_book import load_phrases
from training.corpus.records import DEFAULT_FACTS, read_records
from training.corpus.stated_words import as_csv, stated_words
from training.corpus.writer import Writer


def test_the_file_is_what_the_command_writes() -> None:
    written = WORDS_FILE.read_text(encoding="utf-8")
    assert written == as_csv(stated_words(load_phrases())), (
        "Run python -m training.corpus.stated_words."
    )


def test_no_sentence_of_the_corpus_speaks_of_another_relation() -> None:
    writer = Writer(read_records(DEFAULT_FACTS).values(), load_phrases())
    flagged, values = [], 0
    for seed in range(150):
        document = writer.document(random.Random(seed))
        if "[" in document.text or "|" in document.text.replace("<|", "").replace("|>", ""):
            continue
        trace = trace_of(document.prompt, document.text)
        found = ground(trace)
        values += len(found.marks)
        flagged += [(trace.text, each) for each in found.other_relations]
    assert values > 200
    assert flagged == []
