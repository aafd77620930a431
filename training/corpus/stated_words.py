"""The words in which the phrase book states each relation, for `model.grounding`.

    python -m training.corpus.stated_words

By them the grounding sees that a sentence speaks of another relation than the one that was looked
up. `model` may not import `training`, so the words are a file of the model's. A test fails if that
file is not what this command writes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import product

from model.grounding.stated_relation import WORDS_FILE, normalised
from training.corpus.phrase_book import Phrases, load_phrases

_SLOT = re.compile(r"\{([^{}]*)\}")


def stated_words(phrases: Phrases) -> dict[str, set[str]]:
    """Patterns of E (the entity), V (the value) and words, each with the relations it states."""
    found: dict[str, set[str]] = {}
    for relation, wording in phrases.relations.items():
        for statements in wording.statements.values():
            for statement in statements:
                for pattern in _patterns(statement, "value"):
                    found.setdefault(pattern, set()).add(relation)
    for sentence in phrases.sentences:
        for text in filter(None, (sentence.text, sentence.same)):
            for relation in sentence.relations:
                for pattern in _patterns(text, relation):
                    found.setdefault(pattern, set()).add(relation)
    return found


def _patterns(template: str, slot: str) -> Iterator[str]:
    """What stands around one value of a template, in each number."""
    parts = _SLOT.split(template)
    choices = [
        part.split("|") if i % 2 and "|" in part else [_token(part, slot) if i % 2 else part]
        for i, part in enumerate(parts)
    ]
    for chosen in product(*choices):
        words = normalised("".join(chosen))
        if "V" not in words:
            continue
        value = words.index("V")
        others = [i for i, word in enumerate(words) if word in ("E", "W")]
        if "W" not in words:
            yield " ".join(words)
            continue
        begin = max((i for i in others if i < value), default=0)
        end = min((i for i in others if i > value), default=len(words) - 1)
        yield " ".join(words[begin : end + 1])


def _token(placeholder: str, slot: str) -> str:
    name = placeholder.removeprefix("a ")
    if name in ("entity", "entity's"):
        return "E's" if name.endswith("s") else "E"
    return "V" if name == slot else "W"


def as_csv(words: dict[str, set[str]]) -> str:
    """The file as text, sorted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("pattern", "relations"))
    for pattern, relations in sorted(words.items()):
        writer.writerow((pattern, "; ".join(sorted(relations))))
    return out.getvalue()


def main() -> None:
    """Write the file."""
    WORDS_FILE.write_text(as_csv(stated_words(load_phrases())), encoding="utf-8")


if __name__ == "__main__":
    main()
