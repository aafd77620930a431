"""Names and literals as text: how they are cleaned, quoted and folded to lookup keys.

`fold` is the only function that makes a key: the stores, the corpus, the decoder and the grounding
share it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from graph.core.errors import InvalidText

MAX_NAME = 512  # characters in the name of an entity, an alias or a relation
MAX_VALUE = 4096  # characters in a literal
# Characters that reorder the text around them: a value could disguise its context with them.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MONTH = (
    "(?:january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
_NUMBER_OR_DATE = re.compile(
    rf"""[+\-−]?[\d][\d\s.,:/\-–−]*%?                      # 2012; 3,000.5; 1867-11-07; 12:30
       | (?:\d{{1,2}}(?:st|nd|rd|th)?\s+)?{_MONTH}\.?(?:\s+\d{{1,2}}(?:st|nd|rd|th)?,?)?\s+\d{{1,4}}
       | \d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}              # 14 July
       | \d{{1,4}}\s*(?:bc|bce|ad|ce)""",
    re.VERBOSE | re.IGNORECASE,
)


def quoted(text: str, length: int = 60) -> str:
    """`text` in quotation marks for a message: shortened, with control characters escaped."""
    visible = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[: length + 1])
    return f"“{visible[:length]}…”" if len(visible) > length else f"“{visible}”"


def _clean(text: str, what: str, longest: int) -> str:
    if not isinstance(text, str):
        raise InvalidText(f"The {what} {text!r:.60} is not text; give it as a string.")
    if len(text) > 4 * longest:  # refuse a megabyte before normalising it
        raise InvalidText(
            f"The {what} {quoted(text)} has {len(text):,} characters; "
            f"at most {longest:,} are allowed."
        )
    if text.isascii() and text.isprintable():  # the common case, ten times as fast
        cleaned = " ".join(text.split())
    else:
        cleaned = " ".join(unicodedata.normalize("NFC", text).split())
        for character in cleaned:
            if unicodedata.category(character) in ("Cc", "Cs") or character in _REORDERING:
                raise InvalidText(
                    f"The {what} {quoted(text)} contains the control character "
                    f"U+{ord(character):04X}; remove it."
                )
        if all(unicodedata.category(c) in ("Cf", "Mn", "Zs") for c in cleaned):
            cleaned = ""
    if not cleaned:
        raise InvalidText(f"The {what} is empty; type at least one visible character.")
    if len(cleaned) > longest:
        raise InvalidText(
            f"The {what} {quoted(cleaned)} has {len(cleaned):,} characters; "
            f"at most {longest:,} are allowed."
        )
    return cleaned


def clean_name(text: str, what: str = "name") -> str:
    """A name in its stored form: NFC, single spaces, stripped, 1 to 512 characters.

    Raises `InvalidText` (a `ValueError`) if it is empty, too long or has control characters.
    """
    return _clean(text, what, MAX_NAME)


def clean_value(text: str) -> str:
    """A literal in its stored form: as `clean_name`, but up to 4,096 characters."""
    return _clean(text, "value", MAX_VALUE)


def clean_note(text: str, what: str, longest: int = 500) -> str:
    """A source, author or reason in its stored form; it may be empty."""
    return _clean(text, what, longest) if text and not text.isspace() else ""


def clean_signature(author: str, reason: str) -> tuple[str, str]:
    """The author and reason of an edit in their stored form; each may be empty."""
    return clean_note(author, "author"), clean_note(reason, "reason")


def clean_sources(text: str) -> str:
    """Any number of sources in their stored form, joined by "; ".

    Their number has no limit, because a fact of a large corpus names every passage in which it was
    looked up, and an import has to accept every export.
    """
    parts = [clean_note(part, "source") for part in text.split("; ")] if text else []
    return "; ".join(part for part in parts if part)


def fold(text: str) -> str:
    """The key that all spellings of a name share: NFKC, case folded, `_` and spaces as one space.

    >>> fold("New_York  CITY")
    'new york city'
    """
    return _fold_short(text) if len(text) <= MAX_NAME else _fold(text)


def _fold(text: str) -> str:
    if text.isascii():
        key = " ".join(text.lower().replace("_", " ").split())
    else:
        # Twice, because case folding can undo the normal form.
        once = unicodedata.normalize("NFKC", text).casefold()
        key = " ".join(unicodedata.normalize("NFKC", once).replace("_", " ").split())
    return key or text  # a name of underscores alone is its own key


_fold_short = lru_cache(maxsize=65536)(_fold)  # not for long texts, as a model may write


def is_number_or_date(value: str) -> bool:
    """Whether a value looks like a number or a date: then it is a link only if declared so."""
    return _NUMBER_OR_DATE.fullmatch(value.strip()) is not None


def plain(text: str) -> str:
    """The folded key without accents, for searches: "São" and "sao" are equal."""
    key = fold(text)
    if key.isascii():
        return key
    decomposed = unicodedata.normalize("NFD", key)
    return "".join(c for c in decomposed if not unicodedata.combining(c))
