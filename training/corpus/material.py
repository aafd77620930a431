"""What every kind of document is made from: random draws, requests and sentences."""

from __future__ import annotations

from collections.abc import Iterable

from training.corpus.draws import Draws
from training.corpus.phrase_book import Phrases
from training.corpus.prompts import Prompts
from training.corpus.records import Record
from training.corpus.sentences import Sentences


class Material:
    """The draws from `records`, and the wordings from `phrases`."""

    def __init__(self, records: Iterable[Record], phrases: Phrases, exchange: bool = True) -> None:
        self.phrases = phrases
        self.draws = Draws(records, phrases, exchange)
        self.prompts = Prompts(phrases, self.draws)
        self.sentences = Sentences(phrases, self.draws)
