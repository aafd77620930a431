"""A toy corpus in the layout of the real one: small enough to learn in a test."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from training.data.documents import Document, write_lookup
from training.data.shards import write_corpus
from training.data.tokenizer import train_tokenizer

FACTS = {
    "France": {"instance of": "country", "capital": "Paris", "currency": "euro"},
    "Japan": {"instance of": "country", "capital": "Tokyo", "currency": "Japanese yen"},
    "Marie Curie": {"instance of": "physicist", "birth date": "7 November 1867"},
    "Côte d'Ivoire": {"instance of": "country", "capital": "Yamoussoukro", "region": "Africa"},
    "Kraków": {"instance of": "city", "country": "Poland", "population": "804,237"},
}
WORDS = ("Ulm", "Zażółć", "Ærø", "東京", "Київ", "Αθήνα", "القاهرة", "x7", "new-", "O'Hara", "€40")


def run_alone(module: str, *arguments: object) -> str:
    """What a module of the tests prints in a process of its own, with one thread."""
    finished = subprocess.run(
        [sys.executable, "-m", f"tests.training.{module}", *map(str, arguments)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=1400,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout


def paragraph(entity: str, facts: dict[str, str], question: str = "") -> Document:
    """One paragraph that looks up `relations` and then each fact."""
    text = write_lookup(entity, "relations", "; ".join(facts))
    for relation, value in facts.items():
        lookup = write_lookup(entity, relation, value)
        text += f" The {relation} of {entity} is{lookup} {value}."
    return Document(question or f"Tell me about {entity}.", text.strip(), kind="paragraph")


def toy_documents(count: int, seed: int = 0) -> Iterator[Document]:
    """Paragraphs, questions and misses with values drawn again."""
    rng = random.Random(seed)
    for _ in range(count):
        entity, facts = rng.choice(list(FACTS.items()))
        drawn = {r: rng.choice([v, " ".join(rng.choices(WORDS, k=2))]) for r, v in facts.items()}
        kind = rng.random()
        if kind < 0.6:
            yield paragraph(entity, drawn)
        elif kind < 0.9:
            relation, value = rng.choice(list(drawn.items()))
            lookup = write_lookup(entity, relation, value)
            text = f"The {relation} of {entity} is{lookup} {value}."
            yield Document(f"What is the {relation} of {entity}?", text, kind="question")
        else:
            lookup = write_lookup("Atlantis", "capital", "unknown")
            text = f"The capital of Atlantis{lookup} is not recorded."
            yield Document("What is the capital of Atlantis?", text, kind="miss")


def write_toy_corpus(
    folder: Path, train: int = 64, validation: int = 16, vocab_size: int = 600
) -> Path:
    """A corpus folder for `LookupDataModule`."""
    tokenizer = train_tokenizer((f"{d.prompt} {d.text}" for d in toy_documents(200, 7)), vocab_size)
    splits = {"train": toy_documents(train, 1), "validation": toy_documents(validation, 2)}
    write_corpus(folder, splits, tokenizer, lambda: {"held_out": ["Kraków"]})
    return folder
