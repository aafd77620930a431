"""A training document: a prompt, and a text with its lookups written out.

The spacing rule, shared by corpus, tokenizer and tests: there is nothing between a word and the
marker after it, and exactly one space after each marker. So entity, relation, value and the
repetition of the value are tokenised alike everywhere:

    is<|db_entity|> France<|db_relationship|> capital<|db_return|> Paris<|db_end|> Paris.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from model.roles import END, ENTITY, RELATIONSHIP, RETURN


@dataclass(frozen=True, slots=True)
class Document:
    """One document of the corpus."""

    prompt: str
    """What a person typed; it is not in the loss, and markers in it are plain text."""
    text: str
    """What the model writes, lookups included, with the four markers inline."""
    untrained: tuple[tuple[int, int], ...] = ()
    """Spans of characters `[start, end)` of `text` that are kept out of the loss too."""
    kind: str = ""
    """The part of the corpus that it belongs to, for counting."""


def with_opening_space(document: Document) -> Document:
    """The document as it is encoded: its text begins with one space, unless with a lookup.

    So a name at the start of the text is tokenised as everywhere else.
    """
    if document.text.startswith(ENTITY):
        return document
    spans = tuple((start + 1, end + 1) for start, end in document.untrained)
    return replace(document, text=" " + document.text, untrained=spans)


def write_lookup(entity: str, relation: str, value: str) -> str:
    """A complete lookup as it is written in a document's text."""
    return f"{ENTITY} {entity}{RELATIONSHIP} {relation}{RETURN} {value}{END}"
