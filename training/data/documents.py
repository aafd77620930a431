"""A training document: a prompt, and a text with its lookups written out.

The spacing rule (one place, shared by corpus, tokenizer and tests): nothing stands between a word
and the marker after it, and exactly one space follows each marker, so entity, relation, value and
the repetition of the value are tokenised alike wherever they stand:

    is<|db_entity|> France<|db_relationship|> capital<|db_return|> Paris<|db_end|> Paris.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from model.roles import END, ENTITY, RELATIONSHIP, RETURN


@dataclass(frozen=True, slots=True)
class Document:
    """One document of the corpus."""

    prompt: str
    """What a person typed; it is never trained on, and markers in it are text."""
    text: str
    """What the model writes, lookups included, with the four markers inline."""
    untrained: tuple[tuple[int, int], ...] = ()
    """Spans of characters `[start, end)` of `text` that are kept out of the loss too."""
    kind: str = ""
    """Which part of the corpus it belongs to, for counts."""


def with_opening_space(document: Document) -> Document:
    """The document as it is encoded: its text begins with one space, unless with a lookup.

    So a name that opens the text is tokenised as everywhere else.
    """
    if document.text.startswith(ENTITY):
        return document
    spans = tuple((start + 1, end + 1) for start, end in document.untrained)
    return replace(document, text=" " + document.text, untrained=spans)


def write_lookup(entity: str, relation: str, value: str) -> str:
    """One whole lookup, as it stands in a document's text."""
    return f"{ENTITY} {entity}{RELATIONSHIP} {relation}{RETURN} {value}{END}"
